"""Displays of fitted detectors; matplotlib is imported by the first one that is drawn."""

from ._contributions import ContributionDisplay
from ._curves import (
    OutlierDetCurveDisplay,
    OutlierPrecisionRecallDisplay,
    OutlierRocCurveDisplay,
)
from ._loss import LossDisplay
from ._scores import ScoreDisplay
from ._thresholds import ThresholdDisplay

__all__ = [
    "ContributionDisplay",
    "LossDisplay",
    "OutlierDetCurveDisplay",
    "OutlierPrecisionRecallDisplay",
    "OutlierRocCurveDisplay",
    "ScoreDisplay",
    "ThresholdDisplay",
]
