"""Random numbers that leave numpy's global generator alone."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state


def check_local_random_state(random_state):
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
def kept_numpy_state():
    """Put the state of numpy's global generator back after a block.

    Some estimators draw from it though they have no ``random_state`` that could be set, such
    as :class:`~sklearn.svm.OneClassSVM`, whose result does not depend on the draw.

    Yields
    ------
    None
    """
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
