"""The same alarms in the eyes of each metric
==========================================

Early, late, scarce and random alarms in a series, and what metrics think of them.

The series has three anomalies (grey). A metric of single time stamps, such as F1, sees no
difference between an alarm that is a little late and one that is wrong. Metrics of ranges do,
each in its own way.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from skdeepanomaly import (
    affiliation_score,
    detection_delay,
    nab_score,
    outlier_f1_score,
    point_adjusted_f1_score,
    range_precision_score,
    range_recall_score,
    vus_pr_score,
    vus_roc_score,
)

N = 1500
STARTS, LENGTH = (400, 800, 1200), 100


def alarms(*spans):
    labels = np.ones(N, dtype=int)
    for start, stop in spans:
        labels[start:stop] = -1
    return labels


truth = alarms(*((start, start + LENGTH) for start in STARTS))
rng = np.random.default_rng(0)
at_random = np.where(rng.random(N) < 0.03, -1, 1)
candidates = {
    "whole ranges": truth,
    "first tenth of each": alarms(*((start, start + 10) for start in STARTS)),
    "last tenth of each": alarms(*((start + 90, start + 100) for start in STARTS)),
    "all late by 50": alarms(*((start + 50, start + 150) for start in STARTS)),
    "one range of three": alarms((STARTS[0], STARTS[0] + LENGTH)),
    "right after each": alarms(*((start + 100, start + 110) for start in STARTS)),
    "3 % at random": at_random,
}

# %%
# Metrics of scores get 1 for an alarm and 0 elsewhere. The score of Numenta can be negative:
# each time stamp with a false alarm costs.

metrics = {
    "F1 of\ntime\nstamps": outlier_f1_score,
    "point-\nadjusted\nF1": point_adjusted_f1_score,
    "range\nprecision": range_precision_score,
    "range\nrecall": range_recall_score,
    "range\nrecall,\nearly": lambda y, p: range_recall_score(y, p, bias="front"),
    "affili-\nation F1": lambda y, p: affiliation_score(y, p).f1,
    "Numenta\n/ 100": lambda y, p: nab_score(y, p) / 100,
    "VUS\nROC": lambda y, p: vus_roc_score(y, p == -1, window=LENGTH),
    "VUS\nPR": lambda y, p: vus_pr_score(y, p == -1, window=LENGTH),
}
with warnings.catch_warnings():
    # A warning says that point adjustment flatters, which is what the figure shows.
    warnings.simplefilter("ignore", UserWarning)
    table = np.array([[m(truth, p) for m in metrics.values()] for p in candidates.values()])

# %%
# After point adjustment alarms at random look nearly as good as the truth. Affiliation is kind
# to what is near, even if it comes too late. Recall of ranges says what was covered, and
# precision how much of the alarms was right: report both. Where alarms have to be early, look
# at the score of Numenta, and at the delays.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(13, 4.6), layout="constrained", width_ratios=[1, 1.5]
)
for row, labels in enumerate(candidates.values()):
    for start in STARTS:
        left.fill_between([start, start + LENGTH], row - 0.5, row + 0.5, color="0.85", lw=0)
    left.plot(np.flatnonzero(labels == -1), [row] * np.sum(labels == -1), "|k", ms=16, mew=1)
    delays = detection_delay(truth, labels)
    found = np.isfinite(delays)
    text = f"{found.sum()} found"
    if found.any():
        text += f", {np.median(delays[found]):.0f} late"
    left.text(N * 1.01, row, text, va="center")
left.set_yticks(range(len(candidates)), candidates)
left.set(xlim=(0, N * 1.42), ylim=(len(candidates) - 0.5, -0.5), xlabel="time stamp")
left.set_xticks([0, 500, 1000, 1500])
left.set_title("alarms")

image = right.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
right.set_xticks(range(len(metrics)), metrics)
right.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
right.set_yticks([])
for (row, column), value in np.ndenumerate(table):
    color = "white" if value > 0.6 else "black"
    right.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
