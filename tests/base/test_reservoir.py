"""The rows that partial_fit remembers for the threshold."""

import copy

import numpy as np
import pytest
from conftest import make_detector, make_rows


def test_partial_fit_follows_the_stream(name):
    streamed = make_detector(name, max_epochs=1, contamination=0.1)
    parts = [make_rows(100, seed=seed) for seed in range(4)]
    for part in parts:
        streamed.partial_fit(part)
    assert streamed.n_epochs_ == 4
    # Fewer rows than the sample holds: the threshold is exact over all of them.
    assert np.sum(streamed.predict(np.concatenate(parts)) == -1) == 40


def test_partial_fit_sample_is_bounded(name):
    detector = make_detector(name, max_epochs=1)
    detector._reservoir_size = 50
    for seed in range(3):
        detector.partial_fit(make_rows(100, seed=seed))
        assert detector._reservoir.rows.shape == (50, 5)
    sample = {row.tobytes() for row in detector._reservoir.rows}
    for seed in range(3):
        assert sample & {row.tobytes() for row in make_rows(100, seed=seed)}


def test_few_rows_after_fit_warn(fitted, rows):
    detector = copy.deepcopy(fitted("LinearAutoEncoder"))
    with pytest.warns(UserWarning, match=r"after fit with 20 rows.*Give 50 or more"):
        detector.partial_fit(rows[:20])
    # These rows are kept: the next ones add to them. From the start all are.
    detector.partial_fit(rows[20:40])
    streamed = make_detector("LinearAutoEncoder").partial_fit(rows[:20]).partial_fit(rows[:20])
    assert streamed.n_epochs_ == 6
