"""Numbers of which some are huge."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import make_detector_pipeline
from skdeepanomaly.tables import SoftScaler


def auroc_beside_huge_values(scaler, seed):
    """Return the AUROC of moderate anomalies after training with huge values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(500, 3))
    X[0, 0], X[1, 1] = 1e12, -1e12
    new = np.repeat(rng.normal(size=(50, 3)), 2, axis=0)
    new[1::2, 0] += 8
    pipeline = make_detector_pipeline(LocalOutlierFactor(novelty=True), scaler=scaler).fit(X)
    return roc_auc_score(np.tile([0, 1], 50), -pipeline.score_samples(new))


def test_one_huge_value_does_not_hide_the_others():
    gains = [
        auroc_beside_huge_values("soft", seed)
        - auroc_beside_huge_values(StandardScaler(), seed)
        for seed in range(5)
    ]
    assert np.mean(gains) > 0.25


def columns_of_few_values(rng):
    sparse = np.where(rng.random(400) < 0.85, 0, rng.lognormal(size=400))
    return {
        "mostly zeros": sparse,
        "mostly a constant": np.where(rng.random(400) < 0.7, 40, sparse),
        "two values": (rng.random(400) < 0.1) * 1.0,
        "one other value": (np.arange(400) == 7) * 1.0,
        "constant": np.full(400, 3.0),
        "spread": rng.normal(5, 2, size=400),
        "with gaps": np.where(rng.random(400) < 0.2, np.nan, sparse),
    }


@pytest.mark.parametrize("column", list(columns_of_few_values(np.random.default_rng(0))))
@pytest.mark.parametrize("unit", [1e-30, 1e-3, 100, 1e25])
def test_scaling_does_not_depend_on_the_unit(column, unit):
    values = columns_of_few_values(np.random.default_rng(0))[column][:, None]
    new = np.array([[0.0], [0.5], [3.0], [40.0], [-7.0], [1e5], [np.nan]])
    scaled = SoftScaler().fit(values).transform(new)
    np.testing.assert_allclose(SoftScaler().fit(values * unit).transform(new * unit), scaled)
    # Amounts that differ stay apart, and one far out is far out.
    assert np.isnan(scaled[-1])
    assert scaled[5] - scaled[2] > 5


def test_another_value_than_a_constant_is_as_odd_as_an_unseen_category():
    scaler = SoftScaler().fit(np.full((99, 1), 0.1))
    new = [[0.1], [np.float32(0.1)], [0.2], [-5], [np.nan]]
    expected = [[0], [0], [np.log(100)], [-np.log(100)], [np.nan]]
    np.testing.assert_allclose(scaler.transform(new), expected)


def test_close_numbers_far_from_zero_are_kept_apart():
    seconds = 1.7e9 + np.random.default_rng(0).uniform(0, 60, size=(300, 1))
    scaled = SoftScaler().fit_transform(seconds)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(seconds), atol=1e-6)


def test_scaled_numbers_are_finite():
    X = np.array([[0.0, 1e-300], [0.0, 2e-300], [1e-300, 3e-300], [0.0, 1e-300]])
    scaler = SoftScaler().fit(X)
    assert np.isfinite(scaler.transform([[3e38, 3e38], [-3e38, -3e38]])).all()
