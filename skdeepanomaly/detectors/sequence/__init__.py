"""Detectors of windows of series: an order of time within a row."""

from ._base import BaseRecurrentDetector
from ._losses import ForecastLoss, WindowLoss
from ._networks import RecurrentAutoEncoderNetwork, RecurrentForecasterNetwork
from ._recurrent_auto_encoder import RecurrentAutoEncoder
from ._recurrent_forecaster import RecurrentForecaster
from ._rows import SequenceRowsMixin

__all__ = [
    "BaseRecurrentDetector",
    "ForecastLoss",
    "RecurrentAutoEncoder",
    "RecurrentAutoEncoderNetwork",
    "RecurrentForecaster",
    "RecurrentForecasterNetwork",
    "SequenceRowsMixin",
    "WindowLoss",
]
