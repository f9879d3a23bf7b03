"""Fitted detectors as files that other programs run without torch and scikit-learn."""

from ._onnx import to_onnx

__all__ = ["to_onnx"]
