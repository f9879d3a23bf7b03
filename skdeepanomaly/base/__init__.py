"""Base classes of the deep detectors, also for detectors of your own."""

from ._building import build_net, epochs_for
from ._capabilities import ClusterMixin, DecoderMixin, EncoderMixin, GeneratorMixin
from ._detector import BaseDeepDetector
from ._shaped_rows import ShapedRowsMixin, stack_rows

__all__ = [
    "BaseDeepDetector",
    "ClusterMixin",
    "DecoderMixin",
    "EncoderMixin",
    "GeneratorMixin",
    "ShapedRowsMixin",
    "build_net",
    "epochs_for",
    "stack_rows",
]
