"""Containers of rows: arrays, sparse matrices, and the frames of several libraries."""

from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack


def container_of(X: Any) -> str:
    """Name the container of rows: it decides which rows can be stacked.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows.

    Returns
    -------
    name : str
        Such as "numpy array" or "polars DataFrame".
    """
    if issparse(X):
        return "sparse matrix"
    if isinstance(X, np.ndarray) or not hasattr(X, "shape"):
        return "numpy array"
    # All libraries call their class DataFrame or Table: the name needs the library.
    return f"{type(X).__module__.partition('.')[0]} {type(X).__name__}"


def as_indexable(X: Any) -> Any:
    """Return rows in a form of which some can be taken, and stacked.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows.

    Returns
    -------
    X : array, frame or sparse matrix
        The rows, converted only where they have no shape, or are a sparse matrix.
    """
    if issparse(X):
        return X.tocsr()
    return X if hasattr(X, "shape") else np.asarray(X)


def stack(parts: list[Any]) -> Any:
    """Stack rows in the same container; a column of integers may come back as floats.

    Parameters
    ----------
    parts : list of arrays, frames or sparse matrices
        Rows, with equal columns.

    Returns
    -------
    X : array, frame or sparse matrix
        All rows.
    """
    first = parts[0]
    if issparse(first):
        return vstack(parts, format="csr")
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    library = import_module(type(first).__module__.partition(".")[0])
    if hasattr(first, "to_pylist"):  # pyarrow
        return library.concat_tables(parts, promote_options="permissive")
    if hasattr(first, "rows"):  # polars
        return library.concat(parts, how="vertical_relaxed")
    return library.concat(parts)
