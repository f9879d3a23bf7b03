"""Detectors of windows of series."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_detector
from sklearn.metrics import roc_auc_score

from skdeepanomaly import RecurrentAutoEncoder, RecurrentForecaster, SlidingWindowDetector
from skdeepanomaly.utils import all_detectors

FORECASTERS = ["ConvForecaster", "RecurrentForecaster"]
NAMES = [*FORECASTERS, "RecurrentAutoEncoder", "TransformerAutoEncoder"]
with_all = pytest.mark.parametrize("name", NAMES)
with_forecasters = pytest.mark.parametrize("name", FORECASTERS)


def make_windows(n=300, length=16, n_channels=2, seed=0):
    """Draw windows of sines of two channels, a quarter of a period apart, with noise."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 100, size=(n, 1, 1)) + np.arange(length)[:, None] / 3
    X = np.sin(t + np.pi / 2 * np.arange(n_channels))
    return (X + rng.normal(scale=0.05, size=X.shape)).astype(np.float32)


CELLS = [(name, {}) for name in NAMES] + [
    (name, {"cell": "gru"}) for name in NAMES if name.startswith("Recurrent")
]


@pytest.mark.parametrize(("name", "params"), CELLS, ids=str)
def test_windows_in_any_shape(name, params):
    X = make_windows(60)
    detector = make_detector(name, **params).fit(X)
    assert detector.window_shape_ == (16, 2)
    scores = detector.score_samples(X)
    flat = make_detector(name, n_channels=2, **params).fit(X.reshape(60, -1))
    assert flat.window_shape_ == (16, 2)
    np.testing.assert_array_equal(flat.score_samples(X.reshape(60, -1)), scores)
    np.testing.assert_array_equal(detector.score_samples(torch.from_numpy(X)), scores)
    np.testing.assert_array_equal(detector.score_samples(list(X)), scores)
    assert detector.explain(X).shape == X.shape
    np.testing.assert_allclose(detector.explain(X).sum((1, 2)), -scores, rtol=1e-5)
    frame = pd.DataFrame(X[:, :, 0]).rename(columns=str)
    alone = make_detector(name, **params).fit(frame)
    assert alone.window_shape_ == (16, 1)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(alone)).score_samples(frame), alone.score_samples(frame)
    )


@with_all
def test_wrong_shapes(name):
    X = make_windows(40)
    for params, bad, text in [
        ({}, X[:, None], r"4 axes.*\(n_samples, length, n_channels\)"),
        ({"n_channels": 3}, X, "windows of 2 channels, but n_channels is 3"),
        (
            {"n_channels": 3},
            X.reshape(40, -1),
            "32 columns, which is no multiple of n_channels=3",
        ),
        ({"n_last_steps": 17}, X, "n_last_steps=17 is more than the 16 steps"),
        ({}, list(X[:20]) + list(X[20:, :5]), "2 different shapes"),
    ]:
        with pytest.raises(ValueError, match=text):
            make_detector(name, **params).fit(bad)
    detector = make_detector(name).fit(X)
    with pytest.raises(ValueError, match=r"shape \(40, 8, 2\).*windows of shape \(16, 2\)"):
        detector.score_samples(X[:, :8])
    with pytest.raises(ValueError, match=r"A single window needs a first axis"):
        detector.score_samples(X[0])


@with_all
@pytest.mark.parametrize("length", [1, 2])
def test_short_windows(name, length):
    X = make_windows(60, length, 3)
    scores = make_detector(name).fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) == 60


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "RecurrentForecaster" else pytest.mark.slow)
        for name in NAMES
    ],
)
def test_the_order_of_steps_matters(name):
    """Usual values in an unusual order are found, though no value is unusual."""
    areas = []
    for seed in range(3):
        X = make_windows(400, seed=seed)
        normal, odd = X[300:350], X[350:].copy()
        rng = np.random.default_rng(seed)
        for window in odd:
            window[6:12] = window[6:12][rng.permutation(6)]
        detector = make_detector(name, max_epochs=40, random_state=seed).fit(X[:300])
        scores = -detector.score_samples(np.concatenate([normal, odd]))
        areas.append(roc_auc_score(np.repeat([0, 1], 50), scores))
    assert np.mean(areas) > 0.9


@with_all
def test_only_the_last_steps_count(name):
    X = make_windows(100)
    detector = make_detector(name, n_last_steps=4).fit(X)
    assert not detector.explain(X)[:, :12].any()
    early, late = X.copy(), X.copy()
    early[:, 13] += 3
    late[:, 15] += 3
    all_steps = make_detector(name).fit(X)
    for changed in (early, late):
        ours = detector.score_samples(changed) / detector.score_samples(X)
        others = all_steps.score_samples(changed) / all_steps.score_samples(X)
        assert np.median(ours) > np.median(others) > 1


def test_rebuilt_windows_and_codes():
    X = make_windows(200)
    detector = RecurrentAutoEncoder(max_epochs=60, random_state=0).fit(X)
    rebuilt = detector.reconstruct(X)
    assert rebuilt.shape == X.shape
    assert np.square(rebuilt - X).mean() < 0.2 * X.var()
    assert detector.encode(X).shape == (200, 16)
    np.testing.assert_allclose(
        detector.score_samples(X), -np.square(rebuilt - X).mean((1, 2)), rtol=1e-4
    )


@with_forecasters
def test_predictions_do_not_see_the_step_that_they_predict(name):
    X = make_windows(100)
    detector = make_detector(name, max_epochs=20).fit(X)
    changed = X.copy()
    changed[:, 9:] += 2
    before, after = detector.predict_steps(X), detector.predict_steps(changed)
    assert before.shape == X.shape
    np.testing.assert_array_equal(before[:, :10], after[:, :10])
    assert (before[:, 10:] != after[:, 10:]).any()


@with_forecasters
def test_scores_are_mahalanobis_distances(name):
    X = make_windows(150)
    detector = make_detector(name, max_epochs=20, n_last_steps=5).fit(X)
    residuals = (X - detector.predict_steps(X))[:, -5:].reshape(-1, 2).astype(float)
    covariance = np.cov(residuals.T, bias=True)
    covariance += 1e-3 * np.trace(covariance) / 2 * np.eye(2)
    centred = residuals - residuals.mean(axis=0)
    distances = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(covariance), centred)
    np.testing.assert_allclose(
        -detector.score_samples(X), distances.reshape(150, 5).mean(axis=1), rtol=1e-3
    )


@with_forecasters
def test_covariance_finds_errors_that_do_not_go_together(name):
    """Channels share their noise; anomalies have noise of their own, no larger than usual."""
    gains = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(500, 12, 1)) * [0.5, 0.5, 0.5]
        X = noise + rng.normal(scale=0.05, size=noise.shape)
        X[450:, 8:] = rng.normal(scale=0.5, size=(50, 4, 3))
        X = X.astype(np.float32)
        detector = make_detector(name, max_epochs=5, random_state=seed)
        detector.fit(X[:300])
        truth = np.repeat([0, 1], [150, 50])
        plain = np.square(X[300:] - detector.predict_steps(X[300:])).mean((1, 2))
        gains.append(
            roc_auc_score(truth, -detector.score_samples(X[300:])) - roc_auc_score(truth, plain)
        )
    assert np.mean(gains) > 0.2


def test_channels_that_never_change_do_not_decide_alone():
    X = make_windows(150, n_channels=3)
    X[:, :, 2] = 0.5
    detector = make_detector("RecurrentForecaster", max_epochs=20).fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    other = X[:5].copy()
    other[:, :, 2] = 5
    assert detector.score_samples(other).max() < scores.min()


@with_all
@pytest.mark.parametrize("shape", [(16, 1), (16, 3), (33, 2)], ids=str)
def test_score_of_a_window_does_not_depend_on_the_position(name, shape):
    X = np.random.default_rng(0).normal(size=(40, *shape)).astype(np.float32)
    for params in ({"hidden_dim": 12}, {"cell": "gru", "hidden_dim": 36}):
        known = dict(all_detectors())[name]().get_params()
        params = {n: value for n, value in params.items() if n in known}
        detector = make_detector(name, max_epochs=1, **params).fit(X)
        for window in X[:3]:
            scores = detector.score_samples(np.repeat(window[None], 64, axis=0))
            np.testing.assert_array_equal(scores, scores[0])
        expected = detector.score_samples(X)
        many = detector.score_samples(np.concatenate([X] * 26))
        np.testing.assert_array_equal(many, np.tile(expected, 26))


@with_all
def test_in_sliding_windows_of_several_channels(name):
    t = np.arange(900)
    X = np.column_stack([np.sin(t / 5), np.cos(t / 5)])
    X += np.random.default_rng(0).normal(scale=0.05, size=X.shape)
    X[700:705, 0] *= -1
    detector = SlidingWindowDetector(
        make_detector(name, n_last_steps=4, max_epochs=10), window=16
    )
    detector.fit(X[:600])
    assert detector.detector_.window_shape_ == (16, 2)
    assert detector.score_samples(X).argmin() in range(700, 710)


@pytest.mark.parametrize("length", [3, 16, 40])
def test_convolutions_see_the_whole_window(length):
    X = make_windows(40, length)
    detector = make_detector("ConvForecaster", max_epochs=1).fit(X)
    changed = X.copy()
    changed[:, 0] += 1
    before, after = detector.predict_steps(X), detector.predict_steps(changed)
    assert (before[:, -1] != after[:, -1]).all()


@pytest.mark.parametrize("length", [1, 3, 10])
def test_no_step_is_restored_from_itself(length):
    X = make_windows(40, length)
    detector = make_detector("TransformerAutoEncoder", max_epochs=1).fit(X)
    for step in range(length):
        changed = X.copy()
        changed[:, step] += 1
        before, after = detector.reconstruct(X), detector.reconstruct(changed)
        np.testing.assert_array_equal(before[:, step], after[:, step])
    if length > 1:
        assert (before[:, 0] != after[:, 0]).any()


@pytest.mark.slow
def test_hiding_steps_matters():
    """A transformer that may see a step learns to copy it, whatever it is."""
    areas = {0.25: [], 0.0: []}
    for seed in range(3):
        X = make_windows(400, seed=seed)
        odd = X[350:].copy()
        odd[:, 8] *= -1
        for rate, found in areas.items():
            detector = make_detector(
                "TransformerAutoEncoder", mask_rate=rate, max_epochs=60, random_state=seed
            ).fit(X[:300])
            scores = -detector.score_samples(np.concatenate([X[300:350], odd]))
            found.append(roc_auc_score(np.repeat([0, 1], 50), scores))
    assert np.mean(areas[0.25]) > np.mean(areas[0.0]) + 0.05


def test_heads_share_the_width():
    with pytest.raises(ValueError, match="hidden_dim=10 is no multiple of n_heads=4"):
        make_detector("TransformerAutoEncoder", hidden_dim=10).fit(make_windows(40))


def test_custom_networks():
    X = make_windows(60)
    module = torch.nn.Linear(32, 32)
    for cls in (RecurrentAutoEncoder, RecurrentForecaster):
        detector = cls(module=module, max_epochs=2, random_state=0).fit(X)
        assert np.isfinite(detector.score_samples(X)).all()
