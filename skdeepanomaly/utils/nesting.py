"""The parts of a pipeline, search or meta-estimator around a detector."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

# Where an estimator keeps the fitted one that it wraps; frozen ones have no underscore.
_INSIDE = ("best_estimator_", "detector_", "estimator_", "estimator")


def nested(detector):
    """Yield a fitted detector and what it wraps, from the outside to the inside.

    Parameters
    ----------
    detector : estimator
        A detector, or a pipeline, search or other meta-estimator around one.

    Yields
    ------
    part : estimator
        After a pipeline follows its last step.
    """
    check_is_fitted(detector)
    while detector is not None:
        yield detector
        if isinstance(detector, Pipeline):
            detector = detector[-1]
        else:
            inside = (getattr(detector, name, None) for name in _INSIDE)
            detector = next((part for part in inside if part is not None), None)


def nested_rows(detector, X):
    """Yield what ``nested`` does, each part with the rows as it sees them.

    Parameters
    ----------
    detector : estimator
        As in :func:`nested`.
    X : array-like of shape (n_samples, n_features)
        Rows, as the outermost part takes them.

    Yields
    ------
    part : estimator
        After a pipeline follows its last step.
    X : array-like
        Its rows, behind the transformers of all pipelines around it.
    """
    for part in nested(detector):
        yield part, X
        if isinstance(part, Pipeline) and len(part) > 1:
            X = part[:-1].transform(X)
