"""The version of the package in pickles of detectors."""

import warnings

from .._version import __version__
from ..engine import pack, torch_defaults, unpack
from ..utils._compat import is_newer


class VersionedMixin:
    """Mixin that stores the package version in pickles and checks it on loading.

    A pickle of a newer version raises an error, a pickle of an older version a warning. Modules
    and tensors among the attributes are stored as plain state, see ``engine.pack``.
    """

    def __getstate__(self):
        state = {**super().__getstate__(), "_skdeepanomaly_version": __version__}
        with torch_defaults():
            return pack(state)

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skdeepanomaly_version", "0")
        name = type(self).__name__
        if is_newer(version, than=__version__):
            raise ValueError(
                f"This {name} was saved by skdeepanomaly {version}, which is newer than the"
                f" installed {__version__}. Install skdeepanomaly>={version} to load it."
            )
        if version != __version__:
            warnings.warn(
                f"This {name} was saved by skdeepanomaly {version}; the installed version is"
                f" {__version__}. It should score as before; fit it anew to be sure.",
                UserWarning,
                stacklevel=2,
            )
        with torch_defaults():
            super().__setstate__(unpack(state))
