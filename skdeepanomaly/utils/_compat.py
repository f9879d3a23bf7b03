"""The only imports from private modules of scikit-learn, and of its private functions.

Private attributes of objects are used elsewhere, too, where there is no public one: mainly of
skorch's net, which the nets of the engine extend.
"""

import numpy as np
from sklearn.utils import _safe_indexing as take_rows
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
    "n_rows",
    "named_callbacks",
    "take_rows",
    "with_column_names",
]


def is_newer(version: str, than: str) -> bool:
    """Whether a version follows another one."""
    return parse_version(version) > parse_version(than)


def column_indices(column_transformer) -> dict:
    """Map the name of each fitted transformer to the indices of its columns."""
    return column_transformer._transformer_to_input_indices


def named_callbacks(net) -> dict:
    """Map the names of a net's callbacks to the callbacks; the net may be uninitialised."""
    return dict(net._uniquely_named_callbacks())


def with_column_names(values: np.ndarray, names, X):
    """Return values as a data frame where there are names for their columns.

    The frame is of the library of X where scikit-learn writes such frames (pandas,
    polars), with the index of X; else of pandas where that is installed.
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
