"""Detectors that learn how rows change with noise."""

from ._denoising_score_matching import DenoisingScoreMatching
from ._dte import DTE
from ._losses import DiffusionTimeLoss, ScoreMatchingLoss
from ._networks import NoiseNetwork

__all__ = [
    "DTE",
    "DenoisingScoreMatching",
    "DiffusionTimeLoss",
    "NoiseNetwork",
    "ScoreMatchingLoss",
]
