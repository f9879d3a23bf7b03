"""Auto-encoders, and rows that they generate
==========================================

Anomaly scores of auto-encoders, and rows that two of them generate.

Every detector is trained on points of two moons, which are all normal. Dark regions are
abnormal, and the line is the threshold. White points are generated rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    AdversarialAutoEncoder,
    AutoEncoder,
    DenoisingAutoEncoder,
    VariationalAutoEncoder,
)

X = StandardScaler().fit_transform(make_moons(500, noise=0.07, random_state=0)[0])
side = np.linspace(-2.6, 2.6, 120)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

common = {
    "hidden_dims": (64, 64),
    "batch_size": 100,
    "max_epochs": 150,
    "contamination": 0.02,
    "random_state": 0,
}
detectors = [
    AutoEncoder(latent_dim=1, **common),
    DenoisingAutoEncoder(noise_std=(0.05, 0.25), **common),
    VariationalAutoEncoder(**common),
    AdversarialAutoEncoder(latent_dim=1, **common),
]

figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), sharex=True, sharey=True)
for ax, detector in zip(axes, detectors, strict=True):
    scores = detector.fit(X).decision_function(grid)
    # The scores range over orders of magnitude; their ranks use the colours evenly.
    ranks = scores.argsort().argsort().reshape(len(side), -1)
    ax.contourf(side, side, ranks, levels=20, cmap="Blues_r")
    ax.contour(side, side, scores.reshape(len(side), -1), levels=[0], colors="tab:red")
    ax.scatter(*X[::2].T, s=3, color="black")
    if hasattr(detector, "sample"):
        ax.scatter(
            *detector.sample(150, random_state=0).T, s=6, color="white", edgecolor="0.3", lw=0.4
        )
    ax.set(
        title=type(detector).__name__,
        xticks=[],
        yticks=[],
        xlim=side[[0, -1]],
        ylim=side[[0, -1]],
    )
    ax.set_aspect("equal")
figure.tight_layout()
