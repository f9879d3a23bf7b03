"""What the table pipeline takes as a table, and what it calls the columns."""

import re
from collections import Counter
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import check_array

from ..utils.frames import column_names
from ._values import split_columns

# What one cell may not hold; the names are those of the types of polars and pyarrow.
_NESTED_DTYPES = r"list|array|struct|map|large_list|fixed_size_list|object\(|complex"


def as_table(X: Any) -> Any:
    """Return a table as a frame of pandas or polars, or as an array of two dimensions.

    Parameters
    ----------
    X : data frame, pyarrow.Table, tensor or array-like of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    table : data frame or ndarray of shape (n_samples, n_columns)
        Frames of pandas and polars stay as they are. Tables of pyarrow become frames,
        tensors and other arrays become ndarrays; the masked values of a masked array
        become None.

    Raises
    ------
    TypeError
        If the table is computed later, such as a lazy frame, or is no table.
    ValueError
        If the table is sparse or not two-dimensional, if two of its columns have the same
        name, or a cell holds several values.
    """
    if issparse(X) or getattr(X, "layout", torch.strided) is not torch.strided:
        raise ValueError(
            "Expected a table as a data frame or a dense array, got a sparse matrix. Convert"
            " it with X.toarray(), or give the detector the matrix without this pipeline."
        )
    for method in ("collect", "compute"):
        if hasattr(X, method):
            raise TypeError(
                f"Expected a table in memory, got {type(X).__name__}, which is computed"
                f" later. Pass X.{method}()."
            )
    if isinstance(X, dict) or getattr(getattr(X, "dtype", None), "names", None):
        raise TypeError(
            f"Expected a data frame or an array of rows and columns, got {type(X).__name__}"
            " with named fields. Pass pandas.DataFrame(X)."
        )
    X = _in_memory(X)
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected a table of rows and columns, got the shape {tuple(X.shape)}. Take a"
            " single row as X[:1], a single column as X[[name]]."
        )
    labels = labels_of(X)
    name, n_columns = Counter(labels).most_common(1)[0] if labels else (None, 0)
    if n_columns > 1:
        raise ValueError(
            f"Expected columns with different names, got {n_columns} columns {name!r}."
            " Rename them, or leave all but one out."
        )
    for label, column in zip(labels, split_columns(X), strict=True):
        _check_cells(column, label)
    return X


def _in_memory(X: Any) -> Any:
    """Return a frame of pandas or polars as it is, and everything else as one or an array."""
    if isinstance(X, torch.Tensor):
        return X.numpy(force=True)
    if isinstance(X, np.ma.MaskedArray):
        values = X.data.astype(object)
        values[np.ma.getmaskarray(X)] = None
        return values
    if hasattr(X, "iloc") or hasattr(X, "get_columns"):  # pandas, polars
        return X
    if hasattr(X, "column_names"):  # pyarrow
        return _frame_from_arrow(X)
    if hasattr(X, "__array__"):
        return np.asarray(X)
    return check_array(X, dtype=object, ensure_all_finite="allow-nan")


def _frame_from_arrow(table: Any) -> Any:
    try:
        import pandas as pd
    except ImportError:
        pass
    else:
        return table.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        import polars as pl
    except ImportError as error:
        raise ImportError(
            "A table of pyarrow needs pandas or polars in this pipeline: pip install pandas,"
            " or pass an array."
        ) from error
    return pl.from_arrow(table)


def labels_of(X: Any) -> list:
    """Return the labels of the columns: their names, or their indices in an array.

    Parameters
    ----------
    X : data frame or ndarray of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    labels : list of length n_columns
        Labels of a frame may have any type.
    """
    names = column_names(X)
    return list(range(X.shape[1])) if names is None else names


def _check_cells(column: Any, label: Any) -> None:
    """Refuse a column of which a cell holds several values, or none that can be compared."""
    dtype = str(column.dtype)
    example = dtype if re.match(_NESTED_DTYPES, dtype, re.IGNORECASE) else None
    if dtype == "object":
        strange = (value for value in column if _is_strange(value))
        value = next(strange, None)
        shown = " ".join(repr(value).split())
        example = None if value is None else f"{type(value).__name__} {shown:.60}"
    if example is not None:
        raise ValueError(
            f"Expected one number, date, string or boolean in each cell, got {example} in"
            f" column {label!r}. Spread its parts over columns of their own, or leave the"
            " column out before."
        )


def _is_strange(value: Any) -> bool:
    if isinstance(value, str | bytes | int | float | None):
        return False
    several = hasattr(value, "__len__") or getattr(value, "ndim", 0) > 0
    kind: Any = type(value)
    # An object without a text of its own has one that names its place in memory.
    no_text = kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__
    return several or isinstance(value, complex | np.complexfloating) or no_text
