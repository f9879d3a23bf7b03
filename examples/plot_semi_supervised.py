"""What five labelled anomalies change
===================================

The effect of five labelled anomalies, on rows with two features.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdeepanomaly import DeepSAD, DevNet, SemiSupervisedGAN

rng = np.random.default_rng(0)
normal = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=500)
known_kind = [1.1, -0.6] + 0.15 * rng.normal(size=(20, 2))
unknown = np.concatenate([c + 0.15 * rng.normal(size=(8, 2)) for c in ([-2, 1.6], [2.2, 3.6])])
X = np.concatenate([normal, known_kind[:5]])
y = np.repeat([0, -1], [500, 5])

ticks = np.linspace(-4, 4, 120)
grid = np.stack(np.meshgrid(ticks, ticks), axis=2).reshape(-1, 2)
panels = [
    ("Deep SAD, no labels", DeepSAD(random_state=0, contamination=0.05).fit(normal)),
    ("Deep SAD", DeepSAD(random_state=0, contamination=0.05).fit(X, y)),
    ("DevNet", DevNet(random_state=0, contamination=0.05).fit(X, y)),
    ("Semi-supervised GAN", SemiSupervisedGAN(random_state=0, contamination=0.05).fit(X, y)),
]

figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), sharey=True, layout="constrained")
for ax, (title, detector) in zip(axes, panels, strict=True):
    scores = detector.decision_function(grid)
    # Ranks give all detectors the same colours, whatever the scale of their scores.
    ranks = scores.argsort().argsort().reshape(120, 120)
    ax.pcolormesh(ticks, ticks, ranks, cmap="Blues_r", shading="auto", rasterized=True)
    ax.contour(ticks, ticks, scores.reshape(120, 120), levels=[0], colors="tab:orange")
    ax.scatter(*normal.T, s=5, color="0.45", linewidths=0)
    ax.scatter(*known_kind[5:].T, s=8, color="lightcoral", linewidths=0)
    ax.scatter(*known_kind[:5].T, s=22, color="red", marker="x", zorder=3)
    ax.scatter(*unknown.T, s=8, color="black", linewidths=0)
    ax.set(title=title, xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    ax.set_xticks([])
    ax.set_yticks([])
