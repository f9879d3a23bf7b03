"""Time stamps that come one by one."""

import pickle

import numpy as np
import pytest
import torch
from conftest import DEEP, make_detector, make_rows
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_sliding_window import make_sine
from torch import nn

from skdeepanomaly import (
    AutoEncoder,
    DetectorStream,
    ScoreCalibrator,
    SlidingWindowDetector,
    UnivariateDetector,
)

AE = make_detector("AutoEncoder", max_epochs=3)
DETECTORS = {
    "rows": UnivariateDetector(),
    "deep rows": AE,
    "pipeline of rows": make_pipeline(StandardScaler(), AE),
    "windows": SlidingWindowDetector(UnivariateDetector(), window=12),
    "deep windows": SlidingWindowDetector(AE, window=12),
    "unscaled": SlidingWindowDetector(UnivariateDetector(), window=12, scale=None),
    "robust": SlidingWindowDetector(UnivariateDetector(), window=12, scale="robust"),
    "stride": SlidingWindowDetector(UnivariateDetector(), window=12, stride=5),
    "pipeline inside": SlidingWindowDetector(
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0)),
        window=4,
    ),
    "pipeline outside": make_pipeline(
        StandardScaler(), SlidingWindowDetector(UnivariateDetector(), window=12)
    ),
    "state of an LSTM": SlidingWindowDetector(
        make_detector("RecurrentForecaster", max_epochs=3), window=12, stateful=True
    ),
    "state of a GRU": SlidingWindowDetector(
        make_detector("RecurrentForecaster", cell="gru", n_last_steps=3, max_epochs=3),
        window=12,
        stateful=True,
    ),
    "records": ScoreCalibrator(SlidingWindowDetector(AE, window=12), reference=70, cooldown=9),
    "records of rows": ScoreCalibrator(UnivariateDetector(), smoothing=1, reference=30),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_equal_to_the_whole_series(name):
    X = make_sine(500, n_channels=2)
    X[400] += 5
    detector = DETECTORS[name].fit(X[:250])
    stream = DetectorStream(detector)
    results = [stream.update(x) for x in X[250:370]]
    # A stream goes on after it was saved.
    stream = pickle.loads(pickle.dumps(stream))
    results += [stream.update(x) for x in X[370:]]
    expected = detector.score_samples(X[250:])
    n = len(expected)
    scores = np.array([result.score for result in results])
    np.testing.assert_allclose(scores[:n], expected[:n], rtol=2e-5, atol=1e-6)
    flagged = np.array([result.is_anomaly for result in results])
    clear = np.abs(detector.decision_function(X[250:])) > 1e-4
    np.testing.assert_array_equal(
        flagged[:n][clear[:n]], (detector.predict(X[250:]) == -1)[:n][clear[:n]]
    )
    assert stream.n_seen_ == 250
    assert stream.n_flagged_ == flagged.sum() > 0


@pytest.mark.parametrize("name", DEEP)
def test_rows_of_every_deep_detector(name):
    X = make_rows(60)
    y = np.where(np.arange(60) < 6, -1, 0)
    detector = make_detector(name, max_epochs=2).fit(X, y)
    scores, _ = DetectorStream(detector).update_many(X[:10])
    np.testing.assert_allclose(scores, detector.score_samples(X[:10]), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "gelu"},
        {"activation": "silu", "output_activation": "sigmoid"},
        {"tied": True},
        {"standardize_errors": False},
        {"module": nn.Linear(4, 4)},
    ],
    ids=str,
)
def test_every_kind_of_auto_encoder(params):
    X = make_rows(80, 4)
    X[0] = 1e30
    detector = make_detector("AutoEncoder", max_epochs=2, **params).fit(X[1:])
    scores, _ = DetectorStream(detector).update_many(X[:10])
    expected = detector.score_samples(X[:10])
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


class DoublingDetector(AutoEncoder):
    """Scores rows in its own way."""

    def _score_rows(self, x):
        return 2 * super()._score_rows(x)


def test_a_subclass_that_scores_in_its_own_way():
    X = make_rows(60)
    detector = DoublingDetector(max_epochs=1, random_state=0).fit(X)
    scores, _ = DetectorStream(detector).update_many(X[:5])
    np.testing.assert_allclose(scores, detector.score_samples(X[:5]), rtol=1e-4)


@pytest.mark.filterwarnings("ignore:partial_fit after fit:UserWarning")
@pytest.mark.parametrize("name", ["deep rows", "deep windows", "state of an LSTM"])
def test_what_was_learned_counts_at_once(name):
    X = make_sine(400, n_channels=2)
    stream = DetectorStream(DETECTORS[name].fit(X[:200]), partial_fit_every=50)
    plain = DetectorStream(DETECTORS[name])
    learning, _ = stream.update_many(X[200:260])
    frozen, _ = plain.update_many(X[200:260])
    np.testing.assert_array_equal(learning[:50], frozen[:50])
    assert not np.any(learning[50:] == frozen[50:])


def test_memory_is_bounded():
    X = make_sine(4000)
    detector = SlidingWindowDetector(UnivariateDetector(), window=20).fit(X[:300])
    sizes = []
    stream = DetectorStream(detector)
    for x in X:
        stream.update(x)
        sizes.append(0)
        if stream.n_seen_ in (1000, 4000):
            sizes[-1] = len(pickle.dumps(stream))
    assert sizes[999] == pytest.approx(sizes[3999], rel=0.01)


def test_numbers_for_a_single_channel():
    detector = UnivariateDetector().fit(make_sine(100))
    stream = DetectorStream(detector)
    assert stream.update(0.5) == stream.update([0.5])
    scores, flags = stream.update_many(make_sine(5))
    assert scores.shape == flags.shape == (5,)
    assert [len(one) for one in stream.update_many(np.empty((0, 1)))] == [0, 0]


@pytest.mark.filterwarnings("ignore:partial_fit after fit:UserWarning")
def test_the_detector_is_not_changed():
    X = make_sine(300)
    detector = SlidingWindowDetector(AE, window=8).fit(X)
    before = detector.score_samples(X)
    stream = DetectorStream(detector, partial_fit_every=50)
    stream.update_many(X + 1)
    np.testing.assert_array_equal(detector.score_samples(X), before)


@pytest.mark.filterwarnings("ignore:partial_fit after fit:UserWarning")
def test_learning_helps_after_a_change_and_not_from_anomalies():
    gains = []
    for seed in range(3):
        X = make_sine(3000, n_channels=2, seed=seed)
        X[1000:, 1] *= -1  # from now on the channels go against each other
        inner = make_detector("AutoEncoder", max_epochs=30, random_state=seed)
        detector = SlidingWindowDetector(inner, window=6, contamination=0.01).fit(X[:1000])
        # All is flagged after the change, so that a stream that does not learn from what it
        # flags learns nothing.
        errors = []
        for threshold in (detector.offset_, -np.inf):
            detector.offset_ = threshold
            stream = DetectorStream(detector, partial_fit_every=100, buffer_size=200)
            scores, _ = stream.update_many(X[1000:])
            errors.append(-scores[-500:].mean())
        gains.append(errors[0] / errors[1])
    assert np.median(gains) > 2


def test_wrong_use():
    X = make_sine(100, n_channels=2)
    with pytest.raises(NotFittedError):
        DetectorStream(UnivariateDetector())
    fitted = UnivariateDetector().fit(X)
    stream = DetectorStream(fitted)
    for x, text in [
        ([1.0], r"shape \(1,\), expected \(2,\)"),
        (X[:3], r"shape \(3, 2\), expected \(2,\)"),
        ([0.0, np.nan], "nan in channel 1"),
        ([np.inf, 0.0], "inf in channel 0"),
    ]:
        with pytest.raises(ValueError, match=text):
            stream.update(x)
    assert stream.n_seen_ == 0
    with pytest.raises(TypeError, match="UnivariateDetector has no partial_fit"):
        DetectorStream(fitted, partial_fit_every=10)
    for bad in ({"partial_fit_every": 0}, {"buffer_size": -1}, {"partial_fit_every": 2.5}):
        with pytest.raises(ValueError, match="must be a positive int"):
            DetectorStream(fitted, **bad)
    centred = SlidingWindowDetector(fitted, window=5, aggregate="mean").fit(X)
    with pytest.raises(TypeError, match="aggregate='mean' uses time stamps that come later"):
        DetectorStream(centred)
    gaps = SlidingWindowDetector(fitted, window=5, missing="mask").fit(X)
    with pytest.raises(TypeError, match="without gaps"):
        DetectorStream(gaps)


@pytest.mark.parametrize("setting", ["dtype", "autocast", "precision", "device"])
def test_global_settings_of_torch_do_not_matter(setting):
    X = make_sine(100, n_channels=3)
    stream = DetectorStream(AE.fit(X))
    expected, _ = stream.update_many(X[:5])
    before = torch.get_float32_matmul_precision()
    try:
        if setting == "dtype":
            torch.set_default_dtype(torch.float64)
        elif setting == "precision":
            torch.set_float32_matmul_precision("medium")
        elif setting == "device":
            torch.set_default_device("meta")
        with torch.autocast("cpu", enabled=setting == "autocast"):
            found, _ = stream.update_many(X[:5])
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision(before)
        torch.set_default_device(None)
    np.testing.assert_array_equal(found, expected)
