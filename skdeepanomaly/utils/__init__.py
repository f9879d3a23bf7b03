"""Helpers that are of use outside of the package, too."""

from .discovery import all_detectors

__all__ = ["all_detectors"]
