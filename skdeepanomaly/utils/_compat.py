"""All imports of private modules and functions of scikit-learn.

Other files may use private attributes of objects if there is no public attribute. These are
mainly attributes of skorch's net, from which the nets of the engine are derived.
"""

import numpy as np
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils._set_output import ADAPTERS_MANAGER
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _num_samples as n_rows

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_method_params",
    "column_indices",
    "is_newer",
    "is_pandas_na",
    "n_rows",
    "named_callbacks",
    "take_rows",
    "with_column_names",
]


def is_newer(version: str, than: str) -> bool:
    """Whether a version is newer than another version."""
    return parse_version(version) > parse_version(than)


def column_indices(column_transformer) -> dict:
    """Return a dict from the name of each fitted transformer to the indices of its columns."""
    return column_transformer._transformer_to_input_indices


def named_callbacks(net) -> dict:
    """Return a dict of the callbacks of a net, by name; the net may be uninitialised."""
    return dict(net._uniquely_named_callbacks())


def with_column_names(values: np.ndarray, names, X):
    """Return values as a data frame if there are names for their columns.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        The values.
    names : sequence of str or None
        Names of the columns. With None the values are returned as they are.
    X : object
        The data frame or array that the values were computed from.

    Returns
    -------
    values : data frame or ndarray of shape (n_samples, n_columns)
        If X is a data frame of a library that scikit-learn supports (pandas, polars), a data
        frame of this library with the index of X. Otherwise a data frame of pandas if pandas
        is installed, and else the array.
    """
    if names is None:
        return values
    adapters = ADAPTERS_MANAGER.adapters
    for adapter in adapters.values():
        if adapter.is_supported_container(X):
            return adapter.create_container(values, X, columns=names)
    try:
        return adapters["pandas"].create_container(values, values, columns=names)
    except ImportError:
        return values
