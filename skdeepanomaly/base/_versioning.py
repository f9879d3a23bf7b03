"""Pickles know the version of the package that wrote them."""

import warnings

from .._version import __version__
from ..utils._compat import is_newer


class VersionedMixin:
    """Refuses pickles of a newer version, and warns of those of an older one."""

    def __getstate__(self):
        return {**super().__getstate__(), "_skdeepanomaly_version": __version__}

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
        super().__setstate__(state)
