"""Meta-estimators: they wrap any outlier detector, of this package or another."""

from ._classifier import DetectorClassifier, as_classifier
from ._clusterwise import ClusterwiseDetector
from ._conformal import ConformalDetector
from ._ensemble import EnsembleDetector
from ._feedback import FeedbackDetector
from ._pyod import PyODDetector, from_pyod
from ._threshold_search import ThresholdSearchCV
from ._thresholded import ThresholdedDetector
from ._unsupervised_search import UnsupervisedSearch

__all__ = [
    "ClusterwiseDetector",
    "ConformalDetector",
    "DetectorClassifier",
    "EnsembleDetector",
    "FeedbackDetector",
    "PyODDetector",
    "ThresholdSearchCV",
    "ThresholdedDetector",
    "UnsupervisedSearch",
    "as_classifier",
    "from_pyod",
]
