"""Cells of a table as values of JSON."""

import datetime
import math
import re
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ._compat import is_pandas_na

# Beyond this, JavaScript does not tell whole numbers apart.
LARGEST_WHOLE = 2**53
# Values whose cells hold all that there is to know.
_TIMES = (datetime.date, datetime.time, np.datetime64)
EXACT = (str, Real, np.bool_, Decimal, *_TIMES)


def to_cells(X: Any) -> tuple[list[list[Any]], bool]:
    """Return the cells of a few rows as values of JSON, column by column.

    Parameters
    ----------
    X : data frame, array or sparse matrix of shape (n_samples, n_columns)
        The rows.

    Returns
    -------
    columns : list of list
        None stands for all that is missing. Whole numbers beyond 2**53 and infinite numbers
        become strings of digits and "Infinity"; dates and all others become strings.
    exact : bool
        Whether the rows can be made from the cells again.
    """
    if issparse(X):
        return to_cells(X.toarray())[0], False
    columns = _columns(X)
    values = [_python_values(column) for column in columns]
    cells = [[_cell(value) for value in part] for part in values]
    exact = all(map(_are_exact, columns, values, cells))
    return cells, exact


def _are_exact(column: Any, values: list[Any], cells: list[Any]) -> bool:
    # There are many values and few types.
    others = tuple(t for t in {*map(type, values)} if not issubclass(t, EXACT))
    if not all(v is None or _is_na(v) for v in values if isinstance(v, others)):
        return False
    # Where strings and numbers are mixed, the string of a number is no number.
    is_mixed = str(getattr(column, "dtype", "")) == "object"
    return not is_mixed or not any(
        isinstance(cell, str) and isinstance(value, Real)
        for value, cell in zip(values, cells, strict=True)
    )


def _columns(X: Any) -> list[Any]:
    if hasattr(X, "iloc"):  # pandas
        return [X.iloc[:, i] for i in range(X.shape[1])]
    if hasattr(X, "to_pylist"):  # pyarrow
        return X.columns
    return [X[:, i] for i in range(X.shape[1])]


def _python_values(column: Any) -> list[Any]:
    if hasattr(column, "to_pylist"):  # pyarrow
        return column.to_pylist()
    if isinstance(column, np.ndarray):
        # Times in nanoseconds would become numbers.
        return (column.astype(str) if column.dtype.kind in "mM" else column).tolist()
    if not hasattr(column, "iloc") and re.match("Date|Time", str(column.dtype)):  # polars
        # Python's times have no nanoseconds, these texts have.
        return column.cast(str).to_list()
    return column.to_list()


def _is_na(value: Any) -> bool:
    return bool(is_pandas_na(value)) or value != value


def _cell(value: Any) -> Any:
    if type(value) is str or (type(value) is float and abs(value) < math.inf):
        return value
    if value is None or is_pandas_na(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        whole = int(value)
        return whole if abs(whole) <= LARGEST_WHOLE else str(whole)
    if isinstance(value, Real):
        value = float(value)
        if np.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return None if np.isnan(value) else value
    text = str(value)
    return None if text == "NaT" and not isinstance(value, str) else text
