"""What all detectors that learn from labels do with them."""

import numpy as np
import pytest
from conftest import LABELLED, make_detector, make_rows

from skdeepanomaly.utils.validation import check_labels


@pytest.fixture(params=sorted(LABELLED))
def detector(request):
    return make_detector(request.param, classes=LABELLED)


def test_X_is_judged_before_y(detector):
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.full((20, 3), np.nan), np.arange(20))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1] * 50, r"y holds 0 and \+1 but no -1.*np\.where\(y == 1, -1, 1\)"),
        ([False, True] * 50, r"y holds 0 and \+1 but no -1"),
        ([0, 1, 2, -1] * 25, r"takes labels -1 .* got -1, 0, 1, 2\. If 1"),
        (["a", "b"] * 50, r"takes labels -1 .* got 'a', 'b'\. If 1"),
        ([-1, np.nan] * 50, "takes labels -1 .* got -1.0, nan"),
        ([-1, 1], "inconsistent numbers of samples"),
        ([[-1, 1]] * 100, "1d array"),
    ],
)
def test_other_labels_are_refused(detector, y, message):
    with pytest.raises(ValueError, match=message):
        detector.fit(make_rows(100), y)


@pytest.mark.parametrize("y", [[-1, 0], [-1, 1], [-1, 0, 1, 0], [-1.0, 1.0], [-1]])
def test_labels_that_can_be_read(detector, y):
    y = np.resize(y, 100)
    detector.fit(make_rows(100), y).partial_fit(make_rows(100), y)
    assert np.isfinite(detector.score_samples(make_rows(100))).all()
    assert np.sum(detector.predict(make_rows(100)) == -1) == 10


def test_labels_that_follow_may_lack_anomalies(detector):
    X = make_rows(100)
    detector.fit(X, np.resize([-1, 0, 0, 1], 100))
    for y in ([0, 1], [1], None):
        detector.partial_fit(X, y if y is None else np.resize(y, 100))
    with pytest.raises(ValueError, match="takes labels -1"):
        detector.partial_fit(X, np.resize([2, 1], 100))


@pytest.mark.parametrize("y", [[0], [1]])
def test_without_a_known_anomaly(detector, y):
    if detector._labels == "required":
        with pytest.raises(ValueError, match="needs some anomalies to learn from"):
            detector.fit(make_rows(40), np.resize(y, 40))
        with pytest.raises(ValueError, match="requires y to be passed"):
            detector.fit(make_rows(40))
    else:
        detector.fit(make_rows(40), np.resize(y, 40))


def test_missing_labels_are_unlabelled_rows(detector):
    if detector._labels == "required":
        assert detector.__sklearn_tags__().target_tags.required
        return
    X = make_rows(100)
    alone = detector.fit(X).score_samples(X)
    np.testing.assert_array_equal(detector.fit(X, np.zeros(100)).score_samples(X), alone)
    labelled = detector.fit(X, np.resize([-1, 0, 0, 1], 100)).score_samples(X)
    assert not np.array_equal(labelled, alone)


def test_labels_become_small_integers():
    labels = check_labels([-1.0, 0.0, 1.0], 3, "Any", required=True)
    assert labels.dtype == np.int8
    assert labels.tolist() == [-1, 0, 1]
    assert check_labels(None, 2, "Any", required=False).tolist() == [0, 0]
