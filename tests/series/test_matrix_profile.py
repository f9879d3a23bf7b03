"""The distance of each window to the nearest one before it."""

import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from test_common import failed_checks
from test_sliding_window import ROWS_ARE_INDEPENDENT, make_sine

from skdeepanomaly import MatrixProfileDetector
from skdeepanomaly.series import _matrix_profile

# As for other detectors by neighbours: predict finds the training windows among themselves.
NOVELTY = {"check_outliers_fit_predict", "check_outliers_train"}


def naive_profile(values, window, history=(), normalize=False):
    """Return the distances by two loops."""

    def shape_of(part):
        if not normalize:
            return part
        part = part - part.mean(axis=0)
        spread = part.std(axis=0)
        return part / np.where(spread > 1e-9, spread, np.inf)

    expected = np.full(len(values), np.nan)
    for end in range(window - 1, len(values)):
        here = shape_of(values[end - window + 1 : end + 1])
        others = [
            shape_of(values[last - window + 1 : last + 1])
            for last in range(window - 1, end - window + 1)
        ]
        gaps = [np.linalg.norm(here - other) for other in [*others, *map(shape_of, history)]]
        expected[end] = min(gaps, default=np.nan)
    return expected


def test_check_estimator():
    failed = failed_checks(MatrixProfileDetector(window=2))
    assert set(failed) <= ROWS_ARE_INDEPENDENT | NOVELTY


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_equal_to_a_naive_search(normalize, n_channels, monkeypatch):
    monkeypatch.setattr(_matrix_profile, "MIN_BLOCK", 7)
    monkeypatch.setattr(_matrix_profile, "BLOCK_NUMBERS", 100)
    X = np.random.default_rng(0).normal(size=(90, n_channels))
    detector = MatrixProfileDetector(window=6, normalize=normalize, scale=None).fit(X[:40])
    history = [X[i : i + 6] for i in range(35)]
    assert len(detector.history_) == 35
    expected = naive_profile(X[40:], 6, history, normalize)
    np.testing.assert_allclose(-detector.score_samples(X[40:])[5:], expected[5:])
    own = naive_profile(X[:40], 6, (), normalize)
    flagged = detector.fit_predict(X[:40]) == -1
    np.testing.assert_array_equal(flagged, -own < detector.offset_)
    assert flagged.sum() == 3


def test_what_was_seen_before_is_known():
    X = make_sine(900)
    X[[600, 700]] += 4
    detector = MatrixProfileDetector(window=10).fit(X[:500])
    scores = -detector.score_samples(X[500:])
    assert scores[100:110].min() > 2 * scores[200:210].max()


def test_history_is_bounded_and_causal():
    X = make_sine(500)
    detector = MatrixProfileDetector(window=10, max_history=50).fit(X)
    assert len(detector.history_) == 50
    changed = X.copy()
    changed[300:] += 2
    np.testing.assert_array_equal(
        detector.score_samples(changed)[:300], detector.score_samples(X)[:300]
    )


def test_normalised_windows_see_shapes_only():
    X, truth = make_sine(1000), np.zeros(1000, dtype=bool)
    X[700:730] *= 2.5
    truth[702:735] = True
    areas = [
        roc_auc_score(
            truth[500:],
            -MatrixProfileDetector(window=25, normalize=normalize)
            .fit(X[:500])
            .score_samples(X[500:]),
        )
        for normalize in (False, True)
    ]
    assert areas[0] > 0.95
    assert areas[0] > areas[1] + 0.05


@pytest.mark.filterwarnings("ignore:A series of 3 steps:UserWarning")
def test_several_series_gaps_and_errors():
    X = make_sine(200)
    parts = [X, X[:40] + 1, X[:3]]
    detector = MatrixProfileDetector(window=10).fit(parts)
    assert [len(one) for one in detector.score_samples(parts)] == [200, 40, 3]
    assert [len(one) for one in detector.fit_predict(parts)] == [200, 40, 3]
    X[100:102] = np.nan
    masked = MatrixProfileDetector(window=10, missing="mask").fit(X)
    assert np.isfinite(masked.score_samples(X)).all()
    with pytest.raises(ValueError, match=r"window=300, but the longest .* has 200 steps"):
        MatrixProfileDetector(window=300).fit(make_sine(200))
    with pytest.raises(ValueError, match="All windows of 10 steps hold NaN"):
        masked.fit(np.where(np.arange(200)[:, None] % 5, make_sine(200), np.nan))


def test_fit_copies_only_the_windows_that_it_keeps():
    parts = [make_sine(3000), make_sine(3000, seed=1)]
    detector = MatrixProfileDetector(window=100, max_history=3100)
    detector._read(parts, reset=True)
    series, _ = detector._read(parts, reset=False)
    tracemalloc.start()
    detector.set_params(max_history=50)._fit_series(series, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A bool for each value of the windows is made, but no copy of 8 bytes each.
    assert peak < 2 * 3000 * 100
    np.testing.assert_array_equal(detector.history_[-1], series[1].values[-100:, 0])
    detector.set_params(max_history=3100)._fit_series(series, None)
    assert len(detector.history_) == 3100
    np.testing.assert_array_equal(detector.history_[-2902], series[0].values[-100:, 0])


@pytest.mark.parametrize("normalize", [False, True])
def test_a_series_that_is_shorter_than_the_window(normalize):
    detector = MatrixProfileDetector(window=8, normalize=normalize).fit(make_sine(100))
    with pytest.warns(UserWarning, match="5 steps is shorter than the window of 8"):
        scores = detector.score_samples(make_sine(5))
    np.testing.assert_array_equal(scores, np.full(5, scores[0]))
