"""Detectors of images."""

from ._augmentation import GaussianNoise, RandomFlip, RandomShift
from ._base import BaseImageDetector
from ._conv_auto_encoder import ConvAutoEncoder
from ._conv_bigan import ConvBiGAN
from ._conv_deep_svdd import ConvDeepSVDD
from ._conv_gan import ConvGAN
from ._conv_variational_auto_encoder import ConvVariationalAutoEncoder
from ._frozen_encoder import FrozenEncoder
from ._frozen_layers import FrozenLayers, LocalPatterns
from ._losses import ImageReconstructionLoss
from ._networks import (
    ConvAutoEncoderNetwork,
    ConvBiGANNetwork,
    ConvDecoder,
    ConvEncoder,
    ConvEncoderNetwork,
    ConvGANNetwork,
    ConvLayers,
    ConvVariationalNetwork,
)
from ._padim import PaDiM
from ._patch_base import BasePatchDetector
from ._patch_core import PatchCore
from ._patches import PatchFeatures, PatchMemory, PlaceGaussians
from ._rows import ImageRowsMixin
from ._stems import GradientStem, PixelStem

__all__ = [
    "BaseImageDetector",
    "BasePatchDetector",
    "ConvAutoEncoder",
    "ConvAutoEncoderNetwork",
    "ConvBiGAN",
    "ConvBiGANNetwork",
    "ConvDecoder",
    "ConvDeepSVDD",
    "ConvEncoder",
    "ConvEncoderNetwork",
    "ConvGAN",
    "ConvGANNetwork",
    "ConvLayers",
    "ConvVariationalAutoEncoder",
    "ConvVariationalNetwork",
    "FrozenEncoder",
    "FrozenLayers",
    "GaussianNoise",
    "GradientStem",
    "ImageReconstructionLoss",
    "ImageRowsMixin",
    "LocalPatterns",
    "PaDiM",
    "PatchCore",
    "PatchFeatures",
    "PatchMemory",
    "PixelStem",
    "PlaceGaussians",
    "RandomFlip",
    "RandomShift",
]
