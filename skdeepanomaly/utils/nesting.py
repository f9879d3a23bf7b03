"""What a pipeline, a search or another meta-estimator contains, down to the detector."""

from collections.abc import Iterator
from typing import Any, Literal

from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .types import Rows

# Attributes in which meta-estimators keep the fitted estimator that they wrap.
FITTED_INSIDE = ("best_estimator_", "detector_", "estimator_")


def supervised_kind(estimator: BaseEstimator) -> Literal["classifier", "regressor"] | None:
    """Say whether an estimator is a classifier or a regressor.

    Parameters
    ----------
    estimator : estimator
        Any. One without the tags of scikit-learn may still be an outlier detector.

    Returns
    -------
    kind : {"classifier", "regressor"} or None
        None stands for anything else.
    """
    if not hasattr(estimator, "__sklearn_tags__"):
        return None
    if is_classifier(estimator):
        return "classifier"
    return "regressor" if is_regressor(estimator) else None


def reads_in_order(detector: BaseEstimator) -> bool:
    """Say whether a detector, or one inside of it, is for series, whose order counts.

    Parameters
    ----------
    detector : estimator
        Any, fitted or not.

    Returns
    -------
    reads_in_order : bool
        False for a detector without ``get_params``.
    """
    return any(getattr(part, "_reads_in_order", False) is True for part in _parts(detector))


def reads_labels(detector: BaseEstimator) -> bool:
    """Say whether a detector, or one inside of it, learns from labels.

    Parameters
    ----------
    detector : estimator
        Any, fitted or not.

    Returns
    -------
    reads_labels : bool
        Of detectors of other packages, only those that need labels say so.
    """
    return get_tags(detector).target_tags.required or any(
        isinstance(getattr(part, "_labels", None), str) for part in _parts(detector)
    )


def _parts(detector: BaseEstimator) -> list:
    """Return an estimator and all values of its parameters, with those of its parts."""
    inside = detector.get_params().values() if hasattr(detector, "get_params") else ()
    return [detector, *inside]


def nested(detector: BaseEstimator) -> list[BaseEstimator]:
    """Return a fitted detector and the estimators that it wraps.

    Parameters
    ----------
    detector : estimator
        A detector, or a pipeline, search or other meta-estimator around one.

    Returns
    -------
    parts : list of estimators
        From the outside to the detector inside. After a pipeline follows its last step.
    """
    check_is_fitted(detector)
    parts = [detector]
    while (inside := _inside(parts[-1])) is not None:
        parts.append(inside)
    # Forests, too, have estimator_: a tree, which is a component and no detector.
    while len(parts) > 1 and supervised_kind(parts[-1]) is not None:
        parts.pop()
    return parts


def _inside(estimator: Any) -> BaseEstimator | None:
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    parts = (getattr(estimator, name, None) for name in FITTED_INSIDE)
    return next((part for part in parts if part is not None), None)


def nested_rows(detector: BaseEstimator, X: Rows) -> Iterator[tuple[BaseEstimator, Any]]:
    """Yield the estimators of :func:`nested`, each with the rows that it gets.

    Parameters
    ----------
    detector : estimator
        As in :func:`nested`.
    X : array-like of shape (n_samples, n_features)
        Rows, as the outermost estimator takes them.

    Yields
    ------
    part : estimator
        After a pipeline follows its last step.
    X : array-like
        Its rows, as the transformers of all pipelines around it return them.
    """
    for part in nested(detector):
        yield part, X
        if isinstance(part, Pipeline) and len(part) > 1:
            X = part[:-1].transform(X)
