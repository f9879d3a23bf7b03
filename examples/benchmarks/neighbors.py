"""Benchmark of a learned neighbour distance against the search and isolation forests.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/neighbors.py [--rows 10000,100000,1000000]
           [--out FILE.inc] [--plot FILE.png]

Rows of 30 columns lie around a curved sheet of six dimensions. Anomalies are rows some of whose
values are exchanged with those of other rows. Each detector is fitted and scores new rows in a
process of its own, on one thread: the AUROC of 1,000 rows, half of them anomalies, rows scored
in a second, seconds of the fit, and the size of the pickle, the memory that a fitted detector
takes.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import DeepNeighborDistance

N_FEATURES = 30
N_SCORED = 1000
COLUMNS = ["rows", "detector", "AUROC", "rows/s scored", "fit, s", "pickle, MB"]


class NeighborSearch(BaseEstimator):
    """The mean distance to the five nearest training rows, found by a search."""

    def fit(self, X):
        """Keep the rows for the search."""
        self.search_ = NearestNeighbors(n_neighbors=5).fit(X)
        return self

    def score_samples(self, X):
        """Return the negative mean distances."""
        return -self.search_.kneighbors(X)[0].mean(axis=1)


DETECTORS = {
    "DeepNeighborDistance": DeepNeighborDistance(random_state=0),
    "NearestNeighbors, k = 5": NeighborSearch(),
    "IsolationForest": IsolationForest(random_state=0),
}


def draw_rows(n_rows, seed):
    """Draw rows around a curved sheet, in float32."""
    mix = np.random.default_rng(0).normal(size=(6, N_FEATURES))
    rng = np.random.default_rng(seed)
    rows = np.tanh(rng.normal(size=(n_rows, 6)) @ mix / 2)
    return (rows + 0.1 * rng.normal(size=rows.shape)).astype(np.float32)


def draw_anomalies(n_rows, seed):
    """Draw rows a tenth of whose values are those of other rows."""
    rng = np.random.default_rng(seed)
    rows, others = draw_rows(n_rows, seed), draw_rows(n_rows, seed + 1)
    return np.where(rng.random(rows.shape) < 0.1, others, rows)


def measure(name, n_rows):
    """Fit a detector in this process, and print what was measured."""
    torch.set_num_threads(1)
    scaler = StandardScaler().fit(draw_rows(n_rows, 1))
    X = scaler.transform(draw_rows(n_rows, 1))
    normal, odd = draw_rows(N_SCORED // 2, 2), draw_anomalies(N_SCORED // 2, 3)
    new = scaler.transform(np.concatenate([normal, odd]))
    truth = np.repeat([0, 1], N_SCORED // 2)
    start = time.perf_counter()
    detector = DETECTORS[name].fit(X)
    fit_seconds = time.perf_counter() - start
    scores = detector.score_samples(new)
    # As many rows as are scored in about two seconds, at most those of the training.
    n_timed, seconds = N_SCORED, 0.0
    while seconds < 1 and n_timed <= n_rows:
        start = time.perf_counter()
        detector.score_samples(X[:n_timed])
        seconds = time.perf_counter() - start
        speed = n_timed / seconds
        n_timed *= 10
    result = {
        "rows": n_rows,
        "detector": name,
        "AUROC": roc_auc_score(truth, -scores),
        "rows/s scored": speed,
        "fit, s": fit_seconds,
        "pickle, MB": len(pickle.dumps(detector)) / 1e6,
    }
    print(json.dumps(result))


def as_table(results):
    """Return the results as the lines of a table for the documentation."""
    formats = [",d", "s", ".3f", ",.0f", ".1f", ".1f"]
    lines = [".. list-table::", "    :header-rows: 1", ""]
    for cells in [
        COLUMNS,
        *(
            [format(row[c], f) for c, f in zip(COLUMNS, formats, strict=True)]
            for row in results
        ),
    ]:
        lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines) + "\n"


def draw_plot(results, path):
    """Draw accuracy, speed and memory over the number of training rows."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for ax, column in zip(axes, ["AUROC", "rows/s scored", "pickle, MB"], strict=True):
        for name in DETECTORS:
            rows = [row for row in results if row["detector"] == name]
            ax.plot([r["rows"] for r in rows], [r[column] for r in rows], "o-", label=name)
        ax.set(xscale="log", xlabel="training rows", title=column)
        if column != "AUROC":
            ax.set_yscale("log")
    axes[0].legend(fontsize=8)
    plt.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    parser.add_argument("--plot", type=Path, help="also draw the results to this file")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, int(options.rows))
        return
    results = []
    for n_rows in options.rows.split(","):
        for name in DETECTORS:
            command = [sys.executable, __file__, "--measure", name, "--rows", n_rows]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results.append(json.loads(printed))
            print(results[-1], flush=True)
    if options.out:
        options.out.write_text(as_table(results))
    if options.plot:
        draw_plot(results, options.plot)


if __name__ == "__main__":
    main()
