"""Benchmark of the detectors of series on the Numenta anomaly benchmark (NAB).

usage: OMP_NUM_THREADS=1 python examples/benchmarks/series.py RESULTS.csv NAB [--out FILE.rst]
           [--detectors "univariate;..."] [--seeds 0]

NAB is a folder with ``windows.json`` and the series in folders, as in the repository
numenta/NAB, whose ``labels/combined_windows.json`` is to be copied as ``windows.json``. A
detector is fitted to the probation of a series, which is 15 % of it and at most 750 time
stamps, and scores the rest. Alarms are those of ``ScoreCalibrator`` with its default
parameters, the same for all; the threshold is fixed. VUS and AUROC are those of the scores
without the calibrator, with a window of 100, averaged over the series that have anomalies
after the probation. RESULTS.csv gets one line for each series; lines that are there are not
computed again.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import json
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import (
    AutoEncoder,
    ConvForecaster,
    EnsembleDetector,
    MatrixProfileDetector,
    RecurrentAutoEncoder,
    RecurrentForecaster,
    ScoreCalibrator,
    SlidingWindowDetector,
    TransformerAutoEncoder,
    UnivariateDetector,
    nab_score,
    outlier_roc_auc_score,
    vus_pr_score,
    vus_roc_score,
)

WINDOW = 32
FIELDS = ["detector", "seed", "series", "n", "windows", "alarms", "vus_pr", "vus_roc", "auroc"]
FIELDS += ["seconds"]


class PCAError(PCA):
    """The squared error of what principal components rebuild of a window."""

    def score_samples(self, X):
        """Return minus the error of each row."""
        return -np.square(X - self.inverse_transform(self.transform(X))).sum(axis=1)


def on_windows(detector, window=WINDOW):
    """Put a detector on windows that end at each time stamp."""
    return SlidingWindowDetector(detector, window=window)


def mean_value(window):
    """Average the deviations of values over some steps."""
    return on_windows(UnivariateDetector(rule="zscore", aggregate="mean"), window)


def for_ranking(seed):
    """Combine values, a search for what never was, and a network on long windows."""
    return EnsembleDetector(
        [
            ("values", mean_value(32)),
            ("profile", MatrixProfileDetector(window=100)),
            ("network", on_windows(AutoEncoder(random_state=seed), 96)),
        ]
    )


def for_alarms(seed):
    """Combine values and a network on long windows."""
    return EnsembleDetector(
        [
            ("values", mean_value(16)),
            ("network", on_windows(AutoEncoder(random_state=seed), 96)),
        ]
    )


DETECTORS = {
    "UnivariateDetector": lambda seed: UnivariateDetector(rule="zscore"),
    "MatrixProfileDetector": lambda seed: MatrixProfileDetector(window=WINDOW),
    "5 neighbours": lambda seed: on_windows(LocalOutlierFactor(5, novelty=True)),
    "PCA": lambda seed: on_windows(PCAError(0.9)),
    "IsolationForest": lambda seed: on_windows(IsolationForest(random_state=seed)),
    "AutoEncoder": lambda seed: on_windows(AutoEncoder(random_state=seed)),
    "RecurrentAutoEncoder": lambda seed: on_windows(
        RecurrentAutoEncoder(n_last_steps=8, random_state=seed)
    ),
    "RecurrentForecaster": lambda seed: on_windows(
        RecurrentForecaster(n_last_steps=1, random_state=seed)
    ),
    "ConvForecaster": lambda seed: on_windows(
        ConvForecaster(n_last_steps=1, random_state=seed)
    ),
    "AutoEncoder, 96 steps": lambda seed: on_windows(AutoEncoder(random_state=seed), 96),
    "ensemble for ranking": for_ranking,
    "ensemble for alarms": for_alarms,
    "TransformerAutoEncoder": lambda seed: on_windows(
        TransformerAutoEncoder(n_last_steps=8, random_state=seed)
    ),
}


def read(folder):
    """Yield the name, the values and the windows of each series."""
    windows = json.loads((folder / "windows.json").read_text())
    for name in sorted(windows):
        with (folder / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        stamps = np.array([row["timestamp"] for row in rows], dtype="datetime64[s]")
        values = np.array([[float(row["value"])] for row in rows])
        ranges = []
        for low, high in windows[name]:
            low, high = (np.datetime64(stamp.split(".")[0], "s") for stamp in (low, high))
            inside = np.flatnonzero((stamps >= low) & (stamps <= high))
            ranges.append((int(inside[0]), int(inside[-1])))
        yield name, values, np.array(ranges, dtype=np.int64).reshape(-1, 2)


def measure(make, seed, values, ranges):
    """Return what one detector does on one series."""
    first = int(min(0.15 * len(values), 750))
    train, rest = values[:first], values[first:]
    started = time.perf_counter()
    calibrator = ScoreCalibrator(make(seed)).fit(train)
    labels = np.ones(len(values))
    labels[first:] = calibrator.predict(rest)
    seconds = time.perf_counter() - started
    scores = -calibrator.detector_.score_samples(rest)
    truth = np.zeros(len(values), dtype=int)
    for low, high in ranges:
        truth[low : high + 1] = 1
    truth = truth[first:]
    areas = {"vus_pr": np.nan, "vus_roc": np.nan, "auroc": np.nan}
    if 0 < truth.sum() < len(truth):
        areas = {
            "vus_pr": vus_pr_score(truth, scores, window=100),
            "vus_roc": vus_roc_score(truth, scores, window=100),
            "auroc": outlier_roc_auc_score(truth, scores),
        }
    alarms = np.flatnonzero(labels == -1).tolist()
    return {
        "n": len(values),
        "windows": json.dumps(ranges.tolist()),
        "alarms": json.dumps(alarms),
        **areas,
        "seconds": seconds,
    }


def summarize(rows):
    """Return the table as lines of reStructuredText."""
    lines = [".. list-table::", "    :header-rows: 1", ""]
    head = ["detector", "NAB standard", "low FP", "low FN", "VUS-PR", "VUS-ROC", "AUROC"]
    lines += [f"    {'* -' if i == 0 else '  -'} {h}" for i, h in enumerate([*head, "s"])]
    for name in DETECTORS:
        cells = []
        for seed in sorted({r["seed"] for r in rows if r["detector"] == name}):
            own = [r for r in rows if r["detector"] == name and r["seed"] == seed]
            windows = [
                np.array(json.loads(r["windows"])).reshape(-1, 2).astype(int) for r in own
            ]
            labels = []
            for row in own:
                label = np.ones(int(row["n"]))
                label[json.loads(row["alarms"])] = -1
                labels.append(label)
            nab = [
                nab_score(windows, labels, profile=profile)
                for profile in ("standard", "reward_low_fp", "reward_low_fn")
            ]
            areas = [
                np.nanmean([float(r[key]) for r in own])
                for key in ("vus_pr", "vus_roc", "auroc")
            ]
            cells.append([*nab, *areas, sum(float(r["seconds"]) for r in own)])
        if not cells:
            continue
        mean = np.mean(cells, axis=0)
        texts = [f"{v:.1f}" for v in mean[:3]] + [f"{v:.3f}" for v in mean[3:6]]
        lines.append(f"    * - {name}")
        lines += [f"      - {text}" for text in [*texts, f"{mean[6]:.0f}"]]
    return "\n".join(lines) + "\n"


def main():
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detectors", default=";".join(DETECTORS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows = []
    if args.results.exists():
        with args.results.open(newline="") as file:
            rows = list(csv.DictReader(file))
    done = {(r["detector"], r["seed"], r["series"]) for r in rows}
    series = list(read(args.folder))
    with args.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for name in args.detectors.split(";"):
            for seed in args.seeds.split(","):
                for label, values, ranges in series:
                    if (name, seed, label) in done:
                        continue
                    result = measure(DETECTORS[name], int(seed), values, ranges)
                    row = {"detector": name, "seed": seed, "series": label, **result}
                    writer.writerow(row)
                    file.flush()
                    rows.append({key: str(value) for key, value in row.items()})
    table = summarize(rows)
    print(table)
    if args.out:
        args.out.write_text(table)


if __name__ == "__main__":
    main()
