"""The label-free criteria, and the search by them."""

import pickle
import warnings
import zlib
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from conftest import make_detector, make_planted
from joblib import parallel_config
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, GroupKFold, RepeatedKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdeepanomaly import (
    UnsupervisedSearch,
    excess_mass_score,
    make_detector_pipeline,
    mass_volume_score,
    npd_score,
    stability_score,
)
from skdeepanomaly.utils._compat import is_newer

CRITERIA = ["npd", "excess_mass", "mass_volume", "stability"]
LOF = LocalOutlierFactor(novelty=True)
make_search = partial(UnsupervisedSearch, random_state=0)


class Ring(OutlierMixin, BaseEstimator):
    """A detector of what lies off a ring, which can also guess; it counts its fits."""

    shapes = []

    def __init__(self, guess=False):
        self.guess = guess

    def fit(self, X, y=None):
        if self.guess == "fail":
            raise RuntimeError("on purpose")
        self.shapes.append(np.shape(X))
        self.seed_ = zlib.crc32(np.ascontiguousarray(X))
        self.n_features_in_ = np.shape(X)[1]
        return self

    def decision_function(self, X):
        if self.guess == "nan":
            return np.full(len(X), np.nan)
        if self.guess:
            return np.random.default_rng(self.seed_).normal(size=len(X))
        return 0.3 - np.abs(np.linalg.norm(np.asarray(X)[:, :2], axis=1) - 1)


def make_ring(n_rows=300, n_features=2):
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, size=n_rows)
    noise = 0.05 * rng.normal(size=(n_rows, n_features))
    noise[:, :2] += np.column_stack([np.cos(angles), np.sin(angles)])
    return noise


def test_npd_by_hand():
    # Means 2 and 5, variances 2/3 and 8/3.
    own, pseudo = np.array([1.0, 2, 3]), np.array([3.0, 5, 7])
    expected = (5 - 2) ** 2 / (2 * (2 / 3 + 8 / 3))
    assert npd_score(own, pseudo) == pytest.approx(expected, rel=1e-5)
    assert npd_score(pseudo, own) == pytest.approx(-expected, rel=1e-5)
    assert npd_score(1e-9 * own, 1e-9 * pseudo) == pytest.approx(npd_score(own, pseudo))
    assert npd_score([1.0, 1], [1.0, 1]) == 0
    assert np.isfinite(npd_score([1.0, 1], [2.0, 2]))


def test_npd_leaves_scores_without_size_out():
    own, pseudo = np.array([1.0, 2, 3]), np.array([3.0, 5, 7])
    highest = np.finfo(np.float64).max
    for beyond in (highest, 1e277):
        assert npd_score(np.append(own, beyond), np.append(pseudo, beyond)) == npd_score(
            own, pseudo
        )
    with pytest.raises(ValueError, match="all proportion"):
        npd_score(own, [highest, highest])


def test_excess_mass_by_hand():
    # All rows lie in the region with half of the box (4 of 9 rows, and one more of each), so
    # that the curve 1 - t / 2 falls to 0.9 at t = 0.2; its mean height is 0.95.
    uniform = [0.0, 0, 0, 0, 2, 2, 2, 2, 2]
    assert excess_mass_score([0.5, 0.6, 1.0], uniform) == pytest.approx(0.2 * 0.95)
    # Where 95 % lie in a tenth of the box and the rest needs all of it, two lines make the
    # curve: 1 - t, then 0.95 - t / 10 from t = 0.05 / 0.9 to 0.5, where it is 0.9.
    own, uniform = [0.0] * 95 + [1.0] * 5, [0.0] + [1.0] * 18
    corner = 0.05 / 0.9
    area = corner * (2 - corner) / 2 + (0.5 - corner) * (1.85 - corner / 10) / 2
    assert excess_mass_score(own, uniform) == pytest.approx(area, rel=1e-3)


def test_mass_volume_by_hand():
    uniform = [0.0] + [1.0] * 18
    # A tenth of the box holds 95 %, the masses 0.9 to 0.95 (51 of 100), all of it the rest.
    expected = (51 * 0.1 + 49 * 1.0) / 100
    assert mass_volume_score([0.0] * 95 + [1.0] * 5, uniform) == pytest.approx(expected)
    assert mass_volume_score([2.0, 3.0], uniform) == 1
    assert mass_volume_score([-1.0, -2.0], uniform) == pytest.approx(1 / 20)


def test_stability_by_hand():
    first, second, third = [1.0, 2, 3], [10.0, 20, 30], [3.0, 2, 1]
    assert stability_score([first, second]) == pytest.approx(1)
    assert stability_score([first, third]) == pytest.approx(-1)
    assert stability_score([first, second, third]) == pytest.approx(-1 / 3)
    assert stability_score([first, second, [5.0, 5, 5]]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2"):
        stability_score([first])


def test_criteria_refuse_scores_that_are_not_numbers():
    for criterion in (npd_score, excess_mass_score, mass_volume_score):
        with pytest.raises(ValueError, match="y_score contains NaN"):
            criterion([0.0, np.nan], [0.0, 1.0])
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            criterion([0.0, 1.0], [])


@pytest.mark.parametrize("n_features", [2, 7])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_guesses_lose_by_every_criterion(criterion, n_features):
    X = make_ring(n_features=n_features)
    grid = {"guess": [True, False]}
    search = make_search(Ring(), grid, criterion=criterion, max_features=n_features, cv=3).fit(
        X
    )
    assert search.best_params_ == {"guess": False}
    assert search.best_index_ == 1
    guessed, good = search.cv_results_["mean_test_score"]
    assert good > guessed
    assert search.best_score_ == good
    # The criterion of random scores. A rank correlation of 100 rows has a deviation of 0.1.
    chance = {"npd": 0, "excess_mass": 0.1, "mass_volume": -0.95, "stability": 0}[criterion]
    tolerance = 0.3 if criterion == "stability" else 0.1
    assert guessed == pytest.approx(chance, abs=tolerance)
    assert search.predict([[0.0] * n_features, [1.0] + [0.0] * (n_features - 1)]).tolist() == [
        -1,
        1,
    ]


def test_results_are_those_of_a_grid_search():
    X = make_ring(60)
    grid = [{"n_neighbors": [3, 9], "leaf_size": [20]}, {}]
    search = make_search(LOF, grid, cv=3).fit(X)
    results = search.cv_results_
    theirs = GridSearchCV(LOF, grid, scoring=lambda *_: 0, cv=3).fit(X).cv_results_
    assert set(results) == set(theirs)
    assert results["params"] == theirs["params"]
    assert results["params"][2] == {}
    for name in ("param_n_neighbors", "param_leaf_size"):
        np.testing.assert_array_equal(results[name].mask, theirs[name].mask)
    folds = [results[f"split{i}_test_score"] for i in range(search.n_splits_)]
    np.testing.assert_allclose(results["mean_test_score"], np.mean(folds, axis=0))
    assert results["rank_test_score"][search.best_index_] == 1
    assert search.best_params_ == results["params"][search.best_index_]
    best = clone(LOF).set_params(**search.best_params_).fit(X)
    np.testing.assert_array_equal(search.score_samples(X), best.score_samples(X))
    np.testing.assert_array_equal(search.decision_function(X), best.decision_function(X))
    assert search.offset_ == pytest.approx(best.offset_)
    assert LOF.get_params() == LocalOutlierFactor(novelty=True).get_params()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_same_seed_same_result(criterion):
    X, grid = make_ring(60, 4), {"n_neighbors": [3, 9]}

    def scores(seed, **params):
        search = make_search(
            LOF, grid, criterion=criterion, max_features=2, cv=2, random_state=seed, **params
        )
        return search.fit(X).cv_results_["mean_test_score"]

    np.testing.assert_array_equal(scores(0), scores(0))
    assert not np.array_equal(scores(0), scores(1))
    before = pickle.dumps(np.random.get_state())
    assert not np.array_equal(scores(None), scores(None))
    assert pickle.dumps(np.random.get_state()) == before
    assert UnsupervisedSearch(LOF, grid).random_state is None
    with parallel_config("threading"):
        np.testing.assert_array_equal(scores(0, n_jobs=2), scores(0))


def test_number_of_fits():
    X = make_ring(60, 4)
    for criterion, n_fits in [("npd", 7), ("excess_mass", 7), ("stability", 13)]:
        Ring.shapes.clear()
        search = make_search(Ring(), {"guess": [True, False]}, criterion=criterion, cv=3)
        search.fit(X)
        # Each candidate on each fold, with halves twice; and the best on all rows.
        assert len(Ring.shapes) == n_fits
        assert Ring.shapes[-1] == (60, 4)
        assert Ring.shapes[0] == ((20, 4) if criterion == "stability" else (40, 4))


def test_volumes_are_measured_with_few_features():
    class Sees(Ring):
        seen = []

        def fit(self, X, y=None):
            self.seen.append(list(X.columns))
            return super().fit(np.asarray(X), y)

    X = pd.DataFrame(make_ring(60, 6), columns=list("abcdef"))
    make_search(
        Sees(), {"guess": [True, False]}, criterion="mass_volume", max_features=3, cv=4
    ).fit(X)
    *on_folds, on_all = Sees.seen
    assert on_all == list("abcdef")
    assert {len(columns) for columns in on_folds} == {3}
    # Folds draw features of their own, both candidates the same.
    assert sorted(on_folds[:4]) == sorted(on_folds[4:])
    assert len({tuple(columns) for columns in on_folds}) > 1


@pytest.mark.parametrize("criterion", ["excess_mass", "mass_volume", "npd"])
def test_lists_of_rows(criterion):
    X = make_ring(60, 4)
    search = make_search(LOF, {}, criterion=criterion, max_features=2, cv=2)
    on_lists = search.fit(X.tolist()).best_score_
    assert on_lists == search.fit(X).best_score_


@pytest.mark.parametrize("criterion", ["excess_mass", "mass_volume", "npd"])
def test_a_fold_of_missing_values_only(criterion):
    forest = IsolationForest(n_estimators=2, random_state=0)
    search = make_search(forest, {}, criterion=criterion, cv=2).fit([[2.04], [np.nan]])
    assert np.isfinite(search.best_score_)


def test_callable_criterion():
    calls = []

    def criterion(detector, X):
        calls.append((detector.n_neighbors, len(X)))
        return float(detector.n_neighbors == 9)

    search = make_search(LOF, {"n_neighbors": [3, 9, 5]}, criterion=criterion, cv=2)
    assert search.fit(make_ring(40)).best_params_ == {"n_neighbors": 9}
    assert sorted(calls) == [(3, 20), (3, 20), (5, 20), (5, 20), (9, 20), (9, 20)]


def test_splitter():
    splitter = RepeatedKFold(n_splits=2, n_repeats=3, random_state=0)
    search = make_search(LOF, {"n_neighbors": [3, 9]}, cv=splitter).fit(make_ring(40))
    assert search.n_splits_ == 6


@pytest.mark.parametrize("routing", [False, True])
def test_folds_by_groups(routing):
    X, groups = make_ring(60), np.arange(60) % 4
    grid = {"n_neighbors": [3, 9]}
    with config_context(enable_metadata_routing=routing):
        search = make_search(LOF, grid, cv=GroupKFold(4)).fit(X, groups=groups)
    folds = list(GroupKFold(4).split(X, groups=groups))
    by_hand = make_search(LOF, grid, cv=folds).fit(X)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], by_hand.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(search.score_samples(X), by_hand.score_samples(X))


@pytest.mark.parametrize("bad", ["fail", "nan"])
def test_failing_candidates_are_named(bad):
    X, grid = make_ring(60), {"guess": [bad, False]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = make_search(Ring(), grid, cv=2).fit(X)
    message = str(caught[-1].message)
    assert message.startswith("These candidates have no score")
    assert message.endswith(f"[{{'guess': '{bad}'}}].")
    assert caught[-1].filename == __file__
    # scikit-learn's own, with the error.
    assert any(w.category is FitFailedWarning for w in caught) == (bad == "fail")
    assert search.best_params_ == {"guess": False}
    assert np.isnan(search.cv_results_["mean_test_score"][0])
    error = {"fail": "on purpose", "nan": "NaN"}[bad]
    with pytest.raises((RuntimeError, ValueError), match=error):
        make_search(Ring(), grid, cv=2, error_score="raise").fit(X)


@pytest.mark.filterwarnings("ignore:Scoring failed")
@pytest.mark.parametrize("cv", [2, "generator"])
def test_where_all_candidates_fail_the_first_error_is_raised(cv):
    X = make_ring(60)
    halves = np.split(np.arange(60), 2)
    folds = (pair for pair in (halves, halves[::-1])) if cv == "generator" else cv
    with pytest.raises(RuntimeError, match="on purpose") as caught:
        make_search(Ring(), {"guess": ["fail", "fail"]}, cv=folds).fit(X)
    assert "No candidate has a score by criterion='excess_mass'" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="y_score contains NaN"):
        make_search(Ring(), {"guess": ["nan"]}, cv=2).fit(X)
    with pytest.raises(ValueError, match="No candidate has a score"):
        make_search(Ring(), {}, criterion=lambda detector, X: np.nan, cv=2).fit(X)


def to_frame(values, library):
    columns = dict(zip("abc", values.T, strict=True))
    if library is pa:
        return pa.table({name: pa.array(v, from_pandas=True) for name, v in columns.items()})
    return pl.DataFrame(columns, nan_to_null=True) if library is pl else pd.DataFrame(columns)


# As above, older versions of scikit-learn take no rows of arrow tables.
LIBRARIES = [pd, pl, *([pa] if is_newer(sklearn.__version__, than="1.8") else [])]


@pytest.mark.parametrize("n_filled", [0, 1, 20])
@pytest.mark.parametrize("criterion", ["npd", "excess_mass"])
@pytest.mark.parametrize("kind", ["pandas", "objects", "polars"])
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_columns_that_are_empty_or_rarely_filled(kind, criterion, n_filled):
    values = np.random.default_rng(0).normal(size=(80, 3))
    values[n_filled:, 1] = np.nan
    values = values[np.random.default_rng(1).permutation(80)]
    table = to_frame(values, pl if kind == "polars" else pd)
    if kind == "objects":
        table["b"] = table["b"].astype(object).where(table["b"].notna(), None)
    detector = make_detector_pipeline(IsolationForest(n_estimators=5, random_state=0))
    search = make_search(
        detector, {"detector__max_samples": [8, 16]}, criterion=criterion, cv=3
    ).fit(table)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("criterion", ["npd", "excess_mass"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_pseudo_rows_are_missing_where_rows_are(library, criterion):
    values = np.random.default_rng(0).normal(size=(90, 3))
    values[::3, 1], values[:, 2] = np.nan, np.nan
    shares = []

    class Gaps(Ring):
        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def decision_function(self, X):
            rows = np.asarray(X, dtype=float)
            shares.append(np.isnan(rows).mean(axis=0))
            return np.nan_to_num(rows).sum(axis=1)

    make_search(Gaps(), [{}], criterion=criterion, cv=3, refit=False).fit(
        to_frame(values, library)
    )
    np.testing.assert_allclose(shares, [[0, 1 / 3, 1]] * 6, atol=0.15)


def test_the_seed_reaches_the_detector():
    X = make_ring(60)
    forest = IsolationForest(n_estimators=3)

    def result(random_state, **params):
        search = UnsupervisedSearch(
            forest, {"max_samples": [4, 8]}, cv=2, random_state=random_state, **params
        )
        scores = search.fit(X).score_samples(X)
        return np.append(search.cv_results_["mean_test_score"], scores)

    for criterion in ("excess_mass", "stability"):
        first = result(0, criterion=criterion)
        np.testing.assert_array_equal(result(0, criterion=criterion), first)
        assert not np.array_equal(result(1, criterion=criterion), first)
    assert not np.array_equal(result(None), result(None))
    # All candidates have one seed, whatever else is searched.
    grid = {"max_samples": [8, 8]}
    twins = UnsupervisedSearch(forest, grid, cv=2, random_state=0).fit(X)
    assert len(set(twins.cv_results_["mean_test_score"])) == 1
    replaced = UnsupervisedSearch(
        make_pipeline(StandardScaler(), LOF), {"localoutlierfactor": [forest]}, cv=2
    ).set_params(random_state=0)
    scores = replaced.fit(X).score_samples(X)
    np.testing.assert_array_equal(replaced.fit(X).score_samples(X), scores)


def test_bad_input():
    X = make_ring(40)
    with pytest.raises(ValueError, match=r"'criterion' parameter .*'npd'.*Got 'auc'"):
        make_search(LOF, {}, criterion="auc").fit(X)
    with pytest.raises(ValueError, match="Invalid parameter 'n' for estimator LocalOutlier"):
        make_search(LOF, {"n": [1]}).fit(X)
    with pytest.raises(ValueError, match=r"n_splits=5 greater than.*n_samples=3"):
        make_search(LOF, {"n_neighbors": [1]}).fit(X[:3])
    with pytest.raises(TypeError, match=r"parameter 'n_neighbors' needs to be a list.*got 5"):
        make_search(LOF, {"n_neighbors": 5}).fit(X)


def test_without_refit_there_is_no_detector():
    X = make_ring(40)
    search = make_search(LOF, {"n_neighbors": [3, 9]}, refit=False).fit(X)
    assert set(search.best_params_) == {"n_neighbors"}
    with pytest.raises(NotFittedError, match="refit=True"):
        search.predict(X)
    # Nor is there that of an earlier fit, which knows other rows.
    search.set_params(refit=True).fit(X).set_params(refit=False).fit(X + 9)
    with pytest.raises(NotFittedError, match="refit=True"):
        search.predict(X)


def make_mixed():
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b"], size=80)
    size = np.where(kind == "a", 1.0, 5.0) + 0.1 * rng.normal(size=80)
    return pd.DataFrame({"kind": kind, "size": size})


def test_text_columns():
    encode = ColumnTransformer([("kind", OneHotEncoder(), ["kind"])], remainder="passthrough")
    detector, grid = make_pipeline(encode, LOF), {"localoutlierfactor__n_neighbors": [3, 9]}
    X = make_mixed()
    search = make_search(detector, grid, criterion="stability").fit(X)
    assert search.predict(pd.DataFrame({"kind": ["a"], "size": [3.0]})) == [-1]
    with pytest.raises(ValueError, match=r"'[ab]'.*use criterion='stability' or a callable"):
        make_search(detector, grid, criterion="npd").fit(X)


# Older versions of scikit-learn count the rows of polars' frames through that protocol.
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("library", [pd, pl])
def test_frames_stay_frames(library, criterion):
    X = library.DataFrame(dict(zip("abc", make_ring(60, 3).T, strict=True)))
    names = []

    class Names(Ring):
        def fit(self, X, y=None):
            assert isinstance(X, library.DataFrame)
            return super().fit(np.asarray(X), y)

        def decision_function(self, X):
            assert isinstance(X, library.DataFrame)
            names.append(tuple(X.columns))
            return super().decision_function(X)

    make_search(
        Names(), {"guess": [True, False]}, criterion=criterion, max_features=2, cv=3
    ).fit(X)
    few = criterion in ("excess_mass", "mass_volume")
    assert {len(columns) for columns in names} == ({2, 3} if few else {3})
    assert {name for columns in names for name in columns} == set("abc")


@pytest.mark.parametrize("criterion", CRITERIA)
def test_missing_and_sparse_values(criterion):
    X = make_ring(60)
    sparse = make_search(
        IsolationForest(n_estimators=5, random_state=0),
        {"max_samples": [4, 8]},
        criterion=criterion,
        cv=2,
    ).fit(csr_array(X))
    assert sparse.predict(X).shape == (60,)
    X[::7, 0] = np.nan
    search = make_search(
        make_pipeline(SimpleImputer(), LOF),
        {"localoutlierfactor__n_neighbors": [3, 9]},
        criterion=criterion,
        cv=2,
    ).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_parameters_of_a_network():
    X, _ = make_planted(200, 10)
    search = make_search(
        make_detector("AutoEncoder", hidden_dims=(16,), max_epochs=5),
        {"latent_dim": [2], "optimizer__weight_decay": [0.0, 10.0]},
        cv=2,
    ).fit(X)
    assert search.detector_.latent_dim == 2
    # A penalty that large leaves nothing to learn.
    assert search.best_params_["optimizer__weight_decay"] == 0.0
    assert search.detector_.get_params()["optimizer__weight_decay"] == 0.0


@pytest.mark.skipif(
    not is_newer(sklearn.__version__, than="1.8"), reason="takes rows of tables"
)
@pytest.mark.parametrize("criterion", ["excess_mass", "npd"])
def test_pseudo_rows_have_the_names_of_a_pyarrow_table(criterion):
    values = np.random.default_rng(0).normal(size=(100, 3))
    table = pa.table(dict(zip("abc", values.T, strict=True)))
    forest = IsolationForest(n_estimators=5, random_state=0)
    search = UnsupervisedSearch(forest, [{}], criterion=criterion, cv=2, random_state=0)
    # Rows without names would warn, and warnings are errors here.
    assert np.isfinite(search.fit(table).best_score_)
