"""Each column predicted from the others
=====================================

Features predicted from the other features, and explanations of the predictions.

The outdoor temperature depends on the hour. The power that a building draws depends on the
hour and the temperature: it is high for heating at low temperatures and for cooling at high
temperatures. In three rows one value is wrong, although each value alone is common.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import RegressionResidual

NAMES = ["hour", "temperature", "power"]
rng = np.random.default_rng(0)
hour = rng.uniform(0, 24, size=1000)
temperature = 12 - 10 * np.cos((hour - 4) * np.pi / 12) + rng.normal(size=1000)
power = 20 + 0.12 * (temperature - 14) ** 2 + 4 * (hour > 12) + rng.normal(size=1000)
X = np.column_stack([hour, temperature, power])
X[:3] = [4, 19, 23], [15, 21, 38], [20, 4, 25]

scaler = StandardScaler().fit(X)
Z = scaler.transform(X)
detector = RegressionResidual(model="additive", contamination=0.003, random_state=0).fit(Z)
flagged = np.flatnonzero(detector.predict(Z) == -1)

# %%
# The additive model can be read: what each column adds to the prediction of another one.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")

predicted = scaler.inverse_transform(detector.reconstruct(Z))
left.scatter(X[:, 0], X[:, 1], s=6, color="0.7", label="rows")
left.scatter(X[:, 0], predicted[:, 1], s=3, color="tab:blue", label="predicted")
left.scatter(*X[flagged, :2].T, s=50, facecolors="none", edgecolors="tab:red", label="flagged")
for row in flagged:
    left.annotate(f"row {row}", X[row, :2], xytext=(5, 6), textcoords="offset points")
left.set(xlabel="hour", ylabel="temperature", title="Temperature from hour and power")
left.legend(loc="lower center", fontsize=8, ncols=3, handletextpad=0.2, columnspacing=0.8)
left.set_ylim(-9, None)

# Contribution of the temperature to the predicted power, in the unit of power.
contributions = detector.contributions(Z)[:, 2, 1] * scaler.scale_[2]
truth = 0.12 * (X[:, 1] - 14) ** 2
order = np.argsort(X[:, 1])
middle.plot(X[order, 1], (truth - truth.mean())[order], color="0.7", lw=4, label="true")
middle.plot(X[order, 1], contributions[order], color="tab:blue", label="learned")
middle.set(xlabel="temperature", ylabel="added to power", title="Power, by temperature")
middle.legend(loc="upper center")

shares = detector.explain(Z[flagged])
image = right.imshow(shares, cmap="Reds", vmin=0, aspect="auto")
right.set_xticks(range(3), NAMES)
right.set_yticks(range(len(flagged)), [f"row {row}" for row in flagged])
for (row, column), share in np.ndenumerate(shares):
    color = "white" if share > 0.6 * shares.max() else "black"
    right.text(column, row, f"{share:.1f}", ha="center", va="center", color=color)
right.set_title("Added to the score")
