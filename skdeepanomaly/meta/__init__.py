"""Meta-estimators: what wraps any outlier detector, ours, scikit-learn's or another's."""

from ._classifier import DetectorClassifier, as_classifier
from ._clusterwise import ClusterwiseDetector
from ._feedback import FeedbackDetector
from ._threshold_search import ThresholdSearchCV
from ._thresholded import ConformalDetector, ThresholdedDetector
from ._unsupervised_search import UnsupervisedSearch

__all__ = [
    "ClusterwiseDetector",
    "ConformalDetector",
    "DetectorClassifier",
    "FeedbackDetector",
    "ThresholdSearchCV",
    "ThresholdedDetector",
    "UnsupervisedSearch",
    "as_classifier",
]
