"""Benchmark of the characteristic parts of each method (ablations).

usage: OMP_NUM_THREADS=1 python examples/benchmarks/ablations.py RESULTS.csv TABLE.npz ...
           [--detectors GAN,DeepSAD,...] [--seeds 0,1,2] [--out FILE.rst]

Each detector is trained twice on the same rows with the same seed, with the part and without
it, in the *semi* setting of quality.py. Larger tables are reduced to a stratified sample of
3,000 rows. For parts that need labels, some anomalies are moved from the test rows to the
training rows and labelled. RESULTS.csv gets one line for each pair of runs; pairs that are
already in the file are not repeated.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import quality

import skdeepanomaly


class Ablation(NamedTuple):
    """A part of a method, and the parameters that switch it on and off."""

    detector: str
    part: str
    with_part: dict
    without: dict
    n_labels: int = 0


ABLATIONS = [
    Ablation("AutoEncoder", "standardised errors", {}, {"standardize_errors": False}),
    Ablation("DenoisingAutoEncoder", "corruption", {}, {"noise_std": 0.0}),
    Ablation("VariationalAutoEncoder", "divergence", {}, {"beta": 0.0}),
    Ablation("VariationalAutoEncoder", "likelihood", {}, {"score_type": "error"}),
    Ablation("AdversarialAutoEncoder", "game on the code", {}, {"optimizer_g__lr": 0.0}),
    Ablation("DeepSVDD", "one-class phase", {}, {"lr": 1e-12}),
    Ablation("BiGAN", "cycle consistency", {}, {"cycle_weight": 0.0}),
    Ablation(
        "GAN",
        "background",
        {"score_type": "discriminator"},
        {"score_type": "discriminator", "background": 0.0},
    ),
    Ablation(
        "GAN", "search", {"score_type": "query"}, {"score_type": "query", "query_steps": 0}
    ),
    Ablation("ALAD", "cycle consistency", {}, {"cycle_consistency": False}),
    Ablation("DeepOneClassSVM", "joint training", {}, {"joint": False}),
    Ablation("NeuTraL", "learned transformations", {}, {"learn_transformations": False}),
    Ablation("NeuTraL", "bounded residual", {}, {"transformation": "residual"}),
    Ablation("GOAD", "many transformations", {}, {"n_transformations": 2}),
    Ablation("GOAD", "maps around the identity", {}, {"around_identity": False}),
    Ablation("MCM", "diversity of the masks", {}, {"diversity_weight": 0.0}),
    Ablation("MCM", "learned masks", {}, {"learn_masks": False}),
    Ablation("LUNAR", "negatives near rows", {}, {"negatives": "uniform"}),
    Ablation("LUNAR", "selection", {}, {"train_split": None}),
    Ablation("DTE", "seven times", {}, {"n_bins": 2}),
    Ablation("DenoisingScoreMatching", "kurtosis", {}, {"kurtosis_power": 0.0}),
    Ablation("DeepClustering", "codes gather at centres", {}, {"cluster_weight": 0.0}),
    Ablation("DeepEmbeddedClustering", "self-training", {}, {"lr": 1e-12}),
    Ablation("DeepDiscriminativeClustering", "clusters", {}, {"n_clusters": 1}),
    Ablation(
        "DeepDiscriminativeClustering",
        "pairwise relations",
        {},
        {"relation_weight": 0.0, "balance_weight": 0.0},
    ),
    Ablation("DeepSubspaceClustering", "distance from subspaces", {}, {"residual_weight": 0.0}),
    Ablation("DeepSubspaceClustering", "several subspaces", {}, {"n_clusters": 1}),
    Ablation("RegressionResidual", "standardised errors", {}, {"standardize_errors": False}),
    Ablation("RegressionResidual", "network", {}, {"model": "linear"}),
    Ablation("ClusterwiseDetector", "clusters", {}, {"n_clusters": 1}),
    Ablation("DeepSAD", "five labels", {}, {"eta": 0.0}, 5),
    Ablation("DevNet", "balanced batches", {}, {"anomaly_share": None}, 5),
    Ablation("DevNet", "two-sided score", {}, {"two_sided": False}, 5),
    Ablation("SemiSupervisedGAN", "class probability", {}, {"alpha": 0.0}, 20),
    Ablation("SemiSupervisedGAN", "feature matching", {}, {"feature_matching": False}, 5),
    Ablation("SemiSupervisedGAN", "background", {}, {"background_weight": 0.0}, 5),
]
FIELDS = ["detector", "part", "table", "seed", "with_part", "without"]
MAX_ROWS = 3000


def split(X, y, rng, n_labels):
    """Return training rows, their labels, test rows, and the truth of the test rows."""
    X_train, X_test, y_test = quality.split(X, y, rng, "semi")
    labels = np.zeros(len(X_train))
    if n_labels:
        anomalies = np.flatnonzero(y_test == 1)
        known = rng.choice(anomalies, min(n_labels, len(anomalies) // 2), replace=False)
        X_train = np.concatenate([X_train, X_test[known]])
        labels = np.concatenate([labels, -np.ones(len(known))])
        X_test, y_test = np.delete(X_test, known, axis=0), np.delete(y_test, known)
    return X_train, labels, X_test, y_test


def measure(ablation, X, y, seed):
    """Return the AUROC with and without the part, trained on the same rows."""
    rng = np.random.default_rng([seed, 1])
    X_train, labels, X_test, y_test = split(X, y, rng, ablation.n_labels)
    scores = []
    for params in (ablation.with_part, ablation.without):
        detector = getattr(skdeepanomaly, ablation.detector)(random_state=seed, **params)
        detector.fit(X_train, labels if ablation.n_labels else None)
        anomaly_scores = -detector.score_samples(X_test)
        scores.append(round(quality.roc_auc_score(y_test, anomaly_scores), 4))
    return scores


def summarize(rows):
    """Return a table in reStructuredText, with one line for each ablation."""
    header = ["detector", "part", "with", "without", "difference", "sd", "effect size", "won"]
    lines = [
        f".. list-table:: {len({row['table'] for row in rows})} tables,"
        f" {len({row['seed'] for row in rows})} seeds: AUROC",
        "    :header-rows: 1",
        "",
        "    * - " + "\n      - ".join(header),
    ]
    for detector, part in sorted({(row["detector"], row["part"]) for row in rows}):
        own = [row for row in rows if (row["detector"], row["part"]) == (detector, part)]
        pairs = np.array([[float(row["with_part"]), float(row["without"])] for row in own])
        gains = pairs[:, 0] - pairs[:, 1]
        cells = [
            detector,
            part,
            *(f"{mean:.3f}" for mean in pairs.mean(axis=0)),
            f"{gains.mean():+.3f}",
            f"{gains.std(ddof=1):.3f}",
            f"{gains.mean() / max(gains.std(ddof=1), 1e-12):+.2f}",
            f"{np.sum(gains > 0)} of {len(gains)}",
        ]
        lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", help="names, comma-separated; default: all")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    wanted = options.detectors.split(",") if options.detectors else None
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
                X, y, _ = quality.load(path, int(seed), MAX_ROWS)
                for ablation in ABLATIONS:
                    key = (ablation.detector, ablation.part, path.stem, seed)
                    if key in known or (wanted and ablation.detector not in wanted):
                        continue
                    figures = measure(ablation, X, y, int(seed))
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
