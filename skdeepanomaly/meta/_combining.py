"""Scores of different detectors in a common unit, by the scores of their training rows."""

from collections.abc import Callable

import numpy as np

from ..utils.scores import has_size

# Largest share of the training rows that tells how scores go on beyond the largest one.
TAIL_SHARE = 0.1
MIN_TAIL = 5
# Shape of the generalised Pareto distribution beyond it: between an exponential tail, of shape
# 0, and one as heavy as that of a Cauchy distribution, of shape 1.
TAIL_SHAPE = 0.25


class TailScale:
    """Minus the logarithm of the share of training rows that score as high or higher.

    Beyond the largest training score there is no share. There it goes on as in a generalised
    Pareto distribution, ``log(1 + TAIL_SHAPE * excess) / TAIL_SHAPE``, with the excess in units
    of the mean excess of the highest training scores: a detector whose scores explode has a
    say, but does not outvote all others.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Anomaly scores of training rows, the higher the more abnormal.
    """

    def __init__(self, scores: np.ndarray):
        self.ordered = np.sort(scores)
        n_tail = min(len(scores) - 1, max(MIN_TAIL, int(TAIL_SHARE * len(scores))))
        start = self.ordered[-n_tail - 1]
        excess = self.ordered[-n_tail:] - start
        sized = excess[has_size(excess)]
        mean = float(sized.mean()) if len(sized) else 0.0
        # Where the highest scores are equal, rounding is the only unit.
        rounding = np.finfo(np.float64).eps * float(np.abs(self.ordered).max())
        self.unit = max(mean, 4 * rounding, np.finfo(np.float64).tiny)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Map anomaly scores (n,) to numbers of 0 or more."""
        n = len(self.ordered)
        # Halfway between the rows below and those up to it, so that equal scores have one.
        below = np.searchsorted(self.ordered, scores, side="left")
        upto = np.searchsorted(self.ordered, scores, side="right")
        share = (n - (below + upto) / 2 + 0.5) / (n + 1)
        with np.errstate(over="ignore"):
            excess = np.maximum(scores - self.ordered[-1], 0.0) / self.unit
        excess = np.minimum(excess, np.finfo(np.float64).max)
        return -np.log(share) + np.log1p(TAIL_SHAPE * excess) / TAIL_SHAPE


class StandardScale:
    """Distance to the median, in robust standard deviations.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Anomaly scores of training rows, the higher the more abnormal.
    """

    def __init__(self, scores: np.ndarray):
        low, self.center, high = np.quantile(scores, [0.25, 0.5, 0.75])
        spread = (high - low) / 1.349
        if not spread > 0:
            sized = scores[has_size(scores)]
            spread = float(sized.std()) if len(sized) else 0.0
        rounding = np.finfo(np.float64).eps * float(np.abs(scores).max())
        self.spread = max(spread, 4 * rounding, np.finfo(np.float64).tiny)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Map anomaly scores (n,) to deviations."""
        limit = np.finfo(np.float64).max
        with np.errstate(over="ignore"):
            return np.clip((scores - self.center) / self.spread, -limit, limit)


class RankScale:
    """Share of the training rows that score lower; half of those that score the same count.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Anomaly scores of training rows, the higher the more abnormal.
    """

    def __init__(self, scores: np.ndarray):
        self.ordered = np.sort(scores)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Map anomaly scores (n,) to shares between 0 and 1."""
        below = np.searchsorted(self.ordered, scores, side="left")
        upto = np.searchsorted(self.ordered, scores, side="right")
        return (below + upto) / (2 * len(self.ordered))


Scale = TailScale | StandardScale | RankScale
SCALES: dict[str, Callable[[np.ndarray], Scale]] = {
    "tail": TailScale,
    "max": TailScale,
    "zscore": StandardScale,
    "rank": RankScale,
}


def combine_views(views: np.ndarray, weights: np.ndarray, combine: str) -> np.ndarray:
    """Return one anomaly score for each row.

    Parameters
    ----------
    views : ndarray of shape (n_samples, n_members)
        Anomaly scores in a common unit.
    weights : ndarray of shape (n_members,)
        Weights that sum to 1.
    combine : {"tail", "zscore", "rank", "max"}
        ``"max"`` takes the highest one, others the weighted mean.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        Anomaly scores.
    """
    if combine == "max":
        return views[:, weights > 0].max(axis=1)
    return (views * weights).sum(axis=1)
