"""Detectors that predict each feature from the others."""

from ._losses import ResidualLoss
from ._networks import AdditivePredictor, MaskedPredictor
from ._regression_residual import RegressionResidual

__all__ = ["AdditivePredictor", "MaskedPredictor", "RegressionResidual", "ResidualLoss"]
