"""Self-supervised detectors around two moons
==========================================

Scores of self-supervised detectors around two half moons.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import GOAD, NeuTraL

X = make_moons(600, noise=0.06, random_state=0)[0]
X = StandardScaler().fit_transform(X)
side = np.linspace(-3.2, 3.2, 90)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

detectors = {
    "NeuTraL": NeuTraL(contamination=0.05, random_state=0),
    "GOAD": GOAD(contamination=0.05, random_state=0),
}
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for axis, (name, detector) in zip(axes, detectors.items(), strict=True):
    detector.fit(X)
    scores = detector.decision_function(grid)
    # Without ranks, the extreme scores far from the data would use up the colours.
    ranks = np.argsort(np.argsort(scores)).reshape(90, 90) / len(scores)
    axis.contourf(side, side, ranks, levels=12, cmap="viridis")
    axis.contour(side, side, scores.reshape(90, 90), levels=[0], colors="white")
    axis.scatter(*X.T, s=4, color="black", alpha=0.6, linewidths=0)
    axis.set(title=name, xticks=[], yticks=[], aspect="equal")
