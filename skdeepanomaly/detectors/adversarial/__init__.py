"""Detectors with generative adversarial networks."""

from ._alad import ALAD
from ._bigan import BiGAN
from ._conditional_gan import ConditionalGAN
from ._gan import GAN
from ._losses import ALADLoss, BiGANLoss, ConditionalGANLoss, GANLoss, background_rows
from ._networks import ALADNetwork, BiGANNetwork, ConditionalGANNetwork, GANNetwork

__all__ = [
    "ALAD",
    "GAN",
    "ALADLoss",
    "ALADNetwork",
    "BiGAN",
    "BiGANLoss",
    "BiGANNetwork",
    "ConditionalGAN",
    "ConditionalGANLoss",
    "ConditionalGANNetwork",
    "GANLoss",
    "GANNetwork",
    "background_rows",
]
