"""Random numbers that leave numpy's global generator alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from .types import RandomState

# The default generators of torch, numpy and Python are shared by all threads. Without a lock
# two fits in two threads would draw from them in turn, and their results would differ.
RNG_LOCK = threading.RLock()
# For each block that keeps the state of numpy's generator, in whatever thread, the state.
_KEPT: list[dict[str, Any] | tuple] = []


def check_local_random_state(random_state: RandomState) -> np.random.RandomState:
    """Return a generator that is never numpy's global one.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        None gives a generator with fresh entropy; scikit-learn's ``check_random_state``
        would give numpy's global one, whose state belongs to the user.

    Returns
    -------
    generator : RandomState

    Raises
    ------
    ValueError
        If it is none of these.
    """
    return np.random.RandomState() if random_state is None else check_random_state(random_state)


@contextmanager
def kept_numpy_state() -> Iterator[None]:
    """Put the state of numpy's global generator back after a block.

    Some estimators draw from it though they have no ``random_state`` that could be set, such
    as :class:`~sklearn.svm.OneClassSVM`, whose result does not depend on the draw. Of blocks in
    several threads the last one puts it back: those that are left still draw.

    Yields
    ------
    None
    """
    # The lock waits for a training that has seeded the generator.
    with RNG_LOCK:
        _KEPT.append(_KEPT[0] if _KEPT else np.random.get_state())  # noqa: NPY002
    try:
        yield
    finally:
        with RNG_LOCK:
            state = _KEPT.pop()
            if not _KEPT:
                np.random.set_state(state)  # noqa: NPY002


def seeded_clone(estimator: BaseEstimator, rng: np.random.RandomState | None) -> BaseEstimator:
    """Clone an estimator and give a seed to each of its parts that has none.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    rng : RandomState instance or None
        Draws the seeds. With None parts without a seed stay without.

    Returns
    -------
    estimator : estimator
        The clone. Seeds that were set are kept.
    """
    estimator = clone(estimator)
    if rng is None:
        return estimator
    unset = [name for name, value in _seeds(estimator).items() if value is None]
    if unset:
        estimator.set_params(**{name: random_seed(rng) for name in unset})
    return estimator


def unseeded_clone(estimator: BaseEstimator) -> BaseEstimator:
    """Clone an estimator without the seeds that were set, so that its copies can differ.

    Parameters
    ----------
    estimator : estimator
        Not changed.

    Returns
    -------
    estimator : estimator
        The clone.
    """
    estimator = clone(estimator)
    if seeds := _seeds(estimator):
        estimator.set_params(**dict.fromkeys(seeds))
    return estimator


def _seeds(estimator: BaseEstimator) -> dict[str, RandomState]:
    """Return the seeds of all parts of an estimator by the names of the parameters, sorted."""
    return {
        name: value
        for name, value in sorted(estimator.get_params().items())
        if name == "random_state" or name.endswith("__random_state")
    }


def random_seed(rng: np.random.RandomState) -> int:
    """Draw a seed that any estimator takes.

    Parameters
    ----------
    rng : RandomState instance
        The generator.

    Returns
    -------
    seed : int
        The seed.
    """
    return int(rng.randint(np.iinfo(np.int32).max))
