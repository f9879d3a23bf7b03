"""Which detector finds which kind of anomaly, as the guide's table says."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import (
    GAN,
    AutoEncoder,
    ConditionalGAN,
    MatrixProfileDetector,
    RecurrentForecaster,
    SlidingWindowDetector,
    UnivariateDetector,
)
from skdeepanomaly.datasets import make_series_anomalies
from skdeepanomaly.metrics._ranges import ranges_of

KINDS = ["point", "contextual", "collective", "level_shift", "frequency", "correlation"]
PERIOD, N_NORMAL, WINDOW = 50, 2000, 32


def shares_found(make, kinds=KINDS, n_channels=2, hour=False, seeds=range(3)):
    """Return the share of the anomalies of each kind that a detector finds.

    One is found if a score in it, or in the window after it, is lower than 99.8 % of the
    scores of normal time stamps.
    """
    found = {kind: [] for kind in kinds}
    for seed in seeds:
        X, y, labels = make_series_anomalies(
            N_NORMAL + 600 * len(kinds),
            n_channels,
            kinds=kinds,
            n_anomalies=4 * len(kinds),
            period=PERIOD,
            n_normal=N_NORMAL,
            noise=0.3,
            random_state=seed,
        )
        if hour:
            angle = 2 * np.pi * np.arange(len(X))[:, None] / PERIOD
            X = np.hstack([X, np.sin(angle), np.cos(angle)])
        detector = make(seed).fit(X[:N_NORMAL])
        scores = detector.score_samples(X)
        spans, reach = ranges_of(y == -1), getattr(detector, "window_", 1) - 1
        is_normal = np.arange(len(X)) >= N_NORMAL
        for start, stop in spans:
            is_normal[start : stop + reach] = False
        threshold = np.quantile(scores[is_normal], 0.002)
        for start, stop in spans:
            found[labels[start]].append(scores[start : stop + reach].min() < threshold)
    return {kind: np.mean(each) for kind, each in found.items()}


def on_windows(make, **params):
    return lambda seed: SlidingWindowDetector(make(random_state=seed, **params), window=WINDOW)


def test_values_alone_show_points_and_shifts():
    shares = shares_found(lambda seed: UnivariateDetector())
    for kind in ("point", "level_shift"):
        assert shares.pop(kind) > 0.7
    assert max(shares.values()) < 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: SlidingWindowDetector(LocalOutlierFactor(5, novelty=True), window=WINDOW),
        lambda seed: MatrixProfileDetector(window=WINDOW),
    ],
    ids=["neighbours", "matrix profile"],
)
def test_searches_of_windows_find_every_kind(make):
    assert min(shares_found(make).values()) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        on_windows(AutoEncoder, max_epochs=60),
        on_windows(RecurrentForecaster, n_last_steps=1, max_epochs=30),
    ],
    ids=["auto-encoder", "forecaster"],
)
def test_networks_on_windows_find_every_kind(make):
    assert min(shares_found(make).values()) > 0.5


def test_a_forest_on_windows_misses_points():
    make = on_windows(IsolationForest)
    shares = shares_found(make, kinds=["point", "level_shift"], n_channels=1)
    assert shares["point"] < 0.7
    assert shares["level_shift"] > 0.9


@pytest.mark.slow
def test_the_hour_shows_what_is_contextual():
    def by_hour(seed):
        return ConditionalGAN(condition_features=[1, 2], max_epochs=40, random_state=seed)

    common = {"kinds": ["contextual"], "n_channels": 1}
    known = shares_found(by_hour, hour=True, **common)["contextual"]
    unknown = shares_found(lambda seed: GAN(max_epochs=40, random_state=seed), **common)
    assert known > unknown["contextual"] + 0.5
