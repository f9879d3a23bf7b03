"""One-class detectors: a boundary around the codes of normal rows."""

from ._base import BaseCenterDetector
from ._deep_one_class_svm import DeepOneClassSVM
from ._deep_svdd import DeepSVDD
from ._losses import CenterLoss, DeepSVDDLoss, OneClassSVMLoss
from ._networks import Encoder

__all__ = [
    "BaseCenterDetector",
    "CenterLoss",
    "DeepOneClassSVM",
    "DeepSVDD",
    "DeepSVDDLoss",
    "Encoder",
    "OneClassSVMLoss",
]
