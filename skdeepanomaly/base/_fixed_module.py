"""Estimators that evaluate a torch module and do not train it by gradients."""

from collections.abc import Callable

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ..engine import check_device, map_in_blocks, widest_output
from ..utils.warn import warn_user
from ._versioning import VersionedMixin


class FixedModuleMixin(VersionedMixin):
    """Mixin with the fitted attribute ``module_``, a module in evaluation mode.

    All that answers need is in this module, as parameters and buffers. ``device_`` is the
    device that it is on. A pickle holds it on the CPU; it is loaded to its device if there is
    one, otherwise to the CPU, with a warning.
    """

    module_: nn.Module
    device_: str
    _validate_X: Callable[..., np.ndarray]

    def _set_module(self, module: nn.Module, n_features: int, device: str) -> None:
        self.module_ = module.to(device).eval().requires_grad_(False)
        self.device_ = device
        # Layers of a custom module can hold more than can be seen from outside.
        self._width = max(16 * n_features, widest_output(self.module_, n_features, device))

    def _map_validated(self, function, X: np.ndarray, dtype=np.float64) -> np.ndarray:
        """Return ``function(rows)`` of rows that are checked, computed block by block."""
        return map_in_blocks(function, X, self.device_, dtype=dtype, width=self._width)

    def _map_rows(self, function, X, dtype=np.float64) -> np.ndarray:
        """Check rows and return ``function(rows)``, computed block by block."""
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        return self._map_validated(function, X, dtype)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "module_")

    def __setstate__(self, state):
        super().__setstate__(state)
        if not self.__sklearn_is_fitted__():
            return
        try:
            check_device(self.device_)
        except ValueError as error:
            warn_user(f"{error} {type(self).__name__} is loaded to the CPU.")
            self.device_ = "cpu"
        self.module_.to(self.device_)
