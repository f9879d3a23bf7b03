"""Detectors of images."""

from ._augmentation import GaussianNoise, RandomFlip, RandomShift
from ._base import BaseImageDetector
from ._conv_auto_encoder import ConvAutoEncoder
from ._conv_deep_svdd import ConvDeepSVDD
from ._conv_variational_auto_encoder import ConvVariationalAutoEncoder
from ._losses import ImageReconstructionLoss
from ._networks import (
    ConvAutoEncoderNetwork,
    ConvDecoder,
    ConvEncoder,
    ConvEncoderNetwork,
    ConvLayers,
    ConvVariationalNetwork,
    GradientStem,
    PixelStem,
)
from ._rows import ImageRowsMixin

__all__ = [
    "BaseImageDetector",
    "ConvAutoEncoder",
    "ConvAutoEncoderNetwork",
    "ConvDecoder",
    "ConvDeepSVDD",
    "ConvEncoder",
    "ConvEncoderNetwork",
    "ConvLayers",
    "ConvVariationalAutoEncoder",
    "ConvVariationalNetwork",
    "GaussianNoise",
    "GradientStem",
    "ImageReconstructionLoss",
    "ImageRowsMixin",
    "PixelStem",
    "RandomFlip",
    "RandomShift",
]
