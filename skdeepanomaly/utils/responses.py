"""What to ask any outlier detector for."""

import numpy as np


def normality_scores(detector, X) -> np.ndarray:
    """Return the scores of a fitted outlier detector, the higher the more normal.

    Parameters
    ----------
    detector : object
        It has ``score_samples``, or else ``decision_function``.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    scores : ndarray of shape (n_samples,), float64
        A copy.
    """
    score = getattr(detector, "score_samples", None) or detector.decision_function
    return np.array(score(X), dtype=np.float64)
