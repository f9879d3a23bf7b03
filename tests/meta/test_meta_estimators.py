"""Contract of the meta-estimators, whatever detector is inside."""

import inspect
import pickle
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from conftest import global_states, make_detector
from pyod.models.knn import KNN
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags
from test_common import (
    CHECKS_WITH_ARBITRARY_LABELS,
    CHECKS_WITHOUT_LABELS,
    failed_checks,
)

from skdeepanomaly import (
    AutoEncoder,
    ClusterwiseDetector,
    ConformalDetector,
    EnsembleDetector,
    FeedbackDetector,
    NeighborDistance,
    QuantileThreshold,
    SlidingWindowDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnsupervisedSearch,
    as_classifier,
    from_pyod,
)
from skdeepanomaly.metrics import outlier_scorers
from skdeepanomaly.utils._compat import n_rows

FOREST = IsolationForest(n_estimators=2, random_state=0)
INNER = {
    "forest": FOREST,
    "ours": make_detector("AutoEncoder", max_epochs=1, hidden_dims=(4,)),
    "pipeline": make_pipeline(StandardScaler(), OneClassSVM()),
}


class MappedSearch(ThresholdSearchCV):
    """Reads any labels as 1 and 0, and missing ones as a few 1."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags

    def fit(self, X, y=None, **params):
        if y is None:
            y = np.arange(n_rows(X)) % 5 == 0
        elif (y := np.asarray(y)).ndim == 1 and not set(np.unique(y)) <= {-1, 1}:
            y = np.unique(y, return_inverse=True)[1] % 2
        return super().fit(X, y, **params)


# Makes a meta-estimator around a detector that needs no labels.
META = {
    "thresholded": partial(ThresholdedDetector, random_state=0),
    "thresholded, training rows": partial(
        ThresholdedDetector, threshold=QuantileThreshold(0.2), calibration_size=None
    ),
    "conformal": partial(ConformalDetector, alpha=0.2, random_state=0),
    "feedback": FeedbackDetector,
    "conformal, cross": partial(ConformalDetector, cv=3, alpha=0.2, random_state=0),
    "threshold search": partial(MappedSearch, cv=2, candidates=[0.2], random_state=0),
    "search": partial(
        UnsupervisedSearch, param_grid=[{}], cv=2, max_features=2, random_state=0
    ),
    "search, stability": partial(
        UnsupervisedSearch, param_grid=[{}], criterion="stability", cv=2, random_state=0
    ),
}
# The same for a search with labels: scikit-learn's checks give none, or other labels.
SEARCHES = {
    "threshold search, labels": partial(ThresholdSearchCV, cv=2, random_state=0),
}
CONTRADICTING_CHECKS = {
    **dict.fromkeys(CHECKS_WITH_ARBITRARY_LABELS, "hands over labels of clusters"),
    **dict.fromkeys(CHECKS_WITHOUT_LABELS, "hands over no labels"),
    **dict.fromkeys(
        [
            "check_estimator_sparse_array",
            "check_estimator_sparse_matrix",
            "check_estimator_sparse_tag",
        ],
        "hands over labels of clusters, with sparse rows",
    ),
}

ALL = {**META, **SEARCHES}

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* are too few:UserWarning"),
    # A check adds one row that cannot be read: one fold of a search fails, then all of it.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning"),
]


@pytest.fixture
def truth(rows):
    """Return labels of the rows, the far ones -1."""
    distance = np.linalg.norm(rows, axis=1)
    return np.where(distance > np.quantile(distance, 0.8), -1, 1)


# The checks do not depend on the detector inside: with the forest for every kind, with the
# others among the slow tests.
INNER_PARAMS = [
    pytest.param(inner, marks=[] if inner == "forest" else pytest.mark.slow) for inner in INNER
]


@pytest.mark.parametrize("inner", INNER_PARAMS)
@pytest.mark.parametrize("kind", META)
def test_check_estimator(kind, inner):
    failed = failed_checks(META[kind](INNER[inner]))
    # A meta-estimator cannot pass the checks that the pipeline inside fails by itself.
    assert not failed or set(failed) <= set(failed_checks(INNER[inner])), failed


@pytest.mark.parametrize("inner", INNER_PARAMS[:2])
@pytest.mark.parametrize("kind", SEARCHES)
def test_check_estimator_of_searches_with_labels(kind, inner):
    failed = failed_checks(SEARCHES[kind](INNER[inner]))
    assert set(failed) <= set(CONTRADICTING_CHECKS), failed
    for check, error in failed.items():
        assert re.search(
            "y_true (must )?hold|labels|requires y", f"{error} {error.__cause__}"
        ), check


@pytest.mark.parametrize("kind", ALL)
def test_what_the_detector_has_is_passed_on(kind, rows, truth):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    wrapped = ALL[kind](INNER["ours"]).fit(frame, truth)
    assert list(wrapped.feature_names_in_) == list("abcde")
    assert wrapped.n_features_in_ == 5
    for name in ("explain", "encode", "reconstruct"):
        expected = getattr(wrapped.detector_, name)(frame)
        np.testing.assert_array_equal(getattr(wrapped, name)(frame), expected)
    for name in ("explain", "encode", "reconstruct", "predict_cluster"):
        assert not hasattr(ALL[kind](FOREST), name)
    reloaded = pickle.loads(pickle.dumps(wrapped))
    scores = wrapped.decision_function(frame)
    np.testing.assert_array_equal(reloaded.decision_function(frame), scores)
    np.testing.assert_array_equal(wrapped.predict(frame) == -1, scores < 0)
    np.testing.assert_array_equal(
        clone(wrapped).fit(frame, truth).decision_function(frame), scores
    )
    assert wrapped.detector is not wrapped.detector_
    assert not hasattr(wrapped.detector, "n_features_in_")


def test_delegated_methods_are_documented():
    for name in ("explain", "encode", "reconstruct", "predict_cluster"):
        method = getattr(ThresholdedDetector, name)
        assert method.__name__ == name
        assert list(inspect.signature(method).parameters) == ["self", "X"]
        assert "shape (n_samples" in inspect.getdoc(method)


UNSEEDED = {
    "forest": IsolationForest(n_estimators=2),
    "ours": AutoEncoder(max_epochs=1, hidden_dims=(4,)),
    "pipeline": make_pipeline(PCA(2, svd_solver="randomized"), IsolationForest(n_estimators=2)),
}
SEEDED = {
    "search": partial(UnsupervisedSearch, param_grid=[{}], cv=2),
    "search, stability": partial(
        UnsupervisedSearch, param_grid=[{}], cv=2, criterion="stability"
    ),
    "threshold search": partial(MappedSearch, cv=2),
    "thresholded": ThresholdedDetector,
    "thresholded, training rows": partial(ThresholdedDetector, calibration_size=None),
    "conformal": partial(ConformalDetector, alpha=0.2),
    "conformal, cross": partial(ConformalDetector, cv=2, alpha=0.2),
    "clusterwise": lambda detector, random_state: ClusterwiseDetector(
        detector=detector, n_clusters=2, random_state=random_state
    ),
}


@pytest.mark.parametrize("kind", SEEDED)
def test_global_generator_stays_where_a_detector_has_no_seed(kind, rows):
    """A one-class SVM draws from numpy's global generator, and has no ``random_state``."""
    before = global_states()
    SEEDED[kind](OneClassSVM(), random_state=0).fit(rows)
    assert global_states() == before


@pytest.mark.parametrize("inner", UNSEEDED)
@pytest.mark.parametrize("kind", SEEDED)
def test_the_seed_reaches_the_detector(kind, inner, rows):
    def scores(random_state):
        detector = SEEDED[kind](UNSEEDED[inner], random_state=random_state)
        return detector.fit(rows).decision_function(rows)

    before = np.random.get_state()
    first = scores(0)
    np.testing.assert_array_equal(scores(0), first)
    assert not np.array_equal(scores(1), first)
    assert not np.array_equal(scores(None), scores(None))
    for part, part_before in zip(np.random.get_state(), before, strict=True):
        np.testing.assert_array_equal(part, part_before)
    seeds = UNSEEDED[inner].get_params().items()
    assert {seed for name, seed in seeds if name.endswith("random_state")} == {None}


def test_seeds_default_to_none_and_seeds_of_the_detector_stay(rows):
    for meta in (ThresholdedDetector, ConformalDetector):
        assert meta(FOREST).random_state is None
        fitted = meta(IsolationForest(n_estimators=2, random_state=7), random_state=0).fit(rows)
        assert fitted.detector_.random_state == 7


@pytest.mark.parametrize("kind", ALL)
def test_tags_are_those_of_the_detector(kind):
    forest, deep = ALL[kind](FOREST), ALL[kind](INNER["ours"])
    assert get_tags(forest).input_tags == get_tags(FOREST).input_tags
    assert get_tags(deep).input_tags == get_tags(INNER["ours"]).input_tags
    for meta in (forest, deep):
        assert get_tags(meta).estimator_type == "outlier_detector"


@pytest.mark.parametrize("kind", ALL)
def test_detectors_without_score_samples(kind, rows, truth):
    class Decides(OutlierMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.center_ = np.mean(X, axis=0)
            return self

        def decision_function(self, X):
            return 5 - np.linalg.norm(np.asarray(X) - self.center_, axis=1)

        def predict(self, X):
            return np.where(self.decision_function(X) < 0, -1, 1)

    wrapped = ALL[kind](Decides()).fit(rows, truth)
    assert set(wrapped.predict(np.concatenate([rows, 100 * rows]))) == {-1, 1}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("kind", ALL)
def test_metadata_reaches_the_detector(kind, routing, rows, truth):
    weights = np.where(rows[:, 0] > 0, 1.0, 1e-3)
    with config_context(enable_metadata_routing=routing):
        # IsolationForest hides its own request behind that of its trees.
        machine = OneClassSVM()
        if routing:
            machine.set_fit_request(sample_weight=True)
        plain = ALL[kind](machine).fit(rows, truth).score_samples(rows)
        weighted = ALL[kind](machine).fit(rows, truth, sample_weight=weights)
        assert not np.array_equal(weighted.score_samples(rows), plain)
        if routing:
            with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
                ALL[kind](OneClassSVM()).fit(rows, truth, sample_weight=weights)
            with pytest.raises(TypeError, match="group"):
                ALL[kind](machine).fit(rows, truth, group=weights)


FROZEN = {**ALL, "clusterwise": lambda d: ClusterwiseDetector(detector=d, n_clusters=2)}


@pytest.mark.parametrize("kind", FROZEN)
def test_a_frozen_detector_is_wrapped_as_it_is(kind, rows, truth):
    # The searches would fit to fewer columns.
    columns = rows[:, :2]
    for inside in (FOREST, make_pipeline(StandardScaler(), FOREST)):
        fitted = clone(inside).fit(columns[:100])
        wrapped = FROZEN[kind](FrozenEstimator(fitted)).fit(columns, truth)
        assert set(wrapped.predict(np.concatenate([columns, 100 * columns]))) == {-1, 1}
        inner = wrapped.detectors_[0] if kind == "clusterwise" else wrapped.detector_
        assert inner.estimator is fitted


def test_a_frozen_rule_is_used_as_it_is(rows):
    rule = QuantileThreshold(0.2).fit(FOREST.fit(rows).score_samples(rows))
    wrapped = ThresholdedDetector(FOREST, FrozenEstimator(rule)).fit(rows[:50])
    assert wrapped.offset_ == rule.threshold_


def test_the_labels_of_a_frozen_clusterer_are_those_of_other_rows(rows):
    rows = rows.astype(np.float64)
    clusterer = KMeans(3, random_state=0).fit(rows[::-1])
    detector = ClusterwiseDetector(detector=FOREST, clusterer=FrozenEstimator(clusterer))
    detector.fit(rows)
    own = clusterer.predict(rows)
    for label, center in enumerate(detector.cluster_centers_):
        np.testing.assert_allclose(center, rows[own == label].mean(axis=0), atol=1e-5)


class Choosy(IsolationForest):
    """Fits no more than five columns, and scores no large numbers."""

    def fit(self, X, y=None, sample_weight=None):
        if np.shape(X)[1] > 5:
            raise ValueError("too wide")
        return super().fit(X, y, sample_weight)

    def score_samples(self, X):
        if np.max(X) > 1e6:
            raise ValueError("too far")
        return super().score_samples(X)

    def predict(self, X):
        return np.ones(n_rows(X), dtype=int)


UNDONE = {
    **ALL,
    "clusterwise": lambda d: ClusterwiseDetector(detector=d, n_clusters=2, random_state=0),
    "of PyOD": lambda d: from_pyod(KNN(n_neighbors=100)),
}


@pytest.mark.filterwarnings("ignore:Scoring failed:UserWarning")
@pytest.mark.parametrize("kind", UNDONE)
def test_a_fit_that_fails_leaves_what_was_fitted(kind, rows, truth):
    detector = UNDONE[kind](Choosy(n_estimators=2, random_state=0))
    if kind == "search":
        detector.set_params(max_features=6)
    bad = [np.hstack([rows, rows]), np.where(rows > 1, 1e9, rows)]
    if kind == "of PyOD":
        bad = [bad[0][:50]]
    for X in bad:
        with pytest.raises(ValueError, match=r"too (wide|far)|n_neighbors"):
            detector.fit(X, truth)
        with pytest.raises(NotFittedError):
            detector.score_samples(rows)
    scores = detector.fit(rows, truth).score_samples(rows)
    for X in bad:
        with pytest.raises(ValueError, match=r"too (wide|far)|n_neighbors"):
            detector.fit(X, truth)
        np.testing.assert_array_equal(detector.score_samples(rows), scores)


@pytest.mark.parametrize(
    "wrap",
    [
        FeedbackDetector,
        partial(UnsupervisedSearch, param_grid={}, cv=2),
        lambda detector: as_classifier(detector, anomaly_label=-1),
    ],
)
def test_what_needs_decisions_says_so(wrap, rows, truth):
    with pytest.raises(AttributeError, match=r"decision_function, got .*ThresholdedDetector"):
        wrap(GaussianMixture()).fit(rows, truth).predict(rows)
    decides = ThresholdedDetector(GaussianMixture(random_state=0), random_state=0)
    assert set(wrap(decides).fit(rows, truth).predict(rows)) == {-1, 1}


SHUFFLING = {
    "thresholded": ThresholdedDetector,
    "conformal": ConformalDetector,
    "conformal, cross": partial(ConformalDetector, cv=2),
    "search": partial(UnsupervisedSearch, param_grid={}),
    "threshold search": partial(ThresholdSearchCV, cv=2),
    "clusterwise": lambda d: ClusterwiseDetector(detector=d, n_clusters=2),
    "ensemble": lambda d: EnsembleDetector([("series", d)], max_samples=0.5),
    "ensemble, trimmed": lambda d: EnsembleDetector([("series", d)], trimmed_fraction=0.2),
}


@pytest.mark.parametrize("kind", SHUFFLING)
def test_detectors_of_series_get_no_shuffled_rows(kind, rows, truth):
    windows = SlidingWindowDetector(FOREST, window=3)
    for inner in (
        windows,
        FeedbackDetector(windows),
        FrozenEstimator(clone(windows).fit(rows)),
    ):
        with pytest.raises(TypeError, match=r"is for series, .* ScoreCalibrator"):
            SHUFFLING[kind](inner).fit(rows, truth)
    in_order = ThresholdedDetector(windows, QuantileThreshold(0.2), calibration_size=None)
    assert in_order.fit(rows).score_samples(rows).shape == (len(rows),)


DENSE = {
    "ours": INNER["ours"],
    "clusterwise": ClusterwiseDetector(detector=FOREST, n_clusters=2),
    "thresholded": ThresholdedDetector(INNER["ours"]),
    "feedback": FeedbackDetector(INNER["ours"]),
    "search": UnsupervisedSearch(INNER["ours"], [{}], cv=2),
    "of PyOD": from_pyod(KNN()),
    "neighbors": NeighborDistance(),
}


@pytest.mark.parametrize("kind", DENSE)
def test_sparse_rows_are_refused_with_what_to_do(kind):
    frame = pd.DataFrame({"kind": np.tile(list("abcde"), 12), "size": np.arange(60.0)})
    one_hot = ColumnTransformer(
        [("kind", OneHotEncoder(), ["kind"]), ("size", StandardScaler(), ["size"])],
        sparse_threshold=1.0,
    )
    pipeline = make_pipeline(one_hot, DENSE[kind])
    message = r"X\.toarray\(\); in a pipeline OneHotEncoder\(sparse_output=False\) and Col"
    with pytest.raises(TypeError, match=message):
        pipeline.fit(frame)
    pipeline.set_params(columntransformer__sparse_threshold=0).fit(frame).predict(frame)
    with pytest.raises(TypeError, match=message):
        pipeline[-1].decision_function(csr_matrix(one_hot.fit_transform(frame)))


# Around detectors of images.


def make_image_detector(**params):
    return make_detector("ConvAutoEncoder", max_epochs=1, latent_dim=2, **params)


AROUND_IMAGES = {
    "thresholded": partial(ThresholdedDetector, random_state=0),
    "conformal": partial(ConformalDetector, alpha=0.2, random_state=0),
    "conformal, cross": partial(ConformalDetector, cv=2, alpha=0.2, random_state=0),
    "feedback": FeedbackDetector,
    "search": partial(
        UnsupervisedSearch, param_grid={}, cv=2, criterion="stability", random_state=0
    ),
    "threshold search": partial(ThresholdSearchCV, cv=2, candidates=[0.2], random_state=0),
    "pipeline": partial(make_pipeline, FunctionTransformer()),
    "grid": lambda detector: GridSearchCV(
        detector, {"lr": [1e-3]}, cv=2, scoring=outlier_scorers["average_precision"]
    ),
}
LABELS = np.where(np.arange(40) % 4, 1, -1)


@pytest.mark.parametrize("shape", [(8, 9), (2, 8, 9)], ids=str)
@pytest.mark.parametrize("around", AROUND_IMAGES)
def test_images_are_the_same_as_flat_rows(around, shape):
    X = np.random.default_rng(0).random((40, *shape), dtype=np.float32)
    flat = X.reshape(40, -1)
    make = AROUND_IMAGES[around]
    shaped = make(make_image_detector()).fit(X, LABELS)
    other = make(make_image_detector(image_shape=shape)).fit(flat, LABELS)
    if around == "feedback":
        shaped.add_feedback(X[:3], [-1, 1, 1])
        other.add_feedback(flat[:3], [-1, 1, 1])
        np.testing.assert_array_equal(shaped.query(X, 5), other.query(flat, 5))
    np.testing.assert_array_equal(shaped.score_samples(X), other.score_samples(flat))
    np.testing.assert_array_equal(shaped.predict(X), other.predict(flat))
    if hasattr(shaped, "explain"):
        assert shaped.explain(X[:3]).shape == X[:3].shape


def test_what_takes_no_images_says_what_to_do():
    X = np.random.default_rng(0).random((40, 8, 9), dtype=np.float32)
    flat = X.reshape(40, -1)
    flat_detector = make_image_detector(image_shape=(8, 9))
    for criterion in ("excess_mass", "mass_volume", "npd"):
        make = partial(UnsupervisedSearch, param_grid={}, cv=2, criterion=criterion)
        with pytest.raises(ValueError, match=r"X has 3 axes, .*'stability'.* image_shape"):
            make(make_image_detector()).fit(X)
        assert np.isfinite(make(flat_detector, max_features=72).fit(flat).best_score_)
    with pytest.raises(ValueError, match="needs 72 columns, but X has 5") as refusal:
        UnsupervisedSearch(flat_detector, {}, cv=2).fit(flat)
    assert "raise max_features" in refusal.value.__notes__[0]
    clusterwise = partial(ClusterwiseDetector, n_clusters=2, random_state=0)
    with pytest.raises(ValueError, match=r"dim 3, .* Pass X\.reshape.* image_shape"):
        clusterwise(detector=make_image_detector()).fit(X)
    fitted = clusterwise(detector=flat_detector).fit(flat)
    assert fitted.score_samples(flat).shape == (40,)
    with pytest.raises(ValueError, match=r"dim 3, .* Pass X\.reshape"):
        fitted.score_samples(X)
    encoded = clusterwise(encoder=flat_detector, detector=FOREST).fit(flat)
    assert encoded.score_samples(flat).shape == (40,)
