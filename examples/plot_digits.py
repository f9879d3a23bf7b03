"""Handwritten digits: one is normal, the others are found
=======================================================

The 8 x 8 digits come with scikit-learn. An auto-encoder learns the digit 2 and then rebuilds
other twos and some other digits. What is no 2 is rebuilt as if it were one.

``python examples/plot_digits.py [PNG]`` writes the picture to PNG if a path is given.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdeepanomaly import (
    ConvAutoEncoder,
    LatentDisplay,
    ReconstructionDisplay,
    ScoreDisplay,
    ThresholdedDetector,
    outlier_roc_auc_score,
)

NORMAL = 2

digits = load_digits()
X, is_normal = digits.images / 16, digits.target == NORMAL
X_train, X_normal = train_test_split(X[is_normal], test_size=0.4, random_state=0)
rng = np.random.default_rng(0)
others = rng.choice(X[~is_normal], 30, replace=False)
X_test = np.concatenate([X_normal, others])
y_test = np.repeat([1, -1], [len(X_normal), len(others)])

# %%
# The threshold comes from twos that were held out of the training.

detector = ThresholdedDetector(
    ConvAutoEncoder(random_state=0), "mad", calibration_size=0.3, random_state=0
).fit(X_train)
auc = outlier_roc_auc_score(y_test, -detector.score_samples(X_test))
print(f"{len(X_normal)} twos and {len(others)} other digits: AUROC {auc:.3f}")

# %%
# Red in the column of errors: the detector put something there that the image has not. The heat
# map is what each pixel adds to the score.

figure = plt.figure(figsize=(10, 6.8), dpi=90, layout="constrained")
left, right = figure.subfigures(1, 2)
images, (scores, codes) = left.subplots(), right.subplots(2, 1)
ReconstructionDisplay.from_estimator(
    detector,
    X_test,
    n_images=6,
    ax=images,
    name="An auto-encoder that knows only twos:\nthe most abnormal digits",
)
ScoreDisplay.from_estimator(
    detector, X_test, y_test, ax=scores, name=f"Twos and other digits (AUROC {auc:.3f})"
)
LatentDisplay.from_estimator(
    detector, X_test, y_test, ax=codes, name="Their codes, coloured by the score"
)
if len(sys.argv) > 1:
    figure.canvas.draw()
    # A palette of 256 colours makes the file small.
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    picture.quantize().save(sys.argv[1], optimize=True)
