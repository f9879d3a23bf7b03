"""Which rows detectors take, and what they say of others."""

import copy
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import make_detector, make_rows, on_two_detectors, with_cases
from scipy import sparse
from sklearn.exceptions import NotFittedError


@with_cases("library", ["pandas", "polars", "pyarrow"], smoke="pandas")
def test_data_frames(name, rows, library):
    columns = list("abcde")
    make = {
        "pandas": lambda X, names: pd.DataFrame(X, columns=names),
        "polars": lambda X, names: pl.DataFrame(X, schema=names),
        "pyarrow": lambda X, names: pa.table(dict(zip(names, X.T, strict=True))),
    }[library]
    frame = make(rows, columns)
    detector = make_detector(name, max_epochs=1).fit(frame)
    assert list(detector.feature_names_in_) == columns
    with warnings.catch_warnings():
        # Only scores from a bare array warn of missing names.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        expected = detector.score_samples(rows)
    np.testing.assert_array_equal(detector.score_samples(frame), expected)
    reordered = make(rows[:, ::-1], columns[::-1])
    with pytest.raises(ValueError, match="must be in the same order"):
        detector.score_samples(reordered)


# A method may fail on these: each detector is tested with all of them.
DEGENERATE = {
    "one column": make_rows(60, 3)[:, :1],
    "a constant column": np.column_stack([make_rows(60, 3), np.ones(60)]),
    "all rows equal": np.tile(make_rows(2, 3)[:1], (20, 1)),
    "two rows": make_rows(2, 3),
    "a last batch of one row": make_rows(33, 3),
}
# The base class turns these into an array of floats.
CONTAINERS = {
    "integers": np.random.default_rng(0).integers(0, 5, size=(60, 3)),
    "booleans": np.random.default_rng(0).random((60, 3)) < 0.4,
    "a list": make_rows(20, 3).tolist(),
    "float64": make_rows(60, 3).astype(np.float64),
    "column order": np.asfortranarray(make_rows(60, 3)),
}


def check_fit_and_scores(name, X):
    batch_size = 16 if len(X) > 16 else "auto"
    detector = make_detector(name, batch_size=batch_size).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert set(detector.predict(X)) <= {-1, 1}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_rows(name, case):
    if (name, case) == ("ICL", "one column"):
        # It contrasts features with each other; its own tests see that it says so.
        return
    check_fit_and_scores(name, DEGENERATE[case])


@with_cases("case", CONTAINERS, smoke="integers")
def test_containers_and_types(name, case):
    check_fit_and_scores(name, CONTAINERS[case])


def test_torch_tensors_are_input_too(name, fitted, rows):
    np.testing.assert_array_equal(
        fitted(name).score_samples(torch.from_numpy(rows)), fitted(name).score_samples(rows)
    )


def test_read_only_memory_map(name, fitted, rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    X = np.load(tmp_path / "rows.npy", mmap_mode="r")
    detector = make_detector(name).fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), fitted(name).score_samples(rows))


@on_two_detectors
def test_fewer_rows_than_batch_size_works_and_warns_once(name, rows):
    message = "batch_size=1000 is larger than the 150 rows"
    with pytest.warns(UserWarning, match=message) as caught:
        detector = make_detector(name, batch_size=1000).fit(rows)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert np.isfinite(detector.score_samples(rows)).all()


def test_far_out_rows_get_a_finite_lowest_score(name, fitted, rows):
    far = rows[:4].astype(np.float64).copy()
    far[0], far[1, 2], far[2] = 1e30, -1e30, np.array([1e30, -1e30, 0, 1, 2])
    scores = fitted(name).score_samples(far)
    assert np.isfinite(scores).all()
    assert scores[:3].max() < fitted(name).score_samples(rows).min()
    np.testing.assert_array_equal(fitted(name).predict(far)[:3], -1)
    assert np.isfinite(fitted(name).decision_function(far)).all()


def with_one_value(value):
    X = make_rows(20, 5).astype(np.float64)
    X[3, 2] = value
    return X


BAD = {
    "NaN": (with_one_value(np.nan), ValueError, "NaN"),
    "inf": (with_one_value(np.inf), ValueError, "infinity"),
    "beyond float32": (with_one_value(1e300), ValueError, r"too large for dtype\('float32'\)"),
    "empty": (np.empty((0, 5)), ValueError, r"0 sample\(s\)"),
    "no columns": (np.empty((20, 0)), ValueError, r"0 feature\(s\)"),
    "1-D": (np.ones(5), ValueError, "Expected 2D array, got 1D"),
    "3-D": (np.ones((4, 5, 2)), ValueError, "dim 3"),
    "sparse": (sparse.csr_matrix(np.eye(5)), TypeError, "(?i)sparse"),
    "complex": (np.ones((20, 5)) * 1j, ValueError, "(?i)complex"),
    "strings": (np.full((20, 5), "a"), ValueError, "could not convert|non-numeric"),
}


@with_cases("case", BAD, smoke="NaN")
def test_bad_input_is_refused(name, fitted, case):
    X, error, message = BAD[case]
    with pytest.raises(error, match=message):
        make_detector(name).fit(X)
    with pytest.raises(error, match=message):
        fitted(name).score_samples(X)


@on_two_detectors
def test_one_row_is_too_few_to_fit(name, fitted, rows):
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2"):
        make_detector(name).fit(rows[:1])
    assert fitted(name).predict(rows[:1]).shape == (1,)
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2"):
        copy.deepcopy(fitted(name)).partial_fit(rows[:1])


@on_two_detectors
def test_a_last_chunk_of_one_row_leaves_the_detector_as_it_was(name, rows):
    y = np.where(np.arange(len(rows)) < 5, -1, 1)
    detector = make_detector(name).partial_fit(rows[:-1], y[:-1])
    scores = detector.score_samples(rows)
    with pytest.raises(ValueError, match="Join the last row of a stream to the chunk before"):
        detector.partial_fit(rows[-1:], y[-1:])
    np.testing.assert_array_equal(detector.score_samples(rows), scores)
    detector.partial_fit(rows[-2:], y[-2:])


@on_two_detectors
def test_wrong_width_and_names_are_refused(name, fitted, rows):
    with pytest.raises(ValueError, match=r"X has 4 features, but .* is expecting 5"):
        fitted(name).score_samples(rows[:, :4])
    detector = make_detector(name, max_epochs=1).fit(pd.DataFrame(rows, columns=list("abcde")))
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(pd.DataFrame(rows, columns=list("abcdx")))


def test_not_fitted(name, rows):
    for method in ("score_samples", "decision_function", "predict"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(make_detector(name), method)(rows)


@on_two_detectors
def test_unscaled_columns_warn_once_by_name(name, rows):
    # A copy: pandas before 3 would change the rows of all tests.
    frame = pd.DataFrame(rows.copy(), columns=list("abcde"))
    frame["c"] *= 1e4
    with pytest.warns(UserWarning, match="scales of the columns") as caught:
        make_detector(name, max_epochs=1).fit(frame)
    messages = [str(w.message) for w in caught]
    assert len(messages) == 1
    assert "column c (" in messages[0]
    assert caught[0].filename == __file__
