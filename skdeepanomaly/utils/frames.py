"""Column names of data frames, and data frames made of arrays."""

from typing import Any

from .types import Floats


def column_names(X: Any) -> list[Any] | None:
    """Return the names of the columns of a data frame.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_columns)
        Rows.

    Returns
    -------
    names : list of length n_columns, or None
        None if X is no frame of pandas, polars or pyarrow.
    """
    if hasattr(X, "iloc") or hasattr(X, "get_columns"):  # pandas, polars
        return list(X.columns)
    # In pyarrow, columns are the values.
    return getattr(X, "column_names", None)


def frame_like(X: Any, values: Floats) -> Any:
    """Return an array in a container like that of some rows.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_columns)
        The rows.
    values : ndarray of shape (n_samples, n_columns)
        Values that belong to the rows and columns of X.

    Returns
    -------
    values : data frame or ndarray of shape (n_samples, n_columns)
        A data frame with the index and columns of X if X is one of pandas or polars, where
        NaN becomes null; the array itself otherwise.
    """
    if hasattr(X, "iloc"):  # pandas
        return type(X)(values, index=X.index, columns=X.columns)
    if hasattr(X, "get_columns"):  # polars
        return type(X)(values, schema=X.columns, orient="row", nan_to_null=True)
    return values
