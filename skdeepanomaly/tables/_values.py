"""Columns of arrays and frames as arrays of Python objects or of numbers."""

import datetime
import re
from collections import Counter

import numpy as np
from scipy.sparse import issparse

from ..utils._compat import n_rows


def split_columns(X) -> list:
    """Return the columns of a table, as arrays or series.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    columns : list of ndarray or list of series
        One for each column.

    Raises
    ------
    ValueError
        If the table is sparse or not two-dimensional, or two columns have the same name.
    """
    if issparse(X):
        raise ValueError(
            "Expected a table as a data frame or a dense array, got a sparse matrix. Convert"
            " it with X.toarray(), or give the detector the matrix without this pipeline."
        )
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected a table of rows and columns, got the shape {X.shape}. Take a single row"
            " as X[:1], a single column as X[[name]]."
        )
    counts = Counter(name for name in getattr(X, "columns", ()) if isinstance(name, str))
    if counts and max(counts.values()) > 1:
        name, n_columns = counts.most_common(1)[0]
        raise ValueError(
            f"Expected columns with different names, got {n_columns} columns {name!r}."
            " Rename them, or leave all but one out."
        )
    if hasattr(X, "iloc"):
        return [X.iloc[:, i] for i in range(X.shape[1])]
    return [X[:, i] for i in range(X.shape[1])]


def to_objects(column) -> np.ndarray:
    """Return a column as an array of Python objects, with None for missing values.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        Values of any type.

    Returns
    -------
    values : ndarray of shape (n_samples,), dtype object
        The values; None, NaN, NaT and pandas' NA all become None.
    """
    values = np.empty(n_rows(column), dtype=object)
    values[:] = column.to_list() if hasattr(column, "to_list") else list(column)
    values[[_is_missing(value) for value in values]] = None
    return values


def _is_missing(value) -> bool:
    try:
        # NaN and NaT differ from themselves.
        return value is None or bool(value != value)
    except TypeError:
        # pandas' NA: whether it differs from itself is NA again, which is no boolean.
        return True


def to_numbers(X) -> np.ndarray:
    """Return columns of numbers as floats.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Numbers, or durations, which become seconds.

    Returns
    -------
    numbers : ndarray of shape (n_samples, n_columns), float64
        Clipped to the range of float32; NaN in place of values that are not numbers.
    """
    limit = np.finfo(np.float32).max
    columns = [_numbers(column) for column in split_columns(X)]
    return np.clip(np.column_stack(columns), -limit, limit)


def _numbers(column) -> np.ndarray:
    if re.match(r"u?int\d|float\d", str(column.dtype), re.IGNORECASE):
        if hasattr(column, "iloc"):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(column).astype(np.float64)
    return np.array([_number(value) for value in to_objects(column)], dtype=np.float64)


def _number(value) -> float:
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
