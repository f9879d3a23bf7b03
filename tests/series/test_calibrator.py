"""Alarms where scores set a record."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from test_common import failed_checks
from test_sliding_window import ROWS_ARE_INDEPENDENT, make_sine

from skdeepanomaly import ScoreCalibrator, SlidingWindowDetector, UnivariateDetector
from skdeepanomaly.series._calibrator import record_before, smoothed

# predict is about what follows the training series.
CONTINUES = {"check_outliers_fit_predict", "check_outliers_train"}


def test_check_estimator():
    failed = failed_checks(ScoreCalibrator(UnivariateDetector()))
    assert set(failed) <= ROWS_ARE_INDEPENDENT | CONTINUES


@pytest.mark.parametrize("length", [1, 2, 3, 8, 90])
def test_records_and_means_by_hand(length):
    values = np.random.default_rng(0).normal(size=57)
    records = [values[0]] + [values[max(0, i - length) : i].max() for i in range(1, 57)]
    np.testing.assert_array_equal(record_before(values, length), records)
    means = [values[max(0, i - length + 1) : i + 1].mean() for i in range(57)]
    np.testing.assert_allclose(smoothed(values, length), means)


def test_score_by_hand():
    X = np.random.default_rng(0).normal(size=(400, 1))
    detector = ScoreCalibrator(UnivariateDetector(), reference=50, smoothing=3, cooldown=10)
    scores = detector.fit(X[:200]).score_samples(X[200:])
    anomaly = -detector.detector_.score_samples(X)
    means = np.array([anomaly[i - 2 : i + 1].mean() for i in range(2, 400)])
    expected = np.array([np.log(means[i - 50 : i].max() / means[i]) for i in range(198, 398)])
    quiet = 0
    for i in np.flatnonzero(expected < 0):
        if i < quiet:
            expected[i] = 0
        else:
            quiet = i + 11
    np.testing.assert_allclose(scores, expected, atol=1e-12)
    np.testing.assert_array_equal(detector.predict(X[200:]), np.where(expected < 0, -1, 1))
    assert (expected < 0).sum() >= 2


def test_causal_and_quiet_after_an_alarm():
    X = np.random.default_rng(0).normal(size=(3000, 1))
    X[2500:2510] += 8
    X[2900:2905] += 60
    detector = ScoreCalibrator(UnivariateDetector()).fit(X[:2000])
    alarms = np.flatnonzero(detector.predict(X[2000:]) == -1)
    # Noise sets a record about once in 2,000 time stamps.
    assert len(alarms) <= 4
    assert {500, 900} <= set(alarms.tolist())
    assert np.diff(alarms).min() > 100
    changed = X[2000:].copy()
    changed[400:] *= 5
    np.testing.assert_array_equal(
        detector.score_samples(changed)[:400], detector.score_samples(X[2000:])[:400]
    )


def test_fewer_false_alarms_than_a_quantile_where_noise_grows():
    alarms = {"quantile": [], "records": []}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(4000, 1))
        X[2000:] *= 3
        plain = UnivariateDetector(contamination=0.002).fit(X[:1000])
        alarms["quantile"].append((plain.predict(X[1000:]) == -1).sum())
        records = ScoreCalibrator(UnivariateDetector()).fit(X[:1000])
        alarms["records"].append((records.predict(X[1000:]) == -1).sum())
    assert 10 * np.mean(alarms["records"]) < np.mean(alarms["quantile"])


def test_around_scores_of_any_sign_and_several_series():
    X = make_sine(500)
    negative = ScoreCalibrator(IsolationForest(random_state=0)).fit(X)
    assert negative.shift_ == 0
    below = ScoreCalibrator(UnivariateDetector(rule="iqr")).fit(X)
    assert below.shift_ > 0
    assert np.isfinite(below.score_samples(X)).all()
    windows = SlidingWindowDetector(UnivariateDetector(), window=5)
    detector = ScoreCalibrator(windows).fit([X, X[:50]])
    scores = detector.score_samples([X, X[:50]])
    assert [len(one) for one in scores] == [500, 50]
    np.testing.assert_array_equal(detector.score_samples(X[:50]), scores[1])
    assert [len(one) for one in detector.predict([X, X[:50]])] == [500, 50]
    assert [len(one) for one in detector.decision_function([X, X[:50]])] == [500, 50]


def test_extreme_scores():
    X = np.random.default_rng(0).normal(size=(200, 1))
    detector = ScoreCalibrator(UnivariateDetector(), cooldown=0).fit(X)
    new = np.array([[1e308], [0.0], [0.0], [1e308], [0.0]])
    scores = detector.score_samples(new)
    assert np.isfinite(scores).all()
    assert detector.predict(new)[0] == -1
    constant = ScoreCalibrator(UnivariateDetector()).fit(np.zeros((50, 1)))
    assert np.isfinite(constant.score_samples(np.zeros((9, 1)))).all()
    assert (constant.predict(np.zeros((9, 1))) == 1).all()
