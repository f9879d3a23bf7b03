"""The one place that touches names which scikit-learn or skorch keep private."""

from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.fixes import parse_version

__all__ = ["Interval", "Options", "StrOptions", "is_newer", "named_callbacks"]


def is_newer(version: str, than: str) -> bool:
    """Whether a version follows another one."""
    return parse_version(version) > parse_version(than)


def named_callbacks(net) -> dict:
    """Map the names of a net's callbacks to callbacks, before it is initialised."""
    return dict(net._uniquely_named_callbacks())
