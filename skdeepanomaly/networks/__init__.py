"""Networks: plain torch modules that know nothing of scikit-learn or of training."""

from ._adversarial import (
    ALADNetwork,
    BiGANNetwork,
    ConditionalGANNetwork,
    GANNetwork,
    discriminator_layers,
    initialize_leaky,
)
from ._layers import ACTIVATIONS, LEAK, MLP, PackedLinear, SpectralLinear
from ._one_class import Encoder
from ._reconstruction import (
    AdversarialAutoEncoderNetwork,
    AutoEncoderNetwork,
    CodingAutoEncoder,
    TiedDecoder,
    VariationalNetwork,
)
from ._residual import AdditivePredictor, FeaturePredictor, MaskedPredictor
from ._self_supervised import AffineTransformations, NeuralTransformations
from ._semi_supervised import ClassifyingGANNetwork, ScoringNetwork

__all__ = [
    "ACTIVATIONS",
    "LEAK",
    "MLP",
    "ALADNetwork",
    "AdditivePredictor",
    "AdversarialAutoEncoderNetwork",
    "AffineTransformations",
    "AutoEncoderNetwork",
    "BiGANNetwork",
    "ClassifyingGANNetwork",
    "CodingAutoEncoder",
    "ConditionalGANNetwork",
    "Encoder",
    "FeaturePredictor",
    "GANNetwork",
    "MaskedPredictor",
    "NeuralTransformations",
    "PackedLinear",
    "ScoringNetwork",
    "SpectralLinear",
    "TiedDecoder",
    "VariationalNetwork",
    "discriminator_layers",
    "initialize_leaky",
]
