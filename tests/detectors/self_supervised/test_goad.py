import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds

from skdeepanomaly import GOAD
from skdeepanomaly.detectors.self_supervised import AffineTransformations, TransformationLoss


def test_training_tells_the_maps_apart():
    def losses(seed):
        detector = GOAD(hidden_dims=(64,), lr=3e-3, max_epochs=30, random_state=seed)
        history = detector.fit(make_rows(250, seed=seed)).history_
        return history[0, "train_loss"], history[-1, "train_loss"]

    first, last = mean_over_seeds(losses)
    assert last < 0.7 * first


def make_loss(centers, **params):
    criterion = TransformationLoss(**params)
    criterion.centers = centers
    return criterion


def test_scores_are_those_of_the_paper():
    torch.manual_seed(0)
    codes, centers, x = torch.randn(6, 4, 3), torch.randn(4, 3), torch.zeros(6, 2)
    likelihoods = (-torch.cdist(codes, centers).square()).exp()
    for eps in (0.0, 1e-2):
        expected = torch.zeros(6)
        for m in range(4):
            share = (likelihoods[:, m, m] + eps) / (likelihoods[:, m].sum(dim=1) + 4 * eps)
            expected -= share.log() / 4
        scores = make_loss(centers, eps=eps).score_rows(codes, x)
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_loss_is_the_triplet_centre_loss_and_the_likelihood(weight):
    torch.manual_seed(0)
    codes, x = torch.randn(6, 4, 3), torch.zeros(6, 2)
    centers = codes.mean(dim=0)
    total = 0.0
    for i in range(6):
        for m in range(4):
            distances = (codes[i, m] - centers).square().sum(dim=1)
            other = min(distances[j] for j in range(4) if j != m)
            total += max(0.0, (distances[m] + 2.0 - other).item()) / 24
    likelihood = make_loss(centers, eps=0.0).score_rows(codes, x).mean().item()
    loss = TransformationLoss(margin=2.0, likelihood_weight=weight)(codes, x).item()
    assert loss == pytest.approx(total + weight * likelihood, rel=1e-4)


def test_eps_bounds_the_scores():
    codes, x = 100 * torch.randn(6, 4, 3), torch.zeros(6, 2)
    centers = torch.randn(4, 3)
    bounded = make_loss(centers, eps=1e-3).score_rows(codes, x)
    free = make_loss(centers, eps=0.0).score_rows(codes, x)
    torch.testing.assert_close(bounded, torch.full((6,), np.log(4.0), dtype=torch.float32))
    assert free.max() > 100


def test_centers_are_the_mean_codes_of_the_training_rows():
    X = make_rows(300)
    detector = GOAD(max_epochs=2, random_state=0).fit(X)
    with torch.no_grad():
        codes = detector.net_.module_(torch.from_numpy(X))
    torch.testing.assert_close(detector.net_.criterion_.centers, codes.mean(dim=0))
    assert codes.shape == (300, 16, 32)


@pytest.mark.parametrize("around_identity", [True, False])
def test_maps_are_affine_and_stay(around_identity):
    X = make_rows(200)
    detector = GOAD(
        spread=0.5,
        shift=2.0,
        n_transformations=40,
        around_identity=around_identity,
        max_epochs=1,
        random_state=0,
    ).fit(X)
    module = detector.net_.module_
    x = torch.from_numpy(X)
    made = module.transform(x)
    for m in (0, 39):
        torch.testing.assert_close(made[m], x @ module.weight[m] + module.bias[m])
    deviations = module.weight - torch.eye(5) * around_identity
    assert deviations.std().item() == pytest.approx(0.5 / np.sqrt(5), rel=0.1)
    assert abs(deviations.mean().item()) < 0.05
    assert module.bias.std().item() == pytest.approx(2.0, rel=0.15)
    weight = module.weight.clone()
    detector.partial_fit(X)
    assert torch.equal(detector.net_.module_.weight, weight)


def test_other_seeds_draw_other_maps():
    weights = [
        GOAD(max_epochs=1, random_state=seed).fit(make_rows(20)).net_.module_.weight
        for seed in (0, 1)
    ]
    assert not torch.allclose(*weights)


def test_the_network_maps_each_copy_to_a_code():
    network = AffineTransformations(4, (8,), 3, n_transformations=5)
    x = torch.randn(7, 4)
    codes = network(x)
    assert codes.shape == (7, 5, 3)
    torch.testing.assert_close(codes[:, 2], network.encoder(network.transform(x)[2]))


@pytest.mark.parametrize("hidden_dims", [(3,), (3, 4), (12,), ()])
def test_scoring_joins_the_maps_and_the_first_layer(hidden_dims):
    torch.manual_seed(0)
    network = AffineTransformations(8, hidden_dims, 2, n_transformations=5)
    x = torch.randn(20, 8)
    copies = network.encoder(network.transform(x)).transpose(0, 1)
    torch.testing.assert_close(network.train()(x), copies)
    torch.testing.assert_close(network.eval()(x), copies, rtol=1e-4, atol=1e-5)
