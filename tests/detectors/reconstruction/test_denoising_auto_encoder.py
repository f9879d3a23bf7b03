import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds

from skdeepanomaly import AutoEncoder, DenoisingAutoEncoder
from skdeepanomaly.detectors.reconstruction import DenoisingLoss

NO_CORRUPTION = {"noise_std": 0, "masking_rate": 0, "n_corruptions": 0}


def test_corruption_teaches_to_remove_noise():
    """If the code is as wide as the row, a plain auto-encoder reproduces the noise."""

    def errors(seed):
        rng = np.random.default_rng(seed)
        corners = rng.choice([-1.0, 1.0], size=(300, 2))
        X = (corners + 0.1 * rng.normal(size=corners.shape)).astype(np.float32)
        noisy = X + 0.4 * rng.normal(size=X.shape)
        found = []
        for params in ({"noise_std": (0.05, 0.8)}, NO_CORRUPTION):
            detector = DenoisingAutoEncoder(
                hidden_dims=(32, 32), latent_dim=2, max_epochs=50, batch_size=64, lr=5e-3
            )
            rebuilt = detector.set_params(random_state=seed, **params).fit(X).reconstruct(noisy)
            found.append(np.mean((rebuilt - X) ** 2))
        return found

    with_, without = mean_over_seeds(errors)
    assert with_ < 0.6 * without


def test_without_corruption_it_is_the_auto_encoder():
    X = make_rows(100)
    common = {"latent_dim": 3, "max_epochs": 3, "random_state": 0}
    denoising = DenoisingAutoEncoder(**common, **NO_CORRUPTION).fit(X)
    plain = AutoEncoder(**common).fit(X)
    np.testing.assert_array_equal(denoising.score_samples(X), plain.score_samples(X))


class Recorder(torch.nn.Linear):
    """A module that keeps what it was given in training and in evaluation."""

    def __init__(self, n_features):
        super().__init__(n_features, n_features)
        self.given = {True: [], False: []}

    def forward(self, x):
        self.given[self.training].append(x.detach().clone())
        return super().forward(x)


def test_training_rows_are_corrupted_and_the_target_is_clean():
    row = torch.arange(5.0)
    X = row.expand(40, 5).numpy()
    # A learning rate that changes nothing.
    detector = DenoisingAutoEncoder(
        module=Recorder, n_corruptions=0, max_epochs=1, lr=1e-12, random_state=0
    ).fit(X)
    module = detector.net_.module_
    (corrupted,) = module.given[True]
    assert (corrupted != row).all()
    loss = (module(corrupted) - row).square().mean().item()
    assert detector.history_[0, "train_loss"] == pytest.approx(loss, rel=1e-5)


def test_validation_rows_are_not_corrupted():
    X = make_rows(64)
    detector = DenoisingAutoEncoder(module=Recorder, max_epochs=1, train_split=0.5)
    clean = detector.fit(X).net_.module_.given[False][0]
    assert {tuple(row) for row in clean.numpy()} <= {tuple(row) for row in X}


def test_noise_levels_are_drawn_for_each_row():
    torch.manual_seed(0)
    x = torch.zeros(4000, 500)
    levels = DenoisingLoss(noise_std=(0.1, 1.0)).corrupt(x).std(dim=1)
    assert levels.min() == pytest.approx(0.1, rel=0.15)
    assert levels.max() == pytest.approx(1.0, rel=0.15)
    # Evenly on a logarithmic scale.
    assert levels.log10().mean() == pytest.approx(-0.5, abs=0.02)
    fixed = DenoisingLoss(noise_std=(0.3, 0.3)).corrupt(x).std(dim=1)
    assert fixed.min() > 0.25
    assert fixed.max() < 0.35


def test_masking_rate_may_differ_between_features():
    torch.manual_seed(0)
    x = torch.ones(5000, 3)
    loss = DenoisingLoss(noise_std=(0.0, 0.0), masking_rate=[0.0, 0.2, 0.9])
    masked = (loss.corrupt(x) == 0).float().mean(dim=0)
    np.testing.assert_allclose(masked, [0.0, 0.2, 0.9], atol=0.02)
    loss.draw_corruptions(5000, 3)
    np.testing.assert_allclose(1 - loss.kept.mean(dim=0), [0.0, 0.2, 0.9], atol=0.02)


def test_score_is_the_mean_over_the_drawn_corruptions():
    X = make_rows(200)
    detector = DenoisingAutoEncoder(
        n_corruptions=3, masking_rate=0.2, max_epochs=2, random_state=0
    ).fit(X)
    module, loss = detector.net_.module_, detector.net_.criterion_
    expected = np.zeros(len(X))
    for noise, kept in zip(loss.noises, loss.kept, strict=True):
        with torch.no_grad():
            rebuilt = module((torch.from_numpy(X) + noise) * kept).numpy()
        errors = (rebuilt - X) ** 2
        expected -= (errors / (errors.mean(axis=0) + 1e-4)).mean(axis=1) / 3
    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-4)
    np.testing.assert_allclose(detector.explain(X).sum(axis=1), -expected, rtol=1e-4)
    # The drawn noises span the range of levels.
    assert loss.noises.shape == (3, 5)
    assert loss.noises[0].abs().max() < 0.5 < loss.noises[2].abs().max()


@pytest.mark.parametrize(
    "noise_std", [(1.0, 0.1), (-0.1, 1.0), (0.1, 0.2, 0.3), [], ("a", 1), [[1], [1, 2]], [None]]
)
def test_bad_noise_std(noise_std):
    with pytest.raises(ValueError, match=r"noise_std must (be|hold)"):
        DenoisingAutoEncoder(noise_std=noise_std).fit(make_rows(20))


@pytest.mark.parametrize("masking_rate", [[0.1, 0.2], [0.1, 0.2, 0.3, 0.4, 1.0], [-0.1] * 5])
def test_masking_rate_out_of_range(masking_rate):
    with pytest.raises(ValueError, match=r"masking_rate must be a number in \[0, 1\), or 5"):
        DenoisingAutoEncoder(masking_rate=masking_rate).fit(make_rows(20))


@pytest.mark.parametrize("masking_rate", [["a"] * 5, [[0.1], [0.1, 0.2]]])
def test_masking_rate_without_numbers(masking_rate):
    with pytest.raises(ValueError, match=r"masking_rate must hold numbers, got \["):
        DenoisingAutoEncoder(masking_rate=masking_rate).fit(make_rows(20))
