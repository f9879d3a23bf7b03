"""Detectors of images."""

from ._rows import ImageRowsMixin

__all__ = ["ImageRowsMixin"]
