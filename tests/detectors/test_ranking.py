"""What the scores of all families have in common: which rows are more abnormal."""

import numpy as np
import pytest
from conftest import make_planted, make_rays, make_rows
from detectors.effects import auroc, mean_over_seeds
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skdeepanomaly import (
    DTE,
    GOAD,
    ICL,
    LUNAR,
    MCM,
    AdversarialAutoEncoder,
    AutoEncoder,
    BiGAN,
    ConditionalGAN,
    DeepClustering,
    DeepDiscriminativeClustering,
    DeepEmbeddedClustering,
    DeepNeighborDistance,
    DeepOneClassSVM,
    DeepSAD,
    DeepSubspaceClustering,
    DeepSVDD,
    DenoisingAutoEncoder,
    DenoisingScoreMatching,
    NeuTraL,
    RegressionResidual,
    SemiSupervisedGAN,
    VariationalAutoEncoder,
)

SMALL = {"hidden_dims": (32,), "max_epochs": 25, "batch_size": 64, "lr": 5e-3}
ONE_CLASS = {"hidden_dims": (64,), "latent_dim": 256, "max_epochs": 40, "lr": 1e-3}
CLUSTERING = {"hidden_dims": (32,), "latent_dim": 32, "pretrain_epochs": 20, "max_epochs": 20}
# GAN and ALAD are missing: their files compare the scores that they offer.
RANKING = {
    "AdversarialAutoEncoder": AdversarialAutoEncoder(**SMALL),
    "AdversarialAutoEncoder, both": AdversarialAutoEncoder(score_type="both", **SMALL),
    "AutoEncoder": AutoEncoder(**SMALL),
    "AutoEncoder, tied": AutoEncoder(tied=True, **SMALL),
    "AutoEncoder, tanh": AutoEncoder(activation="tanh", **SMALL),
    "BiGAN": BiGAN(hidden_dims=(32,), lr=5e-3, max_epochs=40, batch_size=64),
    "ConditionalGAN": ConditionalGAN(
        hidden_dims=(32, 32), lr=3e-3, max_epochs=100, n_starts=32
    ),
    "DeepClustering": DeepClustering(**CLUSTERING),
    "DeepDiscriminativeClustering": DeepDiscriminativeClustering(**CLUSTERING),
    "DeepEmbeddedClustering": DeepEmbeddedClustering(**CLUSTERING),
    "DeepEmbeddedClustering, without reconstruction": DeepEmbeddedClustering(
        reconstruction_weight=0.0, **CLUSTERING
    ),
    "DeepNeighborDistance": DeepNeighborDistance(
        hidden_dims=(64, 64), n_moved=3000, max_epochs=25
    ),
    "DeepOneClassSVM": DeepOneClassSVM(hidden_dims=(64,), latent_dim=64, max_epochs=40),
    "DeepSAD": DeepSAD(pretrain_epochs=10, **ONE_CLASS),
    "DeepSVDD": DeepSVDD(pretrain_epochs=10, **ONE_CLASS),
    "DeepSVDD, soft": DeepSVDD(pretrain_epochs=10, soft_boundary=True, **ONE_CLASS),
    "DeepSubspaceClustering": DeepSubspaceClustering(
        hidden_dims=(32,), pretrain_epochs=30, max_epochs=10
    ),
    "DenoisingAutoEncoder": DenoisingAutoEncoder(**SMALL),
    "DenoisingAutoEncoder, mean": DenoisingAutoEncoder(n_corruptions=4, **SMALL),
    "DenoisingAutoEncoder, masking": DenoisingAutoEncoder(
        noise_std=0, masking_rate=0.2, **SMALL
    ),
    "DenoisingAutoEncoder, noise and masking": DenoisingAutoEncoder(masking_rate=0.1, **SMALL),
    "GOAD": GOAD(hidden_dims=(32,), max_epochs=30),
    "DTE": DTE(hidden_dims=(64, 64), lr=5e-3, max_epochs=60, batch_size=64),
    "DenoisingScoreMatching": DenoisingScoreMatching(
        hidden_dims=(64, 64), max_epochs=60, batch_size=64
    ),
    "ICL": ICL(lr=3e-3, max_epochs=30),
    "LUNAR": LUNAR(n_neighbors=20, hidden_dims=(64, 64), max_epochs=50),
    "MCM": MCM(n_masks=6, hidden_dims=(32,), lr=5e-3, max_epochs=40, batch_size=64),
    "NeuTraL": NeuTraL(hidden_dims=(32,), max_epochs=30),
    "RegressionResidual": RegressionResidual(max_epochs=30),
    "RegressionResidual, additive": RegressionResidual(model="additive", max_epochs=30),
    "SemiSupervisedGAN": SemiSupervisedGAN(hidden_dims=(32,), lr=5e-3, max_epochs=20),
    "VariationalAutoEncoder": VariationalAutoEncoder(**SMALL),
    "VariationalAutoEncoder, ELBO": VariationalAutoEncoder(score_type="elbo", **SMALL),
    "VariationalAutoEncoder, error": VariationalAutoEncoder(score_type="error", **SMALL),
}


@pytest.mark.parametrize("detector", RANKING.values(), ids=RANKING)
def test_planted_anomalies_rank_first(detector):
    """A detector makes at most half of the errors that the distance from the mean makes."""

    def errors(seed):
        X, y = make_planted(seed=seed)
        by_distance = roc_auc_score(y, -np.linalg.norm(X - X.mean(axis=0), axis=1))
        found = auroc(clone(detector).set_params(random_state=seed), X, y)
        return 1 - found, 1 - by_distance

    found, by_distance = mean_over_seeds(errors)
    assert found < 0.5 * by_distance


FALLING = [
    DeepOneClassSVM(hidden_dims=(32,), latent_dim=32, max_epochs=3, random_state=0),
    GOAD(max_epochs=3, random_state=0),
    NeuTraL(max_epochs=3, random_state=0),
]


@pytest.mark.parametrize("detector", FALLING, ids=lambda detector: type(detector).__name__)
def test_scores_fall_without_end_on_the_way_out(detector):
    X = make_rows(200)
    detector = clone(detector).fit(X)
    rays = make_rays(X)
    scores = detector.score_samples(rays.reshape(-1, 5)).reshape(rays.shape[:2])
    assert (np.diff(scores, axis=1) < 0).all()
    assert scores.max() < detector.score_samples(X).min()
