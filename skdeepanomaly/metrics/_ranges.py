"""Ranges of anomalous time stamps: how a series, or several, are read for their metrics."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ._truth import read_truth


def ranges_of(flags: np.ndarray) -> np.ndarray:
    """Return the runs of true values.

    Parameters
    ----------
    flags : ndarray of shape (n,), bool
        Flags.

    Returns
    -------
    ranges : ndarray of shape (n_ranges, 2), int
        Place of the first value of each run, and of the one after its last.
    """
    edges = np.diff(flags.astype(np.int8), prepend=0, append=0)
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def read_series_truth(y_true: ArrayLike) -> np.ndarray:
    """Return which time stamps are anomalies; all must be judged.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.

    Returns
    -------
    is_anomaly : ndarray of shape (n_timestamps,), bool
        Whether each is an anomaly.

    Raises
    ------
    ValueError
        If the truth cannot be read, holds one class only, or time stamps that nobody judged.
    """
    judged, is_anomaly = read_truth(y_true)
    if not judged.all():
        raise ValueError(
            f"{(~judged).sum()} of {len(judged)} time stamps of y_true are 0, which means not"
            " judged beside -1. Metrics of series need all of them; cut the series into parts."
        )
    return is_anomaly


def read_series_scores(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return which time stamps are anomalies, and the anomaly scores.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_timestamps,)
        Truth, and anomaly scores.

    Returns
    -------
    is_anomaly, scores : ndarray of shape (n_timestamps,)
        Flags, and finite scores.

    Raises
    ------
    ValueError
        If the truth or the scores are not valid, or differ in length.
    """
    check_consistent_length(y_true, y_score)
    is_anomaly = read_series_truth(y_true)
    scores = check_array(y_score, ensure_2d=False, dtype=np.float64, input_name="y_score")
    return is_anomaly, column_or_1d(scores)


def read_series_labels(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return which time stamps are anomalies, and which are flagged.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timestamps,)
        Truth, and labels of a detector.

    Returns
    -------
    is_anomaly, is_flagged : ndarray of shape (n_timestamps,), bool
        Flags.

    Raises
    ------
    ValueError
        If the truth or the labels are not valid, or differ in length.
    """
    check_consistent_length(y_true, y_pred)
    return read_series_truth(y_true), read_flags(y_pred)


def read_flags(y_pred: ArrayLike) -> np.ndarray:
    """Return which time stamps a detector flagged.

    Parameters
    ----------
    y_pred : array-like of shape (n_timestamps,)
        -1 anomaly, +1 normal.

    Returns
    -------
    is_flagged : ndarray of shape (n_timestamps,), bool
        Flags.

    Raises
    ------
    ValueError
        If there are other labels.
    """
    predicted = column_or_1d(y_pred)
    if not np.isin(predicted, [-1, 1]).all():
        raise ValueError(
            "y_pred must hold -1 (anomaly) and +1 (normal), as a detector's predict gives them;"
            f" got {np.unique(predicted)[:5].tolist()}."
        )
    return predicted == -1
