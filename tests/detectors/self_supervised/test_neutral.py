import math

import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from sklearn.metrics import roc_auc_score

from skdeepanomaly import NeuTraL
from skdeepanomaly.detectors.self_supervised import (
    DeterministicContrastiveLoss,
    NeuralTransformations,
)
from skdeepanomaly.networks import PackedLinear

SMALL = {"hidden_dims": (32,), "max_epochs": 25}


def test_learned_transformations_fit_better_than_drawn_ones():
    def losses(seed):
        X = make_rows(200, seed=seed)
        found = []
        for learn in (False, True):
            detector = NeuTraL(learn_transformations=learn, random_state=seed, **SMALL)
            found.append(detector.fit(X).history_[-1, "train_loss"])
        return found

    drawn, learned = mean_over_seeds(losses)
    assert learned < 0.85 * drawn


def test_bounded_residuals_see_rows_farther_out():
    def errors(seed):
        X = make_rows(250, seed=seed)
        x = torch.from_numpy(np.concatenate([X[::2], 2 * X[::2]]))
        y = np.repeat([0, 1], 125)
        found = []
        for kind in ("residual", "bounded_residual"):
            detector = NeuTraL(transformation=kind, random_state=seed, **SMALL)
            net = detector.fit(X).net_
            with torch.no_grad():
                # The losses alone, without what the ball adds to them.
                losses = net.criterion_.losses(net.module_(x), x)
            found.append(1 - roc_auc_score(y, losses))
        return found

    residual, bounded = mean_over_seeds(errors)
    assert bounded < 0.8 * residual


def test_drawn_transformations_stay():
    X = make_rows(100)
    detector = NeuTraL(learn_transformations=False, max_epochs=1, random_state=0).fit(X)
    drawn = [p.clone() for p in detector.net_.module_.transformations.parameters()]
    detector.partial_fit(X)
    for before, after in zip(
        drawn, detector.net_.module_.transformations.parameters(), strict=True
    ):
        assert torch.equal(before, after)


def test_loss_is_that_of_the_paper():
    torch.manual_seed(0)
    codes = torch.nn.functional.normalize(torch.randn(6, 4, 3), dim=-1)
    x = torch.zeros(6, 2)
    h = (codes @ codes.transpose(1, 2) / 0.5).exp()
    expected = torch.zeros(6)
    for k in (1, 2, 3):
        others = sum(h[:, k, j] for j in (1, 2, 3) if j != k)
        expected -= (h[:, k, 0] / (h[:, k, 0] + others)).log() / (3 * math.log(3))
    criterion = DeterministicContrastiveLoss(temperature=0.5)
    torch.testing.assert_close(criterion.losses(codes, x), expected)
    torch.testing.assert_close(criterion(codes, x), expected.mean())


def test_copies_that_cannot_be_told_apart_have_a_loss_of_one():
    codes = torch.ones(2, 6, 1)
    losses = DeterministicContrastiveLoss().losses(codes, torch.zeros(2, 3))
    torch.testing.assert_close(losses, torch.ones(2))


def test_packed_layers_are_separate_layers():
    torch.manual_seed(0)
    x = torch.randn(3, 5, 4)
    for bias in (True, False):
        packed = PackedLinear(3, 4, 2, bias=bias)
        for k in range(3):
            expected = x[k] @ packed.weight[k] + (packed.bias[k] if bias else 0)
            torch.testing.assert_close(packed(x)[k], expected)


def test_kinds_of_transformations():
    torch.manual_seed(0)
    x = torch.randn(20, 4)
    made = {}
    for kind in ("bounded_residual", "residual", "multiplicative", "feed_forward"):
        torch.manual_seed(1)
        network = NeuralTransformations(4, (8,), 3, n_transformations=5, transformation=kind)
        made[kind] = network.transform(x)
        assert network(x).shape == (20, 6, 3)
        torch.testing.assert_close(network(x)[:, 0], network.encode(x))
    torch.testing.assert_close(made["residual"], x + made["feed_forward"])
    torch.testing.assert_close(made["bounded_residual"], x + made["feed_forward"].tanh())
    torch.testing.assert_close(made["multiplicative"], x * made["feed_forward"].sigmoid())


def test_codes_have_length_one():
    codes = (
        NeuTraL(latent_dim=7, max_epochs=2, random_state=0)
        .fit(make_rows(50))
        .encode(make_rows(50))
    )
    assert codes.shape == (50, 7)
    np.testing.assert_allclose(np.square(codes).sum(axis=1), 1, rtol=1e-5)


def test_one_transformation_is_too_few():
    with pytest.raises(ValueError, match="'n_transformations' parameter"):
        NeuTraL(n_transformations=1).fit(make_rows(20))
