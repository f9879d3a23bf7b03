import numpy as np
import pytest
import torch
from conftest import make_kin, make_planted, make_rows
from detectors.effects import mean_over_seeds
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DeepSAD, DeepSVDD
from skdeepanomaly.detectors.semi_supervised import DeepSADLoss

SMALL = {"hidden_dims": (64,), "latent_dim": 32, "pretrain_epochs": 10, "lr": 1e-3}


def test_without_labels_it_is_deep_svdd():
    X, y = make_planted()
    X_train = X[y == 1][::2]
    scores, reference = (
        cls(max_epochs=10, random_state=0, **SMALL).fit(X_train).score_samples(X)
        for cls in (DeepSAD, DeepSVDD)
    )
    assert spearmanr(scores, reference).statistic > 0.95


def test_one_labelled_anomaly_lowers_the_score_of_its_kin():
    def values(seed):
        X, kin, X_test, y_test = make_kin(seed)
        y = np.repeat([0, -1], [len(X), 1])
        X = np.concatenate([X, kin[:1]])
        found = []
        for eta, labels in ((1.0, None), (0.0, y), (1.0, y)):
            detector = DeepSAD(eta=eta, max_epochs=40, random_state=seed, **SMALL)
            found.append(roc_auc_score(y_test, detector.fit(X, labels).score_samples(X_test)))
        return found

    without, ignored, used = mean_over_seeds(values)
    assert used > without + 0.1
    assert used > ignored + 0.1


def test_labelled_normal_rows_raise_the_score_of_their_kin():
    def relative_scores(seed):
        X, kin, _, _ = make_kin(seed)
        y = np.repeat([0, 1], [len(X), 15])
        y[0] = -1
        rows = np.concatenate([X, kin[:15]])
        found = []
        for labels in (np.minimum(y, 0), y):
            detector = DeepSAD(eta=100.0, max_epochs=40, random_state=seed, **SMALL)
            detector.fit(rows, labels)
            found.append(
                detector.score_samples(kin[15:]).mean() / detector.score_samples(X).mean()
            )
        return found

    without, with_ = mean_over_seeds(relative_scores)
    assert with_ < 0.8 * without


def test_scores_are_in_units_of_the_mean_squared_distance():
    X = make_rows(300)
    detector = DeepSAD(max_epochs=1, random_state=0, **{**SMALL, "lr": 1e-12}).fit(X)
    assert detector.score_samples(X).mean() == pytest.approx(-1, rel=1e-3)


def test_known_anomalies_make_up_their_share_of_each_batch():
    def distances(seed):
        X = make_rows(300, seed=seed)
        y = np.where(np.arange(300) < 3, -1, 0)
        found = []
        for share in (None, 0.3):
            detector = DeepSAD(anomaly_share=share, max_epochs=20, random_state=seed, **SMALL)
            found.append(-detector.fit(X, y).score_samples(X[:3]).mean())
        return found

    without, with_ = mean_over_seeds(distances)
    assert with_ > 1.3 * without


def test_loss_by_hand():
    criterion = DeepSADLoss(eta=2.0, eps=0.0)
    criterion.center, criterion.scale = torch.zeros(2), torch.tensor(5.0)
    codes = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 10.0]])
    y = torch.tensor([0.0, 1.0, -1.0])
    # Distances 5, 5 and 20: the first counts once, the others twice, the last inverted.
    assert criterion(codes, codes, y).item() == pytest.approx((5 + 2 * 5 + 2 / 20) / 3)
