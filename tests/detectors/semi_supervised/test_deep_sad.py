import numpy as np
import pytest
import torch
from conftest import make_kin, make_planted, make_rows
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DeepSAD, DeepSVDD
from skdeepanomaly.detectors.semi_supervised import DeepSADLoss


def small(seed, **params):
    """Make a detector that is quick to train."""
    return DeepSAD(latent_dim=64, pretrain_epochs=50, random_state=seed, **params)


def test_planted_anomalies_rank_first_without_labels():
    X, y = make_planted()
    detector = DeepSAD(random_state=0).fit(X[y == 1][::2])
    assert roc_auc_score(y, detector.score_samples(X)) > 0.85


def test_without_labels_it_is_deep_svdd():
    X, y = make_planted()
    X_train = X[y == 1][::2]
    scores, reference = (
        cls(pretrain_epochs=50, random_state=0).fit(X_train).score_samples(X)
        for cls in (DeepSAD, DeepSVDD)
    )
    assert spearmanr(scores, reference).statistic > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_one_labelled_anomaly_lowers_the_score_of_its_kin(seed):
    X, kin, X_test, y_test = make_kin(seed)
    y = np.repeat([0, -1], [len(X), 1])
    X = np.concatenate([X, kin[:1]])
    without, ignored, used = (
        roc_auc_score(y_test, small(seed, eta=eta).fit(X, labels).score_samples(X_test))
        for eta, labels in ((1.0, None), (0.0, y), (1.0, y))
    )
    assert used > without + 0.1
    assert used > ignored + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_labelled_normal_rows_raise_the_score_of_their_kin(seed):
    X, kin, _, _ = make_kin(seed)
    y = np.repeat([0, 1], [len(X), 15])
    y[0] = -1
    rows = np.concatenate([X, kin[:15]])
    relative = []
    for labels in (np.minimum(y, 0), y):
        detector = small(seed, eta=100.0).fit(rows, labels)
        relative.append(
            detector.score_samples(kin[15:]).mean() / detector.score_samples(X).mean()
        )
    assert relative[1] < 0.7 * relative[0]


def test_scores_are_in_units_of_the_mean_squared_distance():
    X = make_rows(300)
    detector = small(0, lr=1e-12, max_epochs=1).fit(X)
    assert detector.score_samples(X).mean() == pytest.approx(-1, rel=1e-3)


def test_known_anomalies_make_up_their_share_of_each_batch():
    X = make_rows(300)
    y = np.where(np.arange(300) < 3, -1, 0)
    distances = []
    for share in (None, 0.3):
        detector = small(0, anomaly_share=share, max_epochs=20).fit(X, y)
        distances.append(-detector.score_samples(X[:3]).mean())
    assert distances[1] > 1.5 * distances[0]


def test_loss_by_hand():
    criterion = DeepSADLoss(eta=2.0, eps=0.0)
    criterion.center, criterion.scale = torch.zeros(2), torch.tensor(5.0)
    codes = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 10.0]])
    y = torch.tensor([0.0, 1.0, -1.0])
    # Distances 5, 5 and 20: the first counts once, the others twice, the last inverted.
    assert criterion(codes, codes, y).item() == pytest.approx((5 + 2 * 5 + 2 / 20) / 3)


def test_codes_must_be_two_dimensional():
    module = torch.nn.Sequential(torch.nn.Linear(5, 2), torch.nn.Unflatten(1, (1, 2)))
    with pytest.raises(ValueError, match="DeepSAD needs codes of shape"):
        DeepSAD(module=module, pretrain_epochs=0).fit(make_rows(20))
