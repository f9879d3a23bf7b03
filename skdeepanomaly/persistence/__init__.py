"""Fitted estimators in files that hold numbers and names, and cannot run code."""

from ._files import load_detector, save_detector

__all__ = ["load_detector", "save_detector"]
