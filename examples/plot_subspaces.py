"""Rows on two lines: deep subspace clustering
===========================================

Anomaly scores of deep subspace clustering for two kinds of rows.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdeepanomaly import DeepSubspaceClustering

rng = np.random.default_rng(0)
t = rng.uniform(-2, 2, size=(400, 1))
lines = np.where(np.arange(400)[:, None] < 200, t * [1, 0.35], t * [0.25, -1])
X = lines + 0.06 * rng.normal(size=lines.shape)

axis = np.linspace(-2.5, 2.5, 150)
grid = np.column_stack([v.ravel() for v in np.meshgrid(axis, axis)])

figure, panels = plt.subplots(1, 2, figsize=(9, 4.2), sharey=True, layout="constrained")
for panel, n_clusters in zip(panels, (1, 2), strict=True):
    detector = DeepSubspaceClustering(
        n_clusters=n_clusters, latent_dim=2, signed_affinity=False, random_state=0
    )
    scores = np.log10(-detector.fit(X).score_samples(grid)).reshape(150, 150)
    shades = panel.contourf(axis, axis, scores, levels=20, cmap="Blues")
    panel.scatter(*X.T, c=detector.predict_cluster(X), cmap="tab10", vmax=9, s=6)
    panel.set_title(f"{n_clusters} subspace" + "s" * (n_clusters > 1))
    panel.set_aspect("equal")
figure.colorbar(shades, ax=panels, label="log10 of the anomaly score")
