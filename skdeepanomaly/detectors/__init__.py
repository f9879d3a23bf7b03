"""The detectors, one method a file."""

from ._auto_encoder import AutoEncoder
from ._bigan import BiGAN
from ._deep_svdd import DeepSVDD

__all__ = ["AutoEncoder", "BiGAN", "DeepSVDD"]
