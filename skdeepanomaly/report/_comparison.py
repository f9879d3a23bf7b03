"""Where two detectors agree, and where not."""

import numpy as np
from scipy.stats import rankdata
from sklearn.base import BaseEstimator

from ._overview import name_of
from ._scores import Scores

N_BINS = 10


def compare(
    detectors: list[BaseEstimator], scores: list[Scores], labels: np.ndarray | None
) -> dict:
    """Compare the flags and the ranks that two detectors give to the same rows.

    Parameters
    ----------
    detectors : list of two detectors
        Fitted.
    scores : list of two Scores
        Of the same rows.
    labels : ndarray of shape (n_samples,), int, or None
        -1 anomaly, +1 normal, 0 not judged.

    Returns
    -------
    comparison : dict
        ``counts`` of rows flagged by both, by one and by none; ``correlation`` of the ranks;
        ``grid``, the rows in tenths by the first and by the second detector.
    """
    first, second = (one.is_flagged for one in scores)
    names = [name_of(detector) for detector in detectors]
    if names[0] == names[1]:
        names = [
            f"{name} ({side})" for name, side in zip(names, ("first", "second"), strict=True)
        ]
    cases = {
        "both": first & second,
        "first": first & ~second,
        "second": ~first & second,
        "neither": ~first & ~second,
    }
    ranks = [rankdata(one.values) for one in scores]
    n = len(first)
    tenths = [np.minimum((rank - 0.5) / n * N_BINS, N_BINS - 1).astype(int) for rank in ranks]
    grid = np.zeros((N_BINS, N_BINS), dtype=int)
    np.add.at(grid, tuple(tenths), 1)
    return {
        "names": names,
        "counts": {name: int(rows.sum()) for name, rows in cases.items()},
        "anomalies": None
        if labels is None
        else {name: int((labels[rows] == -1).sum()) for name, rows in cases.items()},
        "correlation": _correlation(*ranks),
        "grid": grid.tolist(),
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return Spearman's correlation, or None where one detector gives all rows one score."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return round(float(np.corrcoef(a, b)[0, 1]), 3)
