"""Detectors that learn the distance to the nearest training rows."""

from ._deep_neighbor_distance import DeepNeighborDistance
from ._losses import DistanceLoss
from ._networks import DistanceNetwork

__all__ = ["DeepNeighborDistance", "DistanceLoss", "DistanceNetwork"]
