"""Deep anomaly detectors that are scikit-learn estimators to the letter."""

from ._version import __version__
from .callbacks import BackupAndRestore
from .detectors import AutoEncoder, BiGAN, DeepSVDD

__all__ = ["AutoEncoder", "BackupAndRestore", "BiGAN", "DeepSVDD", "__version__"]
