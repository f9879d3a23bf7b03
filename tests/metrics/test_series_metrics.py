"""Metrics of series, beside values of their reference implementations."""

import inspect

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

import skdeepanomaly
from skdeepanomaly import (
    affiliation_score,
    detection_delay,
    nab_score,
    point_adjusted_f1_score,
    range_precision_score,
    range_recall_score,
    vus_pr_score,
    vus_roc_score,
)

T = np.arange(200)
TRUTH = np.ones(200, dtype=int)
TRUTH[40:55] = TRUTH[70:72] = TRUTH[150:170] = -1
SCORES = np.round(np.sin(0.7 * T) + (T % 7) / 3 + 1.5 * np.roll(TRUTH == -1, 3), 1)
LABELS = np.where(SCORES > 2.4, -1, 1)
BY_SCORES = [vus_roc_score, vus_pr_score]
BY_LABELS = [
    affiliation_score,
    detection_delay,
    nab_score,
    point_adjusted_f1_score,
    range_precision_score,
    range_recall_score,
]
flattering = pytest.mark.filterwarnings("ignore:Point adjustment flatters:UserWarning")


# TSB-AD 1.5, basic_metricor.RangeAUC_volume_opt with thre=200, all thresholds.
@pytest.mark.parametrize(
    ("window", "roc", "precision"),
    [
        (0, 0.512491018625988, 0.3460053728734576),
        (1, 0.512491018625988, 0.3460053728734576),
        (10, 0.7652399328927068, 0.5498889296987555),
        (25, 0.8590986161421676, 0.6808905708766482),
    ],
)
def test_volumes_of_the_reference(window, roc, precision):
    assert vus_roc_score(TRUTH, SCORES, window=window) == pytest.approx(roc, abs=1e-12)
    assert vus_pr_score(TRUTH, SCORES, window=window) == pytest.approx(precision, abs=1e-12)


# prts 1.0.0.3, ts_precision and ts_recall with alpha=0.2.
@pytest.mark.parametrize(
    ("bias", "cardinality", "precision", "recall"),
    [
        ("flat", "one", 0.36, 0.3555555555555556),
        ("flat", "reciprocal", 0.36, 0.21111111111111114),
        ("front", "one", 0.368, 0.3304761904761905),
        ("front", "reciprocal", 0.368, 0.20206349206349206),
        ("middle", "one", 0.35555555555555557, 0.39962121212121215),
        ("middle", "reciprocal", 0.35555555555555557, 0.23011363636363638),
        ("back", "one", 0.352, 0.38063492063492066),
        ("back", "reciprocal", 0.352, 0.2201587301587302),
    ],
)
def test_ranges_of_the_reference(bias, cardinality, precision, recall):
    params = {"alpha": 0.2, "bias": bias, "cardinality": cardinality}
    assert range_precision_score(TRUTH, LABELS, **params) == pytest.approx(precision, abs=1e-12)
    assert range_recall_score(TRUTH, LABELS, **params) == pytest.approx(recall, abs=1e-12)


# affiliation-metrics-py, pr_from_events over the range (0, 200).
def test_affiliation_of_the_reference():
    score = affiliation_score(TRUTH, LABELS)
    assert score.precision == pytest.approx(0.7248954802156556, abs=1e-12)
    assert score.recall == pytest.approx(0.9559917371327078, abs=1e-12)
    assert score.f1 == pytest.approx(2 / (1 / score.precision + 1 / score.recall))


# Numenta's sweeper.Sweeper.scoreDataSet, normalised as its runner does.
@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("standard", 42.34393353544692),
        ("reward_low_fp", 19.207855308333592),
        ("reward_low_fn", 50.4515112458535),
    ],
)
def test_nab_of_the_reference(profile, expected):
    assert nab_score(TRUTH, LABELS, profile=profile) == pytest.approx(expected, rel=1e-12)
    windows = np.array([[150, 169], [40, 54], [70, 71]])
    assert nab_score(windows, LABELS, profile=profile) == pytest.approx(expected, rel=1e-12)


def test_without_a_buffer_volumes_are_areas_of_single_time_stamps():
    rng = np.random.default_rng(0)
    truth = np.zeros(300, dtype=int)
    truth[[10, 50, 51, 200]] = 1
    truth[250:260] = 1
    scores = rng.normal(size=300) + truth
    # A range counts by its best time stamp, which a single one is.
    single = truth.copy()
    single[[51, *range(251, 260)]] = 0
    expected = roc_auc_score(single, scores)
    found = vus_roc_score(single, scores, window=0)
    # Recall is multiplied by the share of ranges that are found, which is the same here.
    assert found < expected
    assert vus_pr_score(single, single, window=0) == average_precision_score(single, single)


def test_perfect_and_useless_labels():
    nothing = np.ones(200)
    assert nab_score(TRUTH, nothing) == 0
    starts = nothing.copy()
    starts[[40, 70, 150]] = -1
    assert nab_score(TRUTH, starts) == pytest.approx(100)
    for profile in ("reward_low_fp", "standard"):
        assert nab_score(TRUTH, -nothing, profile=profile) < 0
    assert affiliation_score(TRUTH, TRUTH) == pytest.approx((1, 1, 1))
    score = affiliation_score(TRUTH, nothing)
    assert np.isnan(score.precision)
    assert (score.recall, score.f1) == (0, 0)
    assert range_precision_score(TRUTH, TRUTH) == range_recall_score(TRUTH, TRUTH) == 1
    assert range_precision_score(TRUTH, nothing) == range_recall_score(TRUTH, nothing) == 0
    np.testing.assert_array_equal(detection_delay(TRUTH, TRUTH), [0, 0, 0])
    np.testing.assert_array_equal(detection_delay(TRUTH, nothing), [np.nan] * 3)
    np.testing.assert_array_equal(detection_delay(TRUTH, LABELS), [5, np.nan, 3])


def test_one_threshold_for_several_series():
    quiet = np.ones(300)
    alarm = quiet.copy()
    alarm[250] = -1
    expected = nab_score(TRUTH, LABELS)
    assert nab_score([TRUTH, quiet], [LABELS, quiet]) == pytest.approx(expected)
    # A false alarm far from all windows costs 0.11 of the 2 * 3 that there are to win.
    with_alarm = nab_score([TRUTH, quiet], [LABELS, alarm])
    assert with_alarm == pytest.approx(expected - 100 * 0.11 / 6)
    both = nab_score([TRUTH, TRUTH], [LABELS, np.ones(200)])
    assert both == pytest.approx(expected / 2)
    windows = [np.array([[40, 54], [70, 71], [150, 169]]), np.empty((0, 2), dtype=int)]
    assert nab_score(windows, [LABELS, alarm]) == pytest.approx(with_alarm)


def test_probation_does_not_count():
    early = np.ones(200)
    early[[3, 5]] = -1
    assert nab_score(TRUTH, early) == 0
    assert nab_score(TRUTH, early, probation=0.0) < 0
    truth = np.ones(10_000, dtype=int)
    truth[9_000:9_050] = -1
    labels = np.ones(10_000)
    labels[749] = -1
    assert nab_score(truth, labels) == 0
    labels[750] = -1
    assert nab_score(truth, labels) < 0
    with pytest.raises(ValueError, match="None of the 1 windows"):
        nab_score(np.array([[3, 6]]), np.ones(100))


def test_own_weights_of_positions_and_overlaps():
    truth = np.array([1, -1, -1, -1, -1, 1])
    labels = np.array([1, 1, -1, 1, -1, 1])
    squares = range_recall_score(truth, labels, bias=lambda place, n: place**2)
    assert squares == pytest.approx((4 + 16) / (1 + 4 + 9 + 16))
    assert range_recall_score(truth, labels, cardinality=lambda k: 1 / k**2) == 0.125


def test_random_flags_flatter_by_point_adjustment_only():
    adjusted, volume, plain = [], [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = np.ones(20_000, dtype=int)
        for start in range(1_000, 20_000, 4_000):
            truth[start : start + 700] = -1
        scores = rng.normal(size=20_000)
        labels = np.where(scores > np.quantile(scores, 0.99), -1, 1)
        with pytest.warns(UserWarning, match="Point adjustment flatters"):
            adjusted.append(point_adjusted_f1_score(truth, labels))
        volume.append(vus_pr_score(truth, scores, window=20))
        plain.append(range_recall_score(truth, labels))
    assert np.mean(adjusted) > 0.9
    assert np.mean(volume) < 0.3
    assert np.mean(plain) < 0.05


@pytest.mark.parametrize("metric", BY_SCORES, ids=lambda metric: metric.__name__)
def test_scores_that_are_refused(metric):
    for window in (-1, 2.5, True, "auto"):
        with pytest.raises(ValueError, match="window must be an int of 0 or more"):
            metric(TRUTH, SCORES, window=window)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metric(TRUTH, SCORES[1:], window=3)
    with pytest.raises(ValueError, match="NaN"):
        metric(TRUTH, np.where(T == 3, np.nan, SCORES), window=3)
    with pytest.raises(ValueError, match="no anomalies"):
        metric(np.zeros(200), SCORES, window=3)
    with pytest.raises(ValueError, match=r"2 of 200 time stamps .* not judged"):
        metric(np.where(T < 2, 0, TRUTH), SCORES, window=3)


@flattering
@pytest.mark.parametrize("metric", BY_LABELS, ids=lambda metric: metric.__name__)
def test_labels_that_are_refused(metric):
    with pytest.raises(ValueError, match=r"y_pred must hold -1 .* got \[0, 1\]"):
        metric(TRUTH, 1 * (LABELS == -1))
    with pytest.raises(ValueError, match=r"inconsistent numbers|y_true has 200 time stamps"):
        metric(TRUTH, LABELS[1:])
    with pytest.raises(ValueError, match="no anomalies"):
        metric(np.zeros(200), LABELS)
    with pytest.raises(ValueError, match="no normal rows"):
        metric(-np.ones(200), LABELS)
    with pytest.raises(ValueError, match=r"y_true|0 sample"):
        metric([], [])


def test_parameters_that_are_refused():
    for name, bad in [("alpha", 2), ("bias", "left"), ("cardinality", "many")]:
        with pytest.raises(ValueError, match=f"{name} must be"):
            range_recall_score(TRUTH, LABELS, **{name: bad})
    for name, bad in [("profile", "low"), ("probation", 1.5)]:
        with pytest.raises(ValueError, match=f"{name} must be"):
            nab_score(TRUTH, LABELS, **{name: bad})
    for bad in ([[5, 3]], [[-1, 4]], [[190, 200]], [[1, 9], [9, 12]]):
        with pytest.raises(ValueError, match="Windows must lie apart"):
            nab_score(np.array(bad), LABELS)
    with pytest.raises(ValueError, match="y_true holds 1 series, but y_pred 2"):
        nab_score([TRUTH], [LABELS, LABELS])


@pytest.mark.parametrize("metric", BY_SCORES + BY_LABELS, ids=lambda metric: metric.__name__)
def test_exported_and_documented(metric):
    assert getattr(skdeepanomaly, metric.__name__) is metric
    assert "Examples" in inspect.getdoc(metric)
