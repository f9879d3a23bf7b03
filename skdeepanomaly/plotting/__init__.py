"""Pictures of what a detector does; matplotlib is imported when one is drawn."""

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
