"""Reading the truth: which rows were judged, and which of them are anomalies."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import column_or_1d

from ..utils.types import Bools, Ints


def read_truth(y_true: ArrayLike) -> tuple[Bools, Bools]:
    """Return which rows were judged, and which of the judged rows are anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. Booleans are
        read in the second form.

    Returns
    -------
    judged : ndarray of shape (n_samples,), bool
        Whether somebody judged the row.
    is_anomaly : ndarray of shape (n_judged,), bool
        For each judged row, in the order of ``y_true``, whether it is an anomaly.

    Raises
    ------
    ValueError
        If ``y_true`` is None, holds other values, or does not hold both anomalies and normal
        rows. A ``y_true`` of 1 alone is refused because 1 means normal in the first form
        and anomaly in the second.
    """
    if y_true is None:
        raise ValueError(
            "y_true is None: there is nothing to compare with. Pass labels, -1 for anomalies"
            " and +1 for normal rows."
        )
    y = column_or_1d(y_true)
    found = set(y.tolist())
    if not found <= {-1, 0, 1}:
        shown = ", ".join(sorted(map(repr, found))[:5])
        raise ValueError(
            "y_true must hold -1 (anomaly) and +1 (normal), with 0 for rows that nobody has"
            f" judged, or 1 (anomaly) and 0 (normal); got {shown}."
        )
    judged = y != 0 if -1 in found else np.ones(len(y), dtype=bool)
    is_anomaly = (y[judged] == -1) if -1 in found else (y == 1)
    if found == {1}:
        raise ValueError(
            "y_true holds only 1, which may mean normal (beside -1) or anomaly (beside 0)."
            " Expected both classes."
        )
    if is_anomaly.all() or not is_anomaly.any():
        missing = "normal rows" if is_anomaly.any() else "anomalies"
        raise ValueError(
            f"y_true holds no {missing}, only {sorted(found)}, but a comparison needs both"
            " classes. In cross-validation use StratifiedKFold, or fewer folds."
        )
    return judged, is_anomaly


def signed_labels(y_true: ArrayLike) -> Ints:
    """Return the truth as -1 for anomalies, +1 for normal rows and 0 for rows not judged.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int
        -1, 0 and +1.

    Raises
    ------
    ValueError
        If the truth cannot be read, see :func:`read_truth`.
    """
    judged, is_anomaly = read_truth(y_true)
    labels = np.zeros(len(judged), dtype=int)
    labels[judged] = np.where(is_anomaly, -1, 1)
    return labels
