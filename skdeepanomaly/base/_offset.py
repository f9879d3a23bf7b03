"""The threshold of a detector, from the scores of its training rows."""

import numpy as np

from ..thresholds import contamination_offset, robust_offset


def choose_offset(scores: np.ndarray, contamination) -> float:
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
