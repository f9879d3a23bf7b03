"""A fit as a whole: it succeeds, or it leaves the estimator unchanged."""

from collections.abc import Iterator
from contextlib import contextmanager

from sklearn.base import BaseEstimator


@contextmanager
def undone_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Restore the attributes of an estimator if the block raises an error.

    Parameters
    ----------
    estimator : estimator
        Its attributes are replaced in the block, and not changed in place.

    Yields
    ------
    None
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
