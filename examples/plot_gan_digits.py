"""A GAN learns to draw digits
===========================

A GAN learns to draw digits, and finds those that it cannot draw.

The 8 x 8 digits come with scikit-learn. A convolutional GAN learns the digits 0, 1 and 2. A
callback records what the generator draws as training goes on, always from the same random
codes. The score of a digit is its distance to the most similar one of those that the GAN draws.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdeepanomaly import (
    ConvGAN,
    SampleDisplay,
    SampleRecorder,
    ScoreDisplay,
    outlier_roc_auc_score,
)

digits = load_digits()
X, is_normal = digits.images / 16, digits.target <= 2
X_train, X_normal = train_test_split(X[is_normal], test_size=0.4, random_state=0)
X_test = np.concatenate([X_normal, X[~is_normal][:200]])
y_test = np.repeat([1, -1], [len(X_normal), 200])

recorder = SampleRecorder([1, 5, 20, 60, 200], n_samples=10)
detector = ConvGAN(
    channels=(32, 64),
    batch_size=32,
    max_epochs=200,
    contamination=0.05,
    callbacks=[recorder],
    random_state=0,
).fit(X_train)
auc = outlier_roc_auc_score(y_test, -detector.score_samples(X_test))
print(f"AUROC {auc:.3f}")

figure, (samples, scores) = plt.subplots(
    1, 2, figsize=(11, 4), layout="constrained", width_ratios=[1.5, 1]
)
SampleDisplay.from_training(
    detector, ax=samples, name="What the GAN draws from the same ten codes"
)
ScoreDisplay.from_estimator(
    detector, X_test, y_test, ax=scores, name=f"0, 1, 2, and other digits (AUROC {auc:.3f})"
)
scores.set_ylim(0, 26)  # room for the legend
