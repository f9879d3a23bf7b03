import os

import numpy as np
import pytest
import torch
from conftest import Killed, failing_after
from detectors.effects import mean_over_seeds
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import BackupAndRestore, DenoisingScoreMatching
from skdeepanomaly.detectors.diffusion import ScoreMatchingLoss
from skdeepanomaly.detectors.diffusion._denoising_score_matching import noise_of_features

SMALL = {"hidden_dims": (64,), "batch_size": 64, "max_epochs": 40}


def test_the_network_finds_the_gradient_of_the_density():
    # Of a normal distribution with variance v the noise that is expected in a noised row is
    # known: x s / (v + s^2).
    def measure(seed):
        X = np.random.default_rng(seed).normal(size=(2000, 3)).astype(np.float32)
        X *= np.float32([0.5, 1, 2])
        detector = DenoisingScoreMatching(max_epochs=20, random_state=seed).fit(X)
        noise = detector.net_.criterion_.noise_std.numpy()
        expected = X * noise / (np.float32([0.25, 1, 4]) + noise**2)
        found = detector.net_.module_(torch.from_numpy(X)).detach().numpy()
        return [np.mean((found - expected) ** 2) / np.mean(expected**2)]

    (error,) = mean_over_seeds(measure)
    assert error < 0.15


def test_noise_grows_with_the_kurtosis():
    rng = np.random.default_rng(0)
    heavy = rng.standard_t(3, size=5000)
    X = np.column_stack([rng.normal(size=5000), 10 * rng.normal(size=5000), heavy, heavy * 0])
    noise = noise_of_features(X, 0.5, 0.5)
    deviations = X.std(axis=0)
    np.testing.assert_allclose(noise[:2] / deviations[:2], 0.5, rtol=0.05)
    kurtosis = np.mean((heavy - heavy.mean()) ** 4) / heavy.var() ** 2
    assert noise[2] / deviations[2] == pytest.approx(min(3, 0.5 * np.sqrt(kurtosis / 3)))
    assert noise[3] == pytest.approx(noise[:3].mean())
    np.testing.assert_allclose(noise_of_features(X, 0.5, 0)[:3], deviations[:3] / 2)
    np.testing.assert_allclose(noise_of_features(1e30 * X, 0.5, 0.5), 1e30 * noise)
    # Units of columns may differ by any factor.
    units = np.array([1e-12, 1, 1e12, 1])
    found = noise_of_features(X * units, 0.5, 0.5)
    np.testing.assert_allclose(found[:3], noise[:3] * units[:3])
    assert (noise_of_features(np.full((5, 2), 7.0), 0.5, 0.5) > 0).all()


def test_noise_by_kurtosis_keeps_rare_anomalies_from_being_learned():
    # Anomalies among the training rows make the tails of their columns heavy.
    def measure(seed):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 5))
        X[:18, :2] = 5 + 0.3 * rng.normal(size=(18, 2))
        X = StandardScaler().fit_transform(X)
        y = np.repeat([-1, 1], [18, 582])
        return [
            roc_auc_score(
                y,
                DenoisingScoreMatching(kurtosis_power=power, random_state=seed, **SMALL)
                .fit(X)
                .score_samples(X),
            )
            for power in (0.5, 0.0)
        ]

    grown, equal = mean_over_seeds(measure)
    assert grown > equal + 0.1


def make_contaminated(seed):
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.normal(size=(540, 4)), 4 + 0.5 * rng.normal(size=(60, 4))])
    return X, np.repeat([1, -1], [540, 60])


def test_the_teacher_keeps_anomalies_out_of_the_training():
    def measure(seed):
        X, y = make_contaminated(seed)
        return [
            roc_auc_score(
                y,
                DenoisingScoreMatching(random_state=seed, **params, **SMALL)
                .fit(X)
                .score_samples(X),
            )
            for params in ({"trimmed_fraction": 0.2}, {})
        ]

    trimmed, whole = mean_over_seeds(measure)
    assert trimmed > 0.9
    assert trimmed > whole + 0.1


def test_the_teacher_is_the_moving_average_and_lives_in_training_only():
    criterion = ScoreMatchingLoss(trimmed_fraction=0.5, teacher_decay=0.75)
    module = torch.nn.Linear(2, 2, bias=False)
    criterion.start_teacher(module)
    before = module.weight.detach().clone()
    with torch.no_grad():
        module.weight += 1
    criterion.move_teacher(module)
    torch.testing.assert_close(criterion.teacher.weight, before + 0.25)
    assert not criterion.teacher.weight.requires_grad
    # Half of the rows of a batch are left out, those with the largest steps.
    with torch.no_grad():
        criterion.teacher.weight.copy_(torch.eye(2))
    x = torch.tensor([[0.1, 0], [9.0, 0], [0, -0.2], [0, 7]])
    noised, noise = criterion.draw(x)
    assert sorted(abs(row).sum().item() for row in noised - noise) == pytest.approx([0.1, 0.2])
    assert len(criterion.eval().draw(x)[0]) == 4
    X, _ = make_contaminated(0)
    detector = DenoisingScoreMatching(trimmed_fraction=0.2, random_state=0, **SMALL).fit(X)
    assert detector.net_.criterion_.teacher is None


def test_a_backup_holds_the_teacher(tmp_path, monkeypatch):
    X, _ = make_contaminated(0)
    detector = DenoisingScoreMatching(
        hidden_dims=(16,), trimmed_fraction=0.2, max_epochs=6, batch_size=64, random_state=0
    )
    expected = clone(detector).fit(X).score_samples(X)
    detector.set_params(callbacks=[("backup", BackupAndRestore(tmp_path, every_n_epochs=1))])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_after(3, os.fsync, Killed()))
        with pytest.raises(Killed):
            clone(detector).fit(X)
    assert len(list(tmp_path.glob("*.backup"))) == 1
    resumed = clone(detector).fit(X)
    np.testing.assert_array_equal(resumed.score_samples(X), expected)
