"""Four scores of a GAN
====================

Four scores of a GAN on a plane, with and without background rows in the training.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import GAN

X = StandardScaler().fit_transform(make_moons(600, noise=0.06, random_state=0)[0])
ticks = np.linspace(-6, 6, 120)
plane = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)

detectors = {
    "discriminator, no background:\nranks badly": GAN(
        score_type="discriminator", background=0.0
    ),
    "discriminator, with background": GAN(score_type="discriminator"),
    "query": GAN(score_type="query"),
    "mix of both (default)": GAN(),
}

figure, axes = plt.subplots(
    1, 4, figsize=(13, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, (title, detector) in zip(axes, detectors.items(), strict=True):
    detector.set_params(contamination=0.05, max_epochs=100, random_state=0).fit(X)
    trained = np.sort(detector.score_samples(X))
    # Share of training rows with a lower score: comparable between scores of different scale.
    share = np.searchsorted(trained, detector.score_samples(plane)) / len(trained)
    image = ax.pcolormesh(ticks, ticks, share.reshape(120, 120), vmin=0, vmax=1, cmap="Blues")
    decision = detector.decision_function(plane).reshape(120, 120)
    ax.contour(ticks, ticks, decision, levels=[0], colors="tab:red", linewidths=1.2)
    ax.scatter(*X.T, s=3, color="black", linewidths=0)
    ax.set_title(title)
    ax.set_aspect("equal")
figure.colorbar(
    image, ax=axes, label="share of training rows\nthat are less normal", shrink=0.85
)
