import numpy as np
import pytest
import torch
from conftest import make_kin, make_planted, make_rows
from scipy.stats import energy_distance
from sklearn.metrics import roc_auc_score

from skdeepanomaly import SemiSupervisedGAN
from skdeepanomaly.detectors.semi_supervised import SemiSupervisedGANLoss


def outputs(detector, X):
    """Return the discriminator's features and logits of rows."""
    with torch.no_grad():
        features, logits = detector.net_.module_(torch.as_tensor(X, dtype=torch.float32))
    return features.double().numpy(), logits.double().numpy()


def test_planted_anomalies_rank_first_without_labels():
    X, y = make_planted()
    detector = SemiSupervisedGAN(random_state=0).fit(X[y == 1][::2])
    assert roc_auc_score(y, detector.score_samples(X)) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_one_labelled_anomaly_lowers_the_score_of_its_kin(seed):
    X, kin, X_test, y_test = make_kin(seed)
    y = np.repeat([0, -1], [len(X), 1])
    X = np.concatenate([X, kin[:1]])
    without, used = (
        roc_auc_score(
            y_test,
            SemiSupervisedGAN(max_epochs=100, random_state=seed)
            .fit(X, labels)
            .score_samples(X_test),
        )
        for labels in (None, y)
    )
    assert used > without + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_labelled_normal_rows_raise_the_score_of_their_kin(seed):
    X, kin, _, _ = make_kin(seed)
    y = np.repeat([0, -1, 1], [len(X), 5, 10])
    X = np.concatenate([X, kin[:15]])
    scores = []
    for labels in (np.minimum(y, 0), y):
        detector = SemiSupervisedGAN(max_epochs=100, random_state=seed).fit(X, labels)
        scores.append(detector.score_samples(kin[15:]).mean())
    assert scores[1] > scores[0] + 0.2


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_matches_features_and_rows(seed):
    X = make_rows(400, seed=seed)
    gaps, distances = [], []
    for lr in (1e-12, 5e-4):
        detector = SemiSupervisedGAN(lr=lr, optimizer_d__lr=5e-4, random_state=seed)
        made = detector.set_params(max_epochs=60).fit(X).sample(500, random_state=0)
        features = outputs(detector, X)[0]
        gap = outputs(detector, made)[0].mean(axis=0) - features.mean(axis=0)
        gaps.append(np.sum(gap**2) / features.var(axis=0).sum())
        pairs = zip(X.T, made.T, strict=True)
        distances.append(np.mean([energy_distance(real, fake) for real, fake in pairs]))
    assert gaps[1] < 0.3 * gaps[0]
    assert distances[1] < 0.7 * distances[0]


def test_background_makes_rows_far_out_less_real():
    gains = []
    for seed in range(3):
        X = make_rows(400, seed=seed)
        far = 3 * np.random.default_rng(seed).normal(size=(200, 5))
        without, with_background = (
            SemiSupervisedGAN(background_weight=weight, max_epochs=60, random_state=seed).fit(X)
            for weight in (0.0, 1.0)
        )
        real = [
            np.mean(np.logaddexp(*outputs(detector, far)[1].T))
            for detector in (without, with_background)
        ]
        gains.append(real[0] - real[1])
    assert min(gains) > 0
    assert np.mean(gains) > 1


def test_score_by_hand():
    X, kin, _, _ = make_kin(0)
    y = np.repeat([0, -1], [len(X), 20])
    X = np.concatenate([X, kin[:20]])
    detector = SemiSupervisedGAN(alpha=2.0, max_epochs=60, random_state=0).fit(X, y)
    features, logits = outputs(detector, X)
    log_odds = logits[:, 1] - logits[:, 0]
    normal = features[log_odds <= 0]
    # The known anomalies do not count as normal rows.
    assert (log_odds[y == -1] > 0).mean() > 0.8
    covariance = np.cov(normal.T, bias=True)
    ridge = 0.003 * np.diag(covariance).mean() * np.eye(len(covariance))
    whitened = np.linalg.inv(covariance + ridge)
    gaps = features - normal.mean(axis=0)
    distances = np.sum(gaps @ whitened * gaps, axis=1)
    distances /= distances[log_odds <= 0].mean()
    expected = -np.log(distances + 1e-3) - 2.0 * np.logaddexp(0, log_odds)
    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-3, atol=1e-3)


def test_weight_of_the_assumption_that_unlabelled_rows_are_normal():
    X, kin, _, _ = make_kin(0)
    y = np.repeat([0, -1], [len(X), 5])
    X = np.concatenate([X, kin[:5]])
    called = []
    for weight in (0.0, 1.0):
        detector = SemiSupervisedGAN(
            unlabelled_weight=weight, max_epochs=60, random_state=0
        ).fit(X, y)
        logits = outputs(detector, X[y == 0])[1]
        called.append(np.mean(logits[:, 1] > logits[:, 0]))
    assert called[0] > 0.25
    assert called[1] < 0.1


class Identity:
    """A module whose features are the rows, and which makes rows of zeros."""

    latent_dim = 2

    def generate(self, z):
        return torch.zeros(len(z), 2)

    def __call__(self, x):
        return x, x


def test_known_anomalies_are_not_imitated():
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0], [100.0, 100.0]])
    y = torch.tensor([0.0, 1.0, -1.0])
    assert SemiSupervisedGANLoss().generator_loss(Identity(), x, y).item() == 4.0


def test_losses_of_the_generator_by_hand():
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    y = torch.zeros(2)
    matching, fooling = (
        SemiSupervisedGANLoss(feature_matching=matching).generator_loss(Identity(), x, y)
        for matching in (True, False)
    )
    assert matching.item() == 4.0
    # Both logits of a generated row are zero: it is real with probability 2 / 3.
    assert fooling.item() == pytest.approx(np.log(3 / 2))


class Flat(torch.nn.Module):
    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.discriminator, self.generate = torch.nn.Linear(5, 3), torch.nn.Linear(2, 5)

    def forward(self, x):
        return x, self.discriminator(x)


def test_modules_that_do_not_fit():
    X = make_rows(20)
    with pytest.raises(ValueError, match="Linear has no latent_dim, generate"):
        SemiSupervisedGAN(module=torch.nn.Linear(5, 5)).fit(X)
    with pytest.raises(ValueError, match=r"logits of shape \(60, 3\) for 60 rows"):
        SemiSupervisedGAN(module=Flat).fit(X)


def test_betas_are_set_where_the_optimisers_have_them():
    detector = SemiSupervisedGAN(max_epochs=1, optimizer_d=torch.optim.SGD, random_state=0)
    net = detector.fit(make_rows(20)).net_
    assert net.optimizer_.param_groups[0]["betas"] == (0.5, 0.999)
    assert isinstance(net.optimizer_d_, torch.optim.SGD)
