"""What all detectors that cluster their codes have in common."""

import numpy as np
import pytest
from conftest import make_rows
from detectors.effects import mean_over_seeds
from sklearn.metrics import adjusted_rand_score

from skdeepanomaly import (
    DeepClustering,
    DeepDiscriminativeClustering,
    DeepEmbeddedClustering,
    DeepSubspaceClustering,
)

CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
SMALL = {"hidden_dims": (32,), "latent_dim": 16, "pretrain_epochs": 20, "max_epochs": 20}
on_each_detector = pytest.mark.parametrize(
    "detector", [DeepClustering, DeepDiscriminativeClustering, DeepEmbeddedClustering]
)


@on_each_detector
def test_clusters_are_found(detector):
    """Deep subspace clustering has its own test: it looks for planes, not for blobs."""

    def agreement(seed):
        noise = np.random.default_rng(seed).normal(size=(240, 3))
        X = 4 * CORNERS.repeat(60, axis=0) + noise
        X = (X / X.std(axis=0)).astype(np.float32)
        fitted = detector(n_clusters=4, random_state=seed, **SMALL).fit(X)
        clusters = fitted.predict_cluster(X)
        assert fitted.cluster_centers_.shape == (4, 16)
        return adjusted_rand_score(np.repeat(range(4), 60), clusters)

    # The agreement of random clusters is 0 on average.
    assert mean_over_seeds(agreement) > 0.7


@pytest.mark.parametrize(
    "detector",
    [
        DeepClustering,
        DeepDiscriminativeClustering,
        DeepEmbeddedClustering,
        DeepSubspaceClustering,
    ],
)
def test_pre_training_learns_to_reconstruct(detector):
    def errors(seed):
        X = make_rows(100, seed=seed)
        found = []
        for epochs in (0, 100):
            small = {**SMALL, "pretrain_epochs": epochs, "max_epochs": 1, "lr": 1e-12}
            fitted = detector(n_clusters=4, random_state=seed, **small).fit(X)
            found.append(np.square(fitted.reconstruct(X) - X).mean())
        return found

    without, with_ = mean_over_seeds(errors)
    assert with_ < 0.5 * without


@pytest.mark.parametrize(
    "detector",
    [
        DeepClustering,
        DeepDiscriminativeClustering,
        DeepEmbeddedClustering,
        DeepSubspaceClustering,
    ],
)
@pytest.mark.parametrize(
    ("rate", "size"),
    [
        ("lr", 1e20),
        ("lr", 1e38),
        ("pretrain_lr", 1e17),
        ("pretrain_lr", 1e20),
        ("pretrain_lr", 1e38),
    ],
)
def test_training_that_diverges_in_its_last_step_says_so(detector, rate, size):
    diverging = detector(**{**SMALL, "max_epochs": 1, "pretrain_epochs": 1, rate: size})
    with pytest.raises(ValueError, match="Training diverged"):
        diverging.set_params(random_state=0).fit(make_rows(60))
