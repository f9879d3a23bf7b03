"""Data with anomalies that only the dependence between features reveals."""

import numpy as np
from conftest import make_rows


def make_mixed(seed, n_outliers=30):
    """Draw rows on a sheet, and rows whose halves come from different rows; labels of both."""
    rng = np.random.default_rng(seed)
    X = make_rows(300, 8, seed)
    outliers = X[:n_outliers].copy()
    other = rng.permuted(np.tile(np.arange(8) < 4, (n_outliers, 1)), axis=1)
    outliers[other] = X[-n_outliers:][other]
    return np.concatenate([X, outliers]), np.repeat([1, -1], [300, n_outliers])
