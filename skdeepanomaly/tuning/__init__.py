"""Searches for the threshold and the parameters of a detector, and an adapter for others."""

from ._classifier import DetectorClassifier, as_classifier
from ._criteria import excess_mass_score, mass_volume_score, npd_score, stability_score
from ._threshold_search import ThresholdSearchCV
from ._unsupervised_search import UnsupervisedSearch

__all__ = [
    "DetectorClassifier",
    "ThresholdSearchCV",
    "UnsupervisedSearch",
    "as_classifier",
    "excess_mass_score",
    "mass_volume_score",
    "npd_score",
    "stability_score",
]
