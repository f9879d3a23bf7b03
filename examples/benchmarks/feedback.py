"""Benchmark of feedback: the effect of an analyst's verdicts on a detector.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/feedback.py RESULTS.csv TABLE.npz ...
           [--detectors IsolationForest,AutoEncoder,...] [--seeds 0,1,2] [--out FILE.rst]

The tables are those of quality.py. Larger tables are reduced to a stratified sample of 2,000
rows. A detector is fitted to a random, stratified half of the rows, without labels. An
analyst reviews 60 of these rows in batches of 5. With the strategy "none" the rows are
reviewed in the order of the detector's scores, without feedback. With the other strategies
the detector gets the verdicts after each batch, and ``query`` proposes the next batch. At the
end the other half of the rows is ranked and labelled. RESULTS.csv gets one line for each run;
runs that are already in the file are not repeated.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
from pathlib import Path

import numpy as np
import quality
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    FeedbackDetector,
    outlier_average_precision_score,
    outlier_f1_score,
    outlier_roc_auc_score,
)

MAX_ROWS = 2000
BATCH_SIZE = 5
REVIEWED = (10, 20, 40, 60)
STRATEGIES = ("none", "anomalous", "diverse", "uncertain")
DETECTORS = ("IsolationForest", "AutoEncoder", "DeepSVDD")
FOUND = [f"found_{n}" for n in REVIEWED]
FIELDS = ["detector", "table", "strategy", "seed", "n_anomalies", *FOUND, "auroc", "ap", "f1"]


def split(path, seed):
    """Return the scaled rows of both halves, then the truth of both halves."""
    X, y, rng = quality.load(path, seed, MAX_ROWS)
    halves = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=int(rng.integers(2**31))
    )
    scaler = StandardScaler().fit(halves[0])
    return [scaler.transform(part) for part in halves[:2]] + halves[2:]


def review(fitted, rows, strategy):
    """Return the results after one analyst has reviewed rows with one strategy."""
    X, X_test, y, y_test = rows
    fitted.remove_feedback()
    reviewed = np.array([], dtype=int)
    found = {}
    if strategy == "none":
        reviewed = fitted.query(X, n=max(REVIEWED))
    while strategy != "none" and len(reviewed) < min(max(REVIEWED), len(X)):
        batch = fitted.query(X, n=BATCH_SIZE, strategy=strategy)
        if len(batch) == 0:
            break  # all remaining rows are equal to rows that were judged
        fitted.add_feedback(X[batch], np.where(y[batch] == 1, -1, 1))
        reviewed = np.concatenate([reviewed, batch])
    for n in REVIEWED:
        found[f"found_{n}"] = y[reviewed[:n]].sum()
    scores = -fitted.decision_function(X_test)
    return {
        "n_anomalies": y.sum(),
        **found,
        "auroc": round(outlier_roc_auc_score(y_test, scores), 4),
        "ap": round(outlier_average_precision_score(y_test, scores), 4),
        "f1": round(outlier_f1_score(y_test, fitted.predict(X_test)), 4),
    }


def summarize(rows):
    """Return a table in reStructuredText with means over tables and seeds."""
    n_tables, n_seeds = (len({row[field] for row in rows}) for field in ("table", "seed"))
    header = ["detector", "strategy", *(f"found of {n}" for n in REVIEWED)]
    header += ["AUROC", "average precision", "F1", "AP won"]
    lines = [
        f".. list-table:: tables: {n_tables}, seeds: {n_seeds}",
        "    :header-rows: 1",
        "",
        "    * - " + "\n      - ".join(header),
    ]
    by_run = {tuple(row[field] for field in FIELDS[:4]): row for row in rows}
    for name in dict.fromkeys(row["detector"] for row in rows):
        for strategy in STRATEGIES:
            own = [r for r in rows if (r["detector"], r["strategy"]) == (name, strategy)]
            if not own:
                continue
            before = [by_run[name, row["table"], "none", row["seed"]] for row in own]
            won = sum(float(a["ap"]) > float(b["ap"]) for a, b in zip(own, before, strict=True))
            cells = [
                name,
                strategy,
                *(f"{np.mean([float(row[field]) for row in own]):.1f}" for field in FOUND),
                *(
                    f"{np.mean([float(row[field]) for row in own]):.3f}"
                    for field in ("auroc", "ap", "f1")
                ),
                "--" if strategy == "none" else f"{won} of {len(own)}",
            ]
            lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", default=",".join(DETECTORS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    detectors = quality.make_detectors()
    done = []
    if options.results.exists():
        with options.results.open() as file:
            done = list(csv.DictReader(file))
    known = {tuple(row[field] for field in FIELDS[:4]) for row in done}
    with options.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for seed in options.seeds.split(","):
            for path in sorted(options.tables):
                rows = split(path, int(seed))
                for name in options.detectors.split(","):
                    keys = [(name, path.stem, strategy, seed) for strategy in STRATEGIES]
                    if known.issuperset(keys):
                        continue
                    fitted = FeedbackDetector(detectors[name](int(seed))).fit(rows[0])
                    for key in keys:
                        if key in known:
                            continue
                        figures = review(fitted, rows, key[2])
                        row = dict(zip(FIELDS[:4], key, strict=True))
                        row |= {field: str(value) for field, value in figures.items()}
                        writer.writerow(row)
                        file.flush()
                        done.append(row)
                        print(*row.values(), flush=True)
    summary = summarize(done)
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    main()
