import math

import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from detectors.self_supervised.effects import make_mixed
from sklearn.metrics import roc_auc_score

from skdeepanomaly import MCM
from skdeepanomaly.detectors.self_supervised import MaskedCellLoss, MaskingNetwork

SMALL = {
    "n_masks": 6,
    "hidden_dims": (64,),
    "max_epochs": 40,
    "batch_size": 64,
    "lr": 1e-2,
}


def spread_of_masks(detector, X):
    return detector.net_.module_.masks(torch.from_numpy(X)).detach().std(dim=0).mean().item()


def test_diverse_learned_masks_keep_the_network_from_copying_anomalies():
    def measure(seed):
        X, y = make_mixed(seed)
        found = []
        for params in ({}, {"learn_masks": False}, {"diversity_weight": 0.0}):
            detector = MCM(random_state=seed, **params, **SMALL).fit(X)
            error = 1 - roc_auc_score(y, detector.score_samples(X))
            found += [error, spread_of_masks(detector, X)]
        return found

    error, spread, of_drawn, drawn_spread, of_alike, alike_spread = mean_over_seeds(measure)
    assert error < 0.6 * min(of_drawn, of_alike)
    assert spread > 3 * max(drawn_spread, alike_spread)


def test_standardised_errors_weigh_all_features():
    X = make_rows(200, 4) * np.float32([0.2, 1, 1, 1])
    spreads = []
    for standardize in (False, True):
        detector = MCM(standardize_errors=standardize, random_state=0, **SMALL).fit(X)
        parts = detector.explain(X)
        np.testing.assert_allclose(parts.sum(axis=1), -detector.score_samples(X), rtol=1e-5)
        spreads.append(np.ptp(parts.mean(axis=0)) / parts.mean())
    raw, standardised = spreads
    assert standardised < 0.1
    assert raw > 0.3


def test_explanations_point_at_the_cell_that_does_not_fit():
    X = make_rows(200)
    odd = X[:60].copy()
    columns = np.arange(60) % X.shape[1]
    odd[np.arange(60), columns] += 3
    detector = MCM(random_state=0, **SMALL).fit(X)
    assert (detector.explain(odd).argmax(axis=1) == columns).mean() > 0.6


def test_drawn_masks_stay():
    X = make_rows(100)
    detector = MCM(learn_masks=False, max_epochs=1, random_state=0).fit(X)
    before = spread_of_masks(detector, X)
    assert spread_of_masks(detector.partial_fit(X), X) == before


def test_loss_is_that_of_the_paper():
    torch.manual_seed(0)
    x, rebuilt, masks = torch.randn(6, 3), torch.randn(6, 4, 3), torch.rand(6, 4, 3)
    expected = torch.zeros(())
    for row in range(6):
        for i in range(4):
            others = [j for j in range(4) if j != i]
            cosines = torch.cosine_similarity(masks[row, [i]], masks[row, others])
            expected += (cosines / 0.5).exp().sum().log() / (3 * math.log(3)) / 6
    criterion = MaskedCellLoss(diversity_weight=2.0, temperature=0.5)
    torch.testing.assert_close(criterion.diversity_loss(masks), expected)
    errors = (rebuilt - x[:, None]).square()
    loss = criterion((rebuilt, masks), x)
    torch.testing.assert_close(loss, errors.mean() + 2 * expected)
    scores = criterion.feature_scores((rebuilt, masks), x).sum(dim=1)
    torch.testing.assert_close(scores, errors.mean(dim=(1, 2)))


def test_the_network_sees_masked_rows():
    torch.manual_seed(0)
    network = MaskingNetwork(5, (8,), 3, n_masks=4)
    x = torch.randn(7, 5)
    rebuilt, masks = network(x)
    assert ((masks > 0) & (masks < 1)).all()
    for k in range(4):
        expected = network.decoder(network.encoder(x * masks[:, k]))
        torch.testing.assert_close(rebuilt[:, k], expected)


class Plain(torch.nn.Linear):
    def __init__(self, n_features):
        super().__init__(n_features, n_features)


def test_a_module_without_masks_is_refused(rows):
    with pytest.raises(ValueError, match=r"The module returned .* expected a pair"):
        MCM(module=Plain, random_state=0).fit(rows)
