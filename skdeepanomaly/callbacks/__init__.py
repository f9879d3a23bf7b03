"""Callbacks: backup of a running fit, and records of what a detector generates."""

from ._backup import BackupAndRestore, fingerprint
from ._samples import SampleRecorder

__all__ = ["BackupAndRestore", "SampleRecorder", "fingerprint"]
