"""Why was this row flagged: for every detector, by deletion."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import DETECTORS, KINDS, make_detector, make_rows


def make_planted_columns(n_features, seed=0):
    """Return normal rows, the same rows with one column moved far out, and which."""
    rng = np.random.default_rng(seed)
    normal = make_rows(60, n_features, seed=5 + seed)
    moved, columns = normal.copy(), rng.integers(n_features, size=60)
    moved[np.arange(60), columns] += 6 * rng.choice([-1, 1], size=60)
    return normal, moved, columns


def train(name, seed):
    """Return a detector whose training is long enough for good scores."""
    X, y = make_rows(400, 6, seed), None
    if DETECTORS[name]._labels == "required":
        # Known anomalies: in each one a single column lies far out.
        moves = np.tile(np.concatenate([6 * np.eye(6), -6 * np.eye(6)]), (3, 1))
        X = np.concatenate([X, make_rows(36, 6, seed=1 + seed) + moves]).astype(np.float32)
        y = np.repeat([0, -1], [400, 36])
    params = {"hidden_dims": (32, 32), "max_epochs": "auto", "pretrain_epochs": "auto"}
    known = DETECTORS[name]().get_params()
    params = {param: value for param, value in params.items() if param in known}
    return make_detector(name, random_state=seed, **params).fit(X, y)


def restore(moved, normal, columns):
    """Return the moved rows with one column of each as it was."""
    restored = moved.copy()
    restored[np.arange(len(moved)), columns] = normal[np.arange(len(moved)), columns]
    return restored


def share_flagged(detector, X):
    return (detector.predict(X) == -1).mean()


@pytest.mark.slow
def test_planted_columns_rank_first_and_restoring_them_makes_rows_normal(name):
    right, found, restored = [], [], []
    for seed in range(2):
        detector = train(name, seed)
        normal, moved, columns = make_planted_columns(6, seed)
        contributions = detector.explain(moved)
        assert contributions.shape == moved.shape
        assert contributions.dtype == np.float64
        ranked = np.argsort(-contributions, axis=1)
        mended = [restore(moved, normal, ranked[:, place]) for place in (0, -1)]
        right.append((ranked[:, 0] == columns).mean())
        found.append(share_flagged(detector, moved) - share_flagged(detector, normal))
        restored.append(share_flagged(detector, mended[1]) - share_flagged(detector, mended[0]))
    # Blaming columns at random would be right in a sixth of the rows.
    assert np.mean(right) > 0.5
    assert np.mean(found) > 0.3
    # Rows become normal by restoring the column blamed most, not the one blamed least.
    assert np.mean(restored) > 0.25


# Detectors whose score is a sum over the features.
SUMS_OVER_FEATURES = [
    "AdversarialAutoEncoder",
    "AutoEncoder",
    "ConvAutoEncoder",
    "ConvVariationalAutoEncoder",
    "DenoisingAutoEncoder",
    "LinearAutoEncoder",
    "RegressionResidual",
    "VariationalAutoEncoder",
]


def test_contributions_sum_to_the_score(name, fitted, rows):
    detector, (_, moved, _) = fitted(name), make_planted_columns(5)
    contributions = detector.explain(moved)
    scores = -detector.score_samples(moved)
    if name in SUMS_OVER_FEATURES:
        np.testing.assert_allclose(contributions.sum(axis=1), scores, rtol=1e-4)
    else:
        reference = -detector.score_samples(np.median(rows, axis=0, keepdims=True))
        missing = contributions.sum(axis=1) - (scores - reference)
        assert np.abs(missing).mean() < 0.05 * np.abs(scores - reference).mean()


@pytest.mark.parametrize("name", KINDS)
def test_explanation_does_not_depend_on_the_company(name, fitted):
    # More rows than go through the network at once.
    X = make_rows(200, seed=2)
    contributions = fitted(name).explain(X)
    np.testing.assert_allclose(
        fitted(name).explain(X[100:105]), contributions[100:105], rtol=1e-4, atol=1e-6
    )


def test_far_out_rows_have_finite_explanations(name, fitted):
    X = make_rows(3).astype(np.float64)
    X[0], X[1, 2] = 1e30, -1e30
    assert np.isfinite(fitted(name).explain(X)).all()


# Older versions of scikit-learn read the names of polars' columns through that protocol.
@pytest.mark.filterwarnings("ignore:Support for the dataframe interchange:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_result_is_an_array_whatever_fit_saw(rows):
    names = list("abcde")
    frame = pd.DataFrame(rows, columns=names, index=np.arange(len(rows)) + 1000)
    detector = make_detector("AutoEncoder").fit(frame)
    expected = make_detector("AutoEncoder").fit(rows).explain(rows)
    table = pa.table(dict(zip(names, rows.T, strict=True)))
    for X in (frame, pl.DataFrame(rows, schema=names), table):
        explained = detector.explain(X)
        assert type(explained) is np.ndarray
        np.testing.assert_array_equal(explained, expected)
