"""Networks: plain torch modules that know nothing of scikit-learn or of training."""

from ._adversarial import BiGANNetwork, GANNetwork, discriminator_layers, initialize_leaky
from ._clustering import ClusteringAutoEncoder
from ._layers import ACTIVATIONS, LEAK, MLP
from ._one_class import Encoder
from ._reconstruction import (
    AdversarialAutoEncoderNetwork,
    AutoEncoderNetwork,
    TiedDecoder,
    VariationalNetwork,
)
from ._semi_supervised import ClassifyingGANNetwork, ScoringNetwork

__all__ = [
    "ACTIVATIONS",
    "LEAK",
    "MLP",
    "AdversarialAutoEncoderNetwork",
    "AutoEncoderNetwork",
    "BiGANNetwork",
    "ClassifyingGANNetwork",
    "ClusteringAutoEncoder",
    "Encoder",
    "GANNetwork",
    "ScoringNetwork",
    "TiedDecoder",
    "VariationalNetwork",
    "discriminator_layers",
    "initialize_leaky",
]
