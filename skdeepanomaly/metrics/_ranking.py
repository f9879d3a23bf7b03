"""How well a detector ranks and labels rows whose truth is known.

The positive class is the anomaly, everywhere. Truth comes as -1 for anomalies and +1 for
normal rows, or as 1 for anomalies and 0 for normal rows; in the first form 0 marks rows that
nobody has judged, and these are left out.
"""

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    make_scorer,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ..utils.scores import normality_scores


def read_truth(y_true) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows were judged, and which of those are anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        -1 for anomalies, +1 for normal rows and 0 for rows that nobody has judged; or 1 for
        anomalies and 0 for normal rows. Booleans are read as the latter.

    Returns
    -------
    judged : ndarray of shape (n_samples,), bool
    is_anomaly : ndarray of shape (n_judged,), bool

    Raises
    ------
    ValueError
        If there are other values, or only one value, so that it cannot be told what it
        means or there is nothing to tell apart.
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
            f"y_true holds no {missing}, only {sorted(found)}: there is nothing to tell"
            " apart. In cross-validation use StratifiedKFold, or fewer folds."
        )
    return judged, is_anomaly


def signed_labels(y_true) -> np.ndarray:
    """Return labels in the form -1 for anomalies, +1 for normal rows and 0 for others.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth, in either form that :func:`read_truth` takes.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int
    """
    judged, is_anomaly = read_truth(y_true)
    labels = np.zeros(len(judged), dtype=int)
    labels[judged] = np.where(is_anomaly, -1, 1)
    return labels


def _read_scores(y_true, y_score) -> tuple[np.ndarray, np.ndarray]:
    check_consistent_length(y_true, y_score)
    judged, is_anomaly = read_truth(y_true)
    scores = check_array(y_score, ensure_2d=False, dtype=np.float64, input_name="y_score")
    return is_anomaly, column_or_1d(scores)[judged]


def _read_labels(y_true, y_pred) -> tuple[np.ndarray, np.ndarray]:
    check_consistent_length(y_true, y_pred)
    judged, is_anomaly = read_truth(y_true)
    predicted = column_or_1d(y_pred)
    if not np.isin(predicted, [-1, 1]).all():
        raise ValueError(
            "y_pred must hold -1 (anomaly) and +1 (normal), as a detector's predict gives them;"
            f" got {np.unique(predicted)[:5].tolist()}. For a classifier of 0 and 1 take"
            " scikit-learn's own metrics."
        )
    return is_anomaly, (predicted == -1)[judged]


def outlier_roc_auc_score(y_true, y_score):
    """Return the area under the ROC curve.

    It is the probability that an anomaly has a higher anomaly score than a normal row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, the higher, the more abnormal: ``-detector.score_samples(X)``.

    Returns
    -------
    score : float
        1 for a perfect ranking, 0.5 for chance.

    Examples
    --------
    >>> from skdeepanomaly import outlier_roc_auc_score
    >>> outlier_roc_auc_score([1, 1, -1], [0.1, 0.4, 0.9])
    1.0
    """
    return float(roc_auc_score(*_read_scores(y_true, y_score)))


def outlier_average_precision_score(y_true, y_score):
    """Return the average precision, the area under the precision-recall curve.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, the higher, the more abnormal: ``-detector.score_samples(X)``.

    Returns
    -------
    score : float
        1 for a perfect ranking, the share of anomalies for chance.

    Examples
    --------
    >>> from skdeepanomaly import outlier_average_precision_score
    >>> outlier_average_precision_score([1, 1, -1], [0.1, 0.4, 0.9])
    1.0
    """
    return float(average_precision_score(*_read_scores(y_true, y_score)))


def outlier_partial_roc_auc_score(y_true, y_score, *, max_fpr=0.1):
    """Return the area under the ROC curve up to a false-alarm rate, standardised.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, the higher, the more abnormal: ``-detector.score_samples(X)``.
    max_fpr : float, default=0.1
        Highest share of normal rows that may be flagged, in (0, 1].

    Returns
    -------
    score : float
        1 for a perfect ranking, 0.5 for chance (McClish 1989).

    Examples
    --------
    >>> from skdeepanomaly import outlier_partial_roc_auc_score
    >>> outlier_partial_roc_auc_score([1, 1, -1], [0.1, 0.4, 0.9], max_fpr=0.5)
    1.0
    """
    return float(roc_auc_score(*_read_scores(y_true, y_score), max_fpr=max_fpr))


def outlier_precision_at_n_score(y_true, y_score, *, n=None):
    """Return the share of anomalies among the n rows with the highest scores.

    Rows with the same score as the n-th one count by their share of anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_samples,)
        Anomaly scores, the higher, the more abnormal: ``-detector.score_samples(X)``.
    n : int or None, default=None
        Number of rows that are looked at; None takes the number of anomalies, with which
        precision and recall are equal.

    Returns
    -------
    score : float
        Share, in [0, 1].

    Raises
    ------
    ValueError
        If n is not between 1 and the number of rows.

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


def outlier_f1_score(y_true, y_pred):
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

    Examples
    --------
    >>> from skdeepanomaly import outlier_f1_score
    >>> outlier_f1_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.6666666666666666
    """
    return float(f1_score(*_read_labels(y_true, y_pred), zero_division=0))


def outlier_precision_score(y_true, y_pred):
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

    Examples
    --------
    >>> from skdeepanomaly import outlier_precision_score
    >>> outlier_precision_score([1, 1, -1, -1], [1, 1, -1, 1])
    1.0
    """
    return float(precision_score(*_read_labels(y_true, y_pred), zero_division=0))


def outlier_recall_score(y_true, y_pred):
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

    Examples
    --------
    >>> from skdeepanomaly import outlier_recall_score
    >>> outlier_recall_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.5
    """
    return float(recall_score(*_read_labels(y_true, y_pred)))


def outlier_balanced_accuracy_score(y_true, y_pred):
    """Return the mean of the shares of anomalies and of normal rows that are told right.

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

    Examples
    --------
    >>> from skdeepanomaly import outlier_balanced_accuracy_score
    >>> outlier_balanced_accuracy_score([1, 1, -1, -1], [1, 1, -1, 1])
    0.75
    """
    return float(balanced_accuracy_score(*_read_labels(y_true, y_pred)))


def outlier_cost(y_true, y_pred, *, missed=10.0, false_alarm=1.0):
    """Return what the errors cost, a row on average.

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

    Examples
    --------
    >>> from skdeepanomaly import outlier_cost
    >>> outlier_cost([1, 1, -1, -1], [1, 1, -1, 1])
    2.5
    """
    matrix = confusion_matrix(*_read_labels(y_true, y_pred), labels=[False, True])
    return float((missed * matrix[1, 0] + false_alarm * matrix[0, 1]) / matrix.sum())


# What each metric judges: the ranking or the labels.
_METRICS = {
    "roc_auc": (outlier_roc_auc_score, "ranking"),
    "average_precision": (outlier_average_precision_score, "ranking"),
    "partial_roc_auc": (outlier_partial_roc_auc_score, "ranking"),
    "precision_at_n": (outlier_precision_at_n_score, "ranking"),
    "f1": (outlier_f1_score, "labels"),
    "precision": (outlier_precision_score, "labels"),
    "recall": (outlier_recall_score, "labels"),
    "balanced_accuracy": (outlier_balanced_accuracy_score, "labels"),
    "cost": (outlier_cost, "labels"),
}


def _anomaly_scores(detector, X) -> np.ndarray:
    """Return scores that are high for anomalies, or refuse what has them the other way."""
    classes = getattr(detector, "classes_", None)
    if is_classifier(detector) and (classes is None or set(classes) != {-1, 1}):
        raise ValueError(
            f"{type(detector).__name__} is a classifier, whose decision function is high for"
            f" the class {None if classes is None else classes[-1]!r}: with labels 0 and 1 use"
            " scikit-learn's own scorers, such as 'average_precision'."
        )
    decision = np.array(detector.decision_function(X), dtype=np.float64)
    if np.isposinf(decision).all():
        # A threshold at minus infinity flags nothing, but there still is a ranking.
        decision = normality_scores(detector, X)
    return -decision


class _RankingScorer:
    """Scorer of the ranking, whatever the threshold is."""

    def __init__(self, metric):
        self.metric = metric

    def __repr__(self):
        return f"{type(self).__name__}({self.metric.__name__})"

    def __call__(self, detector, X, y_true):
        return self.metric(y_true, _anomaly_scores(detector, X))


def _scorer(name: str):
    metric, judged = _METRICS[name]
    if judged == "ranking":
        return _RankingScorer(metric)
    return make_scorer(metric, response_method="predict", greater_is_better=name != "cost")


#: Scorers for ``scoring=`` in searches and cross-validation, by name. They go with every
#: detector that has ``decision_function`` and ``predict``, and with pipelines that end in one.
#: A fold of -1, 0 and +1 that happens to hold no -1 reads as 0 and 1: stratify the folds.
outlier_scorers = {
    f"neg_{name}" if name == "cost" else name: _scorer(name) for name in _METRICS
}

#: Names of those that judge labels. The others judge the ranking, which no threshold changes.
label_scorers = [
    name for name in outlier_scorers if _METRICS[name.removeprefix("neg_")][1] == "labels"
]


def evaluate(detector, X, y, *, n_bootstraps=200, confidence=0.95, random_state=None):
    """Return all metrics of a fitted detector, with bootstrap intervals.

    Parameters
    ----------
    detector : object
        A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    n_bootstraps : int, default=200
        Number of times that the rows are drawn anew, within each class.
    confidence : float, default=0.95
        Level of the intervals, in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    table : dict of str to dict
        For each metric a dict with ``"value"``, ``"low"`` and ``"high"``; the names are those
        of ``outlier_scorers``, with ``"cost"`` in place of ``"neg_cost"``.
        ``pandas.DataFrame(table).T`` makes a frame of it.

    Raises
    ------
    ValueError
        If the truth cannot be read, ``confidence`` is not in (0, 1), or the detector is a
        classifier of other labels than -1 and +1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import evaluate
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(200, 2)), rng.normal(5, 1, size=(20, 2))])
    >>> y = np.repeat([1, -1], [200, 20])
    >>> table = evaluate(IsolationForest(random_state=0).fit(X[:200]), X, y, random_state=0)
    >>> table["roc_auc"]["value"] > 0.95
    True
    """
    if n_bootstraps < 1:
        raise ValueError(f"n_bootstraps must be at least 1, got {n_bootstraps}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), such as 0.95, got {confidence}.")
    check_consistent_length(X, y)
    judged, is_anomaly = read_truth(y)
    y = np.where(is_anomaly, -1, 1)
    responses = {
        "ranking": _anomaly_scores(detector, X)[judged],
        "labels": np.asarray(detector.predict(X))[judged],
    }
    # Without a seed, numpy's global generator is left alone.
    fresh = np.random.RandomState() if random_state is None else random_state
    rng = check_random_state(fresh)
    anomalies, normals = np.flatnonzero(is_anomaly), np.flatnonzero(~is_anomaly)
    draws = [
        np.concatenate([rng.choice(rows, len(rows)) for rows in (anomalies, normals)])
        for _ in range(n_bootstraps)
    ]
    tail = (1 - confidence) / 2
    table = {}
    for name, (metric, kind) in _METRICS.items():
        response = responses[kind]
        values = [metric(y[rows], response[rows]) for rows in draws]
        low, high = np.quantile(values, [tail, 1 - tail])
        value = metric(y, response)
        table[name] = {"value": value, "low": float(low), "high": float(high)}
    return table
