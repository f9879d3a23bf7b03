"""All imports of private modules and functions of scikit-learn.

Other files may use private attributes of objects if there is no public attribute. These are
mainly attributes of skorch's net, from which the nets of the engine are derived.
"""

from typing import TYPE_CHECKING, Any

from sklearn.compose import ColumnTransformer
from sklearn.tree._tree import Tree
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.fixes import parse_version
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _num_samples as n_rows

if TYPE_CHECKING:
    from skorch import NeuralNet

__all__ = [
    "BaseComposition",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "Tree",
    "check_method_params",
    "column_indices",
    "is_newer",
    "is_pandas_na",
    "n_rows",
    "named_callbacks",
    "parallel_block",
    "take_rows",
]


def is_newer(version: str, than: str) -> bool:
    """Whether a version is newer than another version."""
    return parse_version(version) > parse_version(than)


def column_indices(column_transformer: ColumnTransformer) -> dict[str, list[int]]:
    """Return a dict from the name of each fitted transformer to the indices of its columns."""
    return column_transformer._transformer_to_input_indices


def named_callbacks(net: "NeuralNet") -> dict[str, Any]:
    """Return a dict of the callbacks of a net, by name; the net may be uninitialised."""
    return dict(net._uniquely_named_callbacks())


def parallel_block(estimators: list[Any], names: list[str]) -> Any:
    """Return estimators side by side, for the diagram of an estimator that holds them."""
    try:
        from sklearn.utils._repr_html.estimator import _VisualBlock
    except ImportError:  # older versions
        from sklearn.utils._estimator_html_repr import _VisualBlock
    return _VisualBlock("parallel", estimators, names=names)
