"""Bases of the detectors of windows."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ...base import BaseDeepDetector
from ...engine import DetectorNet, mean_over_rows
from .._parameters import WIDTH
from ._losses import ForecastLoss, WindowLoss
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


class BaseWindowDetector(SequenceRowsMixin, BaseDeepDetector, abstract=True):
    """Base of detectors of windows of series."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **SequenceRowsMixin._parameter_constraints,
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
    _criterion_class: type[nn.Module] = WindowLoss
    _n_steps = 1000
    _epoch_range = (5, 100)
    _auto_batch_size = 64
    # Largest number of values that a layer holds for a step, in widths of the hidden layers:
    # a recurrent layer has four gates.
    _values_per_step = 4

    def __init__(
        self,
        *,
        n_channels: int | None,
        hidden_dim: int,
        n_last_steps: int | None,
        **params: Any,
    ):
        super().__init__(**params)
        self.n_channels = n_channels
        self.hidden_dim = hidden_dim
        self.n_last_steps = n_last_steps

    def _module_params(self, n_features):
        return {"window_shape": self.window_shape_, "hidden_dim": self.hidden_dim}

    def _criterion_params(self):
        length, n_channels = self.window_shape_
        n_steps = length if self.n_last_steps is None else self.n_last_steps
        if n_steps > length:
            raise ValueError(
                f"n_last_steps={n_steps} is more than the {length} steps of a window."
            )
        return {"n_scored": n_steps * n_channels}

    def _row_width(self, net: DetectorNet, n_features: int) -> int:
        length, _ = self.window_shape_
        return max(n_features, length * self._values_per_step * self.hidden_dim)


class ForecastingMixin:
    """Mixin of detectors whose network predicts each step of a window from those before it."""

    net_: DetectorNet
    _map_rows: Callable[..., np.ndarray]
    _shape_like: Callable[..., np.ndarray]
    _criterion_class: type[nn.Module] = ForecastLoss

    def predict_steps(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the prediction of each step of windows from the steps before it.

        Parameters
        ----------
        X : array-like of shape (n_samples, length, n_channels)
            Windows, in any shape that ``score_samples`` takes.

        Returns
        -------
        predictions : ndarray of the shape of X, float32
            Predictions, in units of X.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        """
        return self._shape_like(self._map_rows(lambda x: self.net_.module_(x), X), X)

    def _criterion_params(self):
        return {**super()._criterion_params(), "n_channels": self.window_shape_[1]}

    def _finalize_state(self, X):
        criterion = self.net_.criterion_
        moments = mean_over_rows(
            self.net_, X, lambda x: criterion.products(self.net_.module_(x), x)
        )
        criterion.set_distribution(moments)
