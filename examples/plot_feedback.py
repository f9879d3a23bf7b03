"""An analyst's verdicts improve the ranking
=========================================

The anomalies that matter to an analyst, found with and without feedback.

Among scans of the digit three are a few scans of each other digit. All of these stand out, but
the analyst only looks for sevens, and reviews the five most abnormal rows at a time.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, FeedbackDetector

X, digits = load_digits(return_X_y=True)


def draw(seed):
    """Return all threes, 40 sevens and 12 of each other digit, with the truth."""
    rng = np.random.default_rng(seed)
    sizes = dict.fromkeys(range(10), 12) | {3: 180, 7: 40}
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(digits == d), n, replace=False) for d, n in sizes.items()]
    )
    return X[rows], np.where(digits[rows] == 7, -1, 1)


def review(detector, rows, truth, n_rounds=20, n=5):
    """Return the share of the sevens found after each round, without and with feedback."""
    in_order = detector.query(rows, n=n_rounds * n).reshape(n_rounds, n)
    without, found = (truth[in_order] == -1).sum(axis=1), []
    for _ in range(n_rounds):
        proposed = detector.query(rows, n=n)
        detector.add_feedback(rows[proposed], truth[proposed])
        found.append((truth[proposed] == -1).sum())
    return np.cumsum([without, found], axis=1) / (truth == -1).sum()


detectors = {
    "IsolationForest": lambda seed: IsolationForest(random_state=seed),
    "AutoEncoder": lambda seed: make_pipeline(
        StandardScaler(), AutoEncoder(max_epochs=50, random_state=seed)
    ),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for ax, (name, make) in zip(axes, detectors.items(), strict=True):
    curves = []
    for seed in range(3):
        rows, truth = draw(seed)
        curves.append(review(FeedbackDetector(make(seed)).fit(rows), rows, truth))
    without, found = np.insert(np.mean(curves, axis=0), 0, 0, axis=1)
    reviewed = 5 * np.arange(len(found))
    ax.plot(reviewed, found, color="tab:red", label="with feedback")
    ax.plot(reviewed, without, color="tab:blue", label="without")
    ax.plot(reviewed, reviewed / len(rows), color="0.6", ls=":", label="at random")
    ax.set(title=name, xlabel="rows reviewed", xlim=(0, 100), ylim=(0, 1.03))
axes[0].set_ylabel("share of the sevens found")
axes[0].legend(loc=(0.55, 0.55), frameon=False)
figure.tight_layout()
