"""Benchmark of scalers in front of detectors, on tables of ADBench.

Usage: python examples/benchmarks/scalers.py FOLDER_OF_NPZ_FILES [OUTPUT.inc]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skdeepanomaly import AutoEncoder
from skdeepanomaly.tables import SoftScaler

TABLES = "2_annthyroid 6_cardio 18_Ionosphere 27_PageBlocks 30_satellite 40_vowels 44_Wilt"
MAX_ROWS = 4000


def squash(Z):
    """Return values squashed into (-3, 3), as in skrub's SquashingScaler."""
    return Z / np.sqrt(1 + (Z / 3) ** 2)


SCALERS = {
    "``StandardScaler``": StandardScaler(),
    '``scaler="soft"``': SoftScaler(),
    "``RobustScaler``": RobustScaler(),
    "robust, squashed into (-3, 3)": make_pipeline(RobustScaler(), FunctionTransformer(squash)),
    "ranks, to a normal distribution": QuantileTransformer(
        n_quantiles=200, output_distribution="normal", random_state=0
    ),
}
DETECTORS = {
    "AutoEncoder": AutoEncoder(random_state=0),
    "IsolationForest": IsolationForest(random_state=0),
}


def aurocs(X, y, pipeline):
    """Return the AUROC after training on all rows, and on half of the normal rows."""
    rng = np.random.default_rng(0)
    train = np.zeros(len(y), dtype=bool)
    train[rng.permutation(np.flatnonzero(y == 0))[: (y == 0).sum() // 2]] = True
    everywhere = roc_auc_score(y, -pipeline.fit(X).score_samples(X))
    scores = -pipeline.fit(X[train]).score_samples(X[~train])
    return everywhere, roc_auc_score(y[~train], scores)


def main(folder, output=None):
    torch.set_num_threads(1)
    results = {}
    for table in TABLES.split():
        data = np.load(Path(folder) / f"{table}.npz")
        rows = np.random.default_rng(0).permutation(len(data["X"]))[:MAX_ROWS]
        X, y = data["X"][rows].astype(float), data["y"].ravel()[rows]
        for scaler_name, scaler in SCALERS.items():
            for name, detector in DETECTORS.items():
                result = aurocs(X, y, make_pipeline(scaler, detector))
                results.setdefault((scaler_name, name), []).append(result)
                print(table, scaler_name, name, np.round(result, 3), flush=True)
    lines = [".. list-table::", "    :header-rows: 1", "", "    * - scaler"]
    lines += [f"      - {name}, {rows}" for name in DETECTORS for rows in ("all", "normal")]
    for scaler_name in SCALERS:
        lines.append(f"    * - {scaler_name}")
        for name in DETECTORS:
            means = np.mean(results[scaler_name, name], axis=0)
            lines += [f"      - {mean:.3f}" for mean in means]
    text = "\n".join(lines) + "\n"
    Path(output).write_text(text) if output else print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
