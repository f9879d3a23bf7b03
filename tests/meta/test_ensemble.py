"""Several detectors as one."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from conftest import global_states, make_detector, make_planted, make_rows
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from test_common import failed_checks

from skdeepanomaly import (
    EnsembleDetector,
    MatrixProfileDetector,
    NeighborDistance,
    SlidingWindowDetector,
    UnivariateDetector,
)
from skdeepanomaly.meta._combining import SCALES, RankScale, StandardScale, TailScale
from skdeepanomaly.meta._ensemble import default_members, squashed
from skdeepanomaly.metrics import outlier_scorers

FOREST = IsolationForest(n_estimators=5, random_state=0)
NETWORK = make_detector("AutoEncoder", max_epochs=2)
PAIR = [("forest", FOREST), ("neighbors", NeighborDistance())]


class Column(OutlierMixin, BaseEstimator):
    """Scores a row by one of its columns; remembers the rows that it was fitted to."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y=None, sample_weight=None):
        self.X_, self.y_, self.weight_ = np.asarray(X), y, sample_weight
        self.n_features_in_ = self.X_.shape[1]
        return self

    def score_samples(self, X):
        return -np.asarray(X, dtype=float)[:, self.column]

    def predict(self, X):
        return np.ones(len(X), dtype=int)


@pytest.mark.parametrize(
    "params",
    [
        {"combine": "zscore", "n_estimators": 2, "max_samples": 0.5},
        {"combine": "max", "weights": [1, 2]},
        {"combine": "rank", "trimmed_fraction": 0.2},
    ],
    ids=str,
)
def test_check_estimator(params):
    assert failed_checks(EnsembleDetector(PAIR, random_state=0, **params)) == {}


def test_tails_by_hand():
    scores = np.array([3.0, 1.0, 2.0, 2.0, 4.0])
    scale = TailScale(scores)
    # As many above as below a score: half of the rows with the same count.
    expected = -np.log((5 - (rankdata(scores) - 0.5) + 0.5) / 6)
    np.testing.assert_allclose(scale(scores), expected)
    # All but the smallest are the tail.
    unit = np.mean([1, 1, 2, 3])
    beyond = 4 * np.log1p((np.array([4.0, 10, 1e300]) - 4) / unit / 4)
    # Above the largest one there is no row, and not half a row.
    floor = np.array([-np.log(1 / 6), -np.log(0.5 / 6), -np.log(0.5 / 6)])
    np.testing.assert_allclose(scale(np.array([4.0, 10, 1e300])), floor + beyond)
    assert scale(np.array([-1e308]))[0] == -np.log(5.5 / 6)


@pytest.mark.parametrize("combine", SCALES)
@pytest.mark.parametrize(
    "scores",
    [
        np.random.default_rng(0).standard_cauchy(500),
        np.zeros(30),
        np.repeat([1.0, 2.0], 20),
        np.concatenate([np.ones(50), [np.finfo(np.float64).max]]),
        np.full(9, -1e300),
        np.array([1e-310, 2e-310]),
    ],
    ids=["cauchy", "equal", "two values", "lowest number", "huge", "subnormal"],
)
def test_any_scores_have_a_common_unit(combine, scores):
    scale = SCALES[combine](scores)
    other = np.array([-np.finfo(np.float64).max, -1.0, 0, 1, 1e9, np.finfo(np.float64).max])
    values = scale(np.sort(np.concatenate([scores, other])))
    assert np.isfinite(values).all()
    assert np.all(np.diff(values) >= 0)
    assert values[0] < values[-1]


@pytest.mark.parametrize(
    ("combine", "cls"), [("tail", TailScale), ("zscore", StandardScale), ("rank", RankScale)]
)
def test_the_score_is_the_weighted_mean_of_the_views(combine, cls):
    X = np.random.default_rng(0).normal(size=(60, 2))
    members = [("first", Column(0)), ("second", Column(1))]
    detector = EnsembleDetector(members, combine=combine, weights=[1, 3]).fit(X)
    units = np.stack([cls(X[:, i])(X[:, i]) for i in range(2)], axis=1)
    np.testing.assert_allclose(detector.score_views(X), -units)
    np.testing.assert_allclose(detector.score_samples(X), -units @ [0.25, 0.75])
    highest = EnsembleDetector(members, combine="max", weights=[1, 3]).fit(X)
    tails = np.stack([TailScale(X[:, i])(X[:, i]) for i in range(2)], axis=1)
    np.testing.assert_allclose(highest.score_samples(X), -tails.max(axis=1))
    # One without a weight has no say.
    alone = highest.set_params(weights=[1, 0]).fit(X)
    np.testing.assert_allclose(alone.score_samples(X), -tails[:, 0])


def test_the_unit_of_a_clone_is_that_of_rows_it_does_not_know():
    X = np.random.default_rng(0).normal(size=(100, 1))
    detector = EnsembleDetector(
        [("column", Column())], n_estimators=3, max_samples=0.3, random_state=0
    ).fit(X)
    (clones,) = detector.detectors_
    assert [len(one.X_) for one in clones] == [30, 30, 30]
    units = []
    for one in clones:
        others = X[~np.isin(X[:, 0], one.X_[:, 0])]
        units.append(TailScale(others[:, 0])(X[:, 0]))
    np.testing.assert_allclose(detector.score_samples(X), -np.mean(units, axis=0))
    # Of few rows all are taken.
    few = EnsembleDetector([("column", Column())], max_samples=0.5, random_state=0).fit(X[:21])
    assert len(few.detectors_[0][0].X_) == 20
    all_rows = clone(few).set_params(max_samples=500).fit(X)
    assert len(all_rows.detectors_[0][0].X_) == 100


def test_members_by_name():
    detector = EnsembleDetector([("forest", FOREST), ("network", NETWORK)], random_state=0)
    assert detector.get_params()["network__max_epochs"] == 2
    detector.set_params(network__max_epochs=1, forest=OneClassSVM(), forest__nu=0.2)
    assert detector.detectors[0][1].nu == 0.2
    assert NETWORK.max_epochs == 2 or detector.detectors[1][1] is NETWORK
    X = make_rows(60)
    detector.fit(X)
    assert detector.names_ == ["forest", "network"]
    assert isinstance(detector.named_detectors_["forest"][0], OneClassSVM)
    detector.set_params(forest="drop", weights=[5, 1]).fit(X)
    assert detector.names_ == ["network"]
    np.testing.assert_array_equal(detector.weights_, [1.0])
    assert detector.score_views(X).shape == (60, 1)
    NETWORK.set_params(max_epochs=2)


def test_search_over_members_and_weights():
    X, y = make_planted(100, 10)
    order = np.random.default_rng(0).permutation(110)
    X, y = X[order], y[order]
    search = GridSearchCV(
        EnsembleDetector(PAIR, random_state=0),
        {"neighbors__n_neighbors": [1, 5], "forest": [FOREST, "drop"], "combine": ["rank"]},
        scoring=outlier_scorers["roc_auc"],
        cv=2,
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_the_same_seed_gives_the_same_scores(rows):
    members = [("network", clone(NETWORK).set_params(random_state=None)), *PAIR]
    detector = EnsembleDetector(members, n_estimators=2, max_samples=0.5, random_state=3)
    before = global_states()
    expected = clone(detector).fit(rows).score_samples(rows)
    assert global_states() == before
    again = clone(detector).set_params(n_jobs=2).fit(rows)
    np.testing.assert_array_equal(again.score_samples(rows), expected)
    other = clone(detector).set_params(random_state=4).fit(rows)
    assert not np.array_equal(other.score_samples(rows), expected)
    first, second = again.named_detectors_["network"]
    assert not np.array_equal(first.score_samples(rows), second.score_samples(rows))
    reloaded = pickle.loads(pickle.dumps(again))
    np.testing.assert_array_equal(reloaded.score_samples(rows), expected)


def test_clones_have_seeds_of_their_own_even_if_the_member_has_one(rows):
    seeded = make_pipeline(StandardScaler(), IsolationForest(n_estimators=2, random_state=0))
    members = [("forest", seeded), ("neighbors", NeighborDistance())]
    detector = EnsembleDetector(members, n_estimators=3, random_state=0).fit(rows)
    scores = {one.score_samples(rows).tobytes() for one in detector.detectors_[0]}
    assert len(scores) == 3
    assert seeded[-1].random_state == 0
    expected = detector.score_samples(rows)
    np.testing.assert_array_equal(clone(detector).fit(rows).score_samples(rows), expected)
    (alone,) = clone(detector).set_params(n_estimators=1).fit(rows).detectors_[0]
    assert alone[-1].random_state == 0


@pytest.mark.parametrize("assume", ["clean", "contaminated", "unknown"])
def test_default_members(assume, rows):
    detector = EnsembleDetector(random_state=0, assume=assume)
    assert "detectors" in detector.get_params()
    assert clone(detector).detectors is None
    assert detector._trimmed_share() == (0.2 if assume == "contaminated" else 0)
    assert detector._n_clones() == (2 if assume == "clean" else 1)
    assert clone(detector).set_params(detectors=PAIR)._n_clones() == 1
    assert detector.set_params(trimmed_fraction=0.1)._trimmed_share() == 0.1
    quick = [(name, _quick(member)) for name, member in default_members(assume)]
    X = np.concatenate([rows, rows[:5] + 9])
    scores = EnsembleDetector(quick, random_state=0).fit(rows).score_samples(X)
    assert scores[-5:].max() < np.quantile(scores[:-5], 0.02)
    # The members that have no seed are those that draw nothing.
    seedless = [name for name, member in quick if "random_state" not in member.get_params()]
    assert seedless == ["squashed_neighbors"]


def _quick(member):
    short = {"max_epochs": 2, "hidden_dims": (16,)}
    known = member.get_params()
    return member.set_params(**{k: v for k, v in short.items() if k in known})


def test_squashed_numbers_keep_their_order():
    x = np.array([-np.inf, -1e300, -30, -0.1, 0, 0.1, 1, 30, 1e200, np.inf])
    y = squashed(x)
    assert np.all(np.diff(y) >= 0)
    assert np.all(np.abs(y) <= 3)
    np.testing.assert_allclose(y[[3, 5]], [-0.1, 0.1], rtol=1e-3)


def test_subsamples_recognise_a_clump_of_anomalies():
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        clump = rng.normal(scale=0.05, size=(15, 4)) + 2.5
        X = np.concatenate([rng.normal(size=(485, 4)), clump])
        y = np.repeat([0, 1], [485, 15])
        areas = []
        for params in ({}, {"n_estimators": 20, "max_samples": 0.1}):
            detector = EnsembleDetector(
                [("neighbors", NeighborDistance())], random_state=seed, **params
            )
            areas.append(roc_auc_score(y, -detector.fit(X).score_samples(X)))
        gains.append(areas[1] - areas[0])
    assert np.mean(gains) > 0.2


def test_rows_that_are_left_out_of_the_second_fit():
    X = np.random.default_rng(0).normal(size=(100, 1))
    members = [("column", Column())]
    detector = EnsembleDetector(members, trimmed_fraction=0.3, contamination=0.3).fit(X)
    one = detector.named_detectors_["column"][0]
    kept = np.sort(np.argsort(X[:, 0])[:70])
    np.testing.assert_array_equal(one.X_, X[kept])
    # The unit and the threshold are those of all rows.
    np.testing.assert_allclose(detector.score_samples(X), -TailScale(X[:, 0])(X[:, 0]))
    np.testing.assert_array_equal(np.flatnonzero(detector.predict(X) == 1), kept)
    # Samples are drawn from the rows that stay.
    sampled = clone(detector).set_params(n_estimators=2, max_samples=0.5, random_state=0).fit(X)
    first, second = sampled.named_detectors_["column"]
    assert len(first.X_) == len(second.X_) == 35
    assert np.isin(np.concatenate([first.X_, second.X_]), X[kept]).all()
    assert not np.array_equal(first.X_, second.X_)
    # Of few rows none is left out.
    assert len(clone(detector).fit(X[:3]).detectors_[0][0].X_) == 3


def test_known_labels_are_not_left_out():
    class Labelled(Column):
        _labels = "optional"

    X = np.arange(10.0)[:, None]
    y = [0, 0, 0, 0, 0, 0, 0, 0, 1, -1]

    def rows_kept(detector, labels):
        members = [("column", make_pipeline(StandardScaler(), detector))]
        ensemble = EnsembleDetector(members, trimmed_fraction=0.5).fit(X, labels)
        ((one,),) = ensemble.detectors_
        return one[0].inverse_transform(one[1].X_).round().ravel().tolist()

    assert rows_kept(Labelled(), y) == [0, 1, 2, 8, 9]
    assert rows_kept(Labelled(), np.array(y)[:, None]) == [0, 1, 2, 8, 9]
    assert rows_kept(Labelled(), None) == [0, 1, 2, 3, 4]
    assert rows_kept(Labelled(), [-1] * 10) == list(range(10))
    # Others ignore labels, so that these may be the truth to judge by.
    assert rows_kept(Column(), y) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        rows_kept(Labelled(), y[:5])


def test_a_second_fit_unmasks_anomalies():
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(500, 3)) @ [[1, 0.9, 0], [0, 0.4, 0], [0, 0, 1]]
        # They turn the axes of the ellipse that is fitted to all rows.
        X[:75] = rng.normal([2.5, -2.5, 0], 0.7, size=(75, 3))
        y = np.arange(500) < 75
        areas = []
        for fraction in (0, 0.2):
            member = EllipticEnvelope(support_fraction=1.0)
            detector = EnsembleDetector([("ellipse", member)], trimmed_fraction=fraction)
            areas.append(roc_auc_score(y, -detector.fit(X).score_samples(X)))
        gains.append(areas[1] - areas[0])
    assert np.mean(gains) > 0.04


def test_the_average_is_better_than_the_average_member():
    gains = []
    for seed in range(5):
        X, y = make_planted(300, 30, seed=seed)
        detector = EnsembleDetector(
            [("forest", FOREST), ("svm", OneClassSVM()), ("values", UnivariateDetector())],
            random_state=seed,
        ).fit(X[:300])
        views = -detector.score_views(X)
        members = [roc_auc_score(y == -1, view) for view in views.T]
        gains.append(roc_auc_score(y == -1, -detector.score_samples(X)) - np.mean(members))
    assert np.mean(gains) > 0.01


def make_frame(n=120, seed=0):
    rng = np.random.default_rng(seed)
    words = np.array(["pump", "valve", "pressure", "normal", "checked", "closed"])
    text = [" ".join(rng.choice(words, 4)) for _ in range(n)]
    return pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "text": text})


def by_columns():
    numbers = make_pipeline(
        make_column_transformer((StandardScaler(), ["a", "b"])), NeighborDistance()
    )
    text = make_pipeline(
        make_column_transformer((TfidfVectorizer(), "text"), sparse_threshold=0),
        NeighborDistance(),
    )
    return EnsembleDetector([("numbers", numbers), ("text", text)])


def test_members_with_columns_of_their_own():
    X = make_frame()
    new = make_frame(5, seed=1)
    new.loc[0, "a"] = 30
    new.loc[1, "text"] = "smoke everywhere"
    detector = by_columns().fit(X)
    scores = detector.score_samples(new)
    assert set(np.argsort(scores)[:2]) == {0, 1}
    views = detector.score_views(new)
    assert views[:, 0].argmin() == 0
    assert views[:, 1].argmin() == 1
    assert list(detector.feature_names_in_) == ["a", "b", "text"]
    assert detector.n_features_in_ == 3


@pytest.mark.parametrize("combine", SCALES)
def test_explain_names_the_column(combine, rows):
    members = [("network", NETWORK), ("values", UnivariateDetector())]
    members += [("piped", make_pipeline(StandardScaler(), NeighborDistance()))]
    detector = EnsembleDetector(members, combine=combine, random_state=0).fit(rows)
    X = rows[:4].copy()
    X[np.arange(4), [0, 1, 2, 4]] += 30
    contributions = detector.explain(X)
    np.testing.assert_array_equal(contributions.argmax(axis=1), [0, 1, 2, 4])
    # These members have no negative contributions.
    np.testing.assert_allclose(contributions.sum(axis=1), -detector.score_samples(X))


@pytest.mark.parametrize("combine", ["tail", "max"])
def test_members_that_cannot_explain_are_left_out(combine, rows):
    network = clone(NETWORK).set_params(random_state=0)
    pair = [("forest", IsolationForest(n_estimators=5)), ("network", network)]
    both, alone = (
        EnsembleDetector(members, combine=combine, random_state=0).fit(rows).explain(rows[:9])
        for members in (pair, pair[1:])
    )
    np.testing.assert_array_equal(both, alone)
    without = EnsembleDetector(pair, weights=[1, 0], combine=combine).fit(rows)
    assert not hasattr(without, "explain")
    with pytest.raises(AttributeError) as error:
        _ = without.explain
    assert "None of the members ['forest', 'network']" in str(error.value.__cause__)


def test_members_of_series():
    t = np.arange(900)
    X = np.sin(t / 4)[:, None] + 0.05 * np.random.default_rng(0).normal(size=(900, 1))
    new = X[600:].copy()
    new[100:110] = new[100]
    detector = EnsembleDetector(
        [
            ("values", UnivariateDetector()),
            ("profile", MatrixProfileDetector(window=16)),
            ("windows", SlidingWindowDetector(NeighborDistance(), window=16)),
        ]
    ).fit(X[:600])
    scores = detector.score_samples(new)
    assert scores.shape == (300,)
    assert 100 <= scores.argmin() < 126


def test_labels_reach_members():
    X, y = np.random.default_rng(0).normal(size=(50, 2)), np.repeat([1, -1], 25)
    detector = EnsembleDetector([("column", Column())], max_samples=20, random_state=0)
    (one,) = detector.fit(X, y).named_detectors_["column"]
    places = [np.flatnonzero((X == row).all(axis=1))[0] for row in one.X_]
    np.testing.assert_array_equal(one.y_, y[places])


def test_metadata_reach_members_that_want_them():
    X, weight = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50.0)
    members = [("column", Column()), ("svm", OneClassSVM())]
    with config_context(enable_metadata_routing=True):
        members[0] = ("column", Column().set_fit_request(sample_weight=True))
        detector = EnsembleDetector(members, max_samples=20, random_state=0)
        with pytest.raises(UnsetMetadataPassedError, match="OneClassSVM"):
            detector.fit(X, sample_weight=weight)
        detector.set_params(svm=OneClassSVM().set_fit_request(sample_weight=False))
        (one,) = detector.fit(X, sample_weight=weight).named_detectors_["column"]
        np.testing.assert_array_equal(X[one.weight_.astype(int)], one.X_)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        EnsembleDetector(members).fit(X, sample_weight=weight)


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        ({"detectors": []}, ValueError, r"No member with a weight is left of \[\]"),
        ({"detectors": [("a", "drop")]}, ValueError, r"No member .* left of \['a'\]"),
        ({"detectors": [FOREST]}, ValueError, "list of pairs"),
        ({"detectors": [("a", FOREST), ("a", FOREST)]}, ValueError, "not unique"),
        ({"detectors": [("combine", FOREST)]}, ValueError, "conflict"),
        ({"detectors": [("a__b", FOREST)]}, ValueError, "must not contain __"),
        ({"detectors": [(3, FOREST)]}, ValueError, r"must be strings, got \[3\]"),
        ({"detectors": [("a", IsolationForest)]}, TypeError, "member 'a' is <class"),
        ({"detectors": [("a", 7)]}, TypeError, "member 'a' is 7, expected an outlier"),
        ({"detectors": [("a", LogisticRegression())]}, TypeError, "is a classifier"),
        ({"weights": [1.0]}, ValueError, "one finite number for each of 2 detectors"),
        ({"weights": [1.0, -1]}, ValueError, "must not be negative"),
        ({"weights": [0, 0]}, ValueError, "No member with a weight"),
        ({"max_samples": 1.5}, ValueError, "max_samples"),
        ({"combine": "mean"}, ValueError, "combine"),
    ],
    ids=str,
)
def test_wrong_parameters(params, error, text, rows):
    with pytest.raises(error, match=text):
        EnsembleDetector(**{"detectors": PAIR, **params}).fit(rows)


@pytest.mark.parametrize("n", [100, 200])
def test_labels_of_other_rows_are_refused(n, rows):
    with pytest.raises(ValueError, match=f"inconsistent numbers of samples.*150, {n}"):
        EnsembleDetector(PAIR, max_samples=0.5).fit(rows, np.ones(n))


def test_scores_that_are_not_finite_are_refused(rows):
    class Broken(Column):
        def score_samples(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(ValueError, match="'bad', Broken, gave 150 of 150 scores"):
        EnsembleDetector([("bad", Broken())]).fit(rows)
    # A fit that failed leaves what was fitted before.
    detector = EnsembleDetector(PAIR, random_state=0).fit(rows)
    expected = detector.score_samples(rows)
    with pytest.raises(ValueError, match="not finite"):
        detector.set_params(detectors=[*PAIR, ("bad", Broken())], combine="rank").fit(rows)
    np.testing.assert_array_equal(detector.score_samples(rows), expected)


def test_a_frozen_member_is_used_as_it_is(rows):
    forest = clone(FOREST).fit(rows[:50])
    detector = EnsembleDetector([("frozen", FrozenEstimator(forest)), *PAIR], random_state=0)
    (inner,) = detector.fit(rows).named_detectors_["frozen"]
    assert inner.estimator is forest


def test_before_fit():
    with pytest.raises(NotFittedError):
        EnsembleDetector(PAIR).score_samples(np.zeros((2, 2)))


def test_the_diagram_shows_the_members():
    page = EnsembleDetector(PAIR)._repr_html_()
    assert re.search("forest", page)
    assert re.search("NeighborDistance", page)
