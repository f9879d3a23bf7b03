import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from detectors.self_supervised.effects import make_mixed
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ICL
from skdeepanomaly.detectors.self_supervised import (
    InternalContrastiveLoss,
    InternalContrastNetwork,
)

SMALL = {"max_epochs": 25, "batch_size": 64, "lr": 3e-3, "n_orders": 1}


class WithoutRests(InternalContrastNetwork):
    """Both networks read the sub-vectors, so that nothing has to be told of the others."""

    def __init__(self, n_features, hidden_dims, latent_dim, **params):
        super().__init__(n_features, hidden_dims, latent_dim, **params)
        dims = [params["subvector_dim"], *hidden_dims, latent_dim]
        for pair in self.pairs:
            pair.outside = pair.inside
            pair.rest_layers = pair._layers(dims, len(pair.inside), torch.nn.Tanh())


class OwnPairsLoss(InternalContrastiveLoss):
    """The similarity of what belongs together, without the other sub-vectors."""

    def score_rows(self, output, x):
        return -output.diagonal(dim1=2, dim2=3).mean(dim=(1, 2))


class WithoutContrast(ICL):
    __doc__ = ICL.__doc__
    _criterion_class = OwnPairsLoss


def test_rests_and_the_contrast_with_other_subvectors_matter():
    def errors(seed):
        X, y = make_mixed(seed)
        found = []
        for detector in (ICL(), ICL(module=WithoutRests), WithoutContrast()):
            detector.set_params(random_state=seed, **SMALL).fit(X[:200])
            found.append(1 - roc_auc_score(y[200:], detector.score_samples(X[200:])))
        return found

    error, without_rests, without_contrast = mean_over_seeds(errors)
    assert error < 0.4 * without_rests
    assert error < 0.95 * without_contrast


def test_loss_is_that_of_the_paper():
    torch.manual_seed(0)
    similarities, x = torch.randn(5, 2, 3, 3), torch.zeros(5, 4)
    expected = torch.zeros(5)
    for order in range(2):
        for own in range(3):
            odds = (similarities[:, order, own] / 0.5).exp()
            expected -= (odds[:, own] / odds.sum(dim=1)).log() / 6
    criterion = InternalContrastiveLoss(temperature=0.5)
    torch.testing.assert_close(criterion.score_rows(similarities, x), expected)
    torch.testing.assert_close(criterion(similarities, x), expected.mean())


def test_codes_are_normalised_over_positions_and_then_by_length():
    torch.manual_seed(0)
    pair = InternalContrastNetwork(
        7, (8,), 5, subvector_dim=2, max_positions=9, n_orders=1
    ).pairs[0]
    x = torch.randn(4, 7)
    raw = pair.subvector_layers(x[:, pair.inside])
    expected = torch.nn.functional.normalize(raw, dim=1)
    expected = torch.nn.functional.normalize(expected, dim=2)
    torch.testing.assert_close(pair.codes(pair.subvector_layers, x, pair.inside), expected)


def test_parts_are_consecutive_in_each_order_and_make_up_the_row():
    torch.manual_seed(0)
    network = InternalContrastNetwork(9, (8,), 5, subvector_dim=3, max_positions=99, n_orders=3)
    orders = []
    for pair in network.pairs:
        assert pair.inside.shape == (7, 3)
        assert pair.outside.shape == (7, 6)
        parts = torch.cat([pair.inside, pair.outside], dim=1)
        assert (parts.sort(dim=1).values == torch.arange(9)).all()
        # Neighbouring sub-vectors share all features but one at each end.
        assert torch.equal(pair.inside[1:, :2], pair.inside[:-1, 1:])
        orders.append(torch.cat([pair.inside[:, 0], pair.inside[-1, 1:]]).tolist())
    assert orders[0] == list(range(9))
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(
    ("n_features", "subvector_dim", "n_positions"),
    [(2, 1, 2), (3, 2, 2), (20, 2, 19), (41, 10, 32), (200, 50, 32), (1000, 850, 32)],
)
def test_any_number_of_columns(n_features, subvector_dim, n_positions):
    X = make_rows(40, n_features)
    detector = ICL(max_epochs=1, random_state=0).fit(X)
    inside = detector.net_.module_.pairs[0].inside
    assert inside.shape == (n_positions, subvector_dim)
    assert inside.min() == 0
    assert inside.max() == n_features - 1
    gaps = inside[:, 0].diff()
    assert gaps.max() - gaps.min() <= 1
    assert np.isfinite(detector.score_samples(X)).all()


def test_one_column_is_too_few():
    with pytest.raises(ValueError, match="n_features = 1; expected at least 2"):
        ICL().fit(np.zeros((10, 1)))


def test_a_single_value_is_normalised_by_the_running_means():
    X = make_rows(21)
    detector = ICL(hidden_dims=(2,), batch_size=1, max_epochs=1, random_state=0).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()


class Plain(torch.nn.Linear):
    def __init__(self, n_features):
        super().__init__(n_features, n_features)


def test_a_module_without_similarities_is_refused(rows):
    with pytest.raises(ValueError, match=r"The module returned .* expected similarities"):
        ICL(module=Plain, random_state=0).fit(rows)
