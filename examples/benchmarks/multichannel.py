"""Benchmark of detectors on a folder of multichannel series with labels.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/multichannel.py FOLDER
           [--label anomaly] [--drop changepoint] [--time datetime] [--train 400]
           [--detectors "PCA;..."] [--seeds 0] [--out FILE.rst]

FOLDER holds .csv files, in any subfolder, with a column for each channel and one with labels
(1 marks anomalies), as the Skoltech anomaly benchmark (SKAB) has them. Columns are separated by
commas or semicolons. A detector is fitted to the first time stamps of a file, without their
labels, and scores the rest; a file whose rest has one class only is left out. F1 is that at
the best threshold of each file: the same favour for all.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from series import PCAError
from sklearn.ensemble import IsolationForest
from sklearn.metrics import precision_recall_curve, roc_auc_score

from skdeepanomaly import (
    AutoEncoder,
    ConvForecaster,
    DenoisingAutoEncoder,
    EnsembleDetector,
    NeighborDistance,
    NeuTraL,
    RecurrentAutoEncoder,
    RecurrentForecaster,
    SlidingWindowDetector,
    TransformerAutoEncoder,
)

WINDOW = 16


def on_windows(detector):
    """Put a detector on windows that end at each time stamp."""
    return SlidingWindowDetector(detector, window=WINDOW)


def ensemble(seed):
    """Combine networks and a search on windows."""
    members = {
        "neighbors": NeighborDistance(),
        "auto_encoder": AutoEncoder(random_state=seed),
        "neutral": NeuTraL(random_state=seed),
        "pca": PCAError(0.9),
    }
    return EnsembleDetector([(name, on_windows(one)) for name, one in members.items()])


DETECTORS = {
    "PCA": lambda seed: on_windows(PCAError(0.9)),
    "NeighborDistance": lambda seed: on_windows(NeighborDistance()),
    "IsolationForest": lambda seed: on_windows(IsolationForest(random_state=seed)),
    "AutoEncoder": lambda seed: on_windows(AutoEncoder(random_state=seed)),
    "DenoisingAutoEncoder": lambda seed: on_windows(DenoisingAutoEncoder(random_state=seed)),
    "NeuTraL": lambda seed: on_windows(NeuTraL(random_state=seed)),
    "RecurrentAutoEncoder": lambda seed: on_windows(RecurrentAutoEncoder(random_state=seed)),
    "RecurrentForecaster": lambda seed: on_windows(RecurrentForecaster(random_state=seed)),
    "ConvForecaster": lambda seed: on_windows(ConvForecaster(random_state=seed)),
    "TransformerAutoEncoder": lambda seed: on_windows(
        TransformerAutoEncoder(random_state=seed)
    ),
    "ensemble": ensemble,
}


def read(folder, label, drop, stamp):
    """Yield the channels and the truth of each file."""
    for path in sorted(folder.rglob("*.csv")):
        frame = pd.read_csv(path, sep=None, engine="python")
        if label not in frame:
            continue
        truth = frame[label].to_numpy() == 1
        others = [name for name in (label, *drop, stamp) if name in frame]
        yield frame.drop(columns=others).to_numpy(dtype=np.float64), truth


def measure(detector, values, truth, n_train):
    """Return AUROC and the best F1 of a detector on the rest of a file."""
    scores = -detector.fit(values[:n_train]).score_samples(values)[n_train:]
    truth = truth[n_train:]
    precision, recall, _ = precision_recall_curve(truth, scores)
    sums = np.maximum(precision + recall, 1e-12)
    return roc_auc_score(truth, scores), (2 * precision * recall / sums).max()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--label", default="anomaly")
    parser.add_argument("--drop", default="changepoint")
    parser.add_argument("--time", default="datetime")
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--detectors", default=";".join(DETECTORS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    files = [
        (values, truth)
        for values, truth in read(args.folder, args.label, args.drop.split(","), args.time)
        if 0 < truth[args.train :].sum() < len(truth[args.train :])
    ]
    if not files:
        parser.error(
            f"{args.folder} has no .csv file with a column {args.label!r} that holds both"
            f" classes after the first {args.train} rows."
        )
    lines = [".. list-table::", "    :header-rows: 1", ""]
    head = ["detector", "AUROC", "best F1", "s"]
    lines += [f"    {'* -' if i == 0 else '  -'} {text}" for i, text in enumerate(head)]
    for name in args.detectors.split(";"):
        started = time.perf_counter()
        seeds = [int(seed) for seed in args.seeds.split(",")]
        results = [
            measure(DETECTORS[name](seed), values, truth, args.train)
            for seed in seeds
            for values, truth in files
        ]
        seconds = (time.perf_counter() - started) / len(seeds)
        area, f1 = np.mean(results, axis=0)
        print(f"{name}: AUROC {area:.3f}, F1 {f1:.3f}, {seconds:.0f} s", flush=True)
        lines.append(f"    * - {name}")
        lines += [f"      - {text}" for text in (f"{area:.3f}", f"{f1:.3f}", f"{seconds:.0f}")]
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
