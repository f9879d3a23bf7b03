"""Encoding of tables with numbers, categories, dates and texts, for any detector."""

from ._columns import ColumnSummary
from ._encoders import NgramEncoder, RareMissingImputer, RarityEncoder, StringConverter
from ._pipeline import make_detector_pipeline
from ._scaling import SoftScaler
from ._table_encoder import TableEncoder

__all__ = [
    "ColumnSummary",
    "NgramEncoder",
    "RareMissingImputer",
    "RarityEncoder",
    "SoftScaler",
    "StringConverter",
    "TableEncoder",
    "make_detector_pipeline",
]
