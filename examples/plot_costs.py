"""Where to cut, if a miss costs twenty false alarms?
==================================================

Thresholds by a share, by labels, by costs and by a promise, for one detector.

The rows are tumours of the breast cancer table, one in ten malignant. A search for the nearest
training rows ranks them. The threshold decides how many healthy women are called back, and how
many tumours are missed. Here a miss costs as much as 20 false alarms.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    ConformalDetector,
    NeighborDistance,
    ThresholdSearchCV,
    as_classifier,
    outlier_balanced_accuracy_score,
    outlier_cost,
    outlier_precision_score,
    outlier_recall_score,
)

MISSED = 20
X, is_benign = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(0)
benign, malignant = (rng.permutation(X[is_benign == label]) for label in (1, 0))
X_train = np.concatenate([benign[:200], malignant[:22]])
y_train = np.repeat([1, -1], [200, 22])
# Each new benign row stands for eleven, so that one new row in ten is malignant, too.
X_new = np.concatenate([np.repeat(benign[200:], 11, axis=0), malignant[22:]])
y_new = np.repeat([1, -1], [11 * (len(benign) - 200), len(malignant) - 22])

# %%
# Labels of the training rows choose two of the thresholds. With calibrated probabilities the
# best cut is known beforehand: where a tumour is malignant with a probability of 1 / 21.

detector = make_pipeline(StandardScaler(), NeighborDistance(n_neighbors=30))
by_cost = make_scorer(outlier_cost, missed=MISSED, greater_is_better=False)
cuts = {
    "contamination\n0.1": detector,
    "search\nfor F1": ThresholdSearchCV(detector, scoring="f1", random_state=0),
    "search\nfor cost": ThresholdSearchCV(detector, scoring=by_cost, random_state=0),
    "conformal,\n5 % promised": ConformalDetector(detector, alpha=0.05, random_state=0),
}
predictions = {name: cut.fit(X_train, y_train).predict(X_new) for name, cut in cuts.items()}
calibrated = CalibratedClassifierCV(as_classifier(detector), cv=5).fit(X_train, y_train)
probability = calibrated.predict_proba(X_new)[:, 0]
predictions["probability\nabove 1/21"] = np.where(probability > 1 / (1 + MISSED), -1, 1)

# %%
# What is best for F1 costs more than it has to, and so does a promise of few false alarms. A
# search that knows the costs comes nearest to the least ones. Probabilities from so few labels
# are rough where they are small: that cut flags too many.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
order = np.argsort(detector.score_samples(X_new))
n_flagged = np.arange(1, len(X_new))
missed = np.sum(y_new == -1) - np.cumsum(y_new[order] == -1)[:-1]
false_alarms = np.cumsum(y_new[order] == 1)[:-1]
left.plot(
    n_flagged / len(X_new),
    (MISSED * missed + false_alarms) / len(X_new),
    color="0.6",
    label="any threshold",
)
rates = {"precision": [], "recall": [], "balanced accuracy": []}
for (name, labels), marker in zip(predictions.items(), "osD^v", strict=True):
    cost = outlier_cost(y_new, labels, missed=MISSED)
    left.plot(np.mean(labels == -1), cost, marker, ms=9, label=name.replace("\n", " "))
    rates["precision"].append(outlier_precision_score(y_new, labels))
    rates["recall"].append(outlier_recall_score(y_new, labels))
    rates["balanced accuracy"].append(outlier_balanced_accuracy_score(y_new, labels))
left.set(xlabel="share of new rows that are flagged", ylabel="cost of a new row", ylim=(0, 2))
left.set_title("Costs")
left.legend()
places = np.arange(len(predictions))
for shift, (name, values), shade in zip(
    (-1, 0, 1), rates.items(), ("0.8", "0.55", "0.25"), strict=True
):
    right.bar(places + 0.27 * shift, values, width=0.25, color=shade, label=name)
right.set_xticks(places, predictions)
right.set(ylim=(0, 1.25), title="Rates")
right.legend(ncols=3, loc="upper center")
