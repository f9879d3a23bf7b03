"""Scores of any outlier detector; decision_function and predict of ours."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags, indexable

from ._compat import n_rows, take_rows
from .rows import spread
from .types import Bools, Floats, Ints, Rows

# The labels of this many rows are looked at. Inliers are at least half of the training rows.
N_LABELS_TO_CHECK = 20
# A score this many times as large as the usual one is a number that stands for "beyond all", or
# the distance of a row that holds one: in a sum it leaves nothing of the other scores.
BEYOND_ALL = 1e36


def normality_scores(detector: Any, X: Rows) -> Floats:
    """Return the scores of a fitted outlier detector, the higher the more normal.

    Parameters
    ----------
    detector : object
        Has ``score_samples``, or else ``decision_function``.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    scores : ndarray of shape (n_samples,), float64
        Scores, as a copy that may be changed.

    Raises
    ------
    AttributeError
        If the detector has neither.
    """
    score = getattr(detector, "score_samples", None)
    if score is None and (score := getattr(detector, "decision_function", None)) is None:
        raise AttributeError(
            f"Expected a detector with score_samples or decision_function, got {detector!r},"
            " which scores no new rows. LocalOutlierFactor does with novelty=True."
        )
    return np.array(score(X), dtype=np.float64)


def decisions(detector: Any, X: Rows) -> Floats:
    """Return the decisions of a fitted outlier detector, negative for outliers.

    Parameters
    ----------
    detector : object
        Has ``decision_function``.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    decisions : ndarray of shape (n_samples,), float64
        Decisions.

    Raises
    ------
    AttributeError
        If the detector has no ``decision_function``.
    """
    if not hasattr(detector, "decision_function"):
        raise AttributeError(
            f"Expected a detector with decision_function, got {detector!r}, which labels no new"
            " rows. Wrap a density estimator: ThresholdedDetector(GaussianMixture())."
            " LocalOutlierFactor has one with novelty=True."
        )
    return np.asarray(detector.decision_function(X), dtype=np.float64)


def has_size(scores: np.ndarray) -> Bools:
    """Return which scores can be summed, and not only be ranked.

    The lowest float64, which a detector gives to a row on which it overflows, has a rank, but
    no size. The same holds for scores that are out of all proportion.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,), float64
        Finite scores.

    Returns
    -------
    has_size : ndarray of shape (n_samples,), bool
        False where the sum of the squares of such scores would overflow, or where a score is
        36 orders of magnitude larger than the median of those that are not zero.
    """
    sizes = np.abs(scores)
    limit = np.sqrt(np.finfo(np.float64).max / max(1, len(sizes)))
    if (others := sizes[sizes > 0]).size:
        # Not the mean of two numbers, which may overflow.
        middle = float(np.quantile(others, 0.5, method="lower"))
        limit = min(limit, BEYOND_ALL * middle)
    return sizes <= limit


def moments(scores: np.ndarray) -> tuple[float, float]:
    """Return the mean and the standard deviation of the scores that have a size.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,), float64
        Finite scores.

    Returns
    -------
    mean, deviation : float
        Zeros if no score has a size.
    """
    sized = scores[has_size(scores)]
    return (float(sized.mean()), float(sized.std())) if sized.size else (0.0, 0.0)


def check_label_convention(detector: Any, X: Rows) -> None:
    """Refuse a fitted detector whose labels, and so probably its scores, mean something else.

    Parameters
    ----------
    detector : object
        A fitted detector. One without ``predict`` is taken as it is, and so is a density
        estimator such as GaussianMixture, whose ``predict`` names components.
    X : array-like of shape (n_samples, n_features)
        Rows, of which a few are labelled.

    Raises
    ------
    ValueError
        If ``predict`` gives other labels than -1 and +1.
    """
    if not hasattr(detector, "predict") or _is_density_estimator(detector):
        return
    # A detector of series needs the rows between those that would be looked at.
    if isinstance(_last_step(detector), OffsetMixin):
        return
    (X,) = indexable(X)
    rows = spread(np.arange(n_rows(X)), N_LABELS_TO_CHECK)
    found = set(np.ravel(detector.predict(take_rows(X, rows))).tolist())
    if not found <= {-1, 1}:
        raise ValueError(
            f"predict of {type(detector).__name__} gives the labels"
            f" {sorted(found, key=str)[:5]}, expected -1 for outliers and +1 for inliers, with"
            " scores that are low for outliers, as in scikit-learn. Wrap a detector of PyOD:"
            " from_pyod(detector). Else write a subclass whose predict maps the labels and"
            " whose decision_function is negative for outliers."
        )


def _last_step(detector: BaseEstimator) -> Any:
    while isinstance(detector, Pipeline | FrozenEstimator):
        detector = detector[-1] if isinstance(detector, Pipeline) else detector.estimator
    return detector


def _is_density_estimator(detector: BaseEstimator) -> bool:
    if not hasattr(detector, "__sklearn_tags__"):
        return False
    return get_tags(detector).estimator_type == "density_estimator"


class OffsetMixin(OutlierMixin):
    """For detectors with ``score_samples`` and the threshold ``offset_``."""

    def decision_function(self, X: Rows) -> Floats:
        """Return ``score_samples(X) - offset_``, negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Scores shifted so that the threshold is zero.

        Raises
        ------
        NotFittedError
            As in ``score_samples``.
        ValueError
            As in ``score_samples``.
        """
        scores = self.score_samples(X)
        scores -= self.offset_
        return scores

    def predict(self, X: Rows) -> Ints:
        """Label rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, +1 for inliers.

        Raises
        ------
        NotFittedError
            As in ``score_samples``.
        ValueError
            As in ``score_samples``.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def fit_predict(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Ints:
        """Fit to X and label its rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or None
            Passed on to ``fit``.
        **params : dict
            Passed on to ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, +1 for inliers.

        Raises
        ------
        ValueError
            As in ``fit``.
        """
        return self.fit(X, y, **params).predict(X)
