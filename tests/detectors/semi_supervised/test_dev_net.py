import numpy as np
import pytest
from conftest import make_kin, make_rows
from detectors.effects import mean_over_seeds, scores_of_the_method
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DevNet

SMALL = {"hidden_dims": (32,), "lr": 3e-3}


def with_known(X, kin, n_known=5):
    """Add known anomalies to rows; return the rows and their labels."""
    return np.concatenate([X, kin[:n_known]]), np.repeat([0, -1], [len(X), n_known])


@pytest.mark.parametrize("n_known", [1, 5])
def test_kin_of_known_anomalies_rank_first(n_known):
    """Compared with the distance from the mean, which sees no labels."""

    def errors(seed):
        X, kin, X_test, y_test = make_kin(seed)
        detector = DevNet(max_epochs=40, random_state=seed, **SMALL)
        detector.fit(*with_known(X, kin, n_known))
        by_distance = -np.linalg.norm(X_test - X.mean(axis=0), axis=1)
        scores = detector.score_samples(X_test), by_distance
        return [1 - roc_auc_score(y_test, values) for values in scores]

    found, by_distance = mean_over_seeds(errors)
    assert found < 0.5 * by_distance


@pytest.mark.parametrize("margin", [2.0, 8.0])
def test_known_anomalies_reach_the_margin_and_normal_rows_stay_at_the_reference(margin):
    def measure(seed):
        X, kin, _, _ = make_kin(seed)
        detector = DevNet(
            margin=margin, two_sided=False, max_epochs=60, random_state=seed, **SMALL
        )
        deviations = -detector.fit(*with_known(X, kin)).score_samples(np.concatenate([X, kin]))
        known, normal = deviations[len(X) : len(X) + 5], deviations[: len(X)]
        return known.min(), np.abs(np.median(normal))

    known, normal = mean_over_seeds(measure)
    assert known > 0.8 * margin
    assert normal < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_rows_far_below_the_reference_are_abnormal_too(seed):
    X, kin, _, _ = make_kin(seed)
    far = X.mean(axis=0) - 20 * (kin.mean(axis=0) - X.mean(axis=0))
    scores = {}
    for two_sided in (False, True):
        detector = DevNet(hidden_dims=(), two_sided=two_sided, max_epochs=40, lr=3e-3)
        detector.set_params(random_state=seed).fit(*with_known(X, kin))
        scores[two_sided] = scores_of_the_method(detector, np.stack([far, *X]))
    assert scores[False][0] > scores[False][1:].max()
    assert scores[True][0] < scores[True][1:].min()


def test_normal_and_unlabelled_rows_are_alike():
    X, y = with_known(*make_kin(0)[:2])
    unlabelled = DevNet(max_epochs=5, random_state=0).fit(X, y)
    normal = DevNet(max_epochs=5, random_state=0).fit(X, np.where(y == 0, 1, y))
    np.testing.assert_array_equal(normal.score_samples(X), unlabelled.score_samples(X))


def test_balanced_batches_learn_of_rare_anomalies_sooner():
    def deviations(seed):
        X, y = with_known(*make_kin(seed)[:2], n_known=1)
        found = []
        for share in (None, 0.5):
            detector = DevNet(
                anomaly_share=share, two_sided=False, max_epochs=20, random_state=seed, **SMALL
            )
            found.append(-detector.fit(X, y).score_samples(X[y == -1])[0])
        return found

    without, with_ = mean_over_seeds(deviations)
    assert with_ > without + 1


def test_reference_is_drawn_from_the_seed():
    X, y = with_known(*make_kin(0)[:2])

    def reference(**params):
        criterion = DevNet(max_epochs=1, **params).fit(X, y).net_.criterion_
        return criterion.reference_mean.item(), criterion.reference_std.item()

    mean, std = reference(random_state=0)
    # Five thousand draws: the bounds are five standard errors.
    assert mean == pytest.approx(0, abs=0.07)
    assert std == pytest.approx(1, abs=0.05)
    assert reference(random_state=0) == (mean, std)
    assert reference(random_state=1) != (mean, std)
    few = [reference(random_state=seed, n_reference_draws=3)[0] for seed in range(5)]
    assert np.std(few) > 0.1


def test_errors():
    X = make_rows(20)
    with pytest.raises(ValueError, match="DevNet requires y to be passed"):
        DevNet().fit(X)
    with pytest.raises(ValueError, match="DevNet needs some anomalies to learn from"):
        DevNet().fit(X, np.zeros(20))
