"""Semi-supervised detectors, which learn from a few labels."""

from ._deep_sad import DeepSAD
from ._dev_net import DevNet
from ._losses import DeepSADLoss, DeviationLoss, SemiSupervisedGANLoss
from ._networks import ClassifyingGANNetwork, ScoringNetwork
from ._semi_supervised_gan import SemiSupervisedGAN

__all__ = [
    "ClassifyingGANNetwork",
    "DeepSAD",
    "DeepSADLoss",
    "DevNet",
    "DeviationLoss",
    "ScoringNetwork",
    "SemiSupervisedGAN",
    "SemiSupervisedGANLoss",
]
