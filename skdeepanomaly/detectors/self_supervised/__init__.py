"""Self-supervised detectors, which learn from transformed copies of rows."""

from ._goad import GOAD
from ._losses import DeterministicContrastiveLoss, MaskedCellLoss, TransformationLoss
from ._mcm import MCM
from ._networks import AffineTransformations, MaskingNetwork, NeuralTransformations
from ._neutral import NeuTraL

__all__ = [
    "GOAD",
    "MCM",
    "AffineTransformations",
    "DeterministicContrastiveLoss",
    "MaskedCellLoss",
    "MaskingNetwork",
    "NeuTraL",
    "NeuralTransformations",
    "TransformationLoss",
]
