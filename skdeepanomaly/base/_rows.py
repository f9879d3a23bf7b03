"""Rows of numbers as networks take them: the check of X."""

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from ..utils.rows import shape_of
from ..utils.validation import warn_if_unscaled


class RowsMixin:
    """Mixin of estimators whose rows are numbers for a network."""

    def _validate_X(self, X, reset: bool, min_samples: int) -> np.ndarray:
        if torch.is_tensor(X):
            X = X.numpy(force=True)
        if (n_axes := len(shape_of(X))) > 2:
            raise ValueError(
                f"Found array with dim {n_axes}, while dim <= 2 is required by"
                f" {type(self).__name__}. The detectors of images take arrays with more axes;"
                " for others, pass X.reshape(len(X), -1)."
            )
        X = validate_data(
            self,
            X,
            dtype=[np.float32, np.float64],
            reset=reset,
            ensure_min_samples=min_samples,
        )
        limit = np.finfo(np.float32).max
        if X.dtype == np.float64 and (largest := max(X.max(), -X.min())) > limit:
            raise ValueError(
                "Input X contains a value too large for dtype('float32'), in which networks"
                f" compute: {largest:.3g} in absolute value, the limit is {limit:.3g}. Scale"
                " X, or clip it."
            )
        return X

    def _warn_if_unscaled(self, X: np.ndarray) -> None:
        """Warn if the scales of the training rows make learning hard."""
        warn_if_unscaled(X, getattr(self, "feature_names_in_", None))

    def _shape_like(self, values: np.ndarray, X=None) -> np.ndarray:
        """Return flat rows in the shape of the rows of X, or of those of ``fit`` for None."""
        return values
