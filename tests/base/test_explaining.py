"""Why was this row flagged: for every detector, by deletion."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import DETECTORS, make_detector, make_rows


@pytest.fixture(scope="module")
def trained():
    """Return a function that gives a detector trained as by default, by name."""
    cache = {}

    def get(name):
        if name not in cache:
            X, y = make_rows(400, 6), None
            if DETECTORS[name]._labels == "required":
                # Known anomalies: in each one a single column lies far out.
                moves = np.tile(np.concatenate([6 * np.eye(6), -6 * np.eye(6)]), (3, 1))
                X = np.concatenate([X, make_rows(36, 6, seed=1) + moves]).astype(np.float32)
                y = np.repeat([0, -1], [400, 36])
            cache[name] = DETECTORS[name](random_state=0).fit(X, y)
        return cache[name]

    return get


@pytest.fixture(scope="module")
def planted():
    """Return normal rows, the same rows with one column moved far out, and which."""
    rng = np.random.default_rng(0)
    normal = make_rows(60, 6, seed=5)
    moved, columns = normal.copy(), rng.integers(6, size=60)
    moved[np.arange(60), columns] += 6 * rng.choice([-1, 1], size=60)
    return normal, moved, columns


def test_planted_columns_rank_first_and_restoring_them_makes_rows_normal(
    name, trained, planted
):
    detector = trained(name)
    normal, moved, columns = planted
    contributions = detector.explain(moved)
    assert contributions.shape == moved.shape
    assert contributions.dtype == np.float64
    assert (detector.predict(moved) == -1).mean() > 0.95
    ranked = np.argsort(-contributions, axis=1)
    assert (ranked[:, 0] == columns).mean() > 0.85
    for place, label in [(0, 1), (-1, -1)]:
        # Without the column that was blamed most a row is normal, without another it is not.
        restored, blamed = moved.copy(), (np.arange(len(moved)), ranked[:, place])
        restored[blamed] = normal[blamed]
        assert (detector.predict(restored) == label).mean() > 0.65


def test_contributions_sum_to_the_score(name, trained, planted):
    detector = trained(name)
    contributions = detector.explain(planted[1])
    scores = -detector.score_samples(planted[1])
    if hasattr(detector.net_.criterion_, "feature_scores"):
        np.testing.assert_allclose(contributions.sum(axis=1), scores, rtol=1e-4)
    else:
        reference = -detector.score_samples(detector._reference[None])
        missing = contributions.sum(axis=1) - (scores - reference)
        assert np.abs(missing).mean() < 0.05 * np.abs(scores - reference).mean()


def test_explanation_does_not_depend_on_the_company(name, trained):
    X = make_rows(1500, 6, seed=2)
    contributions = trained(name).explain(X)
    np.testing.assert_allclose(
        trained(name).explain(X[700:705]), contributions[700:705], rtol=1e-4, atol=1e-6
    )


def test_far_out_rows_have_finite_explanations(name, trained):
    X = make_rows(3, 6).astype(np.float64)
    X[0], X[1, 2] = 1e30, -1e30
    assert np.isfinite(trained(name).explain(X)).all()


# Older versions of scikit-learn read the names of polars' columns through that protocol.
@pytest.mark.filterwarnings("ignore:Support for the dataframe interchange:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_columns_are_named(rows):
    names = list("abcde")
    frame = pd.DataFrame(rows, columns=names, index=np.arange(len(rows)) + 1000)
    detector = make_detector("AutoEncoder").fit(frame)
    explained = detector.explain(frame.iloc[:4])
    assert list(explained.columns) == names
    assert list(explained.index) == [1000, 1001, 1002, 1003]
    polars = detector.explain(pl.DataFrame(rows, schema=names))
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == names
    np.testing.assert_array_equal(polars.to_numpy()[:4], explained.to_numpy())
    for unnamed in (rows, pa.table(dict(zip(names, rows.T, strict=True)))):
        assert list(detector.explain(unnamed).columns) == names
    assert isinstance(make_detector("AutoEncoder").fit(rows).explain(rows), np.ndarray)
