"""From scores to a threshold: where the outliers of a sample begin."""

import numpy as np


def contamination_offset(
    scores: np.ndarray, contamination: float, *, overwrite_input: bool = False
) -> float:
    """Return the offset below which lies the given share of the scores.

    The offset is half-way between two neighbouring scores, so that no row of the sample
    sits on it and rounding noise cannot flip a label. Equal scores are never split:
    where the cut falls among them, the nearer of the two possible counts is taken, and
    the larger one where both are as near.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, the lower the more abnormal.
    contamination : float
        Share of outliers, in (0, 0.5].
    overwrite_input : bool, default=False
        Whether ``scores`` may be sorted in place, which saves a copy.

    Returns
    -------
    offset : float
        ``scores < offset`` holds for ``max(1, round(contamination * n_samples))`` rows
        where the scores are distinct.
    """
    n_samples = len(scores)
    wanted = min(max(1, round(contamination * n_samples)), n_samples - 1)
    ordered = scores if overwrite_input else scores.copy()
    ordered.sort()
    # Rows strictly below the cut value, and rows up to it.
    cut = ordered[wanted - 1]
    n_below = int(np.searchsorted(ordered, cut, side="left"))
    n_upto = int(np.searchsorted(ordered, cut, side="right"))
    take_all = n_upto - wanted <= wanted - n_below and n_upto < n_samples
    n_outliers = n_upto if take_all else n_below
    if n_outliers == 0:
        return float(cut)
    last_out, first_in = ordered[n_outliers - 1], ordered[n_outliers]
    middle = 0.5 * last_out + 0.5 * first_in
    # Between neighbouring floats there is nothing: the middle is then one of the two.
    return float(middle if last_out < middle else first_in)


def robust_offset(scores: np.ndarray, n_deviations: float = 3.0) -> float:
    """Return the offset that lies some robust standard deviations below the median.

    The deviation is taken from the lower, abnormal half of the scores alone:
    ``(median - first quartile) / 0.6745``, which is the standard deviation where the
    scores are Gaussian and follows the skew where they are not.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, the lower the more abnormal.
    n_deviations : float, default=3.0
        Distance from the median.

    Returns
    -------
    offset : float
        Scores below it are outliers; there may be none.
    """
    first_quartile, median = np.quantile(scores, [0.25, 0.5])
    return float(median - n_deviations * (median - first_quartile) / 0.6745)
