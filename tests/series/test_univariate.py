"""Deviation of single values from the bulk of their column."""

import numpy as np
import pytest
from scipy.stats import zscore
from sklearn.metrics import roc_auc_score
from test_common import failed_checks

from skdeepanomaly import UnivariateDetector

RULES = ["zscore", "mad", "iqr"]
every_rule = pytest.mark.parametrize("rule", RULES)


@every_rule
@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_check_estimator(rule, aggregate):
    assert failed_checks(UnivariateDetector(rule=rule, aggregate=aggregate)) == {}


def test_scores_by_hand():
    X = np.random.default_rng(0).normal(3, 2, size=(101, 4))
    detector = UnivariateDetector(rule="zscore").fit(X)
    np.testing.assert_allclose(detector.score_samples(X), -np.abs(zscore(X)).max(axis=1))
    detector = UnivariateDetector(rule="mad", aggregate="mean").fit(X)
    middle = np.median(X, axis=0)
    deviations = np.abs(X - middle)
    unit = np.median(deviations, axis=0) / 0.6744897501960817
    np.testing.assert_allclose(detector.score_samples(X), -(deviations / unit).mean(axis=1))
    detector = UnivariateDetector(rule="iqr").fit(X)
    low, high = np.quantile(X, [0.25, 0.75], axis=0)
    beyond = np.maximum(low - X, X - high) / (high - low)
    np.testing.assert_allclose(detector.score_samples(X), -beyond.max(axis=1), atol=1e-12)


@every_rule
def test_units_and_places_of_columns_do_not_matter(rule):
    X = np.random.default_rng(0).standard_t(3, size=(200, 3))
    expected = UnivariateDetector(rule=rule).fit(X).score_samples(X)
    Z = X * [1e-12, 1.0, 1e12] + [0, -5, 1e12]
    np.testing.assert_allclose(
        UnivariateDetector(rule=rule).fit(Z).score_samples(Z), expected, rtol=1e-6
    )


@every_rule
def test_contributions_sum_to_the_score(rule):
    X = np.random.default_rng(0).normal(size=(100, 3))
    for aggregate in ("max", "mean"):
        detector = UnivariateDetector(rule=rule, aggregate=aggregate).fit(X)
        contributions = detector.explain(X)
        np.testing.assert_allclose(contributions.sum(axis=1), -detector.score_samples(X))
        odd = detector.explain([[0.0, 0.0, 9.0]])
        assert odd.argmax() == 2
        assert (np.count_nonzero(odd) == 1) == (aggregate == "max")


@every_rule
def test_a_constant_column_and_one_that_is_mostly_zero(rule):
    rng = np.random.default_rng(0)
    amounts = np.where(rng.random(200) < 0.8, 0.0, rng.exponential(size=200))
    X = np.column_stack([np.full(200, 0.1), amounts, rng.normal(size=200)])
    detector = UnivariateDetector(rule=rule, contamination=0.05).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert (detector.predict(X) == -1).mean() <= 0.05
    usual, other, large = X[0].copy(), X[0].copy(), X[0].copy()
    usual[1:] = 0
    other[:] = [0.2, 0, 0]
    large[:] = [0.1, 100, 0]
    np.testing.assert_array_equal(detector.predict([usual, other, large]), [1, -1, -1])


@every_rule
def test_extreme_numbers(rule):
    X = np.random.default_rng(0).normal(size=(50, 2))
    detector = UnivariateDetector(rule=rule, aggregate="mean").fit(X)
    extreme = [[1e308, -1e308], [np.finfo(float).max, 0], [np.finfo(float).min, 0]]
    assert np.isfinite(detector.score_samples(extreme)).all()
    assert (detector.predict(extreme) == -1).all()
    assert np.isfinite(UnivariateDetector(rule=rule).fit(X * 1e300).score_samples(X)).all()


def test_robust_rules_hold_with_many_anomalies():
    gains = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(300, 2)) * [1, 5]
        y = np.arange(300) < 70
        X[y, 0] += 12
        score = {
            rule: roc_auc_score(y, -UnivariateDetector(rule=rule).fit(X).score_samples(X))
            for rule in RULES
        }
        gains.append(min(score["mad"], score["iqr"]) - score["zscore"])
    assert np.mean(gains) > 0.05


@pytest.mark.parametrize("rule", ["zscore", "mad", "iqr"])
@pytest.mark.parametrize("value", [5e-324, 1e-310, -1e-310])
def test_constant_columns_of_subnormal_numbers(rule, value):
    X = np.column_stack([np.full(50, value), np.random.default_rng(0).normal(size=50)])
    detector = UnivariateDetector(rule=rule, contamination="auto").fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.explain(X)).all()
    np.testing.assert_array_equal(detector.predict([[1.0, 0.0]]), [-1])
