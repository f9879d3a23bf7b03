"""Detectors of windows of series: an order of time within a row."""

from ._base import BaseWindowDetector, ForecastingMixin
from ._conv_forecaster import ConvForecaster
from ._losses import ForecastLoss, MaskedWindowLoss, WindowLoss
from ._networks import (
    ConvForecasterNetwork,
    RecurrentAutoEncoderNetwork,
    RecurrentForecasterNetwork,
    TransformerAutoEncoderNetwork,
)
from ._recurrent_auto_encoder import RecurrentAutoEncoder
from ._recurrent_forecaster import RecurrentForecaster
from ._rows import SequenceRowsMixin
from ._transformer_auto_encoder import TransformerAutoEncoder

__all__ = [
    "BaseWindowDetector",
    "ConvForecaster",
    "ConvForecasterNetwork",
    "ForecastLoss",
    "ForecastingMixin",
    "MaskedWindowLoss",
    "RecurrentAutoEncoder",
    "RecurrentAutoEncoderNetwork",
    "RecurrentForecaster",
    "RecurrentForecasterNetwork",
    "SequenceRowsMixin",
    "TransformerAutoEncoder",
    "TransformerAutoEncoderNetwork",
    "WindowLoss",
]
