"""Metrics and scorers whose positive class is the anomaly, and criteria without labels."""

from ._label_free import excess_mass_score, mass_volume_score, npd_score, stability_score
from ._ranking import (
    outlier_average_precision_score,
    outlier_balanced_accuracy_score,
    outlier_cost,
    outlier_f1_score,
    outlier_partial_roc_auc_score,
    outlier_precision_at_n_score,
    outlier_precision_score,
    outlier_recall_score,
    outlier_roc_auc_score,
)
from ._scorers import evaluate, label_scorers, outlier_scorers
from ._truth import read_truth, signed_labels

__all__ = [
    "evaluate",
    "excess_mass_score",
    "label_scorers",
    "mass_volume_score",
    "npd_score",
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
    "read_truth",
    "signed_labels",
    "stability_score",
]
