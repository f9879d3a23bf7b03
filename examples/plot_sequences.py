"""Which kinds of anomalies do networks of sequences see?
======================================================

Networks that read a window in its order, next to methods that do not know of order.

A series of two channels has twelve anomalies of six kinds, such as a usual value at the wrong
time and a channel that is late. All detectors learn the first part, which has none, and score
windows of 20 time stamps. The table shows the AUROC of time stamps of each kind against
normal ones.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdeepanomaly import (
    ConvForecaster,
    MatrixProfileDetector,
    NeighborDistance,
    RecurrentAutoEncoder,
    RecurrentForecaster,
    SeriesDisplay,
    SlidingWindowDetector,
    TransformerAutoEncoder,
    UnivariateDetector,
    outlier_roc_auc_score,
)
from skdeepanomaly.datasets import make_series_anomalies

KINDS = ("point", "contextual", "collective", "level_shift", "frequency", "correlation")
START = 1000
X, y, kinds = make_series_anomalies(
    3200,
    n_channels=2,
    kinds=KINDS,
    n_anomalies=12,
    n_normal=START,
    length=40,
    period=40,
    random_state=0,
)

# %%
# With ``n_last_steps=2`` only the end of a window counts, so that a single value is seen when
# it comes, and is forgotten when it is past.

networks = {
    "RecurrentForecaster": RecurrentForecaster(hidden_dim=32, max_epochs=5, n_last_steps=2),
    "ConvForecaster": ConvForecaster(max_epochs=5, n_last_steps=2),
    "TransformerAutoEncoder": TransformerAutoEncoder(n_layers=1, max_epochs=5, n_last_steps=2),
    "RecurrentAutoEncoder": RecurrentAutoEncoder(hidden_dim=32, max_epochs=8),
}
detectors = {
    "UnivariateDetector, no windows": UnivariateDetector(),
    "MatrixProfileDetector": MatrixProfileDetector(window=20),
    "NeighborDistance of windows": SlidingWindowDetector(NeighborDistance(), window=20),
    **{
        name: SlidingWindowDetector(
            network.set_params(random_state=0), window=20, contamination=0.005
        )
        for name, network in networks.items()
    },
}
table = []
for detector in detectors.values():
    scores = -detector.fit(X[:START]).score_samples(X)
    areas = []
    for kind in KINDS:
        chosen = (kinds == kind) | ((kinds == "normal") & (np.arange(len(X)) >= START))
        areas.append(outlier_roc_auc_score(y[chosen], scores[chosen]))
    table.append(areas)

# %%
# Values alone show points, and a part of a shift. Windows show all kinds. A plain search among
# them is about as good as the networks: only single points are seen better where the end of a
# window is all that counts.

figure = plt.figure(figsize=(12, 5.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1])
ax = left.subplots()
image = ax.imshow(table, cmap="Blues", vmin=0.4, vmax=1, aspect="auto")
ax.set_xticks(
    range(len(KINDS)), [kind.replace("_", "\n") for kind in KINDS], rotation=40, ha="right"
)
ax.set_yticks(range(len(detectors)), detectors)
for (row, column), area in np.ndenumerate(table):
    color = "white" if area > 0.75 else "black"
    ax.text(column, row, f"{area:.2f}", ha="center", va="center", color=color)
ax.set_title("AUROC by kind of anomaly")

part = slice(START, START + 1200)
SeriesDisplay.from_estimator(
    detectors["RecurrentForecaster"],
    X[part],
    y[part],
    name="RecurrentForecaster",
    axes=right.subplots(2, 1, sharex=True),
)
