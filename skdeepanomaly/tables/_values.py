"""Columns of arrays and frames as arrays of Python objects or of numbers."""

import datetime
import re
from decimal import Decimal
from typing import Any

import numpy as np

from ..utils._compat import n_rows


def split_columns(X: Any) -> list:
    """Return the columns of a table, as arrays or series.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    columns : list of ndarray or list of series
        One for each column.
    """
    if hasattr(X, "iloc"):
        return [X.iloc[:, i] for i in range(X.shape[1])]
    return [X[:, i] for i in range(X.shape[1])]


def to_objects(column: Any) -> np.ndarray:
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


def _is_missing(value: Any) -> bool:
    try:
        # NaN and NaT differ from themselves.
        return value is None or bool(value != value)
    except TypeError:
        # pandas' NA: whether it differs from itself is NA again, which is no boolean.
        return True


def to_numbers(X: Any) -> np.ndarray:
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
    columns = [read_numbers(column) for column in split_columns(X)]
    return np.clip(np.column_stack(columns), -limit, limit)


def read_numbers(column: Any) -> np.ndarray:
    """Return one column of numbers as floats.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        Numbers, durations, or strings that hold numbers.

    Returns
    -------
    numbers : ndarray of shape (n_samples,), float64
        NaN in place of values that are not numbers.
    """
    if re.match(r"u?int\d|float\d", str(column.dtype), re.IGNORECASE):
        if hasattr(column, "iloc"):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(column).astype(np.float64)
    return np.array([_number(value) for value in to_objects(column)], dtype=np.float64)


def _number(value: Any) -> float:
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return value / np.timedelta64(1, "s")
    # Python reads "1_000" as a number, as no other program does.
    if isinstance(value, np.datetime64) or (isinstance(value, str) and "_" in value):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def to_string(value: Any) -> str | None:
    """Return the string that stands for a value as a category.

    Parameters
    ----------
    value : object
        A value, as ``to_objects`` returns it.

    Returns
    -------
    string : str or None
        None for None. Numbers that are equal have equal strings.
    """
    if value is None:
        return None
    # A column of integers turns into one of floats when a value is missing.
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    if isinstance(value, Decimal) and value.is_finite():
        # A decimal ends in as many zeros as the scale of its column asks for.
        digits = f"{value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return str(value)


def is_blank(value: Any) -> bool:
    """Return whether a value is missing, or a string that stands for nothing.

    Parameters
    ----------
    value : object
        A value, with None for missing, as ``to_objects`` returns it.

    Returns
    -------
    blank : bool
        True for None, for strings of spaces and for "nan".
    """
    return value is None or (isinstance(value, str) and value.strip().lower() in ("", "nan"))


def are_booleans(values: list[Any]) -> bool:
    """Return whether all values are booleans of Python or numpy."""
    return all(isinstance(value, bool | np.bool_) for value in values)
