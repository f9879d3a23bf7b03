"""Rows of numbers as networks take them: the check of X."""

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from ..utils.rows import shape_of, spread
from ..utils.validation import refuse_sparse, warn_if_unscaled

# The median training row is computed from at most this many rows.
MAX_ROWS_FOR_MEDIANS = 10_000


class RowsMixin:
    """Mixin of estimators whose rows are numbers for a network."""

    def _validate_X(self, X, reset: bool, min_samples: int) -> np.ndarray:
        if torch.is_tensor(X):
            X = X.numpy(force=True)
        name = type(self).__name__
        refuse_sparse(X, name)
        if (n_axes := len(shape_of(X))) > 2:
            raise ValueError(
                f"Found array with dim {n_axes}, while dim <= 2 is required by {name}. The"
                " detectors of images take arrays with more axes; for others, pass"
                " X.reshape(len(X), -1)."
            )
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=reset)
        if len(X) < min_samples:
            raise ValueError(
                f"Found array with {len(X)} sample(s) (shape={X.shape}) while a minimum of"
                f" {min_samples} is required by {name}: there is nothing to compare a single"
                " row with. Join the last row of a stream to the chunk before, or leave it out."
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

    def _set_reference(self, X: np.ndarray) -> None:
        """Keep the median training row, from which distances and gradients are taken."""
        self._reference = np.median(spread(X, MAX_ROWS_FOR_MEDIANS), axis=0)
        self._reference = self._reference.astype(np.float32)

    def _shape_like(self, values: np.ndarray, X=None) -> np.ndarray:
        """Return flat rows in the shape of the rows of X, or of those of ``fit`` for None."""
        return values
