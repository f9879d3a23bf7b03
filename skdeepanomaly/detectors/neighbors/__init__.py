"""Detectors by the distance to the nearest training rows."""

from ._neighbor_distance import NeighborDistance

__all__ = ["NeighborDistance"]
