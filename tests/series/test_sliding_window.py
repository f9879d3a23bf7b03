"""Any detector of rows on the windows of a series."""

import pickle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_detector
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_common import failed_checks
from torch import nn

from skdeepanomaly import (
    DetectorStream,
    ScoreDisplay,
    SlidingWindowDetector,
    ThresholdedDetector,
    UnivariateDetector,
)
from skdeepanomaly.datasets import make_series_anomalies
from skdeepanomaly.series._reading import split_time, step_of, to_even_steps
from skdeepanomaly.series._windows import (
    choose_window,
    spread_scores,
    windows_of,
)

FOREST = IsolationForest(n_estimators=20, random_state=0)
NEIGHBOURS = LocalOutlierFactor(n_neighbors=5, novelty=True)
# A score of a time stamp depends on the time stamps before it, as it must.
ROWS_ARE_INDEPENDENT = {
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
}


def make_sine(n=600, period=25, n_channels=1, seed=0):
    t = np.arange(n)[:, None] + 7 * np.arange(n_channels)
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(n, n_channels))
    return np.sin(2 * np.pi * t / period) + noise


@pytest.mark.parametrize("aggregate", ["last", "mean"])
def test_check_estimator(aggregate):
    detector = SlidingWindowDetector(FOREST, window=2, aggregate=aggregate)
    assert set(failed_checks(detector)) <= ROWS_ARE_INDEPENDENT


def test_windows_are_views_in_the_order_of_time():
    values = np.arange(12.0).reshape(6, 2)
    windows = windows_of(values, 3, stride=2)
    assert np.shares_memory(windows, values)
    np.testing.assert_array_equal(windows, [values[:3].ravel(), values[2:5].ravel()])
    assert windows_of(values, 7).shape == (0, 14)


@pytest.mark.parametrize("aggregate", ["last", "mean", "median", "max"])
@pytest.mark.parametrize("stride", [1, 3])
def test_scores_of_time_stamps_from_those_of_windows(aggregate, stride):
    n, window = 20, 4
    ends = np.union1d(np.arange(window - 1, n, stride), [n - 1])
    scores = np.random.default_rng(0).normal(size=len(ends))
    spread = spread_scores(scores, ends, n, window, aggregate)
    for t in range(n):
        covers = (ends >= t) & (ends < t + window)
        reduce = {"mean": np.mean, "median": np.median, "max": np.min}.get(aggregate)
        if reduce is not None:
            assert spread[t] == pytest.approx(reduce(scores[covers]))
        elif t < window - 1:
            assert np.isnan(spread[t])
        else:
            assert spread[t] == scores[ends <= t][-1]


def test_score_is_that_of_the_window_that_ends_there():
    X = make_sine(n_channels=2)
    detector = SlidingWindowDetector(FOREST, window=8).fit(X)
    scaled = StandardScaler().fit(X).transform(X)
    rows = np.array([scaled[i - 7 : i + 1].ravel() for i in range(7, len(X))])
    expected = clone(FOREST).fit(rows).score_samples(rows)
    np.testing.assert_allclose(detector.score_samples(X)[7:], expected)
    np.testing.assert_allclose(detector.score_samples(X)[:7], np.median(expected))
    assert detector.n_features_in_ == 2
    assert detector.detector_.n_features_in_ == 16


def test_last_is_causal_and_mean_is_not():
    X = make_sine()
    changed = X.copy()
    changed[400:] += 3
    causal = SlidingWindowDetector(FOREST, window=10).fit(X)
    np.testing.assert_array_equal(
        causal.score_samples(X)[:400], causal.score_samples(changed)[:400]
    )
    centred = SlidingWindowDetector(FOREST, window=10, aggregate="mean").fit(X)
    before = centred.score_samples(X)[:400] != centred.score_samples(changed)[:400]
    assert before[391:].any()
    assert not before[:391].any()


@pytest.mark.filterwarnings("ignore:A series of 3 steps:UserWarning")
def test_several_series_of_different_lengths():
    parts = [make_sine(200), make_sine(30, seed=1), make_sine(3, seed=2)]
    detector = SlidingWindowDetector(FOREST, window=10).fit(parts)
    scores, labels = detector.score_samples(parts), detector.predict(parts)
    assert [len(one) for one in scores] == [200, 30, 3]
    for part, score, label in zip(parts, scores, labels, strict=True):
        np.testing.assert_allclose(detector.score_samples(part), score)
        np.testing.assert_array_equal(detector.predict(part), label)
    assert [len(one) for one in detector.fit_predict(parts)] == [200, 30, 3]
    # No window reaches from one series into the next.
    assert detector.detector_.n_features_in_ == 10
    alone = SlidingWindowDetector(FOREST, window=10).fit(np.concatenate(parts))
    assert not np.array_equal(alone.score_samples(parts[0]), scores[0])


@pytest.mark.parametrize("n", [1, 2, 24])
@pytest.mark.parametrize("aggregate", ["last", "mean"])
def test_of_a_series_shorter_than_the_window_nothing_is_known(n, aggregate):
    detector = SlidingWindowDetector(FOREST, window=25, aggregate=aggregate).fit(make_sine())
    with pytest.warns(
        UserWarning, match=f"series of {n} steps is shorter than the window of 25"
    ):
        scores = detector.score_samples(100 + make_sine(n))
    np.testing.assert_array_equal(scores, np.full(n, detector._median_score))
    assert detector._median_score > detector.offset_


def test_collective_anomalies_are_found_by_windows_and_not_by_rows():
    gains = []
    for seed in range(3):
        X, truth = make_sine(1500, seed=seed), np.ones(1500)
        X[1000:1025] = X[1000:1025][::-1]  # usual values, in the other direction
        truth[1000:1030] = -1
        new, truth = X[700:], truth[700:] == -1
        windows = SlidingWindowDetector(NEIGHBOURS, window=12).fit(X[:700])
        rows = clone(NEIGHBOURS).fit(X[:700])
        gains.append(
            roc_auc_score(truth, -windows.score_samples(new))
            - roc_auc_score(truth, -rows.score_samples(new))
        )
    assert np.mean(gains) > 0.2


def test_window_by_the_period():
    assert choose_window([make_sine(600, 25)]) == 25
    assert choose_window([make_sine(600, 40, 2)]) == 40
    assert choose_window([np.random.default_rng(0).normal(size=(600, 1))]) == 32
    assert choose_window([make_sine(60, 25)]) == 15
    assert choose_window([np.zeros((2, 1))]) == 1
    with_gap = make_sine(600, 25)
    with_gap[5] = np.nan
    assert choose_window([with_gap]) in (24, 25)


def test_scales():
    X = make_sine(n_channels=2) * [1, 1000]
    as_it_is = SlidingWindowDetector(NEIGHBOURS, window=5, scale=None).fit(X)
    assert as_it_is.scaler_ is None
    for scale in ("standard", "robust"):
        detector = SlidingWindowDetector(NEIGHBOURS, window=5, scale=scale).fit(X)
        other = clone(detector).fit(X / [1, 1000])
        np.testing.assert_allclose(
            detector.score_samples(X), other.score_samples(X / [1, 1000]), rtol=1e-6
        )
    assert not np.allclose(as_it_is.score_samples(X), detector.score_samples(X))


def test_missing_values_have_no_say():
    X = make_sine()
    X[300:303] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        SlidingWindowDetector(FOREST, window=10).fit(X)
    detector = SlidingWindowDetector(FOREST, window=10, missing="mask").fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert (detector.predict(X)[300:312] == 1).all()
    whole = np.r_[0:300, 312:600]
    filled = X.copy()
    filled[300:303] = 0
    np.testing.assert_array_equal(detector.score_samples(filled)[whole], scores[whole])
    gaps = np.full((20, 1), np.nan)
    gaps[:10] = X[:10]
    with pytest.raises(ValueError, match=r"1 of 11 windows.*without NaN"):
        detector.fit(gaps)


@pytest.mark.parametrize("container", ["index", "column", "polars", "period", "zone", "number"])
def test_time_stamps_in_any_container(container):
    X = make_sine()
    stamps = pd.date_range("2024-03-31", periods=len(X), freq="h")
    time = None
    if container == "index":
        table = pd.DataFrame(X, index=stamps, columns=["a"])
    elif container == "zone":  # the clock goes forward in between
        table = pd.DataFrame(X, index=stamps.tz_localize("UTC").tz_convert("Europe/Berlin"))
        table.columns = ["a"]
    elif container == "period":
        table = pd.DataFrame(X, index=stamps.to_period("h"), columns=["a"])
    else:
        time = "t"
        values = np.arange(len(X)) * 0.1 if container == "number" else stamps
        table = pd.DataFrame({"t": values, "a": X[:, 0]})
        table = pl.DataFrame(table.to_dict("list")) if container == "polars" else table
    detector = SlidingWindowDetector(FOREST, window=10, time=time).fit(table)
    assert list(detector.feature_names_in_) == ["a"]
    assert detector.step_ == pytest.approx(0.1 if container == "number" else 3600e9)
    expected = SlidingWindowDetector(FOREST, window=10).fit(X).score_samples(X)
    np.testing.assert_allclose(detector.score_samples(table), expected)
    with pytest.raises(ValueError, match=r"time stamps|no column"):
        detector.score_samples(X)


BROKEN = {
    "duplicates": (lambda t: t[[0, 1, 1, *range(3, 50)]], "1 of 50 .* equal to the one before"),
    "order": (lambda t: t[[0, 2, 1, *range(3, 50)]], "1 of 50 .* before it"),
    "gap": (lambda t: t[[*range(40), *range(45, 55)]], "1 of 49 steps.*in row 40"),
    "missing": (lambda t: t[:49].append(pd.DatetimeIndex([pd.NaT])), "1 of 50 .* missing"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_uneven_time_stamps_are_refused(kind):
    make, text = BROKEN[kind]
    stamps = make(pd.date_range("2024-01-01", periods=60, freq="5min"))
    table = pd.DataFrame(make_sine(50), index=stamps)
    with pytest.raises(ValueError, match=text):
        SlidingWindowDetector(FOREST, window=5).fit(table)
    even = pd.DataFrame(make_sine(50), index=pd.date_range("2024", periods=50, freq="5min"))
    detector = SlidingWindowDetector(FOREST, window=5).fit(even)
    with pytest.raises(ValueError, match=text):
        detector.predict(table)


def test_another_step_than_in_training_is_refused():
    table = pd.DataFrame(make_sine(50), index=pd.date_range("2024", periods=50, freq="5min"))
    detector = SlidingWindowDetector(FOREST, window=5).fit(table)
    table.index = pd.date_range("2024", periods=50, freq="1h")
    with pytest.raises(ValueError, match=r"3600 s apart.*300 s apart"):
        detector.predict(table)


def test_resampling():
    even = pd.DataFrame(make_sine(50), index=pd.date_range("2024", periods=50, freq="5min"))
    detector = SlidingWindowDetector(FOREST, window=5, resample="5min").fit(even)
    expected = SlidingWindowDetector(FOREST, window=5).fit(even).score_samples(even)
    np.testing.assert_allclose(detector.score_samples(even), expected)
    # Three stamps in a step, in any order, have its mean and its score.
    often = even.loc[even.index.repeat(3)]
    often.index += pd.to_timedelta(np.tile([10, 0, 200], 50), "s")
    often.iloc[:, 0] += np.tile([1, -1, 0], 50)
    np.testing.assert_allclose(detector.score_samples(often), np.repeat(expected, 3))
    # An empty step has the value of the one before.
    gap = detector.score_samples(even.drop(even.index[20]))
    filled = even.copy()
    filled.iloc[20] = filled.iloc[19]
    np.testing.assert_allclose(gap, np.delete(detector.score_samples(filled), 20))
    for bad in ("often", -5, "0min"):
        with pytest.raises(ValueError, match="resample must be"):
            clone(detector).set_params(resample=bad).fit(even)
    with pytest.raises(ValueError, match="needs time stamps"):
        detector.fit(make_sine())
    with pytest.raises(ValueError, match="nearly all of them would be made up"):
        clone(detector).set_params(resample="1us").fit(even)


@pytest.mark.parametrize(
    "params", [{"resample": "10min"}, {"missing": "mask"}, {"time": "when"}], ids=str
)
@pytest.mark.parametrize("stamped", [False, True])
def test_how_rows_are_read_changes_with_the_next_fit_alone(params, stamped):
    X = pd.DataFrame(make_sine(50))
    X.columns = X.columns.astype(str)
    if stamped:
        X.index = pd.date_range("2024", periods=50, freq="5min")
    detector = SlidingWindowDetector(FOREST, window=5).fit(X)
    expected = detector.score_samples(X)
    detector.set_params(**params)
    np.testing.assert_array_equal(detector.score_samples(X), expected)
    X.iloc[7] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        detector.score_samples(X)
    DetectorStream(detector)


def test_wrong_input():
    X = make_sine()
    with pytest.raises(ValueError, match=r"window=700 is longer than .* 600 steps"):
        SlidingWindowDetector(FOREST, window=700).fit(X)
    with pytest.raises(ValueError, match="stride=11 is more than the window of 10"):
        SlidingWindowDetector(FOREST, window=10, stride=11).fit(X)
    with pytest.raises(ValueError, match="no column of X, which has no names"):
        SlidingWindowDetector(FOREST, time="t").fit(X)
    for text in ("2024-01-01", "20240101", "tomorrow"):
        table = pd.DataFrame({"t": [text] * 20, "a": 1.0})
        with pytest.raises(ValueError, match=r"expected dates or numbers.*to_datetime"):
            SlidingWindowDetector(FOREST, time="t").fit(table)
    with pytest.raises(ValueError, match=r"1e\+300 in absolute value.* 3.4e\+38"):
        SlidingWindowDetector(FOREST, window=10).fit(1e300 * np.sign(X))
    with pytest.raises(ValueError, match=r"y has labels for series of \[5\] time stamps"):
        SlidingWindowDetector(FOREST, window=10).fit(X, np.ones(5))
    with pytest.raises(ValueError, match="2 features"):
        SlidingWindowDetector(FOREST, window=10).fit(X).predict(make_sine(n_channels=2))
    with pytest.raises(ValueError, match="1 sample"):
        SlidingWindowDetector(FOREST, window=1).fit(X[:1])


@pytest.mark.parametrize(
    "inner",
    [
        make_detector("AutoEncoder", max_epochs=2),
        make_pipeline(StandardScaler(), FOREST),
        UnivariateDetector(),
    ],
    ids=lambda inner: type(inner).__name__,
)
def test_around_any_detector(inner):
    X = make_sine(n_channels=2)
    detector = SlidingWindowDetector(inner, window=6).fit(X)
    scores = detector.score_samples(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)
    frozen = SlidingWindowDetector(FrozenEstimator(detector.detector_), window=6).fit(X)
    np.testing.assert_array_equal(frozen.score_samples(X), scores)
    assert (detector.predict(X) == -1).mean() == pytest.approx(0.1, abs=0.01)


def test_labels_of_windows_reach_the_detector():
    X, y = make_sine(300), np.ones(300)
    X[150:153] += 4
    y[150:153] = -1
    detector = SlidingWindowDetector(make_detector("DevNet", max_epochs=20), window=4)
    scores = detector.fit(X, y).score_samples(X)
    assert scores[153] < np.delete(scores, np.arange(150, 157)).min()


def test_in_a_grid_search():
    X, y = make_sine(300), np.ones(300)
    X[100:104] += 5
    X[250:254] += 5
    y[100:104] = y[250:254] = -1
    search = GridSearchCV(
        SlidingWindowDetector(FOREST),
        {"window": [2, 8], "detector__n_estimators": [5]},
        scoring="roc_auc",
        cv=[(np.arange(150), np.arange(150, 300))],
    ).fit(X, y)
    assert search.best_score_ > 0.9


def test_in_meta_estimators_and_displays_with_time_stamps():
    """They look at the labels of a few rows, which alone are no series."""
    table = pd.DataFrame(make_sine(400), columns=["a"])
    table.index = pd.date_range("2024-01-01", periods=400, freq="h")
    inner = SlidingWindowDetector(FOREST, window=40)
    thresholded = ThresholdedDetector(inner, calibration_size=None).fit(table)
    assert (thresholded.predict(table[:200]) == 1).mean() > 0.8
    for detector in (thresholded, make_pipeline("passthrough", inner.fit(table))):
        display = ScoreDisplay.from_estimator(detector, table)
        assert len(display.scores) == 400
        plt.close(display.figure_)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 3e38])
def test_series_of_any_size(scale):
    X = scale * np.sign(make_sine()) * np.abs(make_sine()).clip(0, 1)
    detector = SlidingWindowDetector(FOREST, window=10).fit(X)
    far = X.copy()
    far[300] = 3.4e38
    for series in (X, far):
        assert np.isfinite(detector.score_samples(series)).all()


@pytest.mark.parametrize("stride", [1, 3, 5])
def test_last_does_not_depend_on_where_the_series_ends(stride):
    X = make_sine()
    detector = SlidingWindowDetector(FOREST, window=10, stride=stride).fit(X)
    whole = detector.score_samples(X)
    for n in range(100, 110):
        np.testing.assert_array_equal(detector.score_samples(X[:n]), whole[:n])


@pytest.mark.parametrize("step", ["100ns", "1us", "1ms", "10ms", "5min"])
def test_resampling_to_the_own_step_changes_nothing(step):
    stamps = pd.date_range("2024-01-01 00:00:01", periods=600, freq=step)
    table = pd.DataFrame(make_sine(), index=stamps)
    expected = SlidingWindowDetector(FOREST, window=5).fit(table).score_samples(table)
    resampled = SlidingWindowDetector(FOREST, window=5, resample=step).fit(table)
    np.testing.assert_allclose(resampled.score_samples(table), expected)


@pytest.mark.parametrize("start", [0.0, 1.7e9])
@pytest.mark.parametrize("rate", [3, 10, 1000])
def test_numbers_that_are_even_but_for_rounding(start, rate):
    table = pd.DataFrame({"t": start + np.arange(600) / rate, "a": make_sine()[:, 0]})
    detector = SlidingWindowDetector(FOREST, window=5, time="t").fit(table)
    assert detector.step_ == pytest.approx(1 / rate, rel=1e-3)
    stamps, X = split_time(table, "t")
    _, steps = to_even_steps(stamps, X.to_numpy(), step_of(1 / rate, False))
    assert (np.diff(steps) == 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int64])
def test_numbers_that_go_back_are_refused_whatever_their_type(dtype):
    table = pd.DataFrame({"t": np.arange(60, 0, -1).astype(dtype), "a": make_sine(60)[:, 0]})
    with pytest.raises(ValueError, match=r"59 of 60 time stamps of X are before it"):
        SlidingWindowDetector(FOREST, window=5, time="t").fit(table)


@pytest.mark.parametrize("wrap", [np.ravel, lambda x: pd.Series(x.ravel())])
def test_a_list_of_members_with_one_axis_is_refused(wrap):
    parts = [wrap(make_sine(200, seed=seed)) for seed in range(5)]
    for given in (parts, [make_sine(200), *parts[1:]]):
        with pytest.raises(ValueError, match=r"of 5 members have one axis.* x\[:, None\]"):
            SlidingWindowDetector(FOREST).fit(given)


def forecaster(**params):
    return make_detector("RecurrentForecaster", **{"max_epochs": 3, **params})


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_carried_state_goes_through_the_series_once(cell, monkeypatch):
    X = make_sine(400, n_channels=2)
    inner = forecaster(cell=cell, n_last_steps=2)
    detector = SlidingWindowDetector(inner, window=10, stateful=True).fit(X)
    scores = detector.score_samples(X)
    # The first whole window is what it is without a state.
    windows = SlidingWindowDetector(inner, window=10).fit(X)
    first = detector.scaler_.transform(X[:10]).reshape(1, -1)
    np.testing.assert_allclose(scores[9], windows.detector_.score_samples(first)[0], rtol=1e-4)
    assert not np.isclose(scores[-1], windows.score_samples(X)[-1], rtol=1e-6)
    # A long series is read in parts.
    monkeypatch.setattr("skdeepanomaly.detectors.sequence._carried_state.PART", 7)
    np.testing.assert_allclose(detector.score_samples(X), scores, rtol=1e-4, atol=1e-5)
    # Causal, and anew for each series.
    np.testing.assert_allclose(detector.score_samples(X[:90]), scores[:90], rtol=1e-4)
    both = detector.score_samples([X[:90], X[:60]])
    np.testing.assert_allclose(both[1], both[0][:60], rtol=1e-4)
    huge = X.copy()
    huge[200:210] = 1e38
    assert np.isfinite(detector.score_samples(huge)).all()


@pytest.mark.slow
def test_a_carried_state_finds_what_windows_find():
    areas = {False: [], True: []}
    for seed in range(2):
        X, y, _ = make_series_anomalies(
            3000, kinds=["contextual", "frequency"], n_anomalies=8, random_state=seed
        )
        for stateful in areas:
            detector = SlidingWindowDetector(
                forecaster(n_last_steps=1, max_epochs=30, hidden_dim=32, random_state=seed),
                window=32,
                stateful=stateful,
            )
            scores = detector.fit(X[:1500]).score_samples(X[1500:])
            areas[stateful].append(roc_auc_score(y[1500:], scores))
    assert np.mean(areas[True]) > np.mean(areas[False]) - 0.05
    assert np.mean(areas[True]) > 0.6


def test_a_state_that_cannot_be_carried():
    X = make_sine(100)
    with pytest.raises(TypeError, match="needs a RecurrentForecaster, got IsolationForest"):
        SlidingWindowDetector(FOREST, window=5, stateful=True).fit(X)
    for params in ({"aggregate": "mean"}, {"stride": 2}, {"missing": "mask"}):
        ((name, value),) = params.items()
        with pytest.raises(ValueError, match=f"stateful=True needs {name}=.*, got {value!r}"):
            SlidingWindowDetector(forecaster(), window=5, stateful=True, **params).fit(X)
    custom = forecaster(module=nn.Linear(5, 5))
    with pytest.raises(TypeError, match="Linear cannot carry its state"):
        SlidingWindowDetector(custom, window=5, stateful=True).fit(X)
