import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from scipy.stats import energy_distance
from sklearn.metrics import roc_auc_score

from skdeepanomaly import BiGAN
from skdeepanomaly.detectors.adversarial import BiGANNetwork


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


def test_planted_anomalies_rank_first():
    X, y = make_planted()
    assert auroc(BiGAN(max_epochs=300, random_state=0), X, y) > 0.9


class WithoutGame(BiGANNetwork):
    """A discriminator that says nothing: encoder and generator learn to rebuild alone."""

    def discriminate(self, x, z):
        return 0 * super().discriminate(x, z)


@pytest.mark.parametrize("seed", range(3))
def test_the_game_makes_rows_like_the_data(seed):
    X = make_rows(500, seed=seed)
    distances = []
    for module in (None, WithoutGame):
        detector = BiGAN(module=module, max_epochs=200, latent_dim=2, random_state=seed).fit(X)
        network = detector.net_.module_
        torch.manual_seed(seed)
        with torch.no_grad():
            made = network.generate(torch.randn(500, 2)).numpy()
        pairs = zip(X.T, made.T, strict=True)
        distances.append(np.mean([energy_distance(real, fake) for real, fake in pairs]))
    assert distances[0] < 0.7 * distances[1]


def test_cycle_weight_tightens_the_inverse():
    X = make_rows(300)
    errors = []
    for weight in (0.0, 1.0):
        detector = BiGAN(cycle_weight=weight, max_epochs=100, alpha=1.0, random_state=0).fit(X)
        errors.append(-detector.score_samples(X).mean())
    assert errors[1] < 0.5 * errors[0]


def test_module_must_offer_both_directions():
    with pytest.raises(ValueError, match="Linear has no latent_dim, encode, generate, discri"):
        BiGAN(module=torch.nn.Linear(5, 5)).fit(make_rows(20))


def test_betas_are_set_where_the_optimiser_has_them():
    detector = BiGAN(max_epochs=1, optimizer_d=torch.optim.SGD, random_state=0)
    net = detector.fit(make_rows(20)).net_
    assert net.optimizer_.param_groups[0]["betas"] == (0.5, 0.999)
    assert isinstance(net.optimizer_d_, torch.optim.SGD)
    net = detector.set_params(optimizer__betas=(0.9, 0.99)).fit(make_rows(20)).net_
    assert net.optimizer_.param_groups[0]["betas"] == (0.9, 0.99)
