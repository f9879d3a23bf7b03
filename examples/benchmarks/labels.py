"""Benchmark of a few labelled anomalies.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/labels.py RESULTS.csv TABLE.npz ...
           [--detectors DeepSAD,DevNet,...] [--seeds 0,1,2] [--out FILE.rst]

The tables and the *semi* setting are those of quality.py: the training rows are a random half
of the normal rows. In addition, up to 20 anomalies of a table, at most half of its anomalies,
are taken out. The first 0, 1, 5 or all of these anomalies are added to the training rows with
the label -1; all other training rows are unlabelled. None of these anomalies is among the
test rows, so all results of a detector are computed on the same test rows. Larger tables are
reduced to a stratified sample of 3,000 rows. RESULTS.csv gets one line for each run; runs
that are already in the file are not repeated.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
from pathlib import Path

import numpy as np
import quality

from skdeepanomaly.utils import all_detectors

MAX_ROWS = 3000
N_LABELS = (0, 1, 5, 20)
FIELDS = ["detector", "table", "n_labels", "seed", "auroc", "ap", "fit_s", "score_s"]
DETECTORS = {name: cls for name, cls in all_detectors() if getattr(cls, "_labels", None)}


def split(X, y, rng):
    """Return training rows, the anomalies taken out, test rows, and the truth of the latter."""
    X_train, X_test, y_test = quality.split(X, y, rng, "semi")
    anomalies = rng.permutation(np.flatnonzero(y_test == 1))
    apart = anomalies[: min(max(N_LABELS), len(anomalies) // 2)]
    return X_train, X_test[apart], np.delete(X_test, apart, axis=0), np.delete(y_test, apart)


def measure(name, seed, rows, n_labels):
    """Return the results of a detector that gets the first ``n_labels`` anomalies."""
    X_train, apart, X_test, y_test = rows
    known = apart[:n_labels]
    labels = np.repeat([0, -1], [len(X_train), len(known)])
    X_train = np.concatenate([X_train, known])
    return quality.run(DETECTORS[name](random_state=seed), X_train, X_test, y_test, labels)


def summarize(rows):
    """Return a table in reStructuredText with the mean AUROC by detector and labels."""
    n_tables, n_seeds = (len({row[field] for row in rows}) for field in ("table", "seed"))
    header = ["detector", *map(str, N_LABELS), "20 less the fewest", "sd", "won"]
    lines = [
        f".. list-table:: AUROC by labelled anomalies; tables: {n_tables}, seeds: {n_seeds}",
        "    :header-rows: 1",
        "",
        "    * - " + "\n      - ".join(header),
    ]
    for name in sorted({row["detector"] for row in rows}):
        curves: dict = {}
        for row in rows:
            if row["detector"] == name:
                curve = curves.setdefault((row["table"], row["seed"]), {})
                curve[int(row["n_labels"])] = float(row["auroc"])
        # Leave out tables and seeds for which runs are missing.
        n_labels = sorted(set().union(*curves.values()))
        full = [curve for curve in curves.values() if len(curve) == len(n_labels)]
        means = {n: np.mean([curve[n] for curve in full]) for n in n_labels}
        gains = np.array([curve[n_labels[-1]] - curve[n_labels[0]] for curve in full])
        cells = [
            name,
            *(f"{means[n]:.3f}" if n in means else "--" for n in N_LABELS),
            f"{gains.mean():+.3f}",
            f"{gains.std():.3f}",
            f"{np.sum(gains > 0)} of {len(gains)}",
        ]
        lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", help="names, comma-separated; default: all with labels")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    names = options.detectors.split(",") if options.detectors else list(DETECTORS)
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
                rows = split(*quality.load(path, int(seed), MAX_ROWS))
                for name in names:
                    for n_labels in N_LABELS:
                        key = (name, path.stem, str(n_labels), seed)
                        needed = DETECTORS[name]._labels == "required"
                        if key in known or (needed and not n_labels):
                            continue
                        figures = measure(name, int(seed), rows, n_labels)
                        row = dict(zip(FIELDS, [*key, *map(str, figures)], strict=True))
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
