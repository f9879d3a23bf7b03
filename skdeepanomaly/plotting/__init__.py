"""Displays of fitted detectors; matplotlib is imported by the first one that is drawn."""

from ._contributions import ContributionDisplay
from ._curves import (
    OutlierDetCurveDisplay,
    OutlierPrecisionRecallDisplay,
    OutlierRocCurveDisplay,
)
from ._latent import LatentDisplay
from ._loss import LossDisplay
from ._reconstructions import ReconstructionDisplay
from ._samples import SampleDisplay
from ._scores import ScoreDisplay
from ._series import SeriesDisplay
from ._thresholds import ThresholdDisplay

__all__ = [
    "ContributionDisplay",
    "LatentDisplay",
    "LossDisplay",
    "OutlierDetCurveDisplay",
    "OutlierPrecisionRecallDisplay",
    "OutlierRocCurveDisplay",
    "ReconstructionDisplay",
    "SampleDisplay",
    "ScoreDisplay",
    "SeriesDisplay",
    "ThresholdDisplay",
]
