import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import auroc, mean_over_seeds
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import check_estimator

from skdeepanomaly import RegressionResidual
from skdeepanomaly.detectors.residual import AdditivePredictor, MaskedPredictor, ResidualLoss

MODELS = ["mlp", "additive", "linear"]


def make_related(relation, seed, n_rows=400):
    """Draw three columns, the last a function of the others; break that in 40 rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3))
    X[:, 2] = relation(X[:, 0], X[:, 1]) + 0.05 * rng.normal(size=n_rows)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = np.ones(n_rows)
    y[:40] = -1
    # The column keeps its distribution: each value alone is normal.
    X[:40, 2] = rng.permutation(X[:, 2])[:40]
    return X, y


def test_check_estimator_with_an_additive_model():
    detector = RegressionResidual(model="additive", max_epochs=2, random_state=0)
    results = check_estimator(detector, on_fail=None, on_skip=None)
    assert len(results) > 40
    assert [r["check_name"] for r in results if r["status"] != "passed"] == []


RELATIONS = {
    "linear": lambda a, b: a - b,
    "additive": lambda a, b: a**2 - np.abs(b),
    "mlp": lambda a, b: 2 * a * b,
}


def test_each_model_finds_the_relations_that_it_can_express():
    pairs = [
        ("linear", "linear"),
        ("additive", "linear"),
        ("additive", "additive"),
        ("linear", "additive"),
        ("mlp", "mlp"),
        ("additive", "mlp"),
    ]

    def values(seed):
        found = []
        for model, relation in pairs:
            X, y = make_related(RELATIONS[relation], seed, n_rows=400)
            detector = RegressionResidual(model=model, max_epochs=30, batch_size=32)
            found.append(auroc(detector.set_params(random_state=seed), X, y))
        return found

    found = dict(zip(pairs, mean_over_seeds(values), strict=True))
    # A model that finds no relation has an AUROC of about 0.5.
    assert found["linear", "linear"] > 0.7
    assert found["additive", "linear"] > 0.7
    assert found["additive", "additive"] > found["linear", "additive"] + 0.1
    assert found["mlp", "mlp"] > found["additive", "mlp"] + 0.1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n_features", [1, 2, 16, 35])
def test_a_prediction_never_depends_on_its_feature(model, n_features):
    X = make_rows(64, n_features)
    detector = RegressionResidual(model=model, max_epochs=2, random_state=0).fit(X)
    before = detector.reconstruct(X)
    for feature in range(0, n_features, 7):
        changed = X.copy()
        changed[:, feature] = 1e6 * changed[::-1, feature]
        after = detector.reconstruct(changed)
        np.testing.assert_array_equal(after[:, feature], before[:, feature])
        others = np.arange(n_features) != feature
        assert (after != before)[:, others].any(axis=0).all()


@pytest.mark.parametrize("hidden_dims", [(7,), (7, 5), (7, 5, 6)])
def test_all_features_at_once_are_one_at_a_time(hidden_dims):
    torch.manual_seed(0)
    network = MaskedPredictor(20, hidden_dims, dropout=0.5).eval()
    x = torch.randn(1500, 20)
    with torch.no_grad():
        together = network(x)
        for feature in range(20):
            hidden = torch.zeros_like(x)
            hidden[:, feature] = 1
            alone = network.predict_hidden(x, hidden)[:, feature]
            torch.testing.assert_close(together[:, feature], alone)


@pytest.mark.parametrize("mask_rate", [0.0, 0.6])
def test_training_hides_a_feature_and_a_share_of_the_others(mask_rate):
    torch.manual_seed(0)
    x = torch.randn(4000, 11)
    network = MaskedPredictor(11, (8,), mask_rate=mask_rate).train()
    prediction, hidden = network(x)
    assert set(hidden.unique().tolist()) == {0, 1}
    n_hidden = hidden.sum(dim=1)
    assert n_hidden.min() == 1
    assert n_hidden.mean().item() == pytest.approx(1 + 10 * mask_rate / 2, abs=0.1)
    assert n_hidden.max() == 1 or n_hidden.max() > 6
    # What is hidden changes nothing.
    torch.testing.assert_close(network.predict_hidden(x + 99 * hidden, hidden), prediction)


def test_only_hidden_features_count_in_the_loss():
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    prediction = torch.zeros(2, 3)
    hidden = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    loss = ResidualLoss()
    assert loss((prediction, hidden), x).item() == pytest.approx((1 + 36) / 2)
    assert loss(prediction, x).item() == pytest.approx(91 / 6)


@pytest.mark.parametrize("model", ["additive", "linear"])
def test_contributions_add_up_to_predictions(model):
    X = make_rows(200, 6)
    detector = RegressionResidual(model=model, max_epochs=20, random_state=0).fit(X)
    contributions = detector.contributions(X)
    assert contributions.shape == (200, 6, 6)
    assert contributions.dtype == np.float32
    total = detector.intercept_ + contributions.sum(axis=2)
    np.testing.assert_allclose(total, detector.reconstruct(X), atol=1e-5)
    np.testing.assert_allclose(contributions.mean(axis=0), 0, atol=1e-5)
    own = np.arange(6)
    assert (contributions[:, own, own] == 0).all()
    assert np.abs(contributions).max() > 0.2


@pytest.mark.parametrize("model", ["additive", "linear"])
def test_a_contribution_depends_on_its_input_alone(model):
    X = make_rows(80, 4)
    detector = RegressionResidual(model=model, max_epochs=5, random_state=0).fit(X)
    before = detector.contributions(X)
    X[:, [0, 1, 3]] += 1
    after = detector.contributions(X)
    np.testing.assert_array_equal(after[:, :, 2], before[:, :, 2])
    assert not np.array_equal(after[:, 2], before[:, 2])


def test_contributions_of_a_linear_model_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)) + 0.5 * rng.normal(size=(300, 3))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    detector = RegressionResidual(model="linear", max_epochs=100, batch_size=60, lr=5e-3)
    found = detector.set_params(random_state=0).fit(X).contributions(X)
    expected = np.zeros_like(found)
    for target in range(3):
        others = np.arange(3) != target
        line = LinearRegression().fit(X[:, others], X[:, target])
        expected[:, target, others] = line.coef_ * X[:, others]
    assert np.abs(found - expected).mean() < 0.2 * np.abs(expected).mean()


def test_additive_contributions_have_the_shape_of_the_relation():
    X, _ = make_related(lambda a, b: a**2, 0)
    detector = RegressionResidual(model="additive", max_epochs=40, batch_size=32)
    contributions = detector.set_params(random_state=0).fit(X[40:]).contributions(X[40:])[:, 2]
    square = X[40:, 0] ** 2
    # The correlation of a linear contribution would be about 0.
    assert np.corrcoef(contributions[:, 0], square)[0, 1] > 0.8
    assert contributions[:, 1].std() < 0.3 * contributions[:, 0].std()


def test_no_contributions_to_a_prediction_that_is_no_sum():
    detector = RegressionResidual(max_epochs=1).fit(make_rows(20))
    assert not hasattr(detector, "contributions")
    with pytest.raises(AttributeError, match=r"Fit it with model='additive' or 'linear'"):
        _ = detector.intercept_
    assert hasattr(RegressionResidual(model="additive"), "contributions")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("errors", ["absolute", "squared"])
def test_scores_are_means_of_standardized_residuals(model, errors):
    X = make_rows(150)
    detector = RegressionResidual(model=model, errors=errors, max_epochs=3, random_state=0)
    residuals = np.abs(X - detector.fit(X).reconstruct(X))
    power, floor = (1, 1e-2) if errors == "absolute" else (2, 1e-4)
    scales = (residuals**power).mean(axis=0) + floor
    terms = residuals**power / scales / X.shape[1]
    np.testing.assert_allclose(detector.score_samples(X), -terms.sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(detector.explain(X), terms, rtol=1e-3, atol=1e-6)
    plain = detector.set_params(standardize_errors=False).fit(X)
    expected = -(residuals**power).mean(axis=1)
    np.testing.assert_allclose(plain.score_samples(X), expected, rtol=1e-4)


def test_standardized_errors_see_past_features_that_nothing_predicts():
    def errors(seed):
        X, y = make_planted(seed=seed)
        noise = np.random.default_rng(seed).normal(size=(len(X), 12))
        X = np.column_stack([X, noise]).astype(np.float32)
        detector = RegressionResidual(hidden_dims=(32, 32), max_epochs=40, random_state=seed)
        return [
            1 - auroc(detector.set_params(standardize_errors=standardize), X, y)
            for standardize in (False, True)
        ]

    plain, standardized = mean_over_seeds(errors)
    assert standardized < 0.8 * plain


def test_explain_names_the_broken_column():
    def shares(seed):
        X = make_rows(400, 6, seed=seed)
        detector = RegressionResidual(max_epochs=60, random_state=seed).fit(X[:300])
        found = []
        for column in range(6):
            broken = X[300:].copy()
            broken[:, column] += 4
            contributions = detector.explain(broken)
            np.testing.assert_allclose(
                contributions.sum(axis=1), -detector.score_samples(broken), rtol=1e-6
            )
            found.append(
                [
                    (contributions.argmax(axis=1) == column).mean(),
                    (detector.predict(broken) == -1).mean(),
                ]
            )
        return *np.mean(found, axis=0), (detector.predict(X[300:]) == -1).mean()

    named, flagged, flagged_if_whole = mean_over_seeds(shares)
    # A name drawn at random is right in a sixth of the rows.
    assert named > 0.7
    assert flagged > flagged_if_whole + 0.5


@pytest.mark.parametrize("model", MODELS)
def test_one_column_is_compared_with_a_constant(model):
    X = np.random.default_rng(0).normal(0.5, 1, size=(200, 1))
    detector = RegressionResidual(model=model, max_epochs=100, lr=2e-2, random_state=0).fit(X)
    constant = detector.reconstruct(X)
    assert (constant == constant[0]).all()
    assert constant[0, 0] == pytest.approx(X.mean(), abs=0.1)
    distances = np.abs(X - constant).ravel()
    assert roc_auc_score(distances > 1, -detector.score_samples(X)) == 1


@pytest.mark.parametrize(
    ("model", "hidden_dims", "shapes"),
    [
        ("mlp", "auto", [(128, 3), (128, 128), (3, 128)]),
        ("mlp", (4,), [(4, 3), (3, 4)]),
        ("additive", "auto", [(3, 8, 3), (3, 1, 32), (3, 32, 8)]),
        ("additive", (4,), [(3, 4, 3), (3, 1, 4)]),
        ("linear", (4,), [(3, 1, 3)]),
    ],
)
def test_hidden_dims(model, hidden_dims, shapes):
    detector = RegressionResidual(model=model, hidden_dims=hidden_dims, max_epochs=1)
    module = detector.fit(make_rows(20, 3)).net_.module_
    found = [tuple(p.shape) for name, p in module.named_parameters() if "weight" in name]
    assert sorted(set(found)) == sorted(set(shapes))


@pytest.mark.parametrize("model", ["mlp", "additive"])
def test_no_hidden_dims(model):
    with pytest.raises(ValueError, match=r"For a linear model set model='linear'"):
        RegressionResidual(model=model, hidden_dims=()).fit(make_rows(20))


def test_large_blocks_are_those_of_small_ones():
    torch.manual_seed(0)
    x = torch.randn(2500, 12)
    for network in (AdditivePredictor(12, (6, 4)), MaskedPredictor(12, (6, 4))):
        network.eval()
        parts = torch.cat([network(part) for part in x.split(500)])
        torch.testing.assert_close(network(x), parts)


class Halves(torch.nn.Module):
    """Predict each half of the features from the other one."""

    def __init__(self, n_features):
        super().__init__()
        self.layer = torch.nn.Linear(n_features // 2, n_features // 2)

    def forward(self, x):
        first, second = x.chunk(2, dim=1)
        return torch.cat([self.layer(second), self.layer(first)], dim=1)


def test_module_of_ones_own():
    X = make_rows(60, 4)
    detector = RegressionResidual(module=Halves, max_epochs=2, random_state=0).fit(X)
    assert detector.reconstruct(X).shape == X.shape
    assert not hasattr(detector, "contributions")
