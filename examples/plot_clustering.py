"""Clusters of codes and anomaly scores
====================================

Clusters and anomaly scores of detectors that cluster codes.

Normal rows form three clusters of different shapes. Each colour is a cluster that the detector
found, dark regions are abnormal, and the line is the threshold.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import DeepClustering, DeepEmbeddedClustering

rng = np.random.default_rng(0)
angle = rng.uniform(0, np.pi, size=300)
arc = 3 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.2 * rng.normal(size=(300, 2))
ball = rng.normal(size=(300, 2)) * 0.5 + [0, -1]
bar = rng.normal(size=(300, 2)) * [0.2, 1] + [5, 0]
X = StandardScaler().fit_transform(np.concatenate([arc, ball, bar]))
side = np.linspace(-3, 3, 120)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

detectors = {
    "DeepClustering, 3 clusters": DeepClustering(n_clusters=3),
    "DeepClustering, 16 clusters": DeepClustering(n_clusters=16),
    "DeepEmbeddedClustering, 16 clusters": DeepEmbeddedClustering(n_clusters=16),
}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), sharex=True, sharey=True)
for ax, (title, detector) in zip(axes, detectors.items(), strict=True):
    detector.set_params(contamination=0.02, random_state=0).fit(X)
    scores = detector.decision_function(grid)
    # The scores range over orders of magnitude; their ranks use the colours evenly.
    ranks = scores.argsort().argsort().reshape(len(side), -1)
    ax.contourf(side, side, ranks, levels=20, cmap="Greys_r", alpha=0.6)
    ax.contour(side, side, scores.reshape(len(side), -1), levels=[0], colors="tab:red")
    ax.scatter(*X.T, s=4, c=detector.predict_cluster(X), cmap="tab20")
    ax.set(title=title, xticks=[], yticks=[])
    ax.set_aspect("equal")
figure.tight_layout()
