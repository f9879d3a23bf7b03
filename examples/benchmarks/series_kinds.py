"""Which detector finds which kind of anomaly in a series.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/series_kinds.py [--out FILE.rst]
           [--seeds 0,1,2] [--detectors "UnivariateDetector;..."]

For each kind and each seed ``make_series_anomalies`` makes a series of 3,000 normal time
stamps, to fit on, and 3,000 with ten anomalies of that kind. An anomaly is found if one of its
time stamps, or of the window after it, has a lower score than 99.9 % of the normal time stamps
that are not within a window after an anomaly.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import (
    GAN,
    AutoEncoder,
    ConditionalGAN,
    ConvForecaster,
    MatrixProfileDetector,
    RecurrentAutoEncoder,
    RecurrentForecaster,
    SlidingWindowDetector,
    TransformerAutoEncoder,
    UnivariateDetector,
)
from skdeepanomaly.datasets import make_series_anomalies

KINDS = ["point", "contextual", "collective", "level_shift", "frequency", "correlation"]
PERIOD, N_NORMAL, WINDOW, NOISE = 50, 3000, 32, 0.3


def in_context(seed, n_channels):
    """Judge the last values by the hour, which is the last two columns of each step."""
    n_columns = n_channels + 2
    hours = [i for i in range(4 * n_columns) if i % n_columns >= n_channels]
    return SlidingWindowDetector(
        ConditionalGAN(condition_features=hours, random_state=seed), window=4
    )


def on_windows(make, **params):
    """Make a detector of windows of 32 steps for a seed."""
    return lambda seed, n_channels: SlidingWindowDetector(
        make(random_state=seed, **params), window=WINDOW
    )


DETECTORS = {
    "UnivariateDetector": lambda seed, n_channels: UnivariateDetector(),
    "MatrixProfileDetector": lambda seed, n_channels: MatrixProfileDetector(window=WINDOW),
    "5 neighbours": lambda seed, n_channels: SlidingWindowDetector(
        LocalOutlierFactor(5, novelty=True), window=WINDOW
    ),
    "IsolationForest": on_windows(IsolationForest),
    "AutoEncoder": on_windows(AutoEncoder),
    "RecurrentAutoEncoder": on_windows(RecurrentAutoEncoder),
    "RecurrentForecaster": on_windows(RecurrentForecaster, n_last_steps=1),
    "ConvForecaster": on_windows(ConvForecaster, n_last_steps=1),
    "TransformerAutoEncoder": on_windows(TransformerAutoEncoder),
    "GAN, 4 steps": lambda seed, n_channels: SlidingWindowDetector(
        GAN(random_state=seed), window=4
    ),
    "ConditionalGAN, 4 steps, hour": in_context,
}


def spans_of(y):
    """Return the first time stamp of each anomaly and that after its last."""
    edges = np.diff(np.concatenate([[0], y == -1, [0]]).astype(int))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def share_found(scores, y, reach):
    """Return the share of the anomalies that are found, at 0.1 % of false alarms."""
    spans = spans_of(y)
    near = np.zeros(len(y), dtype=bool)
    for start, stop in spans:
        near[start : stop + reach] = True
    threshold = np.quantile(scores[~near], 0.001)
    return np.mean([scores[a : b + reach].min() < threshold for a, b in spans])


def measure(name, kind, seed):
    """Return the share found by a detector of the anomalies of a kind."""
    n_channels = 3 if kind == "correlation" else 1
    X, y, _ = make_series_anomalies(
        6000,
        n_channels,
        kinds=kind,
        n_anomalies=10,
        period=PERIOD,
        n_normal=N_NORMAL,
        noise=NOISE,
        random_state=seed,
    )
    if name.endswith("hour"):
        hour = 2 * np.pi * np.arange(len(X))[:, None] / PERIOD
        X = np.hstack([X, np.sin(hour), np.cos(hour)])
    detector = DETECTORS[name](seed, n_channels).fit(X[:N_NORMAL])
    reach = getattr(detector, "window_", 1) - 1
    return share_found(detector.score_samples(X[N_NORMAL:]), y[N_NORMAL:], reach)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--detectors", default=";".join(DETECTORS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    lines = [".. list-table::", "    :header-rows: 1", ""]
    head = ["detector", *(kind.replace("_", " ") for kind in KINDS)]
    lines += [f"    {'* -' if i == 0 else '  -'} {text}" for i, text in enumerate(head)]
    seeds = [int(seed) for seed in args.seeds.split(",")]
    for name in args.detectors.split(";"):
        shares = [np.mean([measure(name, kind, seed) for seed in seeds]) for kind in KINDS]
        print(name, *(f"{share:.2f}" for share in shares), flush=True)
        lines.append(f"    * - {name}")
        lines += [f"      - {share:.2f}" for share in shares]
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
