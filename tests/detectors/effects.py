"""How the tests of detectors measure an effect: its mean over several seeds."""

import numpy as np
from scipy.stats import energy_distance
from sklearn.metrics import roc_auc_score

from skdeepanomaly.engine import map_in_blocks


def mean_over_seeds(measure):
    """Return the mean of ``measure(seed)``, one number or several, over three seeds."""
    return np.mean([measure(seed) for seed in range(3)], axis=0)


def auroc(detector, X, y):
    """Train on half of the normal rows and return the AUROC of all rows."""
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


def scores_of_the_method(detector, X):
    """Score rows without the penalty that all detectors add to those of far rows."""
    return -map_in_blocks(detector._score_rows, X, "cpu")


def mean_energy_distance(rows, others):
    """Return the energy distance between two samples, averaged over their columns."""
    columns = zip(rows.T, others.T, strict=True)
    return np.mean([energy_distance(first, second) for first, second in columns])
