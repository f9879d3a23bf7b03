"""The detectors, one method a file."""

from ._adversarial_auto_encoder import AdversarialAutoEncoder
from ._alad import ALAD
from ._auto_encoder import AutoEncoder
from ._bigan import BiGAN
from ._conditional_gan import ConditionalGAN
from ._deep_clustering import DeepClustering
from ._deep_discriminative_clustering import DeepDiscriminativeClustering
from ._deep_embedded_clustering import DeepEmbeddedClustering
from ._deep_one_class_svm import DeepOneClassSVM
from ._deep_sad import DeepSAD
from ._deep_subspace_clustering import DeepSubspaceClustering
from ._deep_svdd import DeepSVDD
from ._denoising_auto_encoder import DenoisingAutoEncoder
from ._dev_net import DevNet
from ._gan import GAN
from ._goad import GOAD
from ._neutral import NeuTraL
from ._regression_residual import RegressionResidual
from ._semi_supervised_gan import SemiSupervisedGAN
from ._variational_auto_encoder import VariationalAutoEncoder

__all__ = [
    "ALAD",
    "GAN",
    "GOAD",
    "AdversarialAutoEncoder",
    "AutoEncoder",
    "BiGAN",
    "ConditionalGAN",
    "DeepClustering",
    "DeepDiscriminativeClustering",
    "DeepEmbeddedClustering",
    "DeepOneClassSVM",
    "DeepSAD",
    "DeepSVDD",
    "DeepSubspaceClustering",
    "DenoisingAutoEncoder",
    "DevNet",
    "NeuTraL",
    "RegressionResidual",
    "SemiSupervisedGAN",
    "VariationalAutoEncoder",
]
