"""Benchmark of the accuracy with which detectors rank anomalies in real tables.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/quality.py RESULTS.csv TABLE.npz ...
           [--detectors "AutoEncoder;DeepSVDD;..."] [--settings semi,unsup]
           [--seeds 0,1,2] [--max-rows 10000] [--reference kNN]
           [--out FILE.rst] [--plot FILE.png]

A table is a file of ADBench (https://github.com/Minqi824/ADBench, folder
``adbench/datasets/Classical``): an .npz file with ``X`` and ``y``, where 1 marks anomalies.

- semi: the training rows are a random half of the normal rows, the test rows are the other
  half and all anomalies.
- unsup: all rows are training rows and test rows.

A detector is one of this package by its name, kNN, LOF or IsolationForest, or any other as
``module:Class`` with parameters as JSON, such as ``sklearn.svm:OneClassSVM:{"nu": 0.1}`` or
``pyod.models.ecod:ECOD``. Unless parameters are given, every detector has its default settings;
none gets labels. Features are standardised by their mean and standard deviation in the training
rows. Larger tables are reduced to a stratified sample of ``--max-rows``. RESULTS.csv gets one
line for each run; runs that are already in the file are not repeated.

With ``--reference`` the table has the mean rank of each detector over the tables, and the
p-value of Wilcoxon's signed-rank test of its AUROC against the reference's, paired by table.
``--plot`` draws the AUROC over the time that a table takes.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import importlib
import json
import time
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import rankdata, wilcoxon
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import from_pyod
from skdeepanomaly.utils import all_detectors

MAX_ROWS = 10_000
FIELDS = ["detector", "table", "setting", "seed", "auroc", "ap", "fit_s", "score_s"]


class NearestNeighbor:
    """Distance to the fifth nearest neighbour; a training row is not its own neighbour."""

    def fit(self, X):
        self.X_ = X
        self.search_ = NearestNeighbors(n_neighbors=6).fit(X)
        return self

    def score_samples(self, X):
        own = X is self.X_
        return -self.search_.kneighbors(X)[0][:, 5 if own else 4]


class LOF:
    """Local outlier factor; training rows get the factor that was computed in ``fit``."""

    def fit(self, X):
        self.X_ = X
        self.lof_ = LocalOutlierFactor(novelty=True).fit(X)
        return self

    def score_samples(self, X):
        if X is self.X_:
            return self.lof_.negative_outlier_factor_
        return self.lof_.score_samples(X)


def make_detectors():
    """Return a dict of names and functions that make a detector from a seed."""
    detectors = {
        "kNN": lambda seed: NearestNeighbor(),
        "LOF": lambda seed: LOF(),
        "IsolationForest": lambda seed: IsolationForest(random_state=seed),
    }
    for name, cls in all_detectors():
        if cls().__sklearn_tags__().target_tags.required:
            continue  # the benchmark gives no labels
        if {"image_shape", "n_channels"} & cls().get_params().keys():
            continue  # images and windows are no tables
        detectors[name] = lambda seed, cls=cls: seeded(cls(), seed)
    return detectors


def seeded(detector, seed):
    """Give a detector a seed if it takes one."""
    if "random_state" in detector.get_params():
        detector.set_params(random_state=seed)
    return detector


def from_text(text):
    """Return a function that makes a detector, named by module, class and parameters."""
    module, name, *params = text.split(":", 2)
    cls = getattr(importlib.import_module(module), name)
    params = json.loads(params[0]) if params else {}

    def make(seed):
        detector = seeded(cls(**params), seed)
        return from_pyod(detector) if module.startswith("pyod") else detector

    return make


def label(name):
    """Return what a table shows of a detector: class and parameters, without the module."""
    if ":" not in name:
        return name
    _, label, *params = name.split(":", 2)
    given = json.loads(params[0]) if params else {}
    return label + "".join(f", {parameter}={value}" for parameter, value in given.items())


def load(path, seed, max_rows=MAX_ROWS):
    """Return X, y and a random generator for the split; at most ``max_rows`` rows."""
    data = np.load(path, allow_pickle=True)
    X, y = data["X"].astype(np.float64), data["y"].ravel().astype(int)
    rng = np.random.default_rng(seed)
    if len(X) > max_rows:
        kept = [
            rng.choice(
                np.flatnonzero(y == label),
                max(1, round(max_rows * np.mean(y == label))),
                replace=False,
            )
            for label in (0, 1)
        ]
        kept = np.sort(np.concatenate(kept))
        X, y = X[kept], y[kept]
    return X, y, rng


def split(X, y, rng, setting):
    """Return scaled training rows, scaled test rows, and the labels of the test rows."""
    if setting == "unsup":
        X = StandardScaler().fit_transform(X)
        return X, X, y
    normal = rng.permutation(np.flatnonzero(y == 0))
    half = len(normal) // 2
    rest = np.sort(np.concatenate([normal[half:], np.flatnonzero(y == 1)]))
    scaler = StandardScaler().fit(X[normal[:half]])
    return scaler.transform(X[normal[:half]]), scaler.transform(X[rest]), y[rest]


def run(detector, X_train, X_test, y_test, *labels):
    """Return AUROC, average precision, and the seconds of fitting and of scoring."""
    start = time.process_time()
    detector.fit(X_train, *labels)
    fitted = time.process_time()
    scores = -detector.score_samples(X_test)
    end = time.process_time()
    ranked = roc_auc_score(y_test, scores), average_precision_score(y_test, scores)
    return [round(value, 4) for value in (*ranked, fitted - start, end - fitted)]


def summarize(rows, setting, reference=None):
    """Return a table in reStructuredText with means over tables and seeds, by detector.

    A seed of a detector is left out if a table is missing, because a mean over fewer tables
    cannot be compared with the other means. With a reference, mean ranks and Wilcoxon's
    p-values are two more columns.
    """
    rows = [row for row in rows if row["setting"] == setting]
    n_tables = len({row["table"] for row in rows})
    counts = Counter((row["detector"], row["seed"]) for row in rows)
    rows = [row for row in rows if counts[row["detector"], row["seed"]] == n_tables]
    lines = [
        f".. list-table:: {setting}, {n_tables} tables",
        "    :header-rows: 1",
        "",
        "    * - detector\n      - AUROC\n      - by seed\n      - average precision"
        "\n      - fit, s\n      - score, s",
    ]
    if reference is not None:
        lines[-1] += f"\n      - mean rank\n      - p against {reference}"
    by_detector = {}
    for row in rows:
        by_detector.setdefault(row["detector"], []).append(row)

    def mean(rows, field):
        return np.mean([float(row[field]) for row in rows])

    names = list(by_detector)
    tables = sorted({row["table"] for row in rows})
    areas = {
        name: [mean([row for row in own if row["table"] == table], "auroc") for table in tables]
        for name, own in by_detector.items()
    }
    ranks = rankdata([[-area for area in areas[name]] for name in names], axis=0)
    mean_ranks = dict(zip(names, ranks.mean(axis=1) if names else [], strict=True))
    for name, own in sorted(by_detector.items(), key=lambda item: -mean(item[1], "auroc")):
        seeds = sorted({row["seed"] for row in own})
        by_seed = [mean([r for r in own if r["seed"] == seed], "auroc") for seed in seeds]
        cells = [
            label(name),
            f"{mean(own, 'auroc'):.3f}",
            ", ".join(f"{value:.3f}" for value in by_seed),
            f"{mean(own, 'ap'):.3f}",
            f"{mean(own, 'fit_s'):.2f}",
            f"{mean(own, 'score_s'):.3f}",
        ]
        if reference is not None:
            differences = np.subtract(areas[name], areas[reference])
            p = f"{wilcoxon(differences).pvalue:.3f}" if differences.any() else ""
            cells += [f"{mean_ranks[name]:.1f}", p]
        lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines)


def plot(rows, path):
    """Draw the mean AUROC of each detector over the mean time that a table takes."""
    settings = [s for s in ("semi", "unsup") if any(row["setting"] == s for row in rows)]
    figure, axes = plt.subplots(1, len(settings), figsize=(6 * len(settings), 5), squeeze=False)
    for axis, setting in zip(axes[0], settings, strict=True):
        own = [row for row in rows if row["setting"] == setting]
        for name in sorted({row["detector"] for row in own}):
            runs = [row for row in own if row["detector"] == name]
            seconds = np.mean([float(row["fit_s"]) + float(row["score_s"]) for row in runs])
            area = np.mean([float(row["auroc"]) for row in runs])
            axis.plot(seconds, area, "o")
            axis.annotate(
                name, (seconds, area), xytext=(4, 3), textcoords="offset points", fontsize=8
            )
        axis.set(xscale="log", title=setting, xlabel="fit and score, seconds a table")
        axis.set_ylabel("AUROC")
        axis.margins(x=0.25)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", help="separated by semicolons; default: all")
    parser.add_argument("--settings", default="semi,unsup")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--max-rows", type=int, default=MAX_ROWS)
    parser.add_argument("--reference", help="detector that the others are compared with")
    parser.add_argument("--plot", type=Path, help="also draw AUROC over time to this file")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    detectors = make_detectors()
    names = options.detectors.split(";") if options.detectors else list(detectors)
    for name in set(names) - set(detectors):
        detectors[name] = from_text(name)
    done = []
    if options.results.exists():
        with options.results.open() as file:
            done = list(csv.DictReader(file))
    known = {tuple(row[field] for field in FIELDS[:4]) for row in done}
    with options.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for path in sorted(options.tables):
            for seed in options.seeds.split(","):
                X, y, rng = load(path, int(seed), options.max_rows)
                for setting in options.settings.split(","):
                    rows = split(X, y, rng, setting)
                    for name in names:
                        key = (name, path.stem, setting, seed)
                        if key in known:
                            continue
                        figures = run(detectors[name](int(seed)), *rows)
                        row = dict(zip(FIELDS, [*key, *map(str, figures)], strict=True))
                        writer.writerow(row)
                        file.flush()
                        done.append(row)
                        print(*row.values(), flush=True)
    summary = "\n\n".join(
        summarize(done, setting, options.reference) for setting in ("semi", "unsup")
    )
    if options.plot:
        plot(done, options.plot)
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    main()
