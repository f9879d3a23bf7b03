"""ThresholdedDetector and ConformalDetector: thresholds from rows that are held out."""

import copy
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_rows
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags

from skdeepanomaly import (
    AutoEncoder,
    ConformalDetector,
    ConformalThreshold,
    DevNet,
    FixedThreshold,
    GaussianMixtureThreshold,
    MADThreshold,
    QuantileThreshold,
    ThresholdedDetector,
    outlier_scorers,
)
from skdeepanomaly.thresholds import THRESHOLDS

FOREST = IsolationForest(n_estimators=10, random_state=0)


class FirstColumn(OutlierMixin, BaseEstimator):
    """Scores a row by its first column, whatever it was fitted to; counts its fits."""

    fits = []

    def fit(self, X, y=None):
        X = np.reshape(X, (len(X), -1))
        self.fits.append(len(X))
        self.y_ = y
        self.n_features_in_ = np.shape(X)[1]
        self.offset_ = 0.0
        return self

    def score_samples(self, X):
        return np.asarray(X)[:, 0]

    decision_function = score_samples

    def predict(self, X):
        return np.where(self.score_samples(X) < 0, -1, 1)


WRAPPED = {
    "training rows": partial(ThresholdedDetector, calibration_size=None),
    "held out": partial(ThresholdedDetector, calibration_size=0.3, random_state=0),
    "split": partial(ConformalDetector, alpha=0.2, random_state=0),
    "cross": partial(ConformalDetector, cv=3, alpha=0.2, random_state=0),
}


OTHERS = {
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    "OneClassSVM": OneClassSVM(nu=0.1),
    "EllipticEnvelope": EllipticEnvelope(support_fraction=0.9, random_state=0),
    "SGDOneClassSVM": SGDOneClassSVM(random_state=0),
    "IsolationForest": FOREST,
    "pipeline": make_pipeline(
        MaxAbsScaler(),
        Nystroem(n_components=20, random_state=0),
        SGDOneClassSVM(random_state=0),
    ),
}
CONTAINERS = {
    "pandas": lambda X: pd.DataFrame(X, columns=list("abcde"), index=range(100, 250)),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcde")),
    "sparse": csr_matrix,
}


# scikit-learn's LocalOutlierFactor warns of any data frame.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names, but LocalOutlier")
@pytest.mark.parametrize(
    ("name", "container"),
    [
        (name, container)
        for name, detector in OTHERS.items()
        for container in CONTAINERS
        if container != "sparse" or get_tags(detector).input_tags.sparse
    ],
)
@pytest.mark.parametrize("kind", WRAPPED)
def test_other_detectors_and_containers(name, kind, container, rows):
    X = rows.astype(np.float64)
    held = CONTAINERS[container](X)
    wrapped = WRAPPED[kind](OTHERS[name]).fit(held)
    scores = wrapped.decision_function(held)
    np.testing.assert_array_equal(wrapped.predict(held) == -1, scores < 0)
    if container == "sparse":
        # Some detectors find other optima for sparse rows.
        inner = clone(OTHERS[name]).fit(held).score_samples(held)
    else:
        assert list(wrapped.feature_names_in_) == list("abcde")
        expected = WRAPPED[kind](OTHERS[name]).fit(X).decision_function(X)
        # A calibration row ties with itself; rounding may move it by one step. The rule "pot"
        # is an optimum, which rounding moves by about the tolerance of the optimiser.
        step = 1 / wrapped.n_calibration_ if hasattr(wrapped, "pvalues") else 0
        np.testing.assert_allclose(scores, expected, atol=step + 1e-5)
        inner = clone(OTHERS[name]).fit(X).score_samples(X)
    if kind == "training rows":
        np.testing.assert_allclose(wrapped.score_samples(held), inner, atol=1e-9)
        wrapped.set_threshold(QuantileThreshold(0.2))
        assert np.sum(wrapped.predict(held) == -1) == 30


def test_detector_that_cannot_score_new_rows(rows):
    with pytest.raises(AttributeError, match=r"got LocalOutlierFactor\(\).*novelty=True"):
        ThresholdedDetector(LocalOutlierFactor()).fit(rows)


@pytest.mark.parametrize("threshold", ["gaussian_mixture", GaussianMixtureThreshold()], ids=str)
def test_seed_reaches_the_rule(threshold, rows):
    detector = ThresholdedDetector(FOREST, threshold, random_state=0)
    offsets = {clone(detector).fit(rows).offset_ for _ in range(4)}
    offsets.add(detector.fit(rows).set_threshold(threshold).offset_)
    assert len(offsets) == 1


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_thresholds_by_name(threshold, rows):
    detector = ThresholdedDetector(FOREST, threshold, calibration_size=None).fit(rows)
    assert detector.offset_ == detector.threshold_.threshold_
    assert type(detector.threshold_) is THRESHOLDS[threshold]
    # The rule of the detector has a seed, so that it gives the same threshold again.
    rule = clone(detector.threshold_).fit(detector.score_samples(rows))
    assert rule.threshold_ == detector.offset_


def test_default_flags_about_a_twentieth_of_normal_rows():
    shares = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, new = rng.normal(size=(2000, 1)), rng.normal(size=(20_000, 1))
        detector = ThresholdedDetector(FirstColumn(), random_state=seed).fit(X)
        assert len(detector.calibration_scores_) == 600
        shares.append(np.mean(detector.predict(new) == -1))
    # The share of a single calibration set fluctuates by about 0.01.
    assert 0.04 < np.mean(shares) < 0.06


def test_set_threshold_does_not_fit_again(rows):
    FirstColumn.fits.clear()
    detector = ThresholdedDetector(FirstColumn(), calibration_size=50).fit(rows)
    before = copy.deepcopy(detector)
    detector.set_threshold(QuantileThreshold(0.1)).set_threshold("zscore")
    detector.set_threshold(FixedThreshold(-1.5))
    assert FirstColumn.fits == [100]
    assert detector.offset_ == -1.5
    assert detector.threshold.value == -1.5
    np.testing.assert_array_equal(detector.score_samples(rows), before.score_samples(rows))
    offset = detector.offset_
    with pytest.raises(ValueError, match=r"threshold must be one of \['conformal'.*'median'"):
        detector.set_threshold("median")
    with pytest.raises(ValueError, match=r"an object with fit\(scores\).*got 3\."):
        detector.set_threshold(3)
    assert detector.offset_ == offset


def test_nothing_works_unfitted(rows):
    for call in (
        lambda: ThresholdedDetector(FOREST).set_threshold("mad"),
        lambda: ThresholdedDetector(FOREST).predict(rows),
        lambda: ConformalDetector(FOREST).pvalues(rows),
        lambda: ConformalDetector(FOREST).select(rows),
        lambda: MADThreshold().predict([1.0, 2.0]),
    ):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()


def test_threshold_comes_from_rows_held_out():
    X = make_rows(300, 5)
    detector = ThresholdedDetector(FirstColumn(), QuantileThreshold(0.5), calibration_size=0.4)
    FirstColumn.fits.clear()
    detector.fit(X)
    assert FirstColumn.fits == [180]
    assert len(detector.calibration_scores_) == 120
    assert np.isin(detector.calibration_scores_, X[:, 0]).all()
    assert np.sum(detector.calibration_scores_ < detector.offset_) == 60


@pytest.mark.parametrize("kind", WRAPPED)
def test_known_anomalies_do_not_calibrate(kind):
    X, y = np.arange(200.0)[:, None] * [1, 1], np.ones(200)
    y[:60] = -1
    wrapped = WRAPPED[kind](FirstColumn()).fit(X, y)
    scores = np.concatenate([np.ravel(s) for s in wrapped.calibration_scores_], axis=None)
    assert scores.min() >= 60
    assert wrapped.detector_.y_ is not None


def test_training_rows_give_a_threshold_that_flags_too_many_new_rows():
    rates = []
    for seed in range(3):
        X, new = make_rows(80, 20, seed), make_rows(2000, 20, seed + 7)
        deep = AutoEncoder(
            hidden_dims=(128,),
            latent_dim=16,
            max_epochs=60,
            batch_size=16,
            lr=1e-2,
            random_state=seed,
        )
        flagged = [
            ThresholdedDetector(
                deep, QuantileThreshold(0.1), calibration_size=size, random_state=seed
            )
            .fit(X)
            .predict(new)
            == -1
            for size in (None, 0.4)
        ]
        rates.append(np.mean(flagged, axis=1))
    on_training_rows, held_out = np.mean(rates, axis=0)
    assert on_training_rows > held_out + 0.2
    assert held_out < 0.2


@pytest.mark.parametrize("truth", [[0, 1], [False, True]])
@pytest.mark.parametrize("kind", WRAPPED)
def test_labels_that_mark_anomalies_by_one_are_read(kind, truth):
    X = np.arange(200.0)[:, None] * [1, 1]
    signed, marked = np.repeat([-1, 1], [40, 160]), np.repeat(truth[::-1], [40, 160])
    offsets = [
        WRAPPED[kind](FirstColumn()).fit(X, y).decision_function(X) for y in (signed, marked)
    ]
    np.testing.assert_array_equal(*offsets)
    assert not np.array_equal(
        offsets[0], WRAPPED[kind](FirstColumn()).fit(X).decision_function(X)
    )


def test_a_label_that_is_held_out_is_named(rows):
    rng = np.random.RandomState(0)
    _, held_out = train_test_split(np.arange(len(rows)), test_size=0.3, random_state=rng)
    y = np.arange(len(rows)) % 2
    y[held_out[0]] = -1
    detector = ThresholdedDetector(DevNet(max_epochs=1), random_state=0)
    with pytest.raises(ValueError, match=r"holds 0 and \+1 but no -1") as refusal:
        detector.fit(rows, y)
    assert "given 105 of the rows, none of which has the label -1" in refusal.value.__notes__[0]


def test_more_calibration_rows_than_there_are(rows):
    with pytest.raises(ValueError, match="calibration_size=500 leaves none of the 150 rows"):
        ThresholdedDetector(FOREST, calibration_size=500).fit(rows)


def test_selection_at_the_very_level(monkeypatch, rows):
    detector = ConformalDetector(FOREST).fit(rows)
    monkeypatch.setattr(detector, "pvalues", lambda X: np.array([0.1, 1.0, 1.0]))
    # 0.1 * 3 is a little more than 0.3 in floating point.
    assert detector.select(rows[:3], fdr=0.3).tolist() == [True, False, False]


def test_search_over_thresholds():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(300, 3)), rng.normal(0, 5, size=(30, 3))])
    y = np.repeat([1, -1], [300, 30])
    order = rng.permutation(330)
    X, y = X[order], y[order]

    def search(grid):
        detector = ThresholdedDetector(FOREST, MADThreshold(), random_state=0)
        return GridSearchCV(detector, grid, scoring=outlier_scorers["f1"], cv=3).fit(X, y)

    rules = ["fixed", QuantileThreshold(0.08), QuantileThreshold(0.4)]
    # Trees that are grown on two rows hardly rank rows.
    found = search({"threshold": rules, "detector__max_samples": [2, 64]})
    assert found.best_params_ == {"threshold": rules[1], "detector__max_samples": 64}
    # A detector that flags all rows would get 0.18.
    assert found.best_score_ > 0.4
    nested = search({"threshold__n_deviations": [0.1, 3.0, 1000.0]})
    assert nested.best_params_ == {"threshold__n_deviations": 3.0}


def simulate(alpha, n_calibration, seed, **params):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * n_calibration, 1))
    detector = ConformalDetector(FirstColumn(), alpha=alpha, random_state=seed, **params).fit(X)
    return detector, rng


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.2])
def test_false_alarm_rate_holds(alpha):
    rates = []
    for seed in range(150):
        detector, rng = simulate(alpha, 199, seed, calibration_size=199)
        rates.append(np.mean(detector.predict(rng.normal(size=(400, 1))) == -1))
    # alpha * 200 is an integer: on average over calibration sets the rate is exactly alpha.
    error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - alpha) < 5 * error


@pytest.mark.parametrize("method", ["bh", "storey"])
@pytest.mark.parametrize("fdr", [0.01, 0.05, 0.1, 0.2])
def test_false_discovery_rate_holds(fdr, method):
    shares, found = [], []
    for seed in range(150):
        # So many rows that the smallest p-value is below fdr times the share of anomalies.
        detector, rng = simulate(0.1, 2000, seed, calibration_size=2000)
        batch = np.concatenate([rng.normal(size=(80, 1)), rng.normal(-5, 1, size=(20, 1))])
        selected = detector.select(batch, fdr=fdr, method=method)
        shares.append(np.sum(selected[:80]) / max(1, selected.sum()))
        found.append(selected[80:].mean())
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) < fdr + 3 * error
    assert np.mean(found) > 0.5


def test_storey_finds_more_where_many_rows_are_anomalies():
    detector, rng = simulate(0.1, 500, 0, calibration_size=500)
    batch = np.concatenate([rng.normal(size=(50, 1)), rng.normal(-2.5, 1, size=(150, 1))])
    selected = {
        method: detector.select(batch, 0.1, method).sum() for method in ("bh", "storey")
    }
    assert selected["storey"] > selected["bh"] > 0


def test_cross_conformal_false_alarm_rate_stays_below_twice_alpha():
    rates = []
    for seed in range(3):
        X, new = make_rows(200, 5, seed), make_rows(2000, 5, seed + 3)
        detector = ConformalDetector(FOREST, cv=5, alpha=0.1, random_state=seed).fit(X)
        assert len(detector.detectors_) == 5
        assert detector.n_calibration_ == 200
        rates.append(np.mean(detector.predict(new) == -1))
    assert 0.03 < np.mean(rates) < 0.2


@pytest.mark.parametrize("params", [{}, {"cv": 3}])
def test_pvalues_scores_and_labels_agree(params, rows):
    detector = ConformalDetector(LocalOutlierFactor(novelty=True), alpha=0.15, **params).fit(
        rows
    )
    new = make_rows(300, 5, seed=4)
    pvalues, scores = detector.pvalues(new), detector.score_samples(new)
    assert pvalues.min() >= 1 / (detector.n_calibration_ + 1)
    assert pvalues.max() <= 1
    np.testing.assert_array_equal(detector.predict(new) == -1, pvalues <= 0.15)
    order = np.argsort(scores)
    assert (np.diff(pvalues[order]) >= 0).all()
    # Rows with one p-value are still ranked.
    assert len(np.unique(scores)) > 2 * len(np.unique(pvalues))


def test_contaminated_calibration_flags_fewer_rows():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(1000, 1))
    mixed = np.concatenate([clean[:800], rng.normal(-8, 1, size=(200, 1))])
    new = rng.normal(size=(5000, 1))
    rates = [
        np.mean(ConformalDetector(FirstColumn(), alpha=0.1).fit(X).predict(new) == -1)
        for X in (clean, mixed)
    ]
    assert rates[1] < 0.01 < rates[0]


def test_too_few_calibration_rows_warn_of_the_number_it_takes(rows):
    with pytest.warns(UserWarning, match=r"45 calibration rows are too few.*takes 99 or more"):
        detector = ConformalDetector(FOREST, alpha=0.01).fit(rows)
    assert (detector.predict(100 * rows) == 1).all()


def test_a_level_whose_inverse_is_no_float(rows):
    with pytest.warns(UserWarning, match=r"takes 1\S*e\+320 or more"):
        detector = ConformalDetector(FOREST, alpha=1e-320).fit(rows)
    assert (detector.predict(100 * rows) == 1).all()
    assert np.isfinite(detector.decision_function(100 * rows)).all()


def test_the_conformal_rule_on_few_rows_says_how_many_it_takes(rows):
    detector = ThresholdedDetector(FOREST, "conformal", random_state=0)
    with pytest.raises(ValueError, match=r"6 scores are too few for alpha=0\.1.*takes 9 or mo"):
        detector.fit(rows[:20])
    assert np.isfinite(detector.fit(rows[:30]).decision_function(rows)).all()
    with pytest.raises(ValueError, match="9 scores are too few"):
        detector.set_threshold(ConformalThreshold(0.05))
    assert np.isfinite(detector.decision_function(rows)).all()


@pytest.mark.parametrize("value", [-3.4e38, 1e30])
@pytest.mark.parametrize("rule", [rule for rule in THRESHOLDS if rule != "fixed"])
def test_rows_that_overflow_do_not_move_the_threshold(rule, value):
    # Such a number means "not implemented" in many devices.
    X = make_rows(400)
    spoiled = X.copy()
    spoiled[::80] = value
    inner = AutoEncoder(max_epochs=20, hidden_dims=(8,), random_state=0).fit(X)
    offsets = [
        ThresholdedDetector(FrozenEstimator(inner), rule, random_state=0).fit(rows).offset_
        for rows in (X, spoiled)
    ]
    # Up to two per cent of the rows are odd.
    scores = inner.score_samples(X)
    flagged = [np.mean(scores < offset) for offset in offsets]
    assert flagged[1] == pytest.approx(flagged[0], abs=0.04)
    assert (inner.score_samples(spoiled[::80]) < offsets[1]).all()


def test_p_values_bear_rows_that_overflow():
    X = make_rows(400)
    spoiled = X.copy()
    spoiled[::80] = -3.4e38
    inner = FrozenEstimator(AutoEncoder(max_epochs=5, hidden_dims=(8,), random_state=0).fit(X))
    detector = ConformalDetector(inner, alpha=0.2, random_state=0).fit(spoiled)
    # Rows far beyond all calibration rows have one p-value, and are ranked by their scores.
    far = np.geomspace(10, 1000, 5)[:, None] * X[:1]
    assert len(set(detector.pvalues(far))) == 1
    assert (np.diff(detector.score_samples(far)) < 0).all()
    assert (detector.predict(far) == -1).all()


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (ConformalDetector(FOREST, alpha=0), "'alpha' parameter"),
        (ConformalDetector(FOREST, cv=1), "'cv' parameter"),
        (ConformalDetector(FOREST, calibration_size=1.5), "'calibration_size' parameter"),
        (ThresholdedDetector(FOREST, "median"), "'threshold' parameter"),
        (ThresholdedDetector(3), "'detector' parameter"),
    ],
)
def test_bad_parameters_are_refused(detector, message, rows):
    with pytest.raises(ValueError, match=message):
        detector.fit(rows)


def test_select_refuses_bad_levels(rows):
    detector = ConformalDetector(FOREST).fit(rows)
    with pytest.raises(ValueError, match=r"fdr must be in \(0, 1\), got 1"):
        detector.select(rows, fdr=1)
    with pytest.raises(ValueError, match="'bh' or 'storey', got 'by'"):
        detector.select(rows, method="by")


class Odd(BaseEstimator):
    """A rule whose threshold is what it was made with."""

    def __init__(self, value=None):
        self.value = value

    def fit(self, scores):
        self.threshold_ = self.value
        return self


def test_rule_without_a_threshold(rows):
    with pytest.raises(ValueError, match="has no threshold_ after fit"):
        ThresholdedDetector(FOREST, FirstColumn()).fit(rows[:, :1])
    for value in (np.nan, -np.inf, np.inf, None, "a", [1.0, 2.0]):
        with pytest.raises(ValueError, match="threshold_ must be a number"):
            ThresholdedDetector(FOREST, Odd(value)).fit(rows)
