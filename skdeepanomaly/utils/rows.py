"""The shape of rows, and some rows of a table in place of all."""

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
