"""Data with anomalies that only the dependence between features reveals."""

import numpy as np


def make_mixed(seed, n_outliers=30):
    """Draw rows on a sheet, and rows whose halves come from different rows; labels of both."""
    rng = np.random.default_rng(seed)
    X = np.tanh(rng.normal(size=(300, 2)) @ rng.normal(size=(2, 8)))
    X += 0.05 * rng.normal(size=X.shape)
    outliers = X[:n_outliers].copy()
    other = rng.permuted(np.tile(np.arange(8) < 4, (n_outliers, 1)), axis=1)
    outliers[other] = X[-n_outliers:][other]
    X = np.concatenate([X, outliers]) / X.std(axis=0)
    return X.astype(np.float32), np.repeat([1, -1], [300, n_outliers])
