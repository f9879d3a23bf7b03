"""Measure how well threshold rules turn scores into labels.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/thresholds.py SCORES TABLE.npz ...
           [--detectors AutoEncoder,...] [--seeds 0,1,2] [--out FILE.rst]

Tables and settings are those of quality.py. If a table has more than 5,000 rows, a sample by
class is drawn.

- semi: fit on a random half of the normal rows, label the other half and all anomalies.
- unsup: fit on all rows, label the same rows.

A rule gets the scores of the training rows, or those of 30 % of the rows, held out of the
training (``ThresholdedDetector(detector, rule, calibration_size=0.3)``). A detector is fitted
once for each table, setting, seed and calibration. The scores of each fit are stored in a file
of the folder SCORES, and are not computed again if it exists. All rules get the same scores.
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
# Largest share of anomalies that counts as rare.
RARE = 0.1
SETTINGS = ("semi", "unsup")
CALIBRATIONS = {"training rows": None, "held-out rows": 0.3}
# FixedThreshold is left out: its value would have to be known beforehand.
RULES = {
    "quantile, contamination=0.1": QuantileThreshold(0.1),
    "zscore": ZScoreThreshold(),
    "mad": MADThreshold(),
    "mad, side=both": MADThreshold(side="both"),
    "iqr": IQRThreshold(),
    "iqr, adjusted=False": IQRThreshold(adjusted=False),
    "pot, risk=0.01": POTThreshold(risk=0.01),
    "pot, risk=0.05": POTThreshold(),
    "gaussian_mixture": GaussianMixtureThreshold(random_state=0),
    "gaussian_mixture, separation=0": GaussianMixtureThreshold(separation=0, random_state=0),
    "conformal, alpha=0.05": ConformalThreshold(0.05),
    "conformal, alpha=0.1": ConformalThreshold(0.1),
}
ORACLE = "true share"
KEY = ("setting", "calibration", "table", "detector")
FIGURES = (
    "flagged",
    "difference",
    "false alarms",
    "F1",
    "of the best F1",
    "balanced accuracy",
    "none",
    "over half",
)


def score(detector, size, X_train, X_test):
    """Fit once; return the scores that a rule is given and those that it labels."""
    fitted = ThresholdedDetector(detector, calibration_size=size).fit(X_train)
    return fitted.calibration_scores_, fitted.score_samples(X_test)


def best_f1(scores, y):
    """Return the highest F1 of all thresholds; scores are low for anomalies."""
    order = np.argsort(scores)
    scores, found = scores[order], np.cumsum(y[order])
    n_flagged = np.arange(1, len(y) + 1)
    # A threshold cannot separate equal scores.
    possible = np.append(scores[1:] > scores[:-1], True)
    return np.max((2 * found / (n_flagged + y.sum()))[possible])


def threshold_of(name, calibration, scores, y):
    if name == ORACLE:
        return np.sort(scores)[y.sum()]
    with warnings.catch_warnings():
        # Small tables have too few rows for a conformal level, which the figures show.
        warnings.filterwarnings("ignore", message=".* scores are too few")
        return RULES[name].fit(calibration).threshold_


def judge(name, calibration, scores, y, best):
    """Return the figures of a rule on one table."""
    flagged = scores < threshold_of(name, calibration, scores, y)
    f1 = f1_score(y, flagged, zero_division=0)
    values = (
        flagged.mean(),
        abs(flagged.mean() - y.mean()),
        flagged[y == 0].mean(),
        f1,
        f1 / best,
        balanced_accuracy_score(y, flagged),
        not flagged.any(),
        flagged.mean() > 0.5,
    )
    return dict(zip(FIGURES, map(float, values), strict=True))


def list_table(title, rows):
    """Return a table in reStructuredText; the first row is its head."""
    lines = [f".. list-table:: {title}", "    :header-rows: 1", ""]
    return "\n".join(lines + ["    * - " + "\n      - ".join(row) for row in rows])


def mean(values):
    return f"{np.mean(values):.3f}"


def summarize(results, setting, calibration):
    """Return a table of means over tables, seeds and detectors by rule."""
    own = [r for r in results if (r["setting"], r["calibration"]) == (setting, calibration)]
    n_fits = sum(r["rule"] == ORACLE for r in own)
    title = (
        f"{setting}, thresholds from {calibration}: {len({r['table'] for r in own})} tables,"
        f" {len({r['detector'] for r in own})} detectors, {n_fits} fits; true share"
        f" {mean([r['true'] for r in own])}"
    )
    rows = [["rule", *FIGURES]]
    for name in [ORACLE, *RULES]:
        figures = {f: [r[f] for r in own if r["rule"] == name] for f in FIGURES}
        rows.append([name])
        for field, values in figures.items():
            counted = field in ("none", "over half")
            rows[-1].append(f"{sum(values):.0f}" if counted else mean(values))
    return list_table(title, rows)


def summarize_rarity(results):
    """Return a table of the share of the best F1, by rule, setting and share of anomalies.

    The thresholds are those from held-out rows.
    """
    results = [r for r in results if r["calibration"] == "held-out rows"]
    groups = [(setting, rare) for setting in SETTINGS for rare in (True, False)]
    header = [f"{s}, {'at most' if rare else 'over'} {RARE:.0%}" for s, rare in groups]
    rows = [["rule", *header]]
    for name in RULES:
        cells: dict = {group: [] for group in groups}
        for r in results:
            if r["rule"] == name:
                cells[r["setting"], r["true"] <= RARE].append(r["of the best F1"])
        rows.append([name, *(mean(cells[group]) for group in groups)])
    return list_table("of the best F1, held-out rows, by the share of anomalies", rows)


def summarize_detectors(results):
    """Return a table of the false alarms in *semi* by rule and detector."""
    results = [r for r in results if r["setting"] == "semi"]
    detectors = list(dict.fromkeys(r["detector"] for r in results))
    rows = [["rule", *(f"{d}, {c}" for d in detectors for c in CALIBRATIONS)]]
    for name in RULES:
        cells: dict = {}
        for r in results:
            key = r["detector"], r["calibration"]
            if r["rule"] == name:
                cells.setdefault(key, []).append(r["false alarms"])
        rows.append([name, *(mean(cells[d, c]) for d in detectors for c in CALIBRATIONS)])
    return list_table("false alarms in semi", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", default="AutoEncoder,DeepSVDD,IsolationForest")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    options.scores.mkdir(exist_ok=True)
    detectors, results = quality.make_detectors(), []
    for seed in options.seeds.split(","):
        for path in sorted(options.tables):
            X, y, rng = quality.load(path, int(seed), MAX_ROWS)
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
                        with np.load(file) as stored:
                            rows = stored["known"], stored["new"], y_test
                        best = best_f1(*rows[1:])
                        common = dict(zip(KEY, key, strict=True), true=y_test.mean())
                        for name in [ORACLE, *RULES]:
                            figures = judge(name, *rows, best)
                            results.append({**common, "rule": name, **figures})
    tables = [summarize(results, s, c) for s in SETTINGS for c in CALIBRATIONS]
    summary = "\n\n".join([*tables, summarize_rarity(results), summarize_detectors(results)])
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    main()
