"""Encoding of tables with numbers, categories, dates and texts, for any detector."""

from ._encoders import NgramEncoder, RareMissingImputer, RarityEncoder, StringConverter
from ._pipeline import TableEncoder, make_detector_pipeline
from ._scaling import SoftScaler

__all__ = [
    "NgramEncoder",
    "RareMissingImputer",
    "RarityEncoder",
    "SoftScaler",
    "StringConverter",
    "TableEncoder",
    "make_detector_pipeline",
]
