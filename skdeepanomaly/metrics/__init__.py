"""Metrics and scorers whose positive class is the anomaly, and criteria without labels."""

from ._affiliation import AffiliationScore, affiliation_score
from ._detections import (
    detection_delay,
    nab_score,
    point_adjusted_f1_score,
    range_precision_score,
    range_recall_score,
)
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
from ._vus import vus_pr_score, vus_roc_score

__all__ = [
    "AffiliationScore",
    "affiliation_score",
    "detection_delay",
    "evaluate",
    "excess_mass_score",
    "label_scorers",
    "mass_volume_score",
    "nab_score",
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
    "point_adjusted_f1_score",
    "range_precision_score",
    "range_recall_score",
    "read_truth",
    "signed_labels",
    "stability_score",
    "vus_pr_score",
    "vus_roc_score",
]
