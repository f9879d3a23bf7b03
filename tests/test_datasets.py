"""Generated data sets."""

from itertools import pairwise

import numpy as np
import pytest

from skdeepanomaly.datasets import make_series_anomalies, make_texture_defects


def test_textures_have_defects_where_the_masks_say():
    X, y, masks = make_texture_defects(30, 10, size=40, noise=0.0, random_state=0)
    assert X.shape == masks.shape == (40, 40, 40)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(y, np.repeat([1, -1], [30, 10]))
    np.testing.assert_array_equal(masks.any(axis=(1, 2)), y == -1)
    # A disc of 12 pixels that lies inside of the image.
    assert np.all(np.abs(masks[30:].sum(axis=(1, 2)) - np.pi * 36) < 12)
    # Neither brightness nor contrast betrays a defect.
    assert X[masks].mean() == pytest.approx(X[~masks].mean(), abs=0.02)
    assert X[masks].std() == pytest.approx(X[~masks].std(), rel=0.1)


def test_textures_follow_their_seed():
    first, again, other = (make_texture_defects(3, 2, random_state=s)[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(other, first)


@pytest.mark.parametrize("defect_size", [0, 41])
def test_defects_that_do_not_fit_are_refused(defect_size):
    with pytest.raises(ValueError, match=f"at most size=40, got {defect_size}"):
        make_texture_defects(size=40, defect_size=defect_size)


def _spans(y):
    edges = np.diff(np.concatenate([[0], y == -1, [0]]).astype(int))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))


ALL_KINDS = ["point", "contextual", "collective", "level_shift", "frequency", "correlation"]


def test_series_have_anomalies_where_the_labels_say():
    X, y, kinds = make_series_anomalies(
        5000, 2, kinds=ALL_KINDS, n_anomalies=12, length=40, random_state=0
    )
    assert X.shape == (5000, 2)
    np.testing.assert_array_equal(y == -1, kinds != "normal")
    assert np.all(y[:2500] == 1)
    spans = _spans(y)
    assert [kinds[start] for start, _ in spans] == ALL_KINDS * 2
    lengths = {"point": 1, "contextual": 6}
    assert [stop - start for start, stop in spans] == [
        lengths.get(kind, 40) for kind in ALL_KINDS * 2
    ]
    # At least a period between them.
    assert min(b[0] - a[1] for a, b in pairwise(spans)) >= 50


def _normal_twin(kind, n_channels=1, **params):
    """Return a series with anomalies of one kind, and the same without."""
    common = {"n_timestamps": 4000, "n_channels": n_channels, "noise": 0.0, "random_state": 3}
    X, y, _ = make_series_anomalies(**common, kinds=kind, n_anomalies=5, **params)
    twin, _, _ = make_series_anomalies(**common, n_anomalies=0)
    return X, twin, y == -1


@pytest.mark.parametrize("kind", [*ALL_KINDS])
def test_each_kind_of_anomaly_is_what_it_is_called(kind):
    X, _, is_anomaly = _normal_twin(kind, n_channels=2)
    normal = X[~is_anomaly]
    low, high = normal.min(axis=0), normal.max(axis=0)
    inside = np.all((X >= 1.2 * low) & (X <= 1.2 * high), axis=1)
    for start, stop in _spans(np.where(is_anomaly, -1, 1)):
        part = X[start:stop]
        if kind == "point":
            assert not inside[start]
        elif kind == "level_shift":
            assert not inside[start:stop].all()
        else:
            # Each value is usual.
            assert inside[start:stop].all()
        if kind == "collective":
            # One channel stands still, but for the changing amplitude.
            assert np.ptp(part, axis=0).min() < 0.2 < 1 < np.ptp(part, axis=0).max()
        # Two periods before, all was as usual.
        distance = np.abs(part - X[start - 100 : stop - 100]).max(axis=0)
        assert distance.max() > 0.5
        if kind != "correlation":
            assert distance.min() < 0.4


def test_a_broken_correlation_shows_in_no_channel_alone():
    X, _, is_anomaly = _normal_twin("correlation", n_channels=2, length=100)
    for start, stop in _spans(np.where(is_anomaly, -1, 1)):
        # Two periods, of which one channel is half a period late.
        gap = np.corrcoef(np.hstack([X[start:stop], X[start - 100 : stop - 100]]).T)[:2, 2:]
        assert sorted(np.sign(np.diag(gap))) == [-1, 1]
        assert np.abs(np.diag(gap)).min() > 0.95


def test_series_follow_their_seed():
    draws = [make_series_anomalies(random_state=seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[1], draws[0])
    assert not np.array_equal(draws[2], draws[0])


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"kinds": ["spike"]}, r"sequence of some of .*'point'.*, got \['spike'\]"),
        ({"kinds": []}, r"sequence of some of .*, got \[\]"),
        ({"kinds": "correlation"}, "needs at least 2 channels, got n_channels=1"),
        ({"n_anomalies": 100}, "need 15000 time stamps, but only 2000 come after"),
        ({"n_normal": 3999}, "but only 1 come after the 3999 normal ones"),
        ({"period": 4}, "period must be at least 8 .*, got 4"),
        ({"length": 0}, "length at least 1, got 50 and 0"),
        ({"n_anomalies": -1}, "n_anomalies .* got -1"),
        ({"n_normal": 5000}, "n_normal .* got 5000"),
        ({"n_channels": 0}, "n_channels .* got 0"),
    ],
)
def test_series_that_cannot_be_made_are_refused(params, match):
    with pytest.raises(ValueError, match=match):
        make_series_anomalies(**params)
