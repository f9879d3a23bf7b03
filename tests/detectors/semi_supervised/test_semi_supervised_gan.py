import numpy as np
import pytest
import torch
from conftest import make_kin, make_rows
from detectors.effects import mean_energy_distance, mean_over_seeds
from sklearn.metrics import roc_auc_score

from skdeepanomaly import SemiSupervisedGAN
from skdeepanomaly.detectors.semi_supervised import SemiSupervisedGANLoss

SMALL = {"hidden_dims": (32,), "lr": 3e-3}


def outputs(detector, X):
    """Return the discriminator's features and logits of rows."""
    with torch.no_grad():
        features, logits = detector.net_.module_(torch.as_tensor(X, dtype=torch.float32))
    return features.double().numpy(), logits.double().numpy()


def test_one_labelled_anomaly_lowers_the_score_of_its_kin():
    def values(seed):
        X, kin, X_test, y_test = make_kin(seed)
        y = np.repeat([0, -1], [len(X), 1])
        X = np.concatenate([X, kin[:1]])
        found = []
        for labels in (None, y):
            detector = SemiSupervisedGAN(max_epochs=25, random_state=seed, **SMALL)
            found.append(roc_auc_score(y_test, detector.fit(X, labels).score_samples(X_test)))
        return found

    without, used = mean_over_seeds(values)
    assert used > without + 0.1


def test_labelled_normal_rows_raise_the_score_of_their_kin():
    def scores(seed):
        X, kin, _, _ = make_kin(seed)
        y = np.repeat([0, -1, 1], [len(X), 5, 10])
        X = np.concatenate([X, kin[:15]])
        found = []
        for labels in (np.minimum(y, 0), y):
            detector = SemiSupervisedGAN(max_epochs=25, random_state=seed, **SMALL)
            found.append(detector.fit(X, labels).score_samples(kin[15:]).mean())
        return found

    without, with_ = mean_over_seeds(scores)
    assert with_ > without + 0.2


def test_the_generator_matches_features_and_rows():
    def measure(seed):
        X = make_rows(300, seed=seed)
        gaps, distances = [], []
        for lr in (1e-12, 3e-3):
            detector = SemiSupervisedGAN(
                hidden_dims=(32,), lr=lr, optimizer_d__lr=3e-3, random_state=seed
            )
            made = detector.set_params(max_epochs=25).fit(X).sample(500, random_state=seed)
            features = outputs(detector, X)[0]
            gap = outputs(detector, made)[0].mean(axis=0) - features.mean(axis=0)
            gaps.append(np.sum(gap**2) / features.var(axis=0).sum())
            distances.append(mean_energy_distance(X, made))
        return gaps, distances

    gaps, distances = mean_over_seeds(measure)
    assert gaps[1] < 0.5 * gaps[0]
    assert distances[1] < 0.8 * distances[0]


def test_background_makes_rows_far_out_less_real():
    def evidence(seed):
        X = make_rows(300, seed=seed)
        far = 3 * np.random.default_rng(seed).normal(size=(200, 5))
        found = []
        for weight in (0.0, 1.0):
            detector = SemiSupervisedGAN(
                background_weight=weight, max_epochs=25, random_state=seed, **SMALL
            ).fit(X)
            found.append(np.mean(np.logaddexp(*outputs(detector, far)[1].T)))
        return found

    without, with_ = mean_over_seeds(evidence)
    assert with_ < without - 1


def test_score_by_hand():
    X, kin, _, _ = make_kin(0)
    y = np.repeat([0, -1], [len(X), 20])
    X = np.concatenate([X, kin[:20]])
    detector = SemiSupervisedGAN(alpha=2.0, max_epochs=25, random_state=0, **SMALL).fit(X, y)
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
    def shares(seed):
        X, kin, _, _ = make_kin(seed)
        y = np.repeat([0, -1], [len(X), 5])
        X = np.concatenate([X, kin[:5]])
        found = []
        for weight in (0.0, 1.0):
            detector = SemiSupervisedGAN(
                unlabelled_weight=weight, max_epochs=25, random_state=seed, **SMALL
            ).fit(X, y)
            logits = outputs(detector, X[y == 0])[1]
            found.append(np.mean(logits[:, 1] > logits[:, 0]))
        return found

    without, with_ = mean_over_seeds(shares)
    assert with_ < without - 0.1


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


@pytest.mark.filterwarnings("ignore:The scales of the columns:UserWarning")
def test_features_may_be_huge():
    X = np.zeros((30, 3))
    X[:, 2] = np.logspace(-24, 24, 30)
    detector = SemiSupervisedGAN(**SMALL, max_epochs=1, random_state=0).fit(X, np.full(30, -1))
    assert np.isfinite(detector.score_samples(X)).all()
