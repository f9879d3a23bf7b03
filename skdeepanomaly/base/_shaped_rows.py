"""Rows with a shape, such as images: flat inside of a detector, shaped outside of it.

Pipelines, memory maps, batches and all of scikit-learn's checks are about flat rows. Therefore
a row stays flat inside of a detector, and only the network sees its shape.
"""

from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..utils.rows import shape_of
from ..utils.warn import warn_user

# Floats with a root mean square outside of these bounds were not scaled for a network.
TYPICAL_SCALES = (1e-3, 10.0)


def stack_rows(X: ArrayLike) -> ArrayLike:
    """Return a tensor, or a list of arrays, as one array; anything else as it is.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows.

    Returns
    -------
    X : ndarray or object
        An array if X is a tensor, or a list or an array of arrays.

    Raises
    ------
    ValueError
        If the arrays in a list have different shapes.
    """
    if torch.is_tensor(X):
        return X.numpy(force=True)
    given: Any = X
    is_nested = getattr(getattr(X, "dtype", None), "kind", "") == "O" and given.ndim == 1
    if not (is_nested or isinstance(X, list | tuple)) or len(given) == 0:
        return X
    rows = [row.numpy(force=True) if torch.is_tensor(row) else np.asarray(row) for row in given]
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1 and max(map(len, shapes)) > 1:
        shown = ", ".join(map(str, shapes[:3])) + (", ..." if len(shapes) > 3 else "")
        raise ValueError(
            f"The rows of X have {len(shapes)} different shapes: {shown}. A network takes rows"
            " of one shape: crop, pad or resize them first."
        )
    return np.stack(rows) if len(shapes) == 1 else X


class ShapedRowsMixin:
    """Mixin of detectors whose rows have a shape; it stands before the base class.

    A subclass for a kind of rows names the fitted attribute that holds the shape, and defines
    ``_full_shape`` and ``_shape_of_flat``. In the hooks of a detector, rows are flat.
    """

    # Name of the fitted attribute with the shape of a row, and what a row is called.
    _shape_attribute: str
    _kind: str

    @property
    def _row_shape(self) -> tuple[int, ...]:
        return getattr(self, self._shape_attribute)

    def _full_shape(self, shape: tuple[int, ...], reset: bool) -> tuple[int, ...]:
        """Return the shape of a row, all axes included; a hook.

        Parameters
        ----------
        shape : tuple of int
            Shape of a row of X, which has two axes at least.
        reset : bool
            Whether the detector is fitted anew, so that the shape must agree with the
            parameters.
        """
        raise NotImplementedError

    def _shape_of_flat(self, n_features: int) -> tuple[int, ...]:
        """Return the shape of a flat row, by the parameters of the detector; a hook."""
        raise NotImplementedError

    def _validate_X(self, X, reset, min_samples):
        X = stack_rows(X)
        given = shape_of(X)
        shape, full = given[1:], None
        if len(shape) > 1:
            full = self._full_shape(shape, reset)
            if not reset and full != self._row_shape:
                raise ValueError(self._other_shape(given))
            X = np.asanyarray(X).reshape(len(X), prod(shape))
        elif not reset and shape not in ((), (self.n_features_in_,)) and self._is_single(given):
            raise ValueError(self._other_shape(given))
        X = super()._validate_X(X, reset, min_samples)
        if reset:
            self._given_shape = shape
            setattr(self, self._shape_attribute, full or self._shape_of_flat(X.shape[1]))
        return X

    def _is_single(self, shape: tuple[int, ...]) -> bool:
        """Whether this is the shape of one row, and not that of X."""
        return shape in (self._row_shape, self._given_shape)

    def _other_shape(self, shape: tuple[int, ...]) -> str:
        hint = ""
        if self._is_single(shape):
            hint = f" A single {self._kind} needs a first axis: pass X[None]."
        return (
            f"X has shape {shape}, but {type(self).__name__} was fitted on {self._kind}s of"
            f" shape {self._row_shape}.{hint}"
        )

    def _warn_if_unscaled(self, X):
        """Warn if the values are large or tiny as a whole.

        Single columns may differ in scale, as the border of an image does from its middle, and
        must not be scaled one by one.
        """
        low, high = TYPICAL_SCALES
        scale = float(np.sqrt(np.mean(np.square(X[:: max(1, len(X) // 1000)], dtype=float))))
        if scale and not low < scale < high:
            warn_user(
                f"The root mean square of X is {scale:.3g}; a network hardly learns from such"
                f" {self._kind}s. Multiply all values by the same number, so that they are"
                " about 1. Do not scale the columns one by one."
            )

    def _shape_like(self, values, X=None):
        shape = self._given_shape if X is None else shape_of(stack_rows(X))[1:]
        return values.reshape(len(values), *shape)
