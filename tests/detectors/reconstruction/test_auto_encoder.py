import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import auroc, mean_over_seeds

from skdeepanomaly import AutoEncoder

SMALL = {"hidden_dims": (32,), "batch_size": 64, "lr": 5e-3}


def test_a_code_as_wide_as_the_sheet_is_enough():
    def errors(seed):
        X, y = make_planted(seed=seed)
        return [
            1
            - auroc(AutoEncoder(latent_dim=k, max_epochs=25, random_state=seed, **SMALL), X, y)
            for k in (1, 2)
        ]

    narrow, right = mean_over_seeds(errors)
    assert right < 0.7 * narrow


def test_standardized_errors_see_past_noisy_features():
    def errors(seed):
        X, y = make_planted(seed=seed)
        noise = np.random.default_rng(seed).normal(size=(len(X), 12))
        X = np.column_stack([X, noise]).astype(np.float32)
        detector = AutoEncoder(latent_dim=3, max_epochs=25, random_state=seed, **SMALL)
        return [
            1 - auroc(detector.set_params(standardize_errors=standardize), X, y)
            for standardize in (False, True)
        ]

    plain, standardized = mean_over_seeds(errors)
    assert standardized < 0.8 * plain


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
        detector = AutoEncoder(
            max_epochs=20, optimizer__weight_decay=decay, random_state=0, **SMALL
        )
        parameters = detector.fit(X).net_.module_.parameters()
        return sum(p.square().sum().item() for p in parameters)

    assert norm(0.1) < 0.5 * norm(0.0)


@pytest.mark.parametrize("hidden_dims", [(0,), (1.5,), ("a",)])
def test_bad_hidden_dims(hidden_dims):
    with pytest.raises(ValueError, match="hidden_dims must hold positive integers"):
        AutoEncoder(hidden_dims=hidden_dims).fit(make_rows(20))
