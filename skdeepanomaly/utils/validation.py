"""Checks of parameters, data and labels."""

import difflib
import inspect
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ._compat import HasMethods, Interval, Options, RealNotInt, StrOptions
from .rows import spread
from .types import Rows
from .warn import warn_user

__all__ = [
    "MAX_SAMPLES",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "check_columns",
    "check_hidden_dims",
    "check_labels",
    "check_scales",
    "closest",
    "parameter_names",
    "plain_number",
    "refuse_sparse",
    "warn_if_few_after_fit",
    "warn_if_one_batch",
    "warn_if_unscaled",
]

# Constraint of the rows that a member of an ensemble learns from: a number, a share, or all.
MAX_SAMPLES = [
    Interval(numbers.Integral, 2, None, closed="left"),
    Interval(RealNotInt, 0, 1, closed="right"),
    None,
]

# The scales of columns are estimated from at most this many rows, spread over the table.
MAX_ROWS_FOR_SCALES = 10_000
# Ratio of the scales of columns from which on there is a warning. The loss depends on the
# squared scale, so that a column with a hundred times the scale of the others decides it alone,
# and a column with a hundredth has no effect.
SCALE_RATIO = 100.0
# 10 % of fewer than 50 rows are fewer than five rows: too few to set a threshold.
MIN_ROWS_AFTER_FIT = 50


def closest(name: str, valid: Iterable[str]) -> str:
    """Return a question for error messages with the most similar valid name, or an empty text.

    Parameters
    ----------
    name : str
        The name that is not valid.
    valid : iterable of str
        The valid names.

    Returns
    -------
    question : str
        For example ``" Did you mean 'lr'?"``; empty if no name is similar.
    """
    matches = difflib.get_close_matches(name, list(valid), n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def parameter_names(component: Callable[..., Any]) -> tuple[list[str], bool]:
    """Return the parameter names of a callable, and whether it takes ``**kwargs``.

    Parameters
    ----------
    component : callable
        A function or a class.

    Returns
    -------
    names : list of str
        The names, without ``*args`` and ``**kwargs``.
    takes_any : bool
        Whether the callable takes ``**kwargs``.
    """
    parameters = inspect.signature(component).parameters.values()
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in parameters if p.kind not in variadic], takes_any


def check_labels(
    y: ArrayLike | None, n_samples: int, name: str, *, required: bool, first: bool = True
) -> NDArray[np.int8]:
    """Check labels -1 (anomaly), +1 (normal) and 0 (unlabelled), and return them as int8.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        The labels; None means that all rows are unlabelled.
    n_samples : int
        Number of rows of X.
    name : str
        Name of the detector, for messages.
    required : bool
        Whether some labels must be -1.
    first : bool, default=True
        Whether these are the first labels that the detector gets. Only later labels may
        consist of 0 and +1 alone.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int8
        The labels.

    Raises
    ------
    ValueError
        If there are other values; if there are 0 and +1 but no -1, because in other libraries
        these mean normal and anomaly; if there is no -1 but ``required``; or if y does not have
        ``n_samples`` values.
    """
    if y is None:
        if required:
            raise ValueError(
                f"{name} requires y to be passed, but the target y is None. Expected -1 for"
                " some known anomalies, +1 for normal and 0 for unlabelled rows."
            )
        return np.zeros(n_samples, dtype=np.int8)
    labels = column_or_1d(y, warn=True)
    check_consistent_length(labels, np.empty(n_samples))
    hint = "If 1 marks the anomalies, pass np.where(y == 1, -1, 1)."
    found = {value.item() if hasattr(value, "item") else value for value in labels}
    if not found <= {-1, 0, 1}:
        shown = ", ".join(sorted(map(repr, found))[:5])
        raise ValueError(
            f"{name} takes labels -1 (anomaly), +1 (normal) and 0 (unlabelled) in y, got"
            f" {shown}{', ...' if len(found) > 5 else ''}. {hint}"
        )
    if first and found == {0, 1}:
        raise ValueError(
            f"y holds 0 and +1 but no -1, and {name} reads -1 as anomaly, +1 as normal and 0"
            f" as unlabelled. {hint} Where no anomaly is known, leave y out."
        )
    if required and -1 not in found:
        raise ValueError(
            f"{name} needs some anomalies to learn from: y must hold -1, got only"
            f" {sorted(found)}. {hint}"
        )
    return labels.astype(np.int8)


def refuse_sparse(X: Rows, name: str) -> None:
    """Raise an error for sparse rows that says how a pipeline gives dense ones.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows.
    name : str
        Name of the detector.

    Raises
    ------
    TypeError
        If X is a sparse matrix or array.
    """
    if issparse(X):
        raise TypeError(
            f"Sparse data was passed for X, but dense data is required by {name}. Use"
            " X.toarray(); in a pipeline OneHotEncoder(sparse_output=False) and"
            " ColumnTransformer(..., sparse_threshold=0)."
        )


def warn_if_unscaled(X: np.ndarray, feature_names: Sequence[str] | None = None) -> None:
    """Warn if the scales of columns differ by orders of magnitude.

    The scale of a column is its root mean square. It is compared with the median scale of the
    columns that are not all zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    feature_names : sequence of str or None, default=None
        Names of the columns, for the message; None uses their indices.
    """
    sample = spread(X, MAX_ROWS_FOR_SCALES).astype(np.float64)
    scales = np.sqrt(np.mean(np.square(sample), axis=0))
    if not scales.any():
        return
    typical = np.median(scales[scales > 0])
    # A binary column with few ones has a small root mean square, but needs no scaling; so a
    # column counts as small only if its largest absolute value is small.
    largest = np.abs(sample).max(axis=0)
    off = (scales > SCALE_RATIO * typical) | (largest * SCALE_RATIO < typical)
    # Ignore columns whose values are only rounding errors, such as a constant column after
    # scaling.
    off = np.flatnonzero(off & (scales > np.finfo(np.float32).eps * typical))
    if len(off) == 0:
        return
    names = range(len(scales)) if feature_names is None else feature_names
    shown = ", ".join(f"{names[i]} ({scales[i]:.2g})" for i in off[:10])
    more = f" and {len(off) - 10} more" if len(off) > 10 else ""
    warn_user(
        f"The scales of the columns of X differ by orders of magnitude: the typical root"
        f" mean square is {typical:.2g}, that of column {shown}{more} is far from it."
        " A network hardly learns from such data; put a scaler before the detector, for"
        " example make_pipeline(StandardScaler(), detector).",
    )


def warn_if_one_batch(batch_size: int | str, n_samples: int) -> None:
    """Warn if an explicit batch size is larger than the number of rows."""
    if isinstance(batch_size, numbers.Integral) and batch_size > n_samples:
        warn_user(
            f"batch_size={batch_size} is larger than the {n_samples} rows of X: every epoch"
            " is a single step. Use a smaller batch_size, or 'auto'.",
        )


def warn_if_few_after_fit(n_samples: int) -> None:
    """Warn if a ``partial_fit`` after ``fit`` has too few rows to set a threshold."""
    if n_samples < MIN_ROWS_AFTER_FIT:
        warn_user(
            f"partial_fit after fit with {n_samples} rows: fit keeps no sample of its"
            " rows, so that the threshold and the scales of the scores now come from these few"
            f" alone. Give {MIN_ROWS_AFTER_FIT} or more at once, or use partial_fit from the"
            " start.",
        )


def plain_number(name: str, value: Any, constraints: list[Any]) -> Any:
    """Return a number as Python's own int or float, and other values as they are.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    value : object
        Its value.
    constraints : list
        What the parameter takes, as in ``_parameter_constraints``.

    Returns
    -------
    value : object
        A float where the constraints have an interval of real numbers.

    Raises
    ------
    ValueError
        If a number is too large for float32, in which networks compute.
    """
    if isinstance(value, np.generic):
        value = value.item()
    is_real = any(isinstance(c, Interval) and c.type is numbers.Real for c in constraints)
    is_number = is_real and isinstance(value, numbers.Real)
    if not is_number:
        return value
    limit = float(np.finfo(np.float32).max)
    if abs(value) > limit:
        raise ValueError(
            f"{name} is too large for float32, in which networks compute: expected a number up"
            f" to {limit:.2g}, got {str(value)[:30]}."
        )
    return float(value)


def check_hidden_dims(hidden_dims: Iterable[int]) -> tuple[int, ...]:
    """Return the widths of hidden layers as a tuple of positive integers.

    Parameters
    ----------
    hidden_dims : iterable of int
        The widths.

    Returns
    -------
    hidden_dims : tuple of int
        The widths.

    Raises
    ------
    ValueError
        If a width is not a positive integer.
    """
    dims = tuple(hidden_dims)
    if not all(isinstance(d, numbers.Integral) and d > 0 for d in dims):
        raise ValueError(
            f"hidden_dims must hold positive integers, one a hidden layer, got {hidden_dims!r}."
        )
    return tuple(int(d) for d in dims)


def check_scales(scales: Iterable[float]) -> tuple[float, float]:
    """Return the two scales of background rows, the smaller one first.

    Parameters
    ----------
    scales : iterable of two floats
        The scales, in any order.

    Returns
    -------
    low, high : float
        The scales.

    Raises
    ------
    ValueError
        If there are not two positive numbers.
    """
    given = tuple(scales)
    if len(given) != 2 or not all(isinstance(s, numbers.Real) and s > 0 for s in given):
        raise ValueError(
            f"background_scales must hold two positive numbers, how near and how far the"
            f" background lies, got {scales!r}."
        )
    return float(min(given)), float(max(given))


def check_columns(
    columns: Sequence[str | int] | None,
    n_features: int,
    feature_names: Sequence[str] | None = None,
) -> list[int]:
    """Return the indices of columns that are given by name or by index.

    Parameters
    ----------
    columns : sequence of str or int, or None
        Names or indices of columns. A negative index counts from the end. None means no
        columns.
    n_features : int
        Number of columns of X.
    feature_names : sequence of str or None, default=None
        Names of the columns of X, if they have names.

    Returns
    -------
    indices : list of int
        The indices, from 0.

    Raises
    ------
    ValueError
        If there is no such column, or if a column is given more than once.
    """
    names = [] if feature_names is None else list(feature_names)
    indices = []
    for column in [] if columns is None else list(columns):
        if isinstance(column, str):
            if column not in names:
                there = closest(column, names) if names else " X has no column names."
                raise ValueError(f"There is no column {column!r}.{there}")
            indices.append(names.index(column))
        elif not isinstance(column, numbers.Integral) or isinstance(column, bool):
            raise ValueError(f"A column is given by name or by index, got {column!r}.")
        elif not -n_features <= column < n_features:
            raise ValueError(f"There is no column {column}: X has {n_features} columns.")
        else:
            indices.append(int(column) % n_features)
    if len(set(indices)) < len(indices):
        raise ValueError(f"Columns are named more than once in {columns!r}.")
    return indices
