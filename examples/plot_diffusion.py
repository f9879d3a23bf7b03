"""How small an error can be seen?
===============================

Noise is added to new rows, more and more of it, and detectors tell them from the clean ones.

The detectors learn benign tumours, in 30 columns. Detectors of the diffusion family are trained
on just that, rows with noise. New benign tumours get noise on all columns, or on a single one,
as a sensor with an error would. A column has a standard deviation of one.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import DTE, DenoisingScoreMatching, NeighborDistance, outlier_roc_auc_score

X, y = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(0)
benign = StandardScaler().fit_transform(rng.permutation(X[y == 1]))
train, new = benign[:200], benign[200:]

detectors = {
    "DenoisingScoreMatching": DenoisingScoreMatching(),
    "DTE": DTE(hidden_dims=(128, 128), max_epochs=150),
    "NeighborDistance": NeighborDistance(),
    "EllipticEnvelope": EllipticEnvelope(),
}
for detector in detectors.values():
    detector.set_params(random_state=0).fit(train)

# %%
# Each curve is the AUROC of the rows with noise against the same rows without. The diffusion
# detectors see smaller errors than the distance to the nearest training rows does. The columns
# depend on each other almost linearly here, such as radius and perimeter, so that a covariance
# matrix is enough: ``EllipticEnvelope`` of scikit-learn sees more than all others.

noise = rng.normal(size=new.shape)
one = np.eye(new.shape[1])[rng.integers(new.shape[1], size=len(new))]
panels = {"noise on all columns": noise, "noise on one column": noise * one}
amounts = np.geomspace(0.1, 10, 9)
labels = np.repeat([1, -1], len(new))

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
styles = dict(zip(detectors, ["o-", "s-", "D--", "^:"], strict=True))
for ax, (title, moves) in zip(axes, panels.items(), strict=True):
    for name, detector in detectors.items():
        areas = [
            outlier_roc_auc_score(
                labels, -detector.score_samples(np.concatenate([new, new + amount * moves]))
            )
            for amount in amounts
        ]
        ax.plot(amounts, areas, styles[name], label=name)
    ax.axhline(0.5, color="black", lw=1)
    ax.set(title=title, xscale="log", xlabel="noise, in standard deviations of a column")
axes[0].set_ylabel("AUROC")
axes[0].legend(loc="lower right")
