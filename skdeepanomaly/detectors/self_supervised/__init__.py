"""Self-supervised detectors, which learn from transformed copies or from parts of rows."""

from ._goad import GOAD
from ._icl import ICL
from ._losses import (
    DeterministicContrastiveLoss,
    InternalContrastiveLoss,
    MaskedCellLoss,
    TransformationLoss,
)
from ._mcm import MCM
from ._networks import (
    AffineTransformations,
    InternalContrastNetwork,
    MaskingNetwork,
    NeuralTransformations,
)
from ._neutral import NeuTraL

__all__ = [
    "GOAD",
    "ICL",
    "MCM",
    "AffineTransformations",
    "DeterministicContrastiveLoss",
    "InternalContrastNetwork",
    "InternalContrastiveLoss",
    "MaskedCellLoss",
    "MaskingNetwork",
    "NeuTraL",
    "NeuralTransformations",
    "TransformationLoss",
]
