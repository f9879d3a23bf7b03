"""Deep anomaly detectors that are scikit-learn estimators to the letter."""

from ._version import __version__
from .calibration import ConformalDetector, ThresholdedDetector
from .callbacks import BackupAndRestore
from .detectors import AutoEncoder, BiGAN, DeepSVDD
from .metrics import (
    evaluate,
    outlier_average_precision_score,
    outlier_balanced_accuracy_score,
    outlier_cost,
    outlier_f1_score,
    outlier_partial_roc_auc_score,
    outlier_precision_at_n_score,
    outlier_precision_score,
    outlier_recall_score,
    outlier_roc_auc_score,
    outlier_scorers,
)
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
    "ConformalDetector",
    "ConformalThreshold",
    "DeepSVDD",
    "FixedThreshold",
    "GaussianMixtureThreshold",
    "IQRThreshold",
    "MADThreshold",
    "POTThreshold",
    "QuantileThreshold",
    "ThresholdedDetector",
    "ZScoreThreshold",
    "__version__",
    "evaluate",
    "outlier_average_precision_score",
    "outlier_balanced_accuracy_score",
    "outlier_cost",
    "outlier_f1_score",
    "outlier_partial_roc_auc_score",
    "outlier_precision_at_n_score",
    "outlier_precision_score",
    "outlier_recall_score",
    "outlier_roc_auc_score",
    "outlier_scorers",
]
