"""Losses, and the scores of rows that belong to them.

A criterion is called as ``criterion(output, x)`` with what the module made of the rows
``x`` of shape (n, n_features), and returns the scalar to minimise;
``criterion.score_rows(output, x)`` returns the anomaly score of each row, shape (n,).
"""

from ._adversarial import ALADLoss, BiGANLoss, ConditionalGANLoss, GANLoss, background_rows
from ._clustering import ClusteringLoss, DeepClusteringLoss, DeepEmbeddedClusteringLoss
from ._one_class import CenterLoss, DeepSVDDLoss, OneClassSVMLoss
from ._range import TrainingBall
from ._reconstruction import DenoisingLoss, ReconstructionLoss, check_reconstruction
from ._relations import DeepDiscriminativeClusteringLoss
from ._residual import ResidualLoss
from ._self_supervised import DeterministicContrastiveLoss, TransformationLoss, check_views
from ._semi_supervised import DeepSADLoss, DeviationLoss, SemiSupervisedGANLoss
from ._subspaces import SelfExpressionLoss
from ._variational import LIKELIHOODS, AdversarialAutoEncoderLoss, VariationalLoss

__all__ = [
    "LIKELIHOODS",
    "ALADLoss",
    "AdversarialAutoEncoderLoss",
    "BiGANLoss",
    "CenterLoss",
    "ClusteringLoss",
    "ConditionalGANLoss",
    "DeepClusteringLoss",
    "DeepDiscriminativeClusteringLoss",
    "DeepEmbeddedClusteringLoss",
    "DeepSADLoss",
    "DeepSVDDLoss",
    "DenoisingLoss",
    "DeterministicContrastiveLoss",
    "DeviationLoss",
    "GANLoss",
    "OneClassSVMLoss",
    "ReconstructionLoss",
    "ResidualLoss",
    "SelfExpressionLoss",
    "SemiSupervisedGANLoss",
    "TrainingBall",
    "TransformationLoss",
    "VariationalLoss",
    "background_rows",
    "check_reconstruction",
    "check_views",
]
