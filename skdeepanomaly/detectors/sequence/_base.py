"""Base of the detectors of windows."""

from ...base import BaseDeepDetector
from ...engine import DetectorNet
from ...utils.validation import StrOptions
from .._parameters import WIDTH
from ._networks import CELLS
from ._rows import N_CHANNELS_PARAMETER, WINDOW_SHAPE_ATTRIBUTE, SequenceRowsMixin

RECURRENT_PARAMETERS = """\
cell : {{"lstm", "gru"}}, default="lstm"
    Kind of the recurrent layers. GRU has fewer weights.
hidden_dim : int, default={hidden_dim}
    Width of the recurrent layers."""

N_LAST_STEPS_PARAMETER = """\
n_last_steps : int or None, default=None
    Number of steps at the end of a window whose errors are the score. With None all count. In a
    sliding window a few are better where an anomaly shall be found at once."""


class BaseRecurrentDetector(SequenceRowsMixin, BaseDeepDetector, abstract=True):
    """Base of detectors of windows with recurrent layers."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **SequenceRowsMixin._parameter_constraints,
        "cell": [StrOptions(set(CELLS))],
        "hidden_dim": [WIDTH],
        "n_last_steps": [WIDTH, None],
    }
    _doc_parts = {
        **BaseDeepDetector._doc_parts,
        "n_channels_parameter": N_CHANNELS_PARAMETER,
        "window_shape_attribute": WINDOW_SHAPE_ATTRIBUTE,
        "recurrent_parameters": RECURRENT_PARAMETERS,
        "n_last_steps_parameter": N_LAST_STEPS_PARAMETER,
    }
    _n_steps = 1000
    _epoch_range = (5, 100)
    _auto_batch_size = 64

    def __init__(self, *, n_channels, cell, hidden_dim, n_last_steps, **params):
        super().__init__(**params)
        self.n_channels = n_channels
        self.cell = cell
        self.hidden_dim = hidden_dim
        self.n_last_steps = n_last_steps

    def _module_params(self, n_features):
        return {
            "window_shape": self.window_shape_,
            "cell": self.cell,
            "hidden_dim": self.hidden_dim,
        }

    def _criterion_params(self):
        length, n_channels = self.window_shape_
        n_steps = length if self.n_last_steps is None else self.n_last_steps
        if n_steps > length:
            raise ValueError(
                f"n_last_steps={n_steps} is more than the {length} steps of a window."
            )
        return {"n_scored": n_steps * n_channels}

    def _row_width(self, net: DetectorNet, n_features: int) -> int:
        # The gates of all steps are held at once.
        return max(n_features, self.window_shape_[0] * 4 * self.hidden_dim)
