"""Scorers for searches and cross-validation, and all metrics of a detector at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import make_scorer
from sklearn.utils.validation import check_consistent_length

from ..utils.randomness import check_local_random_state
from ..utils.scores import check_label_convention
from ..utils.types import RandomState, Rows
from ._ranking import (
    outlier_average_precision_score,
    outlier_balanced_accuracy_score,
    outlier_cost,
    outlier_f1_score,
    outlier_partial_roc_auc_score,
    outlier_precision_at_n_score,
    outlier_precision_score,
    outlier_recall_score,
    outlier_roc_auc_score,
)
from ._truth import read_truth

# Metrics of the ranking take anomaly scores, metrics of labels what predict gives.
_RANKING_METRICS = {
    "roc_auc": outlier_roc_auc_score,
    "average_precision": outlier_average_precision_score,
    "partial_roc_auc": outlier_partial_roc_auc_score,
    "precision_at_n": outlier_precision_at_n_score,
}
_LABEL_METRICS = {
    "f1": outlier_f1_score,
    "precision": outlier_precision_score,
    "recall": outlier_recall_score,
    "balanced_accuracy": outlier_balanced_accuracy_score,
    "cost": outlier_cost,
}


def _anomaly_scores(detector: BaseEstimator, X: Rows) -> np.ndarray:
    """Return the negated decisions, and refuse detectors whose sign is the other one."""
    classes = getattr(detector, "classes_", None)
    if is_classifier(detector) and (classes is None or set(classes) != {-1, 1}):
        raise ValueError(
            f"{type(detector).__name__} is a classifier, whose decision function is high for"
            f" the class {None if classes is None else classes[-1]!r}: with labels 0 and 1 use"
            " scikit-learn's own scorers, such as 'average_precision'."
        )
    check_label_convention(detector, X)
    return -np.asarray(detector.decision_function(X), dtype=np.float64)


class _RankingScorer:
    """Scorer of the ranking, which does not depend on the threshold."""

    def __init__(self, metric: Callable[[ArrayLike, ArrayLike], float]):
        self.metric = metric

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.metric.__name__})"

    def __call__(self, detector: BaseEstimator, X: Rows, y_true: ArrayLike) -> float:
        return self.metric(y_true, _anomaly_scores(detector, X))


def _label_scorer(name: str) -> Any:
    return make_scorer(
        _LABEL_METRICS[name], response_method="predict", greater_is_better=name != "cost"
    )


_label_scorers = {
    f"neg_{name}" if name == "cost" else name: _label_scorer(name) for name in _LABEL_METRICS
}

#: Scorers for ``scoring=`` in searches and cross-validation, by name. They work with every
#: detector that has ``decision_function`` and ``predict``, and with pipelines that end in one.
#: Stratify the folds: a fold of 0 and +1 without a -1 is read as 0 (normal) and 1 (anomaly).
outlier_scorers = {
    **{name: _RankingScorer(metric) for name, metric in _RANKING_METRICS.items()},
    **_label_scorers,
}

#: Names of the scorers that judge labels. All others judge the ranking, on which the threshold
#: has no influence.
label_scorers = list(_label_scorers)


def evaluate(
    detector: BaseEstimator,
    X: Rows,
    y: ArrayLike,
    *,
    n_bootstraps: int = 200,
    confidence: float = 0.95,
    random_state: RandomState = None,
) -> dict[str, dict[str, float]]:
    """Return all metrics of a fitted detector, with bootstrap intervals.

    Parameters
    ----------
    detector : object
        A fitted outlier detector, or a pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    n_bootstraps : int, default=200
        Number of bootstrap samples. Rows are drawn with replacement, each class by itself.
    confidence : float, default=0.95
        Level of the intervals, in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap samples.

    Returns
    -------
    table : dict of str to dict
        For each metric a dict with ``"value"``, ``"low"`` and ``"high"``, the ends of the
        percentile interval [1]_. The names are those of ``outlier_scorers``, with ``"cost"``
        in place of ``"neg_cost"``. ``pandas.DataFrame(table).T`` is a frame with one row for
        each metric.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, ``n_bootstraps`` is below 1,
        ``confidence`` is not in (0, 1), or the detector gives other labels than -1 and +1.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

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
    scores = _anomaly_scores(detector, X)[judged]
    labels = np.asarray(detector.predict(X))[judged]
    rng = check_local_random_state(random_state)
    classes = np.flatnonzero(is_anomaly), np.flatnonzero(~is_anomaly)
    draws = [
        np.concatenate([rng.choice(rows, len(rows)) for rows in classes])
        for _ in range(n_bootstraps)
    ]
    tail = (1 - confidence) / 2
    table = {}
    for metrics, response in ((_RANKING_METRICS, scores), (_LABEL_METRICS, labels)):
        for name, metric in metrics.items():
            drawn = [metric(y[rows], response[rows]) for rows in draws]
            low, high = np.quantile(drawn, [tail, 1 - tail])
            table[name] = {
                "value": metric(y, response),
                "low": float(low),
                "high": float(high),
            }
    return table
