"""Detectors that score the reconstruction error of a network."""

from ._adversarial_auto_encoder import AdversarialAutoEncoder
from ._auto_encoder import AutoEncoder
from ._denoising_auto_encoder import DenoisingAutoEncoder
from ._losses import (
    AdversarialAutoEncoderLoss,
    DenoisingLoss,
    ReconstructionLoss,
    VariationalLoss,
)
from ._networks import (
    AdversarialAutoEncoderNetwork,
    AutoEncoderNetwork,
    CodingAutoEncoder,
    VariationalNetwork,
)
from ._variational_auto_encoder import VariationalAutoEncoder

__all__ = [
    "AdversarialAutoEncoder",
    "AdversarialAutoEncoderLoss",
    "AdversarialAutoEncoderNetwork",
    "AutoEncoder",
    "AutoEncoderNetwork",
    "CodingAutoEncoder",
    "DenoisingAutoEncoder",
    "DenoisingLoss",
    "ReconstructionLoss",
    "VariationalAutoEncoder",
    "VariationalLoss",
    "VariationalNetwork",
]
