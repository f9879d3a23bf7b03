"""Compare ways to choose a threshold by labels, on rows that the choice did not see.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/tuning.py TABLE.npz ... [--out FILE.inc]

Tables are those of quality.py. If a table has more than 1,500 rows, a sample by class is drawn.
Each half of a table is used once for the search, with five folds, while the other half gives
the F1 that is reported.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from unsupervised_search import Remembering

from skdeepanomaly import AutoEncoder, QuantileThreshold, ThresholdSearchCV

MAX_ROWS = 1500
DENSE = np.unique(
    np.concatenate([np.arange(1, 10) / 1000, np.arange(2, 20) / 200, np.arange(1, 51) / 100])
)
DETECTORS = {
    "IsolationForest": IsolationForest(random_state=0),
    "AutoEncoder": AutoEncoder(random_state=0),
}
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def draw(path):
    """Return rows and truth of a table."""
    table = np.load(path)
    X, y = table["X"].astype(np.float32), table["y"] == 1
    if len(X) <= MAX_ROWS:
        return X, y
    rng = np.random.default_rng(0)
    kept = []
    for label in (False, True):
        rows = np.flatnonzero(y == label)
        n_rows = min(len(rows), max(20, int(len(rows) / len(X) * MAX_ROWS)))
        kept.append(rng.choice(rows, n_rows, replace=False) if n_rows < len(rows) else rows)
    kept = np.concatenate(kept)
    return X[kept], y[kept]


def split(path):
    """Yield scaled rows and truth for the search, and the same for the F1, half by half."""
    X, y = draw(path)
    for own, other in StratifiedKFold(2, shuffle=True, random_state=0).split(X, y):
        scaler = StandardScaler().fit(X[own])
        yield scaler.transform(X[own]), y[own], scaler.transform(X[other]), y[other]


def f1(truth, flagged):
    """Return F1, 0 if nothing is flagged; many times faster than scikit-learn's."""
    return 2 * np.sum(truth & flagged) / max(1, np.sum(truth) + np.sum(flagged))


def offsets(scores, shares):
    """Return the offset of each share of the scores."""
    return np.array([QuantileThreshold(share).fit(scores).threshold_ for share in shares])


def scorer(detector, X, y):
    """Return F1, for searches."""
    return f1(y, detector.predict(X) == -1)


def best_of(scores_of_folds):
    """Return the index of the best candidate; the middle one of several."""
    means = np.mean(scores_of_folds, axis=0)
    tied = np.flatnonzero(means == means.max())
    return tied[(len(tied) - 1) // 2]


def compare(detector, X, y, X_new, truth):
    """Return the F1 on the other half by way of choosing."""
    Remembering.memory.clear()
    detector = Remembering(detector)
    few = ThresholdSearchCV(detector, scoring=scorer, cv=FOLDS).fit(X, y)
    dense = clone(few).set_params(candidates=DENSE).fit(X, y)
    own, new = few.score_samples(X), few.score_samples(X_new)
    shares = few.cv_results_["param_contamination"]
    held_out = [
        (clone(detector).fit(X[train]).score_samples(X[test]), y[test])
        for train, test in FOLDS.split(X, y)
    ]
    values = np.quantile(np.concatenate([scores for scores, _ in held_out]), shares)
    value = values[best_of([[f1(t, s < v) for v in values] for s, t in held_out])]
    share = shares[best_of([[f1(t, s < o) for o in offsets(s, shares)] for s, t in held_out])]
    n_few, n_dense = len(shares), len(DENSE)
    return {
        "none: ``contamination=0.1``": f1(truth, new < offsets(own, [0.1])[0]),
        f"{n_few} shares of the training scores": f1(truth, few.predict(X_new) == -1),
        f"{n_dense} shares of the training scores": f1(truth, dense.predict(X_new) == -1),
        f"{n_few} values of the score": f1(truth, new < value),
        f"{n_few} shares of the held-out scores": f1(truth, new < offsets(own, [share])[0]),
        "the best threshold that there is": max(f1(truth, new < v) for v in np.sort(new)),
    }


def main():
    """Compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    figures = {name: [] for name in DETECTORS}
    for path in args.tables:
        for name, detector in DETECTORS.items():
            results = [compare(detector, *half) for half in split(path)]
            figures[name].append(
                {way: np.mean([r[way] for r in results]) for way in results[0]}
            )
    lines = [
        f".. list-table:: Mean F1 on rows not seen; tables: {len(figures['AutoEncoder'])}",
        "    :header-rows: 1",
        "",
        "    * - " + "\n      - ".join(["candidates", *DETECTORS]),
    ]
    for way in figures["AutoEncoder"][0]:
        means = [f"{np.mean([row[way] for row in figures[name]]):.3f}" for name in DETECTORS]
        lines.append("    * - " + "\n      - ".join([way, *means]))
    print("\n".join(lines))
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
