import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import roc_auc_score

from skdeepanomaly import AutoEncoder


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


@pytest.mark.parametrize("params", [{}, {"tied": True}, {"activation": "tanh"}])
def test_planted_anomalies_rank_first(params):
    X, y = make_planted()
    assert auroc(AutoEncoder(max_epochs=150, random_state=0, **params), X, y) > 0.9


def test_a_code_as_wide_as_the_sheet_is_enough():
    X, y = make_planted()
    narrow, right = (
        auroc(AutoEncoder(latent_dim=k, max_epochs=150, random_state=0), X, y) for k in (1, 2)
    )
    assert right > narrow


@pytest.mark.parametrize("seed", range(3))
def test_standardized_errors_see_past_noisy_features(seed):
    X, y = make_planted(seed=seed)
    noise = np.random.default_rng(seed).normal(size=(len(X), 6))
    X = np.column_stack([X, noise]).astype(np.float32)
    plain, standardized = (
        auroc(
            AutoEncoder(latent_dim=3, max_epochs=100, standardize_errors=s, random_state=seed),
            X,
            y,
        )
        for s in (False, True)
    )
    assert standardized > plain + 0.02


def test_variances_are_the_mean_squared_errors_of_the_training_rows():
    X = make_rows(300)
    detector = AutoEncoder(max_epochs=2, random_state=0).fit(X)
    with torch.no_grad():
        errors = (detector.net_.module_(torch.from_numpy(X)).numpy() - X) ** 2
    variances = errors.mean(axis=0) + 1e-4
    np.testing.assert_allclose(detector.net_.criterion_.variances, variances, rtol=1e-4)
    expected = -(errors / variances).mean(axis=1)
    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-4)
    plain = detector.set_params(standardize_errors=False).fit(X)
    np.testing.assert_allclose(plain.score_samples(X), -errors.mean(axis=1), rtol=1e-4)


def test_output_activation_bounds_the_reconstruction():
    X = make_rows(100)
    X = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    detector = AutoEncoder(output_activation="sigmoid", max_epochs=3, random_state=0).fit(X)
    output = detector.net_.module_(torch.full((1, X.shape[1]), 50.0))
    assert 0 <= output.min()
    assert output.max() <= 1


def test_weight_decay_shrinks_the_weights():
    X = make_rows(200)

    def norm(decay):
        detector = AutoEncoder(max_epochs=30, optimizer__weight_decay=decay, random_state=0)
        parameters = detector.fit(X).net_.module_.parameters()
        return sum(p.square().sum().item() for p in parameters)

    assert norm(0.1) < 0.5 * norm(0.0)


@pytest.mark.parametrize(
    ("n_rows", "epochs", "batch_size"), [(100, 100, 100), (5120, 50, 256), (60_000, 10, 256)]
)
def test_auto_takes_about_a_thousand_steps(n_rows, epochs, batch_size):
    detector = AutoEncoder()
    assert detector._resolve_max_epochs(n_rows) == epochs
    assert detector._resolve_batch_size(n_rows) == batch_size


def test_custom_module_gets_what_its_constructor_takes():
    class Deep(torch.nn.Module):
        def __init__(self, n_features, dropout, width=3):
            super().__init__()
            self.dropout, self.width = dropout, width
            self.layer = torch.nn.Linear(n_features, n_features)

        def forward(self, x):
            return self.layer(x)

    detector = AutoEncoder(module=Deep, module__width=7, dropout=0.25, max_epochs=1)
    module = detector.fit(make_rows(20)).net_.module_
    assert (module.dropout, module.width) == (0.25, 7)


class InPlace(torch.nn.Module):
    """A module that overwrites its input."""

    def __init__(self, n_features):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_features)

    def forward(self, x):
        return self.layer(x.clone() if self.training else torch.relu_(x))


def test_modules_that_work_in_place_do_not_change_the_input():
    X = make_rows(9000)
    before = X.copy()
    AutoEncoder(module=InPlace, standardize_errors=False, max_epochs=1).fit(X).predict(X)
    np.testing.assert_array_equal(X, before)


def make_linear(n_features, width=3):
    layers = torch.nn.Linear(n_features, width), torch.nn.Linear(width, n_features)
    return torch.nn.Sequential(*layers)


def test_module_can_be_a_function():
    detector = AutoEncoder(module=make_linear, module__width=2, max_epochs=1)
    assert detector.fit(make_rows(20)).net_.module_[0].out_features == 2


def test_float64_module_is_made_float32():
    X = make_rows(50)
    detector = AutoEncoder(module=torch.nn.Linear(5, 5).double(), max_epochs=1).fit(X)
    assert detector.net_.module_.weight.dtype == torch.float32


def test_output_that_is_no_tensor():
    class Pair(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x), x

    with pytest.raises(ValueError, match="The module returned an output of shape tuple"):
        AutoEncoder(module=Pair(5, 5)).fit(make_rows(20))


@pytest.mark.parametrize("hidden_dims", [(0,), (1.5,), ("a",)])
def test_bad_hidden_dims(hidden_dims):
    with pytest.raises(ValueError, match="hidden_dims must hold positive integers"):
        AutoEncoder(hidden_dims=hidden_dims).fit(make_rows(20))
