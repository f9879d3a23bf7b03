"""The shape of rows, and some rows of a table in place of all."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .types import Rows


def shape_of(X: Rows) -> tuple[int, ...]:
    """Return the shape of an array, of a data frame, or of what can be made an array."""
    shape = getattr(X, "shape", None)
    return np.asarray(X).shape if shape is None else tuple(shape)


def spread(X: NDArray[Any], n_rows: int) -> NDArray[Any]:
    """Return at most ``n_rows`` rows, evenly spread over the table.

    Parameters
    ----------
    X : array of shape (n_samples, ...)
        The rows.
    n_rows : int
        Largest number of rows.

    Returns
    -------
    rows : array of shape (n_spread, ...)
        A view on every k-th row; all rows if there are at most ``n_rows``.
    """
    return X[:: max(1, -(-len(X) // n_rows))]


# A share of the rows stands for this number at least.
MIN_DRAWN = 20


def n_drawn(max_samples: int | float | None, n_rows: int) -> int:
    """Return how many of the rows a member of an ensemble learns from.

    Parameters
    ----------
    max_samples : int, float or None
        Number or share of the rows; a share stands for 20 rows at least. None is all rows.
    n_rows : int
        Number of rows.

    Returns
    -------
    n_drawn : int
        At most ``n_rows``.
    """
    if max_samples is None:
        return n_rows
    if isinstance(max_samples, Integral):
        return min(n_rows, int(max_samples))
    return min(n_rows, max(MIN_DRAWN, round(max_samples * n_rows)))
