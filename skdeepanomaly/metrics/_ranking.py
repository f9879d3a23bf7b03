"""Metrics that compare anomaly scores, or labels, with the truth.

The positive class is the anomaly in all of them.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ._truth import read_truth


def _read_scores(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return which judged rows are anomalies, and the scores of the judged rows."""
    check_consistent_length(y_true, y_score)
    judged, is_anomaly = read_truth(y_true)
    scores = check_array(y_score, ensure_2d=False, dtype=np.float64, input_name="y_score")
    return is_anomaly, column_or_1d(scores)[judged]


def _read_labels(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return which judged rows are anomalies, and which of them are flagged."""
    check_consistent_length(y_true, y_pred)
    judged, is_anomaly = read_truth(y_true)
    predicted = column_or_1d(y_pred)
    if not np.isin(predicted, [-1, 1]).all():
        raise ValueError(
            "y_pred must hold -1 (anomaly) and +1 (normal), as a detector's predict gives them;"
            f" got {np.unique(predicted)[:5].tolist()}. Wrap a detector of PyOD:"
            " from_pyod(detector). For a classifier of 0 and 1 use scikit-learn's own metrics."
        )
    return is_anomaly, (predicted == -1)[judged]


def outlier_roc_auc_score(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the area under the ROC curve.

    It is the probability that an anomaly has a higher anomaly score than a normal row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, higher for more abnormal rows: ``-detector.score_samples(X)``.

    Returns
    -------
    score : float
        1 for a perfect ranking, 0.5 for chance.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or a score is not finite.

    Examples
    --------
    >>> from skdeepanomaly import outlier_roc_auc_score
    >>> outlier_roc_auc_score([1, 1, -1], [0.1, 0.4, 0.9])
    1.0
    """
    return float(roc_auc_score(*_read_scores(y_true, y_score)))


def outlier_average_precision_score(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the average precision, the area under the precision-recall curve.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, higher for more abnormal rows: ``-detector.score_samples(X)``.

    Returns
    -------
    score : float
        1 for a perfect ranking, the share of anomalies for chance.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or a score is not finite.

    Examples
    --------
    >>> from skdeepanomaly import outlier_average_precision_score
    >>> outlier_average_precision_score([1, 1, -1], [0.1, 0.4, 0.9])
    1.0
    """
    return float(average_precision_score(*_read_scores(y_true, y_score)))


def outlier_partial_roc_auc_score(
    y_true: ArrayLike, y_score: ArrayLike, *, max_fpr: float = 0.1
) -> float:
    """Return the standardised area under the ROC curve up to a false-alarm rate.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, higher for more abnormal rows: ``-detector.score_samples(X)``.
    max_fpr : float, default=0.1
        Largest false-alarm rate, the share of normal rows that are flagged, in (0, 1].

    Returns
    -------
    score : float
        1 for a perfect ranking, 0.5 for chance, by the standardisation of McClish [1]_.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, a score is not finite, or
        ``max_fpr`` is not in (0, 1].

    References
    ----------
    .. [1] D. K. McClish, "Analyzing a portion of the ROC curve", Medical Decision Making,
       1989.

    Examples
    --------
    >>> from skdeepanomaly import outlier_partial_roc_auc_score
    >>> outlier_partial_roc_auc_score([1, 1, -1], [0.1, 0.4, 0.9], max_fpr=0.5)
    1.0
    """
    return float(roc_auc_score(*_read_scores(y_true, y_score), max_fpr=max_fpr))


def outlier_precision_at_n_score(
    y_true: ArrayLike, y_score: ArrayLike, *, n: int | None = None
) -> float:
    """Return the share of anomalies among the n rows with the highest scores.

    Where several rows share the n-th highest score, each of them counts as the share of
    anomalies among them, so that the order of the rows does not matter.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, higher for more abnormal rows: ``-detector.score_samples(X)``.
    n : int or None, default=None
        Number of rows to look at. None takes the number of anomalies; precision and recall
        are then equal.

    Returns
    -------
    score : float
        Share, in [0, 1].

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, a score is not finite, or ``n``
        is not between 1 and the number of judged rows.

    Examples
    --------
    >>> from skdeepanomaly import outlier_precision_at_n_score
    >>> outlier_precision_at_n_score([1, -1, 1, -1], [0.1, 0.9, 0.4, 0.3], n=2)
    0.5
    """
    is_anomaly, scores = _read_scores(y_true, y_score)
    n = int(is_anomaly.sum()) if n is None else n
    if not 1 <= n <= len(scores):
        raise ValueError(f"n must be between 1 and the number of rows {len(scores)}, got {n}.")
    border = np.partition(scores, -n)[-n]
    above, at = scores > border, scores == border
    return float((is_anomaly[above].sum() + (n - above.sum()) * is_anomaly[at].mean()) / n)


def outlier_f1_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the harmonic mean of precision and recall of the anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_samples,)
        Labels as ``predict`` gives them: -1 anomaly, +1 normal.

    Returns
    -------
    score : float
        In [0, 1].

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or ``y_pred`` holds other values
        than -1 and +1.

    Examples
    --------
    >>> from skdeepanomaly import outlier_f1_score
    >>> outlier_f1_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.6666666666666666
    """
    return float(f1_score(*_read_labels(y_true, y_pred), zero_division=0))


def outlier_precision_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of anomalies among the rows that are flagged.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_samples,)
        Labels as ``predict`` gives them: -1 anomaly, +1 normal.

    Returns
    -------
    score : float
        In [0, 1]; 0 where no row is flagged.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or ``y_pred`` holds other values
        than -1 and +1.

    Examples
    --------
    >>> from skdeepanomaly import outlier_precision_score
    >>> outlier_precision_score([1, 1, -1, -1], [1, 1, -1, 1])
    1.0
    """
    return float(precision_score(*_read_labels(y_true, y_pred), zero_division=0))


def outlier_recall_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of the anomalies that are flagged.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_samples,)
        Labels as ``predict`` gives them: -1 anomaly, +1 normal.

    Returns
    -------
    score : float
        In [0, 1].

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or ``y_pred`` holds other values
        than -1 and +1.

    Examples
    --------
    >>> from skdeepanomaly import outlier_recall_score
    >>> outlier_recall_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.5
    """
    return float(recall_score(*_read_labels(y_true, y_pred)))


def outlier_balanced_accuracy_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean of the shares of anomalies and of normal rows with the right label.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_samples,)
        Labels as ``predict`` gives them: -1 anomaly, +1 normal.

    Returns
    -------
    score : float
        1 for no error, 0.5 for chance.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or a score is not finite.

    Examples
    --------
    >>> from skdeepanomaly import outlier_balanced_accuracy_score
    >>> outlier_balanced_accuracy_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.75
    """
    return float(balanced_accuracy_score(*_read_labels(y_true, y_pred)))


def outlier_cost(
    y_true: ArrayLike, y_pred: ArrayLike, *, missed: float = 10.0, false_alarm: float = 1.0
) -> float:
    """Return the mean cost of the errors per row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_samples,)
        Labels as ``predict`` gives them: -1 anomaly, +1 normal.
    missed : float, default=10.0
        Cost of an anomaly that is not flagged.
    false_alarm : float, default=1.0
        Cost of a normal row that is flagged.

    Returns
    -------
    cost : float
        Mean cost; the lower, the better.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or ``y_pred`` holds other values
        than -1 and +1.

    Examples
    --------
    >>> from skdeepanomaly import outlier_cost
    >>> outlier_cost([1, 1, -1, -1], [1, 1, -1, 1])
    2.5
    """
    matrix = confusion_matrix(*_read_labels(y_true, y_pred), labels=[False, True])
    return float((missed * matrix[1, 0] + false_alarm * matrix[0, 1]) / matrix.sum())
