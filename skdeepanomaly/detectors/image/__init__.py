"""Detectors of images."""

from ._augmentation import GaussianNoise, RandomFlip, RandomShift
from ._base import BaseImageDetector
from ._conv_auto_encoder import ConvAutoEncoder
from ._losses import ImageReconstructionLoss
from ._networks import (
    ConvAutoEncoderNetwork,
    ConvDecoder,
    ConvEncoder,
    ConvLayers,
    GradientStem,
    PixelStem,
)
from ._rows import ImageRowsMixin

__all__ = [
    "BaseImageDetector",
    "ConvAutoEncoder",
    "ConvAutoEncoderNetwork",
    "ConvDecoder",
    "ConvEncoder",
    "ConvLayers",
    "GaussianNoise",
    "GradientStem",
    "ImageReconstructionLoss",
    "ImageRowsMixin",
    "PixelStem",
    "RandomFlip",
    "RandomShift",
]
