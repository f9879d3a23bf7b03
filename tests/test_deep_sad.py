import numpy as np
import pytest
import torch
from conftest import make_kin, make_planted, make_rows
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DeepSAD, DeepSVDD
from skdeepanomaly.losses import DeepSADLoss


def test_planted_anomalies_rank_first_without_labels():
    X, y = make_planted()
    detector = DeepSAD(random_state=0).fit(X[y == 1][::2])
    assert roc_auc_score(y, detector.score_samples(X)) > 0.85


def test_without_labels_it_is_deep_svdd():
    X, y = make_planted()
    X_train = X[y == 1][::2]
    scores, reference = (
        cls(random_state=0).fit(X_train).score_samples(X) for cls in (DeepSAD, DeepSVDD)
    )
    assert spearmanr(scores, reference).statistic > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_one_labelled_anomaly_lowers_the_score_of_its_kin(seed):
    X, kin, X_test, y_test = make_kin(seed)
    y = np.repeat([0, -1], [len(X), 1])
    X = np.concatenate([X, kin[:1]])
    without, ignored, used = (
        roc_auc_score(
            y_test, DeepSAD(eta=eta, random_state=seed).fit(X, labels).score_samples(X_test)
        )
        for eta, labels in ((1.0, None), (0.0, y), (1.0, y))
    )
    assert used > without + 0.1
    assert used > ignored + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_labelled_normal_rows_raise_the_score_of_their_kin(seed):
    X, kin, X_test, y_test = make_kin(seed)
    y = np.repeat([0, 1], [len(X), 5])
    X = np.concatenate([X, kin[:5]])
    unlabelled, labelled = (
        roc_auc_score(
            y_test, DeepSAD(eta=20.0, random_state=seed).fit(X, labels).score_samples(X_test)
        )
        for labels in (np.zeros(len(X)), y)
    )
    assert labelled < unlabelled - 0.05


def test_scores_are_in_units_of_the_mean_squared_distance():
    X = make_rows(300)
    detector = DeepSAD(lr=1e-12, max_epochs=1, random_state=0).fit(X)
    assert detector.score_samples(X).mean() == pytest.approx(-1, rel=1e-3)


def test_known_anomalies_make_up_their_share_of_each_batch():
    X = make_rows(300)
    y = np.where(np.arange(300) < 3, -1, 0)
    distances = []
    for share in (None, 0.3):
        detector = DeepSAD(anomaly_share=share, max_epochs=20, random_state=0).fit(X, y)
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
