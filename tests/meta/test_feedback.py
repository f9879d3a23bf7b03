"""Verdicts of an analyst change scores and threshold, and can be taken back."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
import torch
from conftest import make_detector
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM
from torch import nn

from skdeepanomaly import (
    FeedbackDetector,
    ThresholdedDetector,
    outlier_average_precision_score,
    outlier_scorers,
)
from skdeepanomaly.meta._rows import row_keys
from skdeepanomaly.utils._compat import is_newer, n_rows, take_rows

FOREST = IsolationForest(n_estimators=30, random_state=0)


def make_nuisance(seed=0, n=400, n_outliers=30):
    """Draw rows with harmless outliers along one direction and harmful ones along another.

    Return rows and labels, -1 for the harmful ones alone.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n + 2 * n_outliers, 5))
    X[n : n + n_outliers, 0] += 6
    X[n + n_outliers :, 1] += 4
    y = np.repeat([1, 1, -1], [n, n_outliers, n_outliers])
    order = rng.permutation(len(X))
    return X[order], y[order]


def review(detector, X, y, n_rounds=6, **params):
    """Let an analyst judge five rows a round; return all rows that were judged."""
    judged = []
    for _ in range(n_rounds):
        rows = detector.query(X, n=5, **params)
        detector.add_feedback(X[rows], y[rows])
        judged.extend(rows)
    return judged


DETECTORS = {
    "forest": lambda seed: IsolationForest(n_estimators=30, random_state=seed),
    "ours": lambda seed: make_detector("AutoEncoder", max_epochs=10, random_state=seed),
    "one class": lambda seed: make_detector("DeepSVDD", random_state=seed),
    "svm": lambda seed: make_pipeline(StandardScaler(), OneClassSVM(nu=0.1)),
    "lof": lambda seed: LocalOutlierFactor(novelty=True),
}


@pytest.mark.parametrize("kind", DETECTORS)
def test_verdicts_find_more_anomalies_and_rank_new_rows_better(kind):
    found, precision = [], []
    for seed in range(3):
        X, y = make_nuisance(seed)
        X_new, y_new = make_nuisance(seed + 100)
        detector = FeedbackDetector(DETECTORS[kind](seed)).fit(X)
        in_order = detector.query(X, n=30)
        before = outlier_average_precision_score(y_new, -detector.score_samples(X_new))
        judged = review(detector, X, y)
        after = outlier_average_precision_score(y_new, -detector.score_samples(X_new))
        found.append([np.sum(y[in_order] == -1), np.sum(y[judged] == -1)])
        precision.append([before, after])
    without, with_verdicts = np.mean(found, axis=0)
    assert with_verdicts > without + 3
    before, after = np.mean(precision, axis=0)
    assert after > before + 0.15


def test_without_verdicts_the_detector_decides():
    X, _ = make_nuisance()
    detector = FeedbackDetector(FOREST).fit(X)
    plain = clone(FOREST).fit(X)
    np.testing.assert_array_equal(detector.predict(X), plain.predict(X))
    order = np.argsort(plain.score_samples(X), kind="stable")
    assert (np.diff(detector.score_samples(X)[order]) >= 0).all()
    np.testing.assert_array_equal(detector.query(X, n=10), order[:10])
    assert (detector.offset_, detector.score_weight_) == (0, 1)
    assert not detector.view_weights_.any()


def test_far_off_detectors_keep_the_order():
    detector = FeedbackDetector(make_detector("AutoEncoder")).fit(make_nuisance()[0])
    rays = np.logspace(0, 30, 7)[:, None] * np.ones((1, 5))
    review(detector, *make_nuisance(), n_rounds=1)
    scores = detector.score_samples(rays)
    assert np.isfinite(scores).all()
    assert (detector.predict(rays[3:]) == -1).all()


@pytest.mark.parametrize("inner", [FOREST, make_detector("AutoEncoder")])
def test_verdicts_can_be_taken_back(inner):
    X, y = make_nuisance()
    detector = FeedbackDetector(inner).fit(X)
    untouched = detector.score_samples(X)
    first = detector.query(X, n=5)
    detector.add_feedback(X[first], y[first])
    after_first = detector.score_samples(X), detector.offset_
    second = detector.query(X, n=4)
    detector.add_feedback(X[second], y[second])
    assert not np.array_equal(detector.score_samples(X), after_first[0])

    detector.remove_feedback(X[second[:2]])
    assert len(detector.verdicts_.y) == 7
    detector.remove_feedback(indices=[-1, 5])
    np.testing.assert_array_equal(detector.verdicts_.X, X[first])
    np.testing.assert_array_equal(detector.verdicts_.y, y[first])
    np.testing.assert_array_equal(detector.score_samples(X), after_first[0])
    assert detector.offset_ == after_first[1]

    detector.remove_feedback()
    assert detector.verdicts_.X is None
    assert detector.offset_ == 0
    np.testing.assert_array_equal(detector.score_samples(X), untouched)


def test_repeated_calls_add_up_and_the_last_verdict_counts():
    X, y = make_nuisance()
    rows = np.argsort(X[:, 0])[-6:]
    at_once = FeedbackDetector(FOREST).fit(X).add_feedback(X[rows], y[rows])
    in_turn = FeedbackDetector(FOREST).fit(X)
    for row in rows:
        in_turn.add_feedback(X[[row]], [-y[row]])
    assert not np.allclose(in_turn.score_samples(X), at_once.score_samples(X))
    for row in rows:
        in_turn.add_feedback(X[[row]].tolist(), [y[row]])
    np.testing.assert_array_equal(in_turn.score_samples(X), at_once.score_samples(X))
    unjudged = in_turn.add_feedback(X[:3], [0, 0, 0])
    np.testing.assert_array_equal(unjudged.verdicts_.X, X[rows])


def test_nothing_is_fitted_anew():
    X, y = make_nuisance()

    class Counts(IsolationForest):
        n_fits = 0

        def fit(self, X, y=None, sample_weight=None):
            Counts.n_fits += 1
            return super().fit(X, y, sample_weight)

    detector = FeedbackDetector(Counts(n_estimators=10, random_state=0)).fit(X)
    scores = detector.detector_.score_samples(X)
    review(detector, X, y, n_rounds=3)
    detector.remove_feedback(indices=0)
    assert Counts.n_fits == 1
    np.testing.assert_array_equal(detector.detector_.score_samples(X), scores)
    assert len(detector.fit(X).verdicts_.y) == 0


@pytest.mark.parametrize("inner", [FOREST, make_detector("AutoEncoder")])
def test_threshold_moves_with_false_alarms_and_misses(inner):
    X, _ = make_nuisance()
    detector = FeedbackDetector(inner).fit(X)
    order = np.argsort(detector.score_samples(X))
    flagged = (detector.predict(X) == -1).sum()
    offsets, shares = [detector.offset_], [flagged]
    for rows in (order[:1], order[:10]):
        detector.add_feedback(X[rows], np.ones(len(rows)))
        offsets.append(detector.offset_)
        shares.append((detector.predict(X) == -1).sum())
    assert offsets[0] > offsets[1] > offsets[2]
    assert offsets[1] > -1
    assert shares[2] < shares[0]
    assert (detector.predict(X[order[:10]]) == 1).mean() > 0.5

    detector.remove_feedback()
    missed = order[len(order) // 2 :][::30]
    detector.add_feedback(X[missed], -np.ones(len(missed)))
    assert detector.offset_ > 0
    assert (detector.predict(X) == -1).sum() > flagged


def test_strength_bounds_what_verdicts_change():
    X, y = make_nuisance()
    moved = []
    for strength in (0.01, 1, 10):
        detector = FeedbackDetector(FOREST, strength=strength).fit(X)
        before = detector.decision_function(X)
        detector.add_feedback(X[:20], y[:20])
        moved.append(np.abs(detector.decision_function(X) - before).mean())
    assert moved[0] < moved[1] < moved[2]


def test_weights_tell_what_was_learned():
    weights = []
    for seed in range(3):
        X, y = make_nuisance(seed)
        detector = FeedbackDetector(FOREST).fit(X)
        review(detector, X, y)
        weights.append(detector.view_weights_)
    # The first column is harmless, the second is not, and the others do not matter.
    mean = np.mean(weights, axis=0)
    assert mean[0] > np.abs(mean[2:]).max()
    assert -mean[1] > np.abs(mean[2:]).max()


@pytest.mark.parametrize("strategy", ["anomalous", "diverse", "uncertain"])
def test_query_proposes_no_judged_row(strategy):
    X, y = make_nuisance(n=60, n_outliers=5)
    X = np.concatenate([X, X[:10]])
    y = np.concatenate([y, y[:10]])
    detector = FeedbackDetector(FOREST).fit(X)
    judged = review(detector, X, y, n_rounds=8, strategy=strategy)
    assert len(judged) == len(np.unique(X[judged], axis=0)) == 40
    left = detector.query(X, n=1000, strategy=strategy)
    assert len(left) == 30
    assert not set(map(bytes, X[left])) & set(map(bytes, X[judged]))
    detector.add_feedback(X[left], y[left])
    assert len(detector.query(X, strategy=strategy)) == 0


def test_query_by_strategy():
    X, y = make_nuisance()
    detector = FeedbackDetector(FOREST).fit(X).add_feedback(X[:30], y[:30])
    decision = detector.decision_function(X)
    decision[:30] = np.inf
    np.testing.assert_array_equal(detector.query(X, n=7), np.argsort(decision)[:7])
    near = detector.query(X, n=7, strategy="uncertain")
    np.testing.assert_array_equal(near, np.argsort(np.abs(decision))[:7])
    far = detector.query(X, n=7, strategy="diverse")
    assert far[0] == np.argmin(decision)
    assert set(far) <= set(np.argsort(decision)[:21])

    def closest(rows):
        distances = np.linalg.norm(X[rows][:, None] - X[rows], axis=-1)
        return distances[np.triu_indices(7, 1)].min()

    assert closest(far) > closest(detector.query(X, n=7))


def test_scores_do_not_depend_on_the_rows_around():
    X, y = make_nuisance()
    for inner in (FOREST, make_detector("AutoEncoder")):
        detector = FeedbackDetector(inner).fit(X)
        review(detector, X, y)
        alone = np.concatenate([detector.score_samples(X[[i]]) for i in range(50)])
        np.testing.assert_allclose(alone, detector.score_samples(X)[:50], rtol=0, atol=1e-7)


class Shrinks(nn.Module):
    """Has no codes."""

    def __init__(self, n_features):
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_features,), 0.5))

    def forward(self, x):
        return self.weight * x


def test_codes_make_rows_alike():
    X, y = make_nuisance()
    deep = FeedbackDetector(make_detector("AutoEncoder", latent_dim=2)).fit(X)
    review(deep, X, y, n_rounds=1)
    assert deep._judged_codes.shape[1] == 2
    deep.set_params(detector__module=Shrinks).fit(X)
    review(deep, X, y, n_rounds=1)
    assert deep._judged_codes.shape[1] == 5


def make_frame(seed=0):
    X, y = make_nuisance(seed)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["kind"] = np.where(X[:, 2] > 0, "in", "out")
    return frame, y


FRAMES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}


def skip_if_too_old(library):
    if library == "polars" and is_newer("1.7", sklearn.__version__):
        pytest.skip("older column transformers do not know the columns of polars")
    if library == "pyarrow" and is_newer("1.9", sklearn.__version__):
        pytest.skip("older versions do not take rows of pyarrow's tables")


@pytest.mark.parametrize("library", FRAMES)
def test_frames_and_pipelines(library):
    skip_if_too_old(library)
    frame, y = make_frame()
    frame = FRAMES[library](frame)
    columns = make_column_transformer(
        (StandardScaler(), list("abcde")), (OneHotEncoder(sparse_output=False), ["kind"])
    )
    inner = ThresholdedDetector(make_pipeline(columns, FOREST), "mad")
    detector = FeedbackDetector(inner).fit(frame)
    before = detector.score_samples(frame)
    for _ in range(6):
        rows = detector.query(frame, n=5)
        detector.add_feedback(take_rows(frame, rows), y[rows])
        assert not set(rows) & set(detector.query(frame, n=100))
    assert type(detector.verdicts_.X) is type(frame)
    assert detector.verdicts_.X.shape == (30, 6)
    # The forest gets five columns and two kinds.
    assert detector.view_weights_.shape == (7,)
    assert list(detector.feature_names_in_) == [*"abcde", "kind"]
    after = outlier_average_precision_score(y, -detector.score_samples(frame))
    assert after > outlier_average_precision_score(y, -before) + 0.2
    detector.remove_feedback(detector.verdicts_.X)
    np.testing.assert_array_equal(detector.score_samples(frame), before)


@pytest.mark.parametrize("library", FRAMES)
def test_a_table_that_was_read_from_a_file(library):
    """Columns change their types there; dates, gaps and categories stay what they were."""
    skip_if_too_old(library)
    days = pd.date_range("2020-01-01", periods=60, unit="us")
    frame = pd.DataFrame({"age": np.arange(60), "u": np.arange(60) % 3 / 10, "day": days})
    frame["kind"] = np.where(frame["age"] % 2 == 0, "even", "odd")
    frame.loc[:5, ["u", "kind"]] = None
    read = frame.astype({"age": float, "kind": "category"})
    frame, read = FRAMES[library](frame), FRAMES[library](read)
    # What an analyst sees need not be what the detector gets.
    inner = make_pipeline(make_column_transformer((StandardScaler(), ["age"])), FOREST)
    detector = FeedbackDetector(inner).fit(frame)
    rows = np.arange(0, 30, 2)
    detector.add_feedback(take_rows(frame, rows), np.ones(15))
    corrected = detector.add_feedback(take_rows(read, rows), -np.ones(15))
    np.testing.assert_array_equal(corrected.verdicts_.y, -np.ones(15))
    assert sorted({*rows, *detector.query(frame, n=60)}) == list(range(60))
    assert len(detector.query(read, n=60)) == 45
    assert len(detector.add_feedback(take_rows(read, [1, 3]), [1, 1]).verdicts_.y) == 17
    detector.remove_feedback(take_rows(read, rows))
    np.testing.assert_array_equal(detector.verdicts_.y, [1, 1])


def test_transformers_that_round_differently_from_batch_to_batch():
    X = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    inner = make_pipeline(PCA(30, svd_solver="full"), FOREST)
    detector = FeedbackDetector(inner).fit(X)
    rows = detector.query(X, n=20)
    for row in rows:
        detector.add_feedback(X[[row]], [1])
    assert not set(rows) & set(detector.query(X, n=300))
    assert len(detector.remove_feedback(X[rows[:5]]).verdicts_.y) == 15


@pytest.mark.parametrize("kind", ["arrays", "sparse", "numbers", "mixed"])
def test_rows_are_the_same_whatever_the_type_of_numbers(kind):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(60, 2)), rng.permutation(60)])
    X[3, 2], y = -0.0, np.ones(10)
    if kind in ("arrays", "sparse"):
        make = np.asarray if kind == "arrays" else csr_matrix
        pool, again, inner = make(X), make(X.astype(np.float32)), FOREST
    else:
        pool = pd.DataFrame(X, columns=["u", "v", "age"])
        pool["new"] = X[:, 0] > 0
        again = pool.astype({"u": "float32", "age": "Int64", "new": "int8"})
        inner = make_pipeline(make_column_transformer((StandardScaler(), ["u", "age"])), FOREST)
        if kind == "mixed":
            pool["kind"] = again["kind"] = np.where(X[:, 1] > 0, "in", "out")
    detector = FeedbackDetector(inner).fit(pool)
    rows = detector.query(pool, n=10)
    detector.add_feedback(take_rows(again, rows), y)
    assert not set(rows) & set(detector.query(pool, n=60))
    detector.add_feedback(take_rows(pool, rows), -y)
    np.testing.assert_array_equal(detector.verdicts_.y, -y)
    assert len(detector.query(pool, n=60)) == 50


def test_what_tells_rows_apart():
    rows = [1, 2], [1, "2"], [1, None], [1, "a"], [True, 2.0], [1, np.nan], [1, pd.NA]
    exact, single = (False, False), (True, True)
    keys = row_keys(np.array(rows, dtype=object), exact)
    assert keys[0] == keys[4]
    assert keys[2] == keys[5] == keys[6]
    assert len(set(keys)) == 4
    assert keys[0] == row_keys(np.array([[1, 2]], dtype=np.int8), exact)[0]
    assert keys[0] == row_keys(np.array([[1, 2]], dtype=np.int8), single)[0]
    # Numbers out of the range of single precision, and numbers that it just tells apart.
    far = np.array([[1e300], [1e301], [1e-60], [0], [-0.0], [1 + 1e-6], [1 + 2e-6], [np.inf]])
    assert len(set(row_keys(far, (True,)))) == 7
    assert len(set(row_keys(csr_matrix(far), (True,)))) == 7


IDS = 123_456_789_012 + np.arange(40)
CLOSE = {
    "ids": IDS,
    "ids as floats": IDS.astype(float),
    "long ids": 10**18 + np.arange(40),
    "seconds": 1.7e9 + np.arange(40) / 1000,
    "steps of double precision": 1 + np.arange(40) * 2.0**-52,
    "texts": np.char.add("row ", IDS.astype(str)),
    "nanoseconds": (1_700_000_000 * 10**9 + np.arange(40)).astype("M8[ns]"),
}


@pytest.mark.parametrize("library", ["array", "pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("kind", CLOSE)
def test_rows_that_differ_little_are_different_rows(kind, library):
    values = CLOSE[kind]
    if library == "array":
        X = values[:, None]
    else:
        columns = {"id": values, "size": np.ones(40, dtype=np.float32)}
        make = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
        X = make[library](columns)
    inner = make_pipeline(FunctionTransformer(places), InOrder())
    detector = FeedbackDetector(inner).fit(X)
    assert set(detector.query(X, n=40)) == set(range(40))
    detector.add_feedback(take_rows(X, np.arange(20)), np.tile([1, -1], 10))
    np.testing.assert_array_equal(detector.verdicts_.y, np.tile([1, -1], 10))
    assert set(detector.query(X, n=40)) == set(range(20, 40))
    detector.remove_feedback(take_rows(X, np.arange(1, 20)))
    assert len(detector.verdicts_.y) == 1
    assert set(detector.query(X, n=40)) == set(range(1, 40))


def places(X):
    return np.arange(float(n_rows(X)))[:, None]


class InOrder(OutlierMixin, BaseEstimator):
    """The first row is the most anomalous one."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return np.ones(len(X))


def test_single_precision_counts_for_its_own_columns():
    frame = pd.DataFrame({"id": IDS, "size": np.random.default_rng(0).normal(size=40)})
    again = frame.astype({"size": np.float32})
    detector = FeedbackDetector(FOREST).fit(frame)
    detector.add_feedback(again[:10], np.ones(10)).add_feedback(frame[10:20], np.ones(10))
    assert len(detector.verdicts_.y) == 20
    for rows in (frame, again):
        assert set(detector.query(rows, n=40)) == set(range(20, 40))
    detector.add_feedback(frame[:5], -np.ones(5)).add_feedback(again[15:20], -np.ones(5))
    assert sorted(detector.verdicts_.y) == [-1] * 10 + [1] * 10
    assert len(detector.remove_feedback(again[:20]).verdicts_.y) == 0


@pytest.mark.parametrize("method", ["query", "add_feedback", "remove_feedback"])
def test_rows_come_in_the_container_of_fit(method):
    X, y = make_nuisance(n=50, n_outliers=5)
    containers = {
        "numpy array": X,
        "pandas DataFrame": pd.DataFrame(X, columns=list("abcde")),
        "sparse matrix": csr_matrix(X),
    }
    for name, rows in containers.items():
        detector = FeedbackDetector(FOREST).fit(rows)
        for other_name, other in {**containers, "polars DataFrame": pl.DataFrame(X)}.items():
            if other_name != name:
                with pytest.raises(ValueError, match=f"in fit, {name}, got {other_name}"):
                    getattr(detector, method)(other, *([y] if method == "add_feedback" else []))
        assert detector.verdicts_.X is None
    listed = FeedbackDetector(FOREST).fit(X.tolist()).add_feedback(X[:3], y[:3])
    listed.add_feedback(X[3:6].tolist(), y[3:6]).remove_feedback(X[1:2].tolist())
    np.testing.assert_array_equal(listed.verdicts_.X, X[[0, 2, 3, 4, 5]])


@pytest.mark.parametrize("kind", ["sparse", "missing"])
def test_sparse_rows_and_missing_values(kind):
    gains = []
    for seed in range(3):
        X, y = make_nuisance(seed)
        if kind == "sparse":
            rows = csr_matrix(np.where(np.abs(X) > 1, X, 0))
        else:
            rows = np.where(np.random.default_rng(seed).random(X.shape) < 0.1, np.nan, X)
        detector = FeedbackDetector(FOREST).fit(rows)
        before = outlier_average_precision_score(y, -detector.score_samples(rows))
        judged = review(detector, rows, y)
        assert len(set(judged)) == detector.verdicts_.X.shape[0] == 30
        if kind == "sparse":
            in_coordinates = detector.query(coo_matrix(rows))
            np.testing.assert_array_equal(in_coordinates, detector.query(rows))
        after = outlier_average_precision_score(y, -detector.score_samples(rows))
        gains.append(after - before)
    assert np.mean(gains) > 0.1


def test_a_column_without_any_value_does_not_matter():
    X, _ = make_nuisance()
    detector = FeedbackDetector(FOREST).fit(np.column_stack([X, np.full(len(X), np.nan)]))
    scores = detector.score_samples(np.column_stack([X, np.full(len(X), 5.0)]))
    assert np.isfinite(scores).all()


def test_verdicts_are_pickled_and_not_cloned():
    X, y = make_nuisance()
    detector = FeedbackDetector(FOREST, strength=2.0).fit(X)
    judged = review(detector, X, y, n_rounds=2)
    reloaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(reloaded.verdicts_.X, detector.verdicts_.X)
    np.testing.assert_array_equal(reloaded.score_samples(X), detector.score_samples(X))
    assert not set(reloaded.query(X, n=len(X))) & set(judged)
    again = clone(reloaded).fit(X)
    assert len(again.verdicts_.y) == 0
    again.add_feedback(reloaded.verdicts_.X, reloaded.verdicts_.y)
    np.testing.assert_array_equal(again.score_samples(X), reloaded.score_samples(X))


def test_inside_of_a_search():
    X, y = make_nuisance()
    search = GridSearchCV(
        FeedbackDetector(FOREST),
        {"detector__max_samples": [32, 128]},
        scoring=outlier_scorers["roc_auc"],
        cv=2,
    )
    best = FeedbackDetector(search.fit(X, y)).fit(X, y)
    review(best, X, y, n_rounds=2)
    assert best.view_weights_.shape == (5,)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 0], "got 0 and 1. If 1 marks the anomalies, pass"),
        ([True, True, True], "got booleans"),
        ([1, 2, -1], "takes labels -1 .* got -1, 1, 2"),
        (["a", "b", "c"], "takes labels"),
        ([1, -1], "inconsistent numbers of samples"),
    ],
)
def test_verdicts_that_are_refused(y, message):
    X, _ = make_nuisance()
    detector = FeedbackDetector(FOREST).fit(X)
    with pytest.raises(ValueError, match=message):
        detector.add_feedback(X[:3], y)
    assert len(detector.verdicts_.y) == 0


def test_what_is_refused_changes_nothing():
    X, y = make_nuisance()
    detector = FeedbackDetector(FOREST).fit(X).add_feedback(X[:3], y[:3])
    scores = detector.score_samples(X)
    with pytest.raises(ValueError, match="Rows 0 and 1 of X are equal but have different"):
        detector.add_feedback(X[[5, 5]], [-1, 1])
    with pytest.raises(ValueError, match="y is None, expected a verdict for each row"):
        detector.add_feedback(X[:3], None)
    with pytest.raises(ValueError, match="in fit, numpy array, got sparse matrix"):
        detector.add_feedback(csr_matrix(X[5:8]), y[5:8])
    with pytest.raises(ValueError, match="4 features"):
        detector.add_feedback(X[5:8, :4], y[5:8])
    with pytest.raises(ValueError, match=r"X has 4 columns, .* verdicts_\.X have 5"):
        detector.remove_feedback(X[:3, :4])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        detector.query(X[:0])
    with pytest.raises(ValueError, match=r"no verdict on row 1 of X; .* the 3 rows"):
        detector.remove_feedback(X[2:4])
    with pytest.raises(ValueError, match="which has 3 rows, got 3"):
        detector.remove_feedback(indices=3)
    with pytest.raises(ValueError, match=r"must be integers, got \[True\]"):
        detector.remove_feedback(indices=[True])
    with pytest.raises(ValueError, match="Pass X or indices, not both"):
        detector.remove_feedback(X[:1], indices=0)
    for n in (0, 2.5, "3"):
        with pytest.raises(ValueError, match=f"n must be an integer of at least 1, got {n!r}"):
            detector.query(X, n=n)
    with pytest.raises(ValueError, match="'strength' parameter of FeedbackDetector must be"):
        clone(detector).fit(X).set_params(strength=-1).add_feedback(X[5:8], y[5:8])
    with pytest.raises(ValueError, match="'strength' parameter of FeedbackDetector must be"):
        detector.set_params(strength=-1).remove_feedback()
    detector.set_params(strength=4.0)
    with pytest.raises(ValueError, match=r"strategy must be one of \('anomalous'.*'best'"):
        detector.query(X, strategy="best")
    np.testing.assert_array_equal(detector.score_samples(X), scores)
    np.testing.assert_array_equal(detector.verdicts_.X, X[:3])


@pytest.mark.parametrize("method", ["query", "add_feedback", "remove_feedback"])
def test_not_fitted(method):
    X, y = make_nuisance()
    arguments = (X, y) if method == "add_feedback" else (X,)
    with pytest.raises(NotFittedError):
        getattr(FeedbackDetector(FOREST), method)(*arguments)
