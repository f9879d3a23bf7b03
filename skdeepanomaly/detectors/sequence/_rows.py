"""Windows of series as rows of a detector."""

from ...base import ShapedRowsMixin
from .._parameters import WIDTH

N_CHANNELS_PARAMETER = """\
n_channels : int or None, default=None
    Number of channels of a window, where X has flat rows: all channels of the first step, then
    those of the second, and so on. X of shape (n_samples, length, n_channels) needs none. With
    None, flat rows have one channel."""

WINDOW_SHAPE_ATTRIBUTE = """\
window_shape_ : tuple of two ints
    Number of steps and of channels of a window."""


class SequenceRowsMixin(ShapedRowsMixin):
    """Mixin of detectors of windows, with the parameter ``n_channels``.

    X has the shape (n_samples, length, n_channels), or flat rows.
    """

    _parameter_constraints: dict = {"n_channels": [WIDTH, None]}
    _shape_attribute = "window_shape_"
    _kind = "window"

    def _full_shape(self, shape, reset):
        name = type(self).__name__
        if len(shape) != 2:
            raise ValueError(
                f"X has {len(shape) + 1} axes; {name} takes (n_samples, length, n_channels), or"
                " flat rows with n_channels."
            )
        if reset and self.n_channels not in (None, shape[1]):
            raise ValueError(
                f"X holds windows of {shape[1]} channels, but n_channels is"
                f" {self.n_channels!r}. Leave n_channels out; only flat rows need it."
            )
        return tuple(shape)

    def _shape_of_flat(self, n_features):
        n_channels = self.n_channels or 1
        if n_features % n_channels:
            raise ValueError(
                f"X has {n_features} columns, which is no multiple of n_channels={n_channels}."
                " A flat row holds all channels of one step after the other."
            )
        return n_features // n_channels, n_channels
