"""Detectors that cluster the codes of an auto-encoder."""

from ._base import BaseDeepClustering
from ._deep_clustering import DeepClustering
from ._deep_discriminative_clustering import DeepDiscriminativeClustering
from ._deep_embedded_clustering import DeepEmbeddedClustering
from ._deep_subspace_clustering import DeepSubspaceClustering
from ._losses import (
    ClusteringLoss,
    DeepClusteringLoss,
    DeepDiscriminativeClusteringLoss,
    DeepEmbeddedClusteringLoss,
    SelfExpressionLoss,
)

__all__ = [
    "BaseDeepClustering",
    "ClusteringLoss",
    "DeepClustering",
    "DeepClusteringLoss",
    "DeepDiscriminativeClustering",
    "DeepDiscriminativeClusteringLoss",
    "DeepEmbeddedClustering",
    "DeepEmbeddedClusteringLoss",
    "DeepSubspaceClustering",
    "SelfExpressionLoss",
]
