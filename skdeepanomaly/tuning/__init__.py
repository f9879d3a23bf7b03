"""Searches for the threshold and the parameters of a detector, and an adapter for others."""

from ._classifier import DetectorClassifier, as_classifier
from ._threshold_search import ThresholdSearchCV

__all__ = ["DetectorClassifier", "ThresholdSearchCV", "as_classifier"]
"""Searches for the parameters of a detector."""

from ._criteria import excess_mass_score, mass_volume_score, npd_score, stability_score
from ._unsupervised_search import UnsupervisedSearch

__all__ = [
    "UnsupervisedSearch",
    "excess_mass_score",
    "mass_volume_score",
    "npd_score",
    "stability_score",
]
