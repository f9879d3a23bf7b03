"""A detector in seven displays
============================

Scores, thresholds, curves, losses and contributions of an auto-encoder in one figure.

The Wisconsin breast-cancer data come with scikit-learn. The detector is trained on benign
tumours only. The displays show other benign tumours and malignant tumours.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    AutoEncoder,
    ContributionDisplay,
    LossDisplay,
    OutlierDetCurveDisplay,
    OutlierPrecisionRecallDisplay,
    OutlierRocCurveDisplay,
    ScoreDisplay,
    ThresholdDisplay,
    ThresholdedDetector,
)

data = load_breast_cancer()
# In this table 0 stands for malignant.
malignant = data.target == 0
X_train, X_benign = train_test_split(data.data[~malignant], test_size=0.4, random_state=0)
X = np.concatenate([X_benign, data.data[malignant][:30]])
y = np.repeat([1, -1], [len(X_benign), 30])

deep = AutoEncoder(train_split=0.2, max_epochs=150, random_state=0)
detector = ThresholdedDetector(
    make_pipeline(StandardScaler(), deep), "mad", calibration_size=0.3, random_state=0
).fit(X_train)

figure = plt.figure(figsize=(12, 12), layout="constrained")
top, bottom = figure.subfigures(2, 1, height_ratios=[2, 1])
(scores, thresholds, flagged), (roc, precision_recall, det) = top.subplots(2, 3)
loss, row = bottom.subplots(1, 2)

held_out, name = (detector, X, y), "AutoEncoder"
ScoreDisplay.from_estimator(*held_out, name=name, ax=scores, log=True)
ThresholdDisplay.from_estimator(*held_out, name=name, ax=thresholds)
ThresholdDisplay.from_estimator(*held_out, name=name, ax=flagged, x="flagged")
OutlierRocCurveDisplay.from_estimator(*held_out, name=name, ax=roc, plot_chance_level=True)
OutlierPrecisionRecallDisplay.from_estimator(
    *held_out, name=name, ax=precision_recall, plot_chance_level=True
)
OutlierDetCurveDisplay.from_estimator(*held_out, name=name, ax=det)
LossDisplay.from_estimator(detector, ax=loss)
ContributionDisplay.from_estimator(
    detector, X, row=-1, feature_names=data.feature_names, ax=row
)
