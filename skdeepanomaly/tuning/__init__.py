"""Searches for the threshold and the parameters of a detector, and an adapter for others."""

from ._classifier import DetectorClassifier, as_classifier
from ._threshold_search import ThresholdSearchCV

__all__ = ["DetectorClassifier", "ThresholdSearchCV", "as_classifier"]
