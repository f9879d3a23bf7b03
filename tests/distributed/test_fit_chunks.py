"""Training in chunks: it is fit on shuffled rows, in bounded memory."""

import multiprocessing
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_detector, make_planted, make_rows
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdeepanomaly import AutoEncoder, DeepSVDD
from skdeepanomaly.callbacks import BackupAndRestore
from skdeepanomaly.distributed import fit_chunks


def make_sorted(seed, n_rows=20_000, n_clusters=8, n_features=8):
    """Draw rows of clusters, sorted by cluster, and a few anomalies among them; return X, y."""
    rng = np.random.default_rng(seed)
    centers = 2 * rng.normal(size=(n_clusters, n_features))
    mix = rng.normal(size=(n_clusters, 2, n_features))
    cluster = np.sort(rng.integers(n_clusters, size=n_rows))
    hidden = np.tanh(rng.normal(size=(n_rows, 2)))
    X = centers[cluster] + np.einsum("nh,nhd->nd", hidden, mix[cluster])
    X += 0.1 * rng.normal(size=X.shape)
    y = np.where(rng.random(n_rows) < 0.02, -1, 1)
    X[y == -1] += 0.5 * rng.normal(size=(np.sum(y == -1), n_features))
    return (X / X.std(axis=0)).astype(np.float32), y


def auroc(detector, X, y):
    return roc_auc_score(y, detector.score_samples(X))


def small(**params):
    return AutoEncoder(hidden_dims=(16,), **{"random_state": 0, **params})


def quiet_fit(*args, **params):
    """Train on sorted chunks without their warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*differ in distribution")
        return fit_chunks(*args, **params)


@pytest.mark.parametrize("ordered", [False, True], ids=["any order", "own order"])
def test_sorted_chunks_rank_as_fit_on_shuffled_rows(ordered):
    lost = []
    for seed in range(4):
        X, y = make_sorted(seed)
        shuffled = X[np.random.default_rng(seed).permutation(len(X))]
        whole = AutoEncoder(max_epochs=3, batch_size=64, random_state=seed).fit(shuffled)
        chunks = np.array_split(X, 20)
        detector = quiet_fit(
            AutoEncoder(batch_size=64, random_state=seed),
            (lambda chunks=chunks: chunks) if ordered else chunks,
            n_passes=3,
            buffer_rows=4000,
        )
        lost.append(auroc(whole, X, y) - auroc(detector, X, y))
    assert np.mean(lost) < 0.004
