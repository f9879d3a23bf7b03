"""Deep anomaly detectors that are scikit-learn estimators to the letter."""

from ._version import __version__
from .callbacks import BackupAndRestore
from .detectors import AutoEncoder, BiGAN, DeepSVDD
from .thresholds import (
    ConformalThreshold,
    FixedThreshold,
    GaussianMixtureThreshold,
    IQRThreshold,
    MADThreshold,
    POTThreshold,
    QuantileThreshold,
    ZScoreThreshold,
)

__all__ = [
    "AutoEncoder",
    "BackupAndRestore",
    "BiGAN",
    "ConformalThreshold",
    "DeepSVDD",
    "FixedThreshold",
    "GaussianMixtureThreshold",
    "IQRThreshold",
    "MADThreshold",
    "POTThreshold",
    "QuantileThreshold",
    "ZScoreThreshold",
    "__version__",
]
