"""Base classes of the deep detectors, also for detectors of your own."""

from ..thresholds import choose_offset
from ._building import build_net, epochs_for
from ._capabilities import ClusterMixin, DecoderMixin, EncoderMixin, GeneratorMixin
from ._detector import BaseDeepDetector
from ._fixed_module import FixedModuleMixin
from ._rows import RowsMixin
from ._shaped_rows import ShapedRowsMixin, stack_rows
from ._untrained import BaseUntrainedDetector

__all__ = [
    "BaseDeepDetector",
    "BaseUntrainedDetector",
    "ClusterMixin",
    "DecoderMixin",
    "EncoderMixin",
    "FixedModuleMixin",
    "GeneratorMixin",
    "RowsMixin",
    "ShapedRowsMixin",
    "build_net",
    "choose_offset",
    "epochs_for",
    "stack_rows",
]
