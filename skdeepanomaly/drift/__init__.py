"""Changes in a stream: alarms when new rows or scores are not as those of a reference."""

from ._detector import DriftDetector

__all__ = ["DriftDetector"]
