"""Images as rows of a detector."""

from collections.abc import Sequence
from math import prod
from numbers import Integral

import numpy as np

from ...base import ShapedRowsMixin, stack_rows

# An axis of at most this many values can hold colours: grey and alpha, or RGB and alpha.
MAX_COLOURS = 4

IMAGE_SHAPE_PARAMETER = """\
image_shape : tuple of ints or None, default=None
    Shape of an image, (height, width) or (channels, height, width), where X has flat rows. X
    of shape (n_samples, height, width) or (n_samples, channels, height, width) needs none.
    With None, a flat row is a strip of height 1."""

IMAGE_SHAPE_ATTRIBUTE = """\
image_shape_ : tuple of three ints
    Number of channels, height and width of an image."""


class ImageRowsMixin(ShapedRowsMixin):
    """Mixin of detectors of images, with the parameter ``image_shape``.

    X has the shape (n_samples, height, width) or (n_samples, channels, height, width), or flat
    rows. Images of dtype uint8 are scaled to [0, 1], all others are used as they are.
    """

    image_shape: Sequence[int] | None

    # Smallest and largest value of the first fit; None if they were bytes, which are scaled.
    _value_range: tuple[float, float] | None = None

    _parameter_constraints: dict = {"image_shape": ["array-like", None]}
    _shape_attribute = "image_shape_"
    _kind = "image"

    def _full_shape(self, shape, reset):
        if len(shape) > 3:
            raise ValueError(
                f"X has {len(shape) + 1} axes; {type(self).__name__} takes (n_samples, height,"
                " width), (n_samples, channels, height, width), or flat rows."
            )
        full = (1,) * (3 - len(shape)) + tuple(shape)
        asked = self._asked_shape() if reset else None
        if asked is not None and asked != full:
            raise ValueError(
                f"X holds images of shape {tuple(shape)}, but image_shape is"
                f" {self.image_shape!r}. Leave image_shape out; only flat rows need it."
            )
        expected = asked or (None if reset else self.image_shape_)
        if (
            full != expected
            and len(shape) == 3
            and full[2] <= MAX_COLOURS < min(full[0], full[1])
        ):
            raise ValueError(
                f"X holds images of shape {shape}, which looks like (height, width, channels);"
                f" {type(self).__name__} takes the channels first: pass"
                " np.moveaxis(X, -1, 1)."
            )
        return full

    def _asked_shape(self) -> tuple[int, ...] | None:
        """Return ``image_shape`` with its channels, or None."""
        if self.image_shape is None:
            return None
        shape = tuple(self.image_shape)
        if len(shape) not in (2, 3) or not all(
            isinstance(n, Integral) and n > 0 for n in shape
        ):
            raise ValueError(
                "image_shape must be (height, width) or (channels, height, width), with"
                f" positive ints, got {self.image_shape!r}."
            )
        return (1,) * (3 - len(shape)) + tuple(int(n) for n in shape)

    def _shape_of_flat(self, n_features):
        shape = self._asked_shape() or (1, 1, n_features)
        if prod(shape) != n_features:
            raise ValueError(
                f"image_shape={self.image_shape!r} needs {prod(shape)} columns, but X has"
                f" {n_features}."
            )
        return shape

    def _validate_X(self, X, reset, min_samples):
        X = stack_rows(X)
        is_bytes = _holds_bytes(X)
        X = super()._validate_X(X, reset, min_samples)
        if is_bytes:
            # The bytes were converted to float32, so that this is not the array of the user.
            # Some frames return a read-only array all the same.
            X = np.divide(X, 255, out=X if X.flags.writeable else None)
        if reset:
            self._value_range = None if is_bytes else (float(X.min()), float(X.max()))
        else:
            self._refuse_other_scale(X, is_bytes)
        return X

    def _refuse_other_scale(self, X: np.ndarray, is_bytes: bool) -> None:
        """Refuse bytes, which are scaled, beside floats on another scale."""
        name = type(self).__name__
        if is_bytes and self._value_range is not None:
            low, high = self._value_range
            if low < 0 or high > 1:
                raise ValueError(
                    f"X is of dtype uint8, which {name} scales to [0, 1], but it was fitted on"
                    f" values from {low:.3g} to {high:.3g}. Bring X to that scale as floats, or"
                    " fit on uint8."
                )
        # Noise, and sharpened images, go a little beyond 1.
        elif not is_bytes and self._value_range is None and (largest := X.max()) > 2:
            raise ValueError(
                f"{name} was fitted on X of dtype uint8, which it scales to [0, 1], but this X"
                f" has other numbers, up to {largest:.3g}. Pass uint8, or divide X by 255."
            )


def _holds_bytes(X) -> bool:
    """Whether an array, or each column of a data frame, is of dtype uint8."""
    types = getattr(X, "dtypes", None)  # pandas, polars
    if types is None:
        types = getattr(getattr(X, "schema", None), "types", [getattr(X, "dtype", None)])
    return {str(kind).lower() for kind in types} == {"uint8"}
