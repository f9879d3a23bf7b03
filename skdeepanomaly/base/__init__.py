"""What all deep detectors share; a detector of your own begins with these classes."""

from ._building import build_net, epochs_for
from ._capabilities import ClusterMixin, DecoderMixin, EncoderMixin, GeneratorMixin
from ._detector import BaseDeepDetector

__all__ = [
    "BaseDeepDetector",
    "ClusterMixin",
    "DecoderMixin",
    "EncoderMixin",
    "GeneratorMixin",
    "build_net",
    "epochs_for",
]
