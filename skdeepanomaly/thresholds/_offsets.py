"""Thresholds of scores as functions."""

import numpy as np

from ..utils.scores import has_size
from ..utils.types import Contamination


def contamination_offset(
    scores: np.ndarray, contamination: float, *, overwrite_input: bool = False
) -> float:
    """Return the offset below which the given share of the scores lies.

    The offset is half-way between two neighbouring scores, so that rounding errors cannot
    change a label; above a score without size, see ``has_size``, it is the next score. Equal
    scores are never separated: if the cut falls among them, none of them are outliers, as in
    scikit-learn's detectors. If there would be no outlier then, all of them are. If all scores
    are equal, no row is an outlier.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, lower for more abnormal rows.
    contamination : float
        Share of outliers, in (0, 0.5].
    overwrite_input : bool, default=False
        Whether ``scores`` may be sorted in place, which avoids a copy.

    Returns
    -------
    offset : float
        ``scores < offset`` holds for ``max(1, round(contamination * n_samples))`` rows
        where the scores are distinct.
    """
    n_samples = len(scores)
    # A product of numpy's small types overflows.
    wanted = min(max(1, round(float(contamination) * n_samples)), n_samples - 1)
    ordered = scores if overwrite_input else scores.copy()
    ordered.sort()
    # Number of scores strictly below the cut, and number of scores up to and with it.
    cut = ordered[wanted - 1]
    n_below = int(np.searchsorted(ordered, cut, side="left"))
    n_upto = int(np.searchsorted(ordered, cut, side="right"))
    if n_upto == n_samples and n_below == 0:
        return float(cut)
    n_outliers = n_upto if n_upto == wanted or n_below == 0 else n_below
    last_out, first_in = ordered[n_outliers - 1], ordered[n_outliers]
    if not has_size(ordered)[n_outliers - 1]:
        # The middle would lie as far below all other scores.
        return float(first_in)
    middle = 0.5 * last_out + 0.5 * first_in
    # The middle of two adjacent floats is rounded to one of them; to the lower one, the last
    # outlier would not lie below the offset.
    return float(middle if last_out < middle else first_in)


def robust_offset(scores: np.ndarray, n_deviations: float = 3.0) -> float:
    """Return the offset that lies a number of robust standard deviations below the median.

    The deviation is taken from the lower, abnormal half of the scores:
    ``(median - first quartile) / 0.6745``. It is the standard deviation of Gaussian scores,
    and larger if the lower half of the scores has the longer tail.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, lower for more abnormal rows.
    n_deviations : float, default=3.0
        Distance from the median in robust standard deviations.

    Returns
    -------
    offset : float
        Scores below it are outliers. There may be none.
    """
    first_quartile, median = np.quantile(scores, [0.25, 0.5])
    return float(median - n_deviations * (median - first_quartile) / 0.6745)


def choose_offset(scores: np.ndarray, contamination: Contamination) -> float:
    """Return ``offset_`` for the parameter ``contamination``.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores of the training rows; their order may change.
    contamination : float or "auto"
        Share of outliers among the rows, or ``"auto"``.

    Returns
    -------
    offset : float
        The threshold.
    """
    if contamination == "auto":
        return robust_offset(scores)
    return contamination_offset(scores, contamination, overwrite_input=True)
