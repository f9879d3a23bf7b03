"""The deep detectors: a folder for each family, a file for each method."""

from .adversarial import ALAD, GAN, BiGAN, ConditionalGAN
from .clustering import (
    DeepClustering,
    DeepDiscriminativeClustering,
    DeepEmbeddedClustering,
    DeepSubspaceClustering,
)
from .diffusion import DTE, DenoisingScoreMatching
from .image import (
    ConvAutoEncoder,
    ConvBiGAN,
    ConvDeepSVDD,
    ConvGAN,
    ConvVariationalAutoEncoder,
    PaDiM,
    PatchCore,
)
from .neighbors import LUNAR, DeepNeighborDistance, NeighborDistance
from .one_class import DeepOneClassSVM, DeepSVDD
from .reconstruction import (
    AdversarialAutoEncoder,
    AutoEncoder,
    DenoisingAutoEncoder,
    VariationalAutoEncoder,
)
from .residual import RegressionResidual
from .self_supervised import GOAD, ICL, MCM, NeuTraL
from .semi_supervised import DeepSAD, DevNet, SemiSupervisedGAN
from .sequence import (
    ConvForecaster,
    RecurrentAutoEncoder,
    RecurrentForecaster,
    TransformerAutoEncoder,
)

__all__ = [
    "ALAD",
    "DTE",
    "GAN",
    "GOAD",
    "ICL",
    "LUNAR",
    "MCM",
    "AdversarialAutoEncoder",
    "AutoEncoder",
    "BiGAN",
    "ConditionalGAN",
    "ConvAutoEncoder",
    "ConvBiGAN",
    "ConvDeepSVDD",
    "ConvForecaster",
    "ConvGAN",
    "ConvVariationalAutoEncoder",
    "DeepClustering",
    "DeepDiscriminativeClustering",
    "DeepEmbeddedClustering",
    "DeepNeighborDistance",
    "DeepOneClassSVM",
    "DeepSAD",
    "DeepSVDD",
    "DeepSubspaceClustering",
    "DenoisingAutoEncoder",
    "DenoisingScoreMatching",
    "DevNet",
    "NeighborDistance",
    "NeuTraL",
    "PaDiM",
    "PatchCore",
    "RecurrentAutoEncoder",
    "RecurrentForecaster",
    "RegressionResidual",
    "SemiSupervisedGAN",
    "TransformerAutoEncoder",
    "VariationalAutoEncoder",
]
