"""Detectors by the distance to the nearest training rows, searched or learned."""

from ._deep_neighbor_distance import DeepNeighborDistance
from ._losses import DistanceLoss, NegativesLoss
from ._lunar import LUNAR
from ._neighbor_distance import NeighborDistance
from ._networks import DistanceCombination, DistanceNetwork

__all__ = [
    "LUNAR",
    "DeepNeighborDistance",
    "DistanceCombination",
    "DistanceLoss",
    "DistanceNetwork",
    "NegativesLoss",
    "NeighborDistance",
]
