"""What the members of an ensemble see
===================================

What the members of an ensemble make of the same rows, and their mean.

The rows are an arc and a ball. Each member draws the border between normal and abnormal in its
own way: a forest in steps along the axes, an auto-encoder along the sheet on which it finds the
rows, neighbours around every row, a support vector machine around each cloud. All scores are
tail probabilities of the training rows, so that one colour means the same everywhere.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skdeepanomaly import AutoEncoder, EnsembleDetector, NeighborDistance

rng = np.random.default_rng(0)
angle = rng.uniform(0, np.pi, size=300)
arc = 3 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.2 * rng.normal(size=(300, 2))
ball = rng.normal(size=(150, 2)) * 0.4 + [0, -1]
X = StandardScaler().fit_transform(np.concatenate([arc, ball]))
side = np.linspace(-3, 3, 120)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

ensemble = EnsembleDetector(
    [
        ("IsolationForest", IsolationForest()),
        ("NeighborDistance", NeighborDistance()),
        ("OneClassSVM", OneClassSVM(gamma=2.0, nu=0.05)),
        ("AutoEncoder", AutoEncoder()),
    ],
    contamination=0.02,
    random_state=0,
).fit(X)
panels = dict(zip(ensemble.names_, ensemble.score_views(grid).T, strict=True))
panels["EnsembleDetector"] = ensemble.score_samples(grid)

figure, axes = plt.subplots(1, 5, figsize=(14, 3.2), sharex=True, sharey=True)
for ax, (title, scores) in zip(axes, panels.items(), strict=True):
    surprise = np.minimum(-scores, 12).reshape(len(side), -1)
    ax.contourf(side, side, surprise, levels=np.linspace(0, 12, 25), cmap="Greys")
    ax.scatter(*X.T, s=3, c="tab:blue")
    ax.set(title=title, xticks=[], yticks=[])
    ax.set_aspect("equal")
decided = ensemble.decision_function(grid).reshape(len(side), -1)
axes[-1].contour(side, side, decided, levels=[0], colors="tab:red")
figure.tight_layout()
