import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import mean_over_seeds
from scipy.stats import spearmanr
from sklearn.svm import OneClassSVM
from torch import nn

from skdeepanomaly import DeepOneClassSVM
from skdeepanomaly.detectors.one_class import OneClassSVMLoss


def small(**params):
    """Make a detector that fits in a fraction of a second."""
    return DeepOneClassSVM(
        **{"latent_dim": 32, "hidden_dims": (32,), "random_state": 0, **params}
    )


@pytest.mark.parametrize("nu", [0.02, 0.1, 0.3, 1.0])
def test_nu_bounds_the_share_outside(nu):
    X = make_rows(500)
    outside = np.mean(small(nu=nu, max_epochs=5).fit(X).score_samples(X) < 0)
    assert nu - 0.01 <= outside <= nu


@pytest.mark.parametrize("nu", [0.05, 0.3])
def test_gradient_descent_alone_leaves_nu_outside(nu):
    codes = torch.from_numpy(make_rows(300))
    criterion = OneClassSVMLoss(nu=nu)
    criterion.initialize(codes)
    optimizer = torch.optim.Adam(criterion.parameters(), lr=2e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=500)
    for _ in range(500):
        optimizer.zero_grad()
        criterion((codes, codes), codes).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        outside = criterion.similarities(codes) < criterion.rho
    assert outside.float().mean().item() == pytest.approx(nu, abs=0.03)


def test_frozen_codes_give_the_scores_of_the_exact_svm():
    class Identity(nn.Module):
        """Codes that are the rows, and one parameter, so that there is one."""

        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x + 0 * self.unused, x + 0 * self.unused

    X, _ = make_planted(n_inliers=240, n_outliers=60)
    gamma = 2.0 / X.var(axis=0).sum()
    exact = OneClassSVM(gamma=gamma, nu=0.2).fit(X).score_samples(X)

    def agreement(seed):
        found = []
        for n_features in (8, 1024):
            detector = DeepOneClassSVM(
                module=Identity(),
                n_fourier_features=n_features,
                nu=0.2,
                max_epochs=50,
                lr=5e-3,
                random_state=seed,
            ).fit(X)
            found.append(spearmanr(detector.score_samples(X), exact).statistic)
        return found

    few, many = mean_over_seeds(agreement)
    assert many > 0.8
    assert many > few + 0.1


def test_features_approximate_the_kernel():
    codes = torch.from_numpy(make_rows(200))
    exact = torch.cdist(codes, codes).square()
    exact = (-1.5 * exact / codes.var(dim=0).sum()).exp()
    errors = {}
    for n_features in (16, 256, 4096):
        torch.manual_seed(0)
        criterion = OneClassSVMLoss(gamma=1.5, n_fourier_features=n_features)
        criterion.initialize(codes)
        features = criterion.fourier_features(codes)
        assert features.shape == (200, n_features)
        errors[n_features] = (features @ features.T - exact).abs().mean().item()
    # The errors fall as the square root of the number of features: by 4 each time.
    assert errors[4096] < 0.5 * errors[256] < 0.25 * errors[16]
    assert errors[4096] < 0.02


def test_the_kernel_follows_the_scale_of_the_codes():
    codes = torch.from_numpy(make_rows(200))
    criterion = OneClassSVMLoss()
    criterion.initialize(codes)
    before = criterion.fourier_features(codes)
    for _ in range(300):
        criterion.follow(100 * codes)
    torch.testing.assert_close(
        criterion.fourier_features(100 * codes), before, atol=1e-2, rtol=0
    )


def test_only_joint_training_lets_the_svm_reach_the_encoder():
    x = torch.from_numpy(make_rows(50))
    for joint in (True, False):
        codes = (2 * x).requires_grad_()
        criterion = OneClassSVMLoss(joint=joint, alpha=0.0)
        criterion.initialize(codes.detach())
        criterion.rho.data.fill_(1.0)
        criterion((codes, x), x).backward()
        assert (codes.grad is not None) == joint
        assert criterion.scaled_normal.grad.abs().sum() > 0


def test_alpha_makes_reconstructions_better():
    def errors(seed):
        X = make_rows(200, seed=seed)
        detectors = (
            small(alpha=alpha, max_epochs=20, batch_size=64, random_state=seed)
            for alpha in (0.01, 10)
        )
        return [np.square(d.fit(X).reconstruct(X) - X).mean() for d in detectors]

    without, with_ = mean_over_seeds(errors)
    assert with_ < 0.7 * without


def test_codes_and_reconstructions_have_their_shapes():
    X = make_rows(50)
    detector = small(latent_dim=7, max_epochs=2).fit(X)
    assert detector.encode(X).shape == (50, 7)
    assert detector.reconstruct(X).shape == X.shape
