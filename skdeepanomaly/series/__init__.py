"""Series: one score for each time stamp."""

from ._base import BaseSeriesDetector
from ._calibrator import ScoreCalibrator
from ._matrix_profile import MatrixProfileDetector
from ._sliding_window import SlidingWindowDetector
from ._stream import DetectorStream, StreamResult
from ._univariate import UnivariateDetector

__all__ = [
    "BaseSeriesDetector",
    "DetectorStream",
    "MatrixProfileDetector",
    "ScoreCalibrator",
    "SlidingWindowDetector",
    "StreamResult",
    "UnivariateDetector",
]
