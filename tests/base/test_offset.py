"""The threshold of the scores."""

import numpy as np
import pytest
from conftest import make_detector, make_rows, with_cases


@with_cases("contamination", [1e-6, 0.013, 0.1, 0.25, 0.5], smoke=0.013)
def test_contamination_is_exact(name, contamination):
    X = make_rows(173)
    detector = make_detector(name, max_epochs=1, contamination=contamination)
    n_outliers = np.sum(detector.fit_predict(X) == -1)
    assert n_outliers == max(1, round(contamination * len(X)))


def test_contamination_does_not_split_equal_rows(name):
    X = np.repeat(make_rows(30), 5, axis=0)
    labels = make_detector(name, contamination=0.1).fit_predict(X).reshape(30, 5)
    assert (labels == labels[:, :1]).all()
    assert np.sum(labels == -1) == 15


def test_contamination_auto(name, rows):
    detector = make_detector(name, contamination="auto").fit(rows)
    scores = detector.score_samples(rows)
    quartile, median = np.quantile(scores, [0.25, 0.5])
    assert detector.offset_ == pytest.approx(median - 3 * (median - quartile) / 0.6745)


@with_cases("contamination", [0, -0.1, 0.51, 1, "none"], smoke=0)
def test_contamination_out_of_range(name, rows, contamination):
    with pytest.raises(ValueError, match=r"'contamination' parameter .*\(0.0, 0.5\]"):
        make_detector(name, contamination=contamination).fit(rows)
