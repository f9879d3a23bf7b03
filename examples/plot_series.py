"""Three kinds of anomalies in a series
====================================

A series with three kinds of anomalies, and three detectors of them.

The series is a daily rhythm with noise, a value every quarter of an hour for four weeks. In the
last week a single value is far out, the rhythm stands still for ten hours at a usual level, and
a day runs backwards. Values alone show the first; windows show the others.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdeepanomaly import (
    AutoEncoder,
    MatrixProfileDetector,
    ScoreCalibrator,
    SlidingWindowDetector,
    UnivariateDetector,
)

DAY = 96
rng = np.random.default_rng(0)
t = np.arange(28 * DAY)
X = np.sin(2 * np.pi * t / DAY) + 0.4 * np.sin(4 * np.pi * t / DAY) + rng.normal(0, 0.1, len(t))
X = X[:, None]
train = 21 * DAY
anomalies = {
    "a value far out": slice(22 * DAY + 30, 22 * DAY + 31),
    "it stands still": slice(24 * DAY + 20, 24 * DAY + 60),
    "a day backwards": slice(26 * DAY, 27 * DAY),
}
far, still, backwards = anomalies.values()
X[far] += 3
X[still] = X[still.start] + rng.normal(0, 0.1, (40, 1))
X[backwards] = X[backwards][::-1]

# %%
# Three weeks train each detector. Alarms are records of its scores.

detectors = {
    "UnivariateDetector": UnivariateDetector(),
    "AutoEncoder on windows": SlidingWindowDetector(AutoEncoder(random_state=0), window=48),
    "MatrixProfileDetector": MatrixProfileDetector(window=48),
}
figure, axes = plt.subplots(4, 1, figsize=(11, 7.5), sharex=True, layout="constrained")
days = t[train:] / DAY
axes[0].plot(days, X[train:, 0], color="0.3", lw=0.7)
axes[0].set(title="series")
for ax, (name, detector) in zip(axes[1:], detectors.items(), strict=True):
    scores = -detector.fit(X[:train]).score_samples(X[train:])
    alarms = ScoreCalibrator(detector).fit(X[:train]).predict(X[train:]) == -1
    ax.plot(days, scores, color="tab:blue", lw=0.8)
    ax.plot(days[alarms], scores[alarms], "v", color="tab:red", label="alarm (ScoreCalibrator)")
    ax.set(title=f"anomaly score: {name}")
axes[-1].legend(loc="upper left")
axes[-1].set(xlabel="day")
for ax in axes:
    for part in anomalies.values():
        ax.axvspan(
            part.start / DAY, (part.stop + 2) / DAY, color="tab:orange", alpha=0.25, lw=0
        )
