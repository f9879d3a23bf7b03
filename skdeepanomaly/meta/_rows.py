"""Rows told apart: keys that are equal for equal rows."""

import math
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..utils._compat import is_pandas_na

# Names of types with at most single precision, in numpy, pandas, polars and pyarrow.
SINGLE_TYPES = r"^(float(16|32)?|half(float)?)(\[pyarrow\])?$"


def single_columns(X: Any) -> tuple[bool, ...]:
    """Return which columns of rows hold numbers in single precision, or less.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows. Those of an array with more dimensions count as flat.

    Returns
    -------
    single : tuple of bool
        One for each column.
    """
    if hasattr(X, "to_pylist"):  # pyarrow
        types = X.schema.types
    elif hasattr(X, "dtypes"):  # pandas, polars
        types = list(X.dtypes)
    else:
        types = [X.dtype] * int(np.prod(np.shape(X)[1:]))
    return tuple(re.search(SINGLE_TYPES, str(kind).lower()) is not None for kind in types)


def row_keys(X: Any, single: tuple[bool, ...]) -> list[Any]:
    """Return a hashable object for each row, equal for equal rows of whatever types.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows.
    single : tuple of bool
        The columns whose numbers are compared in single precision, all others exactly.

    Returns
    -------
    keys : list
        The objects.
    """
    if issparse(X):
        X = X.tocsr(copy=True)
        X.sum_duplicates()
        X.eliminate_zeros()
        columns, numbers = X.indices.tolist(), X.data.tolist()
        filled = [(i, _comparable(v, single[i])) for i, v in zip(columns, numbers, strict=True)]
        return [tuple(filled[i:j]) for i, j in pairwise(X.indptr)]
    return [
        tuple(_comparable(value, s) for value, s in zip(row, single, strict=True))
        for row in _python_rows(X)
    ]


def _python_rows(X: Any) -> Iterable[Sequence[Any]]:
    """Return the rows of a frame, series or array as sequences of Python objects."""
    if hasattr(X, "to_pylist"):  # pyarrow, whose conversion to numpy loses missing texts
        return zip(*(column.to_pylist() for column in X.columns), strict=True)
    if hasattr(X, "rows"):  # polars, which does not convert dates and numbers together
        # Python's times have no nanoseconds, these texts have.
        times = import_module(type(X).__module__.partition(".")[0]).selectors.temporal()
        return X.with_columns(times.cast(str)).rows()
    if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
        return X.reshape(len(X), -1).tolist()
    if hasattr(X, "to_numpy"):  # pandas, which else turns long integers into floats
        X = X.to_numpy(dtype=object)
    return np.asarray(X, dtype=object).reshape(len(X), -1)


def _comparable(value: Any, single: bool) -> Any:
    """Return a value so that equal values of whatever types are equal, with the same hash."""
    if value is None or is_pandas_na(value):
        return None
    is_number = isinstance(value, Real | np.bool_)
    if not is_number:
        return str(value)
    if value != value:
        return None
    if single and np.isfinite(value):
        # The 24 bits of single precision, but with the range of double precision.
        mantissa, exponent = math.frexp(value)
        return math.ldexp(round(mantissa * 2**24), exponent - 24)
    return value.item() if isinstance(value, np.generic) else value
