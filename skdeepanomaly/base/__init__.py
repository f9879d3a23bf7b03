"""What all deep detectors share; a detector of your own begins with these classes."""

from ._capabilities import ClusterMixin, DecoderMixin, EncoderMixin, GeneratorMixin
from ._detector import BaseDeepDetector

__all__ = [
    "BaseDeepDetector",
    "ClusterMixin",
    "DecoderMixin",
    "EncoderMixin",
    "GeneratorMixin",
]
