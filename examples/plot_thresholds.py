"""The threshold of each rule
==========================

The threshold of each rule for one detector, with and without anomalies among the scores.

The rows are tumours of the breast cancer table: benign ones are normal, malignant ones are
anomalies. The detector is trained once on half of the benign rows. The rules get the scores of
held-out rows, which are all benign on the left and 10 % malignant on the right.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    AutoEncoder,
    ConformalThreshold,
    FixedThreshold,
    GaussianMixtureThreshold,
    IQRThreshold,
    MADThreshold,
    POTThreshold,
    QuantileThreshold,
    ZScoreThreshold,
)

X, y = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(0)
benign, malignant = (rng.permutation(np.flatnonzero(y == label)) for label in (1, 0))
scaler = StandardScaler().fit(X[benign[:180]])
detector = AutoEncoder(random_state=0).fit(scaler.transform(X[benign[:180]]))
scores = {
    name: detector.score_samples(scaler.transform(X[rows]))
    for name, rows in {"benign": benign[180:], "malignant": malignant[:20]}.items()
}
rules = {
    "conformal": ConformalThreshold(),
    "quantile": QuantileThreshold(),
    "fixed": FixedThreshold(-5.0),
    "zscore": ZScoreThreshold(),
    "mad": MADThreshold(),
    "iqr": IQRThreshold(),
    "pot": POTThreshold(),
    "gaussian_mixture": GaussianMixtureThreshold(),
}
panels = {
    "rules get benign rows": scores["benign"],
    "rules get benign and malignant rows": np.concatenate(list(scores.values())),
}

figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharex=True, sharey=True)
everything = -np.concatenate(list(scores.values()))
bins = np.geomspace(everything.min(), everything.max(), 40)
for ax, (title, seen) in zip(axes, panels.items(), strict=True):
    for name, color in {"benign": "0.75", "malignant": "tab:red"}.items():
        ax.hist(-scores[name], bins=bins, color=color, label=name)
    thresholds = {name: -rule.fit(seen).threshold_ for name, rule in rules.items()}
    for place, name in enumerate(sorted(thresholds, key=thresholds.get)):
        y = 24 - 1.8 * place
        ax.plot([thresholds[name]] * 2, [0, y], color="tab:blue", lw=1)
        ax.annotate(name, (thresholds[name], y), xytext=(3, -3), textcoords="offset points")
    ax.set(title=title, xscale="log", xlim=(0.15, 400), xlabel="anomaly score, -score_samples")
axes[0].set_ylabel("held-out rows")
axes[0].legend(loc="upper left")
figure.tight_layout()
