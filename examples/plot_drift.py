"""A stream with drift, found and answered
=======================================

A stream, replayed row by row: the drift is found, and a new threshold answers it.

Rows of four columns depend on two numbers. After 1,500 rows there is more noise, and the
auto-encoder flags a third of them. 500 rows after the drift is found the threshold is a new
one, and so is the reference of the drift detector.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator

from skdeepanomaly import AutoEncoder, DriftDetector, QuantileThreshold

rng = np.random.default_rng(0)
CHANGE, N_NEW = 1500, 500


def make_rows(n, noise):
    codes = rng.normal(size=(n, 2))
    return codes @ [[1, 1, 1, 1], [1, -1, 2, -2]] + rng.normal(scale=noise, size=(n, 4))


detector = AutoEncoder(hidden_dims=(32,), latent_dim=2, contamination=0.01, random_state=0).fit(
    make_rows(2000, 0.1)
)
drift = DriftDetector(FrozenEstimator(detector), random_state=0).fit(make_rows(1000, 0.1))
threshold = detector.offset_
stream = np.concatenate([make_rows(CHANGE, 0.1), make_rows(2500, 0.2)])

# %%
# The replay: each row is flagged or not, and shown to the drift detector.

thresholds, flags, alarms, since = [], [], [], None
scores = detector.score_samples(stream)
for i, (x, score) in enumerate(zip(stream, scores, strict=True)):
    thresholds.append(threshold)
    flags.append(score < threshold)
    if since is None and drift.update(x):
        alarms.append(i)
        since = i
    elif since is not None and i == since + N_NEW:
        threshold = QuantileThreshold(0.01).fit(scores[since:i]).threshold_
        drift.fit(stream[since:i])
        since = None

# %%
# Drift is no anomaly: after the new threshold, rows with more noise are normal.

figure, axes = plt.subplots(2, 1, figsize=(11, 5.5), sharex=True, layout="constrained")
flags = np.array(flags)
place = np.arange(len(stream))
axes[0].plot(place, -scores, ".", ms=2, color="0.5", label="anomaly score")
axes[0].plot(place[flags], -scores[flags], ".", ms=3, color="tab:red", label="flagged")
axes[0].plot(place, -np.array(thresholds), color="black", label="threshold")
axes[0].set(title="AutoEncoder", yscale="log")
share = np.convolve(flags, np.ones(100) / 100)[: len(flags)]
axes[1].plot(place, share, color="tab:red", lw=1)
axes[1].set(title="share of the last 100 rows that were flagged", xlabel="row", ylim=(0, 1))
for ax in axes:
    ax.axvline(CHANGE, color="tab:orange", label="more noise")
    for alarm in alarms:
        ax.axvline(alarm, color="tab:blue", ls="--", label="alarm of DriftDetector")
axes[0].legend(loc="upper left", markerscale=3)
