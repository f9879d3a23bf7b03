"""Measure how well rules that find a threshold turn scores into labels.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/thresholds.py SCORES TABLE.npz ...
           [--detectors AutoEncoder,...] [--seeds 0,1,2] [--out FILE.rst]

Tables and settings are those of quality.py; of more than 5,000 rows a sample by class is drawn.

- semi: fit on a random half of the normal rows, label the other half and all anomalies.
- unsup: fit on all rows, label the same rows.

A rule gets the scores of the training rows, or those of 30 % that are held out of the training
(``ThresholdedDetector(detector, rule, calibration_size=0.3)``). A detector is fitted once a
table, setting, seed and calibration; the folder SCORES gets one file a fit, and fits that it
already has are not repeated. All rules judge the same scores.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings
from pathlib import Path

import numpy as np
import quality
from sklearn.metrics import balanced_accuracy_score, f1_score

from skdeepanomaly import (
    ConformalThreshold,
    GaussianMixtureThreshold,
    IQRThreshold,
    MADThreshold,
    POTThreshold,
    QuantileThreshold,
    ThresholdedDetector,
    ZScoreThreshold,
)

MAX_ROWS = 5000
SETTINGS = ("semi", "unsup")
CALIBRATIONS = {"training rows": None, "held-out rows": 0.3}
# A fixed value needs to be known beforehand: there is nothing to compare.
RULES = {
    "quantile, 0.1": QuantileThreshold(0.1),
    "zscore": ZScoreThreshold(),
    "mad": MADThreshold(),
    "mad, both sides": MADThreshold(side="both"),
    "iqr": IQRThreshold(),
    "iqr, not adjusted": IQRThreshold(adjusted=False),
    "pot, 0.01": POTThreshold(),
    "pot, 0.05": POTThreshold(risk=0.05),
    "gaussian_mixture": GaussianMixtureThreshold(),
    "conformal, 0.05": ConformalThreshold(0.05),
    "conformal, 0.1": ConformalThreshold(0.1),
}
ORACLE = "true share"


def score(detector, size, X_train, X_test):
    """Fit once; return the scores that a rule is given and those that it labels."""
    fitted = ThresholdedDetector(detector, calibration_size=size).fit(X_train)
    return fitted.calibration_scores_, fitted.score_samples(X_test)


def best_f1(scores, y):
    """Return the highest F1 that any threshold could give; scores are low for anomalies."""
    order = np.argsort(scores)
    scores, found = scores[order], np.cumsum(y[order])
    n_flagged = np.arange(1, len(y) + 1)
    # Equal scores are never split.
    possible = np.append(scores[1:] > scores[:-1], True)
    return np.max((2 * found / (n_flagged + y.sum()))[possible])


def threshold_of(name, calibration, scores, y):
    if name == ORACLE:
        return np.sort(scores)[y.sum()]
    with warnings.catch_warnings():
        # Small tables have too few rows for a conformal level: that shows in the figures.
        warnings.filterwarnings("ignore", message=".* scores are too few")
        return RULES[name].fit(calibration).threshold_


def judge(name, calibration, scores, y):
    """Return the figures of a rule on one table."""
    flagged = scores < threshold_of(name, calibration, scores, y)
    f1 = f1_score(y, flagged, zero_division=0)
    return {
        "flagged": flagged.mean(),
        "difference": abs(flagged.mean() - y.mean()),
        "false alarms": flagged[y == 0].mean(),
        "recall": flagged[y == 1].mean(),
        "F1": f1,
        "of the best F1": f1 / best_f1(scores, y),
        "balanced accuracy": balanced_accuracy_score(y, flagged),
        "none": float(not flagged.any()),
        "over half": float(flagged.mean() > 0.5),
    }


def summarize(runs, setting):
    """Return tables in reStructuredText: means over tables, seeds and detectors by rule."""
    blocks = []
    for calibration in CALIBRATIONS:
        own = [run for run in runs if run[:2] == (setting, calibration)]
        if not own:
            continue
        n_tables, n_detectors = (len({run[i] for run in own}) for i in (2, 3))
        share = np.mean([run[-1].mean() for run in own])
        lines = [
            f".. list-table:: {setting}, thresholds from {calibration}; tables: {n_tables},"
            f" detectors: {n_detectors}, fits: {len(own)}; true share {share:.3f}",
            "    :header-rows: 1",
            "",
        ]
        for name in [ORACLE, *RULES]:
            figures = [judge(name, *run[4:]) for run in own]
            if name == ORACLE:
                header = ["rule", *figures[0]]
                lines.append("    * - " + "\n      - ".join(header))
            cells = [name]
            for field in figures[0]:
                values = [figure[field] for figure in figures]
                counted = field in ("none", "over half")
                cells.append(f"{sum(values):.0f}" if counted else f"{np.mean(values):.3f}")
            lines.append("    * - " + "\n      - ".join(cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", default="AutoEncoder,DeepSVDD,IsolationForest")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    options.scores.mkdir(exist_ok=True)
    quality.MAX_ROWS = MAX_ROWS
    detectors, runs = quality.make_detectors(), []
    for seed in options.seeds.split(","):
        for path in sorted(options.tables):
            X, y, rng = quality.load(path, int(seed))
            for setting in SETTINGS:
                X_train, X_test, y_test = quality.split(X, y, rng, setting)
                for detector in options.detectors.split(","):
                    for calibration, size in CALIBRATIONS.items():
                        key = (setting, calibration, path.stem, detector)
                        file = options.scores / f"{'-'.join(key)}-{seed}.npz"
                        if not file.exists():
                            made = detectors[detector](int(seed))
                            known, new = score(made, size, X_train, X_test)
                            np.savez(file, known=known, new=new)
                            print(file.stem, flush=True)
                        stored = np.load(file)
                        runs.append((*key, stored["known"], stored["new"], y_test))
    summary = "\n\n".join(summarize(runs, setting) for setting in SETTINGS)
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    main()
