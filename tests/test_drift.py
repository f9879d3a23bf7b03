import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import binom, ks_2samp
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from skdeepanomaly import AutoEncoder, DriftDetector, SlidingWindowDetector
from skdeepanomaly.drift._adwin import raises_alarm
from skdeepanomaly.drift._memory import Memory
from skdeepanomaly.drift._mmd import MeanDiscrepancy
from skdeepanomaly.drift._null import NullDistribution
from skdeepanomaly.drift._reference import Reference, mid_ranks

METHODS = ["ks", "mmd", "page_hinkley", "adwin"]
every_method = pytest.mark.parametrize("method", METHODS)
# Short streams, so that a fit takes a moment.
SHORT = {"per": 1000, "window": 100}


def make_drift(method="ks", **params):
    return DriftDetector(**{"method": method, "random_state": 0, **SHORT, **params})


def autoregressive(rng, n, weight=0.9):
    noise = rng.normal(size=n + 200)
    return lfilter([np.sqrt(1 - weight**2)], [1, -weight], noise)[200:]


STREAMS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: np.exp(2 * rng.normal(size=n)),
    "few values": lambda rng, n: rng.poisson(0.5, size=n).astype(float),
    "autoregressive": autoregressive,
}


def false_alarms(method, stream, n_reference, n_runs, per=1000, **params):
    """Count the streams of ``per`` updates without drift that raise an alarm."""
    count = 0
    for run in range(n_runs):
        X = STREAMS[stream](np.random.default_rng(run), n_reference + per)
        drift = make_drift(method, per=per, **params).fit(X[:n_reference])
        count += drift.update_many(X[n_reference:]).any()
    return count


def delay(method, n_updates=400, shift=1.0, **params):
    """Return the mean number of updates until the first alarm, over five streams."""
    delays = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        drift = make_drift(method, **params).fit(rng.normal(size=1000))
        drift.update_many(rng.normal(size=100))
        alarms = np.flatnonzero(drift.update_many(rng.normal(size=n_updates) + shift))
        delays.append(alarms[0] if len(alarms) else np.inf)
    return np.mean(delays)


@pytest.mark.parametrize("stream", ["normal", "lognormal", "few values"])
@pytest.mark.parametrize("method", ["ks", "page_hinkley", "adwin"])
def test_level_is_held(method, stream):
    n_runs = 60
    count = false_alarms(method, stream, 300, n_runs, alpha=0.2)
    assert count <= binom.isf(1e-3, n_runs, 0.2)
    if stream != "few values":
        # Nor is it so careful that it says nothing.
        assert count >= binom.isf(1 - 1e-3, n_runs, 0.2)


def test_level_is_held_by_mmd():
    n_runs = 10
    assert false_alarms("mmd", "lognormal", 300, n_runs, alpha=0.2) <= binom.isf(
        1e-3, n_runs, 0.2
    )


@pytest.mark.parametrize(
    "method",
    [
        "ks",
        "page_hinkley",
        *(pytest.param(m, marks=pytest.mark.slow) for m in ("mmd", "adwin")),
    ],
)
@pytest.mark.filterwarnings("ignore:The reference has")
def test_level_is_held_for_autocorrelated_streams(method):
    n_runs = 10
    params = {"per": 2000, "window": 200, "alpha": 0.1}
    limit = binom.isf(1e-3, n_runs, 0.1)
    assert false_alarms(method, "autoregressive", 2000, n_runs, **params) <= limit
    # Without blocks, they raise alarms all the time.
    careless = false_alarms(method, "autoregressive", 2000, n_runs, block=1, **params)
    assert careless > limit


@pytest.mark.slow
@every_method
@pytest.mark.parametrize("stream", ["normal", "autoregressive"])
@pytest.mark.filterwarnings("ignore:The reference has")
def test_stated_level_of_long_streams(method, stream):
    n_runs = 10
    count = false_alarms(method, stream, 3000, n_runs, per=4_000, window=200)
    assert count <= binom.isf(1e-3, n_runs, 0.05)


def test_level_holds_for_many_columns():
    n_runs, count = 40, 0
    for run in range(n_runs):
        rng = np.random.default_rng(run)
        drift = make_drift(on="inputs", alpha=0.2).fit(rng.normal(size=(300, 20)))
        count += drift.update_many(rng.normal(size=(1000, 20))).any()
    assert binom.isf(1 - 1e-3, n_runs, 0.2) <= count <= binom.isf(1e-3, n_runs, 0.2)


@every_method
def test_shift_is_found_soon(method):
    assert delay(method) < 100
    # A larger level finds it sooner, or as soon.
    careful = delay(method, n_updates=2000, alpha=1e-6)
    assert delay(method, n_updates=2000, alpha=0.5) <= careful < np.inf


@pytest.mark.parametrize(
    ("method", "sees"), [("ks", True), ("mmd", True), ("page_hinkley", False)]
)
def test_who_sees_a_change_of_spread(method, sees):
    rng = np.random.default_rng(0)
    drift = make_drift(method, on="inputs").fit(rng.normal(size=(1000, 1)))
    assert drift.update_many(rng.normal(scale=0.4, size=(600, 1))).any() == sees


def test_only_mmd_sees_columns_that_no_longer_go_together():
    rng = np.random.default_rng(0)
    together = rng.normal(size=(1000, 1)) + rng.normal(scale=0.2, size=(1000, 2))
    apart = rng.permuted(together[:600], axis=0)
    found = {}
    for method in ("ks", "mmd"):
        drift = make_drift(method, on="inputs").fit(together)
        found[method] = drift.update_many(apart).any()
    assert found == {"ks": False, "mmd": True}
    assert drift.drifted_columns_.tolist() == []


@every_method
def test_columns_that_moved_are_named(method):
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    X = pd.DataFrame(rng.normal(size=(1000, 4)), columns=names)
    drift = make_drift(method, on="inputs").fit(X)
    assert drift.drifted_columns_.tolist() == []
    drift.update_many(X.sample(200, random_state=1))
    new = X.sample(300, random_state=0)
    new["c"] += 2
    drift.update_many(new)
    assert drift.feature_names_in_[drift.drifted_columns_].tolist() == ["c"]


@every_method
def test_one_by_one_is_as_all_at_once(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    new = np.concatenate([rng.normal(size=(300, 2)), rng.normal(1, size=(300, 2))])
    first = make_drift(method, on="inputs").fit(X)
    alarms = first.update_many(new)
    second = make_drift(method, on="inputs").fit(X)
    assert [second.update(x) for x in new] == alarms.tolist()
    np.testing.assert_array_equal(first.pvalues_, second.pvalues_)
    assert alarms.any()


@every_method
def test_pickle_in_the_middle(method):
    rng = np.random.default_rng(1)
    drift = make_drift(method, on="inputs").fit(rng.normal(size=(500, 2)))
    drift.update_many(rng.normal(size=(130, 2)))
    state = pickle.dumps(drift)
    new = rng.normal(0.7, size=(400, 2))
    alarms = drift.update_many(new)
    copy = pickle.loads(state)
    np.testing.assert_array_equal(copy.update_many(new), alarms)
    assert alarms.any()
    assert (copy.n_seen_, copy.last_alarm_) == (drift.n_seen_, drift.last_alarm_)


@pytest.mark.parametrize("method", ["ks", "mmd", "page_hinkley"])
def test_memory_does_not_grow(method):
    rng = np.random.default_rng(0)
    sizes = []
    for n_reference in (1000, 20_000):
        drift = make_drift(method, on="inputs").fit(rng.normal(size=(n_reference, 3)))
        for n_updates in (200, 3000):
            drift.update_many(rng.normal(size=(n_updates, 3)))
            sizes.append(len(pickle.dumps(drift)))
    assert max(sizes) < 1.02 * min(sizes)


def test_adwin_forgets():
    rng = np.random.default_rng(0)
    drift = make_drift("adwin").fit(rng.normal(size=500))
    sizes = []
    for n_updates in (1000, 20_000):
        drift.update_many(rng.normal(size=n_updates))
        sizes.append(len(pickle.dumps(drift)))
    assert sizes[1] < 1.5 * sizes[0]


@every_method
def test_same_seed_same_answers(method):
    rng = np.random.default_rng(0)
    # With blocks, nothing is taken from a cache.
    X, new = autoregressive(rng, 800, 0.5), autoregressive(rng, 900, 0.5)
    state = np.random.get_state()[1].copy()
    fits = [make_drift(method, random_state=seed).fit(X) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    assert fits[0].block_ > 1
    np.testing.assert_array_equal(fits[0].thresholds_, fits[1].thresholds_)
    assert (fits[0].thresholds_ != fits[2].thresholds_).any()
    alarms = [one.update_many(new + 1).tolist() for one in fits]
    assert alarms[0] == alarms[1]


@pytest.mark.parametrize("method", ["ks", "mmd", "page_hinkley"])
def test_pvalues_say_when_there_is_an_alarm(method):
    rng = np.random.default_rng(0)
    drift = make_drift(method, on="inputs", alpha=0.01).fit(rng.normal(size=(600, 3)))
    assert (drift.pvalues_ == 1).all()
    n_alarms = 0
    for x in np.concatenate([rng.normal(size=(200, 3)), rng.normal(0.7, size=(300, 3))]):
        alarm = drift.update(x)
        n_alarms += alarm
        p = drift.pvalues_
        assert 0 <= p.min() <= p.max() <= 1
        if alarm:
            assert p.min() <= 0.01 * (1 + 1e-9)
        elif n_alarms == 0:
            assert p.min() >= 0.01 * (1 - 1e-9)
    assert n_alarms == drift.n_alarms_ > 0
    assert drift.drift_


def test_pvalues_of_adwin_are_nan():
    drift = make_drift("adwin").fit(np.random.default_rng(0).normal(size=300))
    drift.update(0.0)
    assert np.isnan(drift.pvalues_).all()


def test_recurring_change():
    rng = np.random.default_rng(0)
    for method in ("ks", "page_hinkley"):
        drift = make_drift(method).fit(rng.normal(size=1000))
        alarms = []
        for shift in (0, 1, 0, 1):
            alarms.append(drift.update_many(rng.normal(shift, size=600)))
        assert [bool(one[200:].any()) for one in alarms] == [False, True, False, True]
    # ADWIN sees the changes themselves, and then is quiet.
    drift = make_drift("adwin").fit(rng.normal(size=1000))
    found = [drift.update_many(rng.normal(shift, size=600)) for shift in (0, 1, 0, 1)]
    assert [bool(one.any()) for one in found] == [False, True, True, True]
    assert all(one.sum() <= 2 for one in found)


def test_reset_forgets_the_stream():
    rng = np.random.default_rng(0)
    drift = make_drift().fit(rng.normal(size=500))
    new = rng.normal(2, size=300)
    first = drift.update_many(new)
    assert drift.drift_
    assert drift.last_alarm_ == np.flatnonzero(first)[-1] + 1
    assert drift.reset() is drift
    assert (drift.drift_, drift.n_seen_, drift.n_alarms_, drift.last_alarm_) == (
        False,
        0,
        0,
        None,
    )
    np.testing.assert_array_equal(drift.update_many(new), first)


def test_ks_statistic_is_that_of_scipy():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=60), rng.normal(0.3, size=100)
    # All 60 values are quantiles, so that nothing is lost.
    drift = make_drift(alpha=1e-9).fit(X)
    drift.update_many(new)
    assert drift._statistics[0] ** 0.5 == pytest.approx(ks_2samp(X, new).statistic)


def test_page_hinkley_statistic_by_hand():
    drift = make_drift("page_hinkley", alpha=1e-9).fit(np.arange(10.0))
    drift.update_many([-1.0, 20.0, 20.0])
    # Ranks 0, 1, 1: the sum of shifts up is 0, then twice 0.45; down 0.45, then 0.
    assert drift._statistics[0] == pytest.approx(0.9)


def test_random_features_are_those_of_the_kernel():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(300, 2)), rng.normal(0.8, size=(100, 2))
    reference = Reference(X)
    found = []
    for seed in range(20):
        monitor = MeanDiscrepancy(reference, 100, 1.0, seed)
        for cells in reference.encode(new):
            statistic = monitor.update(cells)
        found.append(statistic[0])
    ranks = mid_ranks(reference.shares)
    a, b = (ranks[[0, 1], reference.encode(rows)] for rows in (X, new))
    pairs = np.linalg.norm(a[:, None] - a, axis=2)
    width = np.median(pairs)

    def kernel(c, d):
        squares = ((c[:, None] - d) ** 2).sum(axis=2)
        return np.exp(-squares / (2 * width**2)).mean()

    exact = kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
    assert np.mean(found) == pytest.approx(exact, rel=0.15)


def test_quiet_streams_of_adwin_stay_quiet_for_larger_strengths():
    values = np.random.default_rng(3).random(3000)
    values[2000:] = values[2000:] ** 0.5
    answers = [raises_alarm(values.tolist(), strength) for strength in (1, 3, 10, 30, 100, 600)]
    assert answers == sorted(answers, reverse=True)
    assert len(set(answers)) == 2


def test_tail_goes_on_where_simulations_end():
    maxima = np.random.default_rng(0).exponential(size=2000)
    null = NullDistribution(maxima)
    for level in (0.5, 0.05, 1e-3, 1e-6):
        assert null.critical_value(level) == pytest.approx(-np.log(level), rel=0.12)
        assert null.pvalue(null.critical_value(level)) == pytest.approx(level, rel=0.02)
    assert null.pvalue(-1.0) == 1


@pytest.mark.parametrize(("weight", "low", "high"), [(0.5, 2, 5), (0.9, 13, 26)])
def test_memory_of_autoregressive_streams(weight, low, high):
    # It is (1 + weight) / (1 - weight), of ranks a little less.
    times = [
        Memory(autoregressive(np.random.default_rng(seed), 4000, weight)[:, None]).times[0]
        for seed in range(10)
    ]
    assert low < np.mean(times) < high


def test_memory_of_independent_values_and_rhythms():
    none = [Memory(np.random.default_rng(i).random((500, 3))).times for i in range(100)]
    assert np.mean([(times == 1).all() for times in none]) > 0.9
    rhythm = np.sin(np.arange(3000) / 40)[:, None]
    assert Memory(rhythm).times[0] > 250


def test_blocks_lose_what_lies_across_their_joins():
    memory = Memory(autoregressive(np.random.default_rng(0), 20_000)[:, None])
    lost = [memory.lost_by_blocks(block)[0] for block in (1, 10, 40, 1000)]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] == pytest.approx(memory.times[0])
    # That of blocks of 40 is 19 / 14.5.
    assert 1.15 < lost[2] < 1.5
    assert lost[3] < 1.05


def test_block_auto():
    rng = np.random.default_rng(0)
    assert make_drift().fit(rng.normal(size=2000)).block_ == 1
    assert 25 < make_drift().fit(autoregressive(rng, 4000)).block_ < 60
    assert make_drift(block=7).fit(rng.normal(size=2000)).block_ == 7


def test_window_auto():
    X = np.random.default_rng(0).normal(size=2000)
    for params, length in (
        ({}, 200),
        ({"block": 30}, 600),
        ({"block": 30, "per": 404}, 400),
        ({"per": 25}, 20),
        ({"window": 50}, 50),
    ):
        drift = DriftDetector(**{"per": 1000, "random_state": 0, **params}).fit(X)
        assert drift.window_ == length


# With a memory that is longer still, nothing can raise an alarm, of which it warns, too.
@pytest.mark.filterwarnings("ignore:No change can raise")
def test_short_reference_of_a_long_memory_warns():
    X = autoregressive(np.random.default_rng(0), 400)
    with pytest.warns(UserWarning, match="less than 20 of them"):
        make_drift().fit(X)


def test_windows_that_can_never_raise_an_alarm_warn():
    X = np.random.default_rng(0).normal(size=(20, 30))
    with pytest.warns(UserWarning, match="No change can raise an alarm in 30 of 30 columns"):
        make_drift(on="inputs", alpha=1e-4, window=20).fit(X)


# Scores of a detector.


def test_a_clone_is_fitted_to_the_first_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    forest = IsolationForest(random_state=0)
    drift = DriftDetector(forest, reference_size=0.25, random_state=0, **SHORT).fit(X)
    assert not hasattr(forest, "estimators_")
    assert drift.n_reference_ == 150
    expected = clone(forest).fit(X[:450]).score_samples(X)
    np.testing.assert_array_equal(drift.detector_.score_samples(X), expected)
    assert drift.n_features_in_ == 3
    watched = make_drift().fit(expected[450:])
    new = rng.normal(size=(500, 3)) * np.linspace(1, 3, 500)[:, None]
    alarms = drift.update_many(new)
    assert alarms.any()
    np.testing.assert_array_equal(
        watched.update_many(drift.detector_.score_samples(new)), alarms
    )


def test_scores_of_training_rows_would_raise_false_alarms():
    # What the split is for.
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(300, 10)), rng.normal(size=(600, 10))
    detector = LocalOutlierFactor(n_neighbors=2, novelty=True)
    naive = make_drift().fit(detector.fit(X).score_samples(X))
    assert naive.update_many(detector.score_samples(new)).any()
    drift = DriftDetector(detector, random_state=0, **SHORT).fit(X)
    assert not drift.update_many(new).any()


def test_a_frozen_detector_is_used_as_it_is():
    rng = np.random.default_rng(0)
    forest = IsolationForest(random_state=0).fit(rng.normal(size=(500, 3)))
    drift = DriftDetector(FrozenEstimator(forest), random_state=0, **SHORT)
    drift.fit(rng.normal(size=(400, 3)))
    assert drift.n_reference_ == 400
    assert drift.detector_.estimator is forest
    assert not drift.update_many(rng.normal(size=(300, 3))).any()
    assert drift.update_many(rng.normal(1.5, size=(300, 3))).any()
    with pytest.raises(NotFittedError):
        DriftDetector(FrozenEstimator(IsolationForest())).fit(rng.normal(size=(400, 3)))


@pytest.mark.parametrize(
    "detector",
    [
        make_pipeline(StandardScaler(), AutoEncoder(max_epochs=2, random_state=0)),
        IsolationForest(),
    ],
    ids=["AutoEncoder", "IsolationForest"],
)
def test_any_detector_and_frames(detector):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    drift = DriftDetector(detector, random_state=0, **SHORT).fit(X)
    assert drift.feature_names_in_.tolist() == ["a", "b", "c"]
    assert drift.update(X.iloc[:1]) is False
    assert drift.update_many(X + 3).any()


def test_windows_as_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 4, 2)).astype(np.float32)

    class WindowScore(IsolationForest):
        def fit(self, X, y=None):
            return super().fit(np.reshape(X, (len(X), -1)))

        def score_samples(self, X):
            return super().score_samples(np.reshape(X, (len(X), -1)))

        def predict(self, X):
            return super().predict(np.reshape(X, (len(X), -1)))

    drift = DriftDetector(WindowScore(random_state=0), random_state=0, **SHORT).fit(X)
    assert drift.update(X[0]) is False
    with pytest.raises(ValueError, match=r"single row of shape \(4, 2\)"):
        drift.update(X[0, 0])


def test_parts_without_a_seed_get_one():
    X = np.random.default_rng(0).normal(size=(200, 2))
    fits = [DriftDetector(IsolationForest(), random_state=0, **SHORT).fit(X) for _ in "ab"]
    scores = [one.detector_.score_samples(X) for one in fits]
    np.testing.assert_array_equal(*scores)


def test_detectors_of_series_are_refused():
    X = np.sin(np.arange(400) / 5)[:, None]
    series = SlidingWindowDetector(IsolationForest(random_state=0), window=10)
    with pytest.raises(ValueError, match="DetectorStream"):
        DriftDetector(series, **SHORT).fit(X)


def test_classifiers_are_refused():
    X = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.raises(TypeError, match="is a classifier"):
        DriftDetector(LogisticRegression()).fit(X, np.arange(100) % 2)


def test_digits_of_another_class():
    X, y = load_digits(return_X_y=True)
    n_runs, false_alarms, delays, n_columns = 5, [], [], []
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        rows, others = (
            rng.permutation(np.flatnonzero(y < 5)),
            rng.permutation(np.flatnonzero(y > 6)),
        )
        inputs = make_drift(on="inputs").fit(X[rows[:600]])
        scores = DriftDetector(IsolationForest(), random_state=0, **SHORT).fit(X[rows[:600]])
        for drift in (inputs, scores):
            false_alarms.append(drift.update_many(X[rows[600:]]).any())
            delays.append(np.flatnonzero(drift.update_many(X[others[:300]]))[0])
        n_columns.append(len(inputs.drifted_columns_))
    for which in (0, 1):
        assert sum(false_alarms[which::2]) <= binom.isf(1e-3, n_runs, 0.05)
    assert np.mean(delays) < 150
    assert min(n_columns) > 1


# Errors.


# Rows of some checks are sorted by class, and so depend on each other.
@pytest.mark.filterwarnings("ignore:The reference has")
@pytest.mark.filterwarnings("ignore:No change can raise")
@every_method
def test_passes_the_checks_of_scikit_learn(method):
    drift = DriftDetector(on="inputs", method=method, per=40, window=20, random_state=0)
    check_estimator(drift, on_skip=None)


def test_update_before_fit():
    for call in (
        lambda drift: drift.update(0.0),
        lambda drift: drift.update_many([0.0]),
        lambda drift: drift.reset(),
        lambda drift: drift.pvalues_,
    ):
        with pytest.raises(NotFittedError):
            call(DriftDetector())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value):
    X = np.random.default_rng(0).normal(size=(100, 2))
    drift = make_drift(on="inputs").fit(X)
    scores = make_drift().fit(X[:, 0])
    for call in (drift.update, lambda x: drift.update_many([x])):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            call([0.0, value])
    with pytest.raises(ValueError, match=r"scores contains (NaN|infinity)"):
        scores.update(value)
    with pytest.raises(ValueError, match=r"scores contains (NaN|infinity)"):
        make_drift().fit(np.append(X[:, 0], value))
    # Nothing was counted.
    assert drift.n_seen_ == scores.n_seen_ == 0


def test_shapes_of_rows():
    X = np.random.default_rng(0).normal(size=(100, 3))
    drift = make_drift(on="inputs").fit(X)
    assert drift.update(X[0]) is False
    assert drift.update(X[:1]) is False
    assert drift.update_many(X[:2]).tolist() == [False, False]
    with pytest.raises(ValueError, match=r"single row of shape \(3,\), got the shape \(2, 3\)"):
        drift.update(X[:2])
    with pytest.raises(ValueError, match=r"got the shape \(2,\)"):
        drift.update(X[0, :2])
    with pytest.raises(ValueError, match="expecting 3 features"):
        drift.update_many(X[:, :2])
    one = make_drift(on="inputs").fit(X[:, :1])
    assert one.update(0.5) is False
    scores = make_drift().fit(X[:, :1])
    for x in (0.5, [0.5], [[0.5]], np.float32(0.5)):
        assert scores.update(x) is False
    with pytest.raises(ValueError, match="update_many"):
        scores.update([0.5, 0.5])


def test_scores_have_one_column():
    X = np.random.default_rng(0).normal(size=(100, 3))
    with pytest.raises(ValueError, match='there is on="inputs"'):
        make_drift().fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"window": 25}, "multiple of 10"),
        ({"window": 200, "per": 100}, "less than a window of 200"),
        ({"per": 19}, "less than a window of 20"),
        ({"on": "inputs", "detector": IsolationForest()}, "has no use for IsolationForest"),
        ({"block": 60}, "reference of 120 rows"),
        ({"alpha": 0}, "alpha"),
        ({"method": "cusum"}, "method"),
    ],
)
def test_parameters_that_do_not_fit(params, message):
    X = np.random.default_rng(0).normal(size=(100, 1))
    with pytest.raises(ValueError, match=message):
        DriftDetector(**params).fit(X)


def test_few_rows():
    with pytest.raises(ValueError, match="minimum of 10"):
        make_drift().fit(np.arange(9.0))
    X = np.random.default_rng(0).normal(size=(18, 2))
    with pytest.raises(ValueError, match="10 or more of each"):
        DriftDetector(IsolationForest()).fit(X)
    with pytest.raises(ValueError, match="has 9 rows"):
        DriftDetector(FrozenEstimator(IsolationForest().fit(X))).fit(X[:9])


def test_without_river(monkeypatch):
    X = np.random.default_rng(0).normal(size=100)
    monkeypatch.setitem(sys.modules, "river.drift", None)
    with pytest.raises(ImportError, match=r"skdeepanomaly\[stream\]"):
        make_drift("adwin").fit(X)
    make_drift("ks").fit(X)


def test_a_new_fit_forgets_what_was_watched():
    X = np.random.default_rng(0).normal(size=(100, 2))
    drift = make_drift(on="inputs").fit(X)
    drift.set_params(on="scores").fit(X[:, 0])
    assert not hasattr(drift, "n_features_in_")
    assert drift.update(0.0) is False
    with pytest.raises(ValueError, match="NaN"):
        drift.fit([np.nan] * 100)
    for call in (lambda: drift.update(0.0), drift.reset):
        with pytest.raises(NotFittedError):
            call()


def test_set_params_does_not_change_a_fitted_one():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=300), rng.normal(1, size=300)
    drift, other = make_drift().fit(X), make_drift().fit(X)
    other.set_params(method="adwin", on="inputs", alpha=0.5, window=20, per=10)
    np.testing.assert_array_equal(other.update_many(new), drift.update_many(new))
    np.testing.assert_array_equal(other.pvalues_, drift.pvalues_)
