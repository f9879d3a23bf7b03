"""Self-supervised detectors, which learn from transformed copies of rows."""

from ._goad import GOAD
from ._losses import DeterministicContrastiveLoss, TransformationLoss
from ._networks import AffineTransformations, NeuralTransformations
from ._neutral import NeuTraL

__all__ = [
    "GOAD",
    "AffineTransformations",
    "DeterministicContrastiveLoss",
    "NeuTraL",
    "NeuralTransformations",
    "TransformationLoss",
]
