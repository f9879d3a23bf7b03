"""Compare ways to choose a threshold by labels, on rows that the choice did not see.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/tuning.py SCORES.pkl TABLE.npz ...
           [--out FILE.inc]

Tables are those of quality.py; of more than 1,500 rows a sample by class is drawn. Each half of
a table is used for the search once, with five folds, and the other half for the F1 that is
reported. SCORES.pkl keeps all scores, so that a second run only compares.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pickle
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, QuantileThreshold
from skdeepanomaly.meta._threshold_search import DEFAULT_SHARES, _choose

MAX_ROWS = 1500
DENSE = np.unique(
    np.concatenate([np.arange(1, 10) / 1000, np.arange(2, 20) / 200, np.arange(1, 51) / 100])
)
DETECTORS = {"IsolationForest": IsolationForest, "AutoEncoder": AutoEncoder}


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


def collect(path, cls):
    """Yield for each half the scores of its folds, its own, and those of the other half."""
    X, y = draw(path)
    halves = StratifiedKFold(2, shuffle=True, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for own, other in halves.split(X, y):
        scaler = StandardScaler().fit(X[own])
        A, B = scaler.transform(X[own]), scaler.transform(X[other])
        inner = []
        for train, test in folds.split(A, y[own]):
            fitted = cls(random_state=0).fit(A[train])
            scores = fitted.score_samples(A[train]), fitted.score_samples(A[test])
            inner.append((*scores, y[own][test]))
        fitted = cls(random_state=0).fit(A)
        yield inner, fitted.score_samples(A), fitted.score_samples(B), y[other]


def f1(truth, flagged):
    """Return F1, 0 where nothing is flagged; many times faster than scikit-learn's."""
    return 2 * np.sum(truth & flagged) / max(1, np.sum(truth) + np.sum(flagged))


def offsets(scores, shares):
    """Return both cuts of each share, as ThresholdSearchCV makes them."""
    kinds = ("middle", "linear")
    rules = [QuantileThreshold(share, kind) for kind in kinds for share in shares]
    return np.array([rule.fit(scores).threshold_ for rule in rules])


def compare(inner, own, other, truth):
    """Return the F1 on the other half by way of choosing."""

    def of_shares(shares, of_training=True):
        means = np.mean(
            [
                [f1(y, test < o) for o in offsets(train if of_training else test, shares)]
                for train, test, y in inner
            ],
            axis=0,
        )
        return f1(truth, other < offsets(own, shares)[_choose(means, len(shares))])

    values = np.quantile(np.concatenate([test for _, test, _ in inner]), DEFAULT_SHARES)
    means = np.mean([[f1(y, test < v) for v in values] for _, test, y in inner], axis=0)
    best_value = values[_choose(means, len(values))]
    n_few = len(DEFAULT_SHARES)
    return {
        "none: ``contamination=0.1``": f1(truth, other < offsets(own, [0.1])[0]),
        f"{n_few} shares of the training scores": of_shares(DEFAULT_SHARES),
        f"{len(DENSE)} shares of the training scores": of_shares(DENSE),
        f"{n_few} values of the score": f1(truth, other < best_value),
        f"{n_few} shares of the held-out scores": of_shares(DEFAULT_SHARES, False),
        "the best threshold that there is": max(f1(truth, other < v) for v in np.sort(other)),
    }


def main():
    """Collect what is missing, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = pickle.loads(args.scores.read_bytes()) if args.scores.exists() else {}
    for path in args.tables:
        for name, cls in DETECTORS.items():
            if (path.stem, name) not in found:
                found[path.stem, name] = list(collect(path, cls))
                args.scores.write_bytes(pickle.dumps(found))
    figures = {name: [] for name in DETECTORS}
    for (_, name), halves in found.items():
        results = [compare(*half) for half in halves]
        figures[name].append({way: np.mean([r[way] for r in results]) for way in results[0]})
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
