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
