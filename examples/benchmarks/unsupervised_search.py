"""Measure whether a search without labels is better than the default parameters.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/unsupervised_search.py RESULTS.csv
           TABLE.npz ... [--detectors AutoEncoder,...] [--seeds 0] [--out FILE.rst]

The settings are those of quality.py. If a table has more than 1,000 rows, a sample by class is
drawn. Each candidate of a small grid, which includes the default, is scored by each criterion,
and by the AUROC when it is fitted to all training rows. RESULTS.csv has one line for each
candidate; tables that are already in it are not computed again.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import warnings
from pathlib import Path

import joblib
import numpy as np
import quality
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import AutoEncoder, UnsupervisedSearch

MAX_ROWS = 1000
N_FOLDS = 3
# A smaller difference in AUROC counts as none.
MARGIN = 0.005
CRITERIA = ["npd", "excess_mass", "mass_volume", "stability"]
# The first candidate is the default.
GRIDS = {
    "LocalOutlierFactor": (
        LocalOutlierFactor(novelty=True),
        [{}, *({"n_neighbors": n} for n in (3, 5, 10, 40, 80))],
    ),
    "AutoEncoder": (
        AutoEncoder(random_state=0),
        [
            {},
            {"latent_dim": 2},
            {"hidden_dims": (32,)},
            {"max_epochs": 10},
        ],
    ),
}
KEY = ["detector", "table", "setting", "seed"]
FIELDS = [*KEY, "candidate", "auroc", *CRITERIA]


class Remembering(OutlierMixin, BaseEstimator):
    """A detector whose fits and scores are kept, so that no search repeats them."""

    memory = {}

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X, y=None):
        self.key_ = joblib.hash((self.detector, X))
        if self.key_ not in self.memory:
            self.memory[self.key_] = clone(self.detector).fit(X)
        self.fitted_ = self.memory[self.key_]
        return self

    def score_samples(self, X):
        key = self.key_, joblib.hash(X)
        if key not in self.memory:
            self.memory[key] = self.fitted_.score_samples(X)
        return self.memory[key]


def rank(detector, X_train, X_test, y_test):
    """Return the AUROC; a training row does not count as its own neighbour."""
    detector = clone(detector).fit(X_train)
    if X_test is X_train and hasattr(detector, "negative_outlier_factor_"):
        return roc_auc_score(y_test, -detector.negative_outlier_factor_)
    return roc_auc_score(y_test, -detector.score_samples(X_test))


def measure(detector, candidates, X_train, X_test, y_test):
    """Return a dict for each candidate."""
    rows = [
        {
            "candidate": " ".join(f"{k}={v}" for k, v in candidate.items()) or "default",
            "auroc": rank(clone(detector).set_params(**candidate), X_train, X_test, y_test),
        }
        for candidate in candidates
    ]
    grid = [{f"detector__{k}": [v] for k, v in c.items()} for c in candidates]
    Remembering.memory.clear()
    for criterion in CRITERIA:
        search = UnsupervisedSearch(
            Remembering(detector),
            grid,
            criterion=criterion,
            cv=N_FOLDS,
            refit=False,
            random_state=0,
        ).fit(X_train)
        for row, score in zip(rows, search.cv_results_["mean_test_score"], strict=True):
            row[criterion] = score
    return rows


def summarize(rows, setting):
    """Return a table in reStructuredText: the AUROC by detector and way to choose."""
    rows = [row for row in rows if row["setting"] == setting]
    n_tables = len({row["table"] for row in rows})
    lines = [
        f".. list-table:: {setting}, {n_tables} tables",
        "    :header-rows: 1",
        "",
        "    * - detector\n      - chosen by\n      - AUROC\n      - better\n      - worse",
    ]
    for detector in GRIDS:
        groups = {}
        for row in rows:
            if row["detector"] == detector:
                groups.setdefault((row["table"], row["seed"]), []).append(row)
        if not groups:
            continue
        areas = np.array([[float(r["auroc"]) for r in group] for group in groups.values()])
        default = areas[:, 0]
        choices = {"nothing: the default": default, "chance": areas.mean(axis=1)}
        for criterion in CRITERIA:
            scores = np.array([[float(r[criterion]) for r in g] for g in groups.values()])
            best = np.nanargmax(scores, axis=1)
            choices[criterion] = areas[np.arange(len(areas)), best]
        choices["labels: the best there is"] = areas.max(axis=1)
        for name, chosen in choices.items():
            gain = chosen - default
            cells = [detector, name, f"{chosen.mean():.3f}"]
            if name != "nothing: the default":
                cells += [str(np.sum(gain > MARGIN)), str(np.sum(gain < -MARGIN))]
            else:
                cells += ["", ""]
            lines.append("    * - " + "\n      - ".join(cells).replace("- \n", "-\n").rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--detectors", default=",".join(GRIDS))
    parser.add_argument("--settings", default="semi,unsup")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    done = []
    if options.results.exists():
        with options.results.open() as file:
            done = list(csv.DictReader(file))
    known = {tuple(row[field] for field in KEY) for row in done}
    with options.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for path in sorted(options.tables):
            for seed in options.seeds.split(","):
                X, y, rng = quality.load(path, int(seed), MAX_ROWS)
                for setting in options.settings.split(","):
                    parts = quality.split(X, y, rng, setting)
                    for name in options.detectors.split(","):
                        key = dict(zip(KEY, (name, path.stem, setting, seed), strict=True))
                        if tuple(key.values()) in known:
                            continue
                        for row in measure(*GRIDS[name], *parts):
                            values = {
                                k: f"{v:.6g}" if k in FIELDS[5:] else v for k, v in row.items()
                            }
                            writer.writerow({**key, **values})
                            done.append({**key, **values})
                        file.flush()
                        print(*key.values(), flush=True)
    summary = "\n\n".join(summarize(done, setting) for setting in ("semi", "unsup"))
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    # Small tables have fewer rows in a fold than the most neighbours of the grid.
    warnings.filterwarnings("ignore", "n_neighbors .* is greater")
    main()
