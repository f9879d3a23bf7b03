import numpy as np
import pytest
import torch
from conftest import make_planted, make_rays, make_rows
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.svm import OneClassSVM
from torch import nn

from skdeepanomaly import DeepOneClassSVM
from skdeepanomaly.detectors.one_class import OneClassSVMLoss


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


def small(**params):
    """Make a detector that fits in a fraction of a second."""
    return DeepOneClassSVM(
        **{"latent_dim": 64, "hidden_dims": (64,), "random_state": 0, **params}
    )


@pytest.mark.parametrize("seed", range(3))
def test_planted_anomalies_rank_first(seed):
    X, y = make_planted(seed=seed)
    assert auroc(small(random_state=seed), X, y) > 0.9


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

    X, _ = make_planted(n_inliers=400, n_outliers=100)
    gamma = 2.0 / X.var(axis=0).sum()
    exact = OneClassSVM(gamma=gamma, nu=0.2).fit(X).score_samples(X)
    detector = DeepOneClassSVM(
        module=Identity(), n_fourier_features=1024, nu=0.2, max_epochs=150, random_state=0
    )
    assert spearmanr(detector.fit(X).score_samples(X), exact).statistic > 0.97


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
    assert errors[4096] < 0.3 * errors[256] < 0.1 * errors[16]
    assert errors[4096] < 0.01


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
    X = make_rows(300)
    errors = [
        np.square(small(alpha=alpha, max_epochs=40).fit(X).reconstruct(X) - X).mean()
        for alpha in (0.01, 10)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_scores_fall_without_end_on_the_way_out():
    X = make_rows(300)
    detector = small(max_epochs=5).fit(X)
    rays = make_rays(X)
    scores = detector.score_samples(rays.reshape(-1, 5)).reshape(rays.shape[:2])
    assert (np.diff(scores, axis=1) < 0).all()
    assert scores.max() < detector.score_samples(X).min()


def test_codes_and_reconstructions_have_their_shapes():
    X = make_rows(50)
    detector = small(latent_dim=7, max_epochs=2).fit(X)
    assert detector.encode(X).shape == (50, 7)
    assert detector.reconstruct(X).shape == X.shape


@pytest.mark.parametrize("output", ["row", "flat codes", "short reconstructions"])
def test_modules_that_give_no_pair_are_refused(output):
    class Wrong(nn.Linear):
        def __init__(self, n_features):
            super().__init__(n_features, n_features)

        def forward(self, x):
            row = super().forward(x)
            return {
                "row": row,
                "flat codes": (row[:, 0], row),
                "short reconstructions": (row, row[:, 1:]),
            }[output]

    with pytest.raises(ValueError, match="The module returned"):
        DeepOneClassSVM(module=Wrong).fit(make_rows(20))
