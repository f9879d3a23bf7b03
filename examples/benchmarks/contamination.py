"""Benchmark of detectors whose training rows contain anomalies.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/contamination.py FOLDER [--seed 0]
           [--rows 700] [--out FILE.inc]

FOLDER holds tables as files ``NAME.npz`` with X and y (1: anomaly). Of each table at most
``--rows`` normal rows are for training. Anomalies are added until they are a given share of the
training rows, but never more than half of those at hand. All other anomalies, and as many other
normal rows, are ranked. Columns are standardised.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

import numpy as np
import torch
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, NeighborDistance, RegressionResidual

SHARES = [0, 0.01, 0.05, 0.1, 0.2]


def make_detectors(seed):
    """Return the detectors by name."""
    detectors = {}
    for cls in (AutoEncoder, RegressionResidual):
        for fraction in (0.0, 0.2):
            name = cls.__name__ + (f", trimmed_fraction={fraction}" if fraction else "")
            detectors[name] = cls(trimmed_fraction=fraction, random_state=seed)
    return {
        **detectors,
        "NeighborDistance, n_neighbors=50": NeighborDistance(n_neighbors=50),
        "IsolationForest": IsolationForest(random_state=seed),
    }


def contaminated(X, y, share, n_rows, seed):
    """Return training rows with a share of anomalies, and rows to rank with their labels."""
    rng = np.random.default_rng(seed)
    normal = rng.permutation(np.flatnonzero(y == 0))[: 2 * n_rows]
    odd = rng.permutation(np.flatnonzero(y == 1))[:n_rows]
    half, n_odd = len(normal) // 2, len(odd) // 2
    n_added = min(n_odd, round(share * half / (1 - share)))
    training = np.concatenate([normal[:half], odd[:n_added]])
    ranked = np.concatenate([normal[half:], odd[n_odd:]])
    scaler = StandardScaler().fit(X[training])
    return *(scaler.transform(X[rows]) for rows in (training, ranked)), y[ranked]


def as_table(results, n_tables):
    """Return the means over the tables as the lines of a table for the documentation."""
    table = [["detector", *(f"{share:.0%}" for share in SHARES)]]
    for name, by_share in results.items():
        means = [np.mean(by_share[share], axis=0) for share in SHARES]
        table.append([name, *(f"{auc:.3f} / {ap:.3f}" for auc, ap in means)])
    body = ["    * - " + "\n      - ".join(cells) for cells in table]
    head = [f".. list-table:: AUROC / average precision, means over {n_tables} tables"]
    return "\n".join([*head, "    :header-rows: 1", "", *body]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=700)
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    results, paths = {}, sorted(options.folder.glob("*.npz"))
    for path in paths:
        with np.load(path, allow_pickle=True) as table:
            X, y = table["X"].astype(float), table["y"].ravel().astype(int)
        for share in SHARES:
            training, ranked, labels = contaminated(X, y, share, options.rows, options.seed)
            for name, detector in make_detectors(options.seed).items():
                scores = -clone(detector).fit(training).score_samples(ranked)
                figures = roc_auc_score(labels, scores), average_precision_score(labels, scores)
                results.setdefault(name, {}).setdefault(share, []).append(figures)
        print(path.stem, flush=True)
    text = as_table(results, len(paths))
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
