"""Searches over detectors, the threshold search, and the adapter for classifiers' tools."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_detector
from joblib import parallel_config
from scipy.stats import loguniform, uniform
from sklearn import config_context
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM
from skorch.callbacks import EarlyStopping, LRScheduler
from test_common import failed_checks
from torch import nn

from skdeepanomaly import (
    FeedbackDetector,
    IQRThreshold,
    MADThreshold,
    POTThreshold,
    QuantileThreshold,
    ThresholdedDetector,
    ThresholdSearchCV,
    as_classifier,
    outlier_f1_score,
    outlier_scorers,
)
from skdeepanomaly.metrics import label_scorers


def make_data():
    """Draw rows along a plane and, behind them, anomalies that leave it; sorted by label."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 5))
    normal = rng.normal(size=(125, 2)) @ plane + 0.3 * rng.normal(size=(125, 5))
    far = rng.normal(size=(25, 2)) @ plane + 2.0 * rng.normal(size=(25, 5))
    return np.concatenate([normal, far]).astype(np.float32), np.repeat([1, -1], [125, 25])


X, Y = make_data()
FRAME = pd.DataFrame(X, columns=list("abcde"))
FRAME["kind"] = np.where(X[:, 0] > 0, "high", "low")
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)
FOREST = IsolationForest(n_estimators=10, random_state=0)
F1 = outlier_scorers["f1"]
SHARES = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5]


def make_auto_encoder(**params):
    return make_detector("AutoEncoder", hidden_dims=(16,), lr=0.02, batch_size=16, **params)


def bare(detector):
    return detector, X, ""


def after_columns(detector):
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), list("abcde")),
            ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )
    return Pipeline([("columns", columns), ("detector", detector)]), FRAME, "detector__"


def after_union(detector):
    union = FeatureUnion([("scaled", StandardScaler()), ("codes", PCA(2, random_state=0))])
    return Pipeline([("union", union), ("detector", detector)]), X, "detector__"


SHAPES = pytest.mark.parametrize("shape", [bare, after_columns, after_union])


def check_refitted(search, data):
    """Check the detector that a search fitted to all rows with the best parameters."""
    best = clone(search.estimator).set_params(**search.best_params_).fit(data, Y)
    scores = search.best_estimator_.score_samples(data)
    np.testing.assert_array_equal(scores, best.score_samples(data))
    assert np.isfinite(scores).all()
    assert set(search.predict(data)) == {-1, 1}


class Narrow(nn.Module):
    """A network of a user's own."""

    def __init__(self, n_features, width=2):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.Tanh(), nn.Linear(width, n_features)
        )

    def forward(self, x):
        return self.layers(x)


class Counted(IsolationForest):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y=None, sample_weight=None):
        type(self).fits += 1
        return super().fit(X, y, sample_weight)


# Searches, one after the other over every kind of parameter.

ENCODER = make_auto_encoder(contamination=0.1)
STOPPING = [("stop", EarlyStopping(patience=5, monitor="train_loss"))]
# The detector, a grid of which all candidates differ, and what must differ.
GRIDS = {
    "contamination": (ENCODER, {"contamination": [0.01, 0.1, 0.4]}, "flagged"),
    "threshold rule": (
        ThresholdedDetector(ENCODER, random_state=0),
        {"threshold": ["mad", QuantileThreshold(0.5), IQRThreshold(0.01)]},
        "flagged",
    ),
    "threshold parameter": (
        ThresholdedDetector(ENCODER, QuantileThreshold(), random_state=0),
        {"threshold__contamination": [0.01, 0.2, 0.5]},
        "flagged",
    ),
    "nested threshold": (
        ThresholdedDetector(ENCODER, MADThreshold(), random_state=0),
        {"threshold__n_deviations": [0.5, 3.0], "detector__lr": [1e-2]},
        "flagged",
    ),
    "hidden_dims": (ENCODER, {"hidden_dims": [(4,), (16, 16), [8]]}, "score"),
    "latent_dim": (ENCODER, {"latent_dim": [1, 2, "auto"]}, "score"),
    "module": (ENCODER, {"module": [None, Narrow]}, "score"),
    "module__": (
        clone(ENCODER).set_params(module=Narrow),
        {"module__width": [1, 8]},
        "score",
    ),
    "wrapped network": (
        ThresholdedDetector(ENCODER, random_state=0),
        {"detector__latent_dim": [1, 4]},
        "score",
    ),
    "lr": (ENCODER, {"lr": [1e-5, 1e-2]}, "score"),
    "optimizer": (ENCODER, {"optimizer": [torch.optim.Adam, torch.optim.SGD]}, "score"),
    "optimizer__": (ENCODER, {"optimizer__weight_decay": [0.0, 50.0]}, "score"),
    "batches": (ENCODER, {"batch_size": [8, 64]}, "score"),
    "callbacks": (
        clone(ENCODER).set_params(max_epochs=8),
        {"callbacks": [None, [EarlyStopping(patience=1, monitor="train_loss", threshold=9)]]},
        "epochs",
    ),
    "callbacks__": (
        clone(ENCODER).set_params(max_epochs=8, callbacks=STOPPING),
        {"callbacks__stop__threshold": [1e-4, 9.0]},
        "epochs",
    ),
    "schedule": (
        clone(ENCODER).set_params(
            callbacks=[("lr", LRScheduler("StepLR", step_size=1, gamma=0.5))]
        ),
        {"callbacks__lr__gamma": [1e-3, 1.0]},
        "score",
    ),
    "callback that is left out": (
        clone(ENCODER).set_params(
            max_epochs=8, callbacks=[("stop", EarlyStopping("train_loss", 1, 9.0))]
        ),
        {"callbacks__stop": [None, EarlyStopping("train_loss", 5, 9.0)]},
        "epochs",
    ),
}


def epochs_of(detector, X, y):
    detector = detector[-1] if isinstance(detector, Pipeline) else detector
    return detector.n_epochs_


def share_flagged(detector, X, y):
    return np.mean(detector.predict(X) == -1)


def mean_score(detector, X, y):
    return np.mean(detector.score_samples(X))


SCORERS = {"epochs": epochs_of, "flagged": share_flagged, "score": mean_score}


@pytest.mark.parametrize("kind", GRIDS)
def test_grid_search(kind):
    detector, grid, differs = GRIDS[kind]
    scoring = {"roc_auc": outlier_scorers["roc_auc"], differs: SCORERS[differs]}
    search = GridSearchCV(detector, grid, scoring=scoring, refit="roc_auc", cv=FOLDS)
    search.fit(X, Y)
    found = search.cv_results_[f"mean_test_{differs}"]
    assert np.isfinite(found).all()
    assert len(set(found)) == len(found)
    check_refitted(search, X)
    # What the user handed over stays as it was.
    assert not hasattr(detector, "net_")
    assert not hasattr(detector, "detector_")


def test_one_fit_serves_all_that_does_not_change_scores():
    """Contamination moves the threshold alone, so that all rankings are the same."""
    grid = {"contamination": [0.01, 0.1, 0.4, "auto"]}
    search = GridSearchCV(ENCODER, grid, scoring=outlier_scorers["roc_auc"], cv=FOLDS)
    assert np.ptp(search.fit(X, Y).cv_results_["mean_test_score"]) == 0


@pytest.mark.parametrize(
    ("shape", "preprocessing"),
    [
        (after_columns, {"columns__numbers": [StandardScaler(), "passthrough"]}),
        (after_union, {"union__codes__n_components": [1, 3]}),
    ],
)
def test_grid_search_at_the_end_of_a_pipeline(shape, preprocessing):
    """Parameters of every kind at once."""
    estimator, data, _ = shape(make_auto_encoder(callbacks=STOPPING))
    grid = {
        "detector__contamination": [0.05, 0.2],
        "detector__latent_dim": [4],
        "detector__optimizer__weight_decay": [0.1],
        "detector__callbacks__stop__patience": [1],
        **preprocessing,
    }
    search = GridSearchCV(estimator, grid, scoring=F1, cv=FOLDS).fit(data, Y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    check_refitted(search, data)


@pytest.mark.parametrize("pool", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_two_workers_find_what_one_finds(pool):
    estimator, data, prefix = after_columns(make_auto_encoder(callbacks=STOPPING))
    grid = {f"{prefix}contamination": [0.05, 0.2], f"{prefix}callbacks__stop__patience": [1]}
    for search in (
        GridSearchCV(estimator, grid, scoring=F1, cv=FOLDS),
        ThresholdSearchCV(estimator, candidates=SHARES, cv=FOLDS),
    ):
        one = clone(search).fit(data, Y)
        with parallel_config(pool, n_jobs=2):
            two = clone(search).fit(data, Y)
        np.testing.assert_array_equal(
            one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
        )
        np.testing.assert_array_equal(one.decision_function(data), two.decision_function(data))


@SHAPES
def test_randomized_search(shape):
    estimator, data, prefix = shape(ENCODER)
    space = {
        f"{prefix}lr": loguniform(1e-4, 1e-1),
        f"{prefix}contamination": uniform(0.01, 0.3),
        f"{prefix}hidden_dims": [(8,), (8, 8)],
    }
    searches = [
        RandomizedSearchCV(
            estimator, space, n_iter=2, scoring=F1, cv=FOLDS, random_state=0
        ).fit(data, Y)
        for _ in range(2)
    ]
    assert len(set(searches[0].cv_results_["mean_test_score"])) > 1
    assert searches[0].best_params_ == searches[1].best_params_
    check_refitted(searches[0], data)


@SHAPES
def test_halving_over_epochs(shape):
    estimator, data, prefix = shape(ENCODER)
    search = HalvingGridSearchCV(
        estimator,
        {f"{prefix}latent_dim": [1, 2, 4]},
        resource=f"{prefix}max_epochs",
        min_resources=1,
        max_resources=3,
        factor=3,
        scoring=outlier_scorers["roc_auc"],
        cv=FOLDS,
        random_state=0,
    ).fit(data, Y)
    assert search.n_resources_ == [1, 3]
    assert search.n_candidates_ == [3, 1]
    assert epochs_of(search.best_estimator_, data, Y) == 3
    check_refitted(search, data)


@SHAPES
def test_cross_validate(shape):
    estimator, data, _ = shape(ENCODER)
    result = cross_validate(
        estimator,
        data,
        Y,
        scoring=outlier_scorers,
        cv=FOLDS,
        return_estimator=True,
        return_train_score=True,
    )
    for name in outlier_scorers:
        assert np.isfinite(result[f"test_{name}"]).all()
        assert np.isfinite(result[f"train_{name}"]).all()
    for fitted, (train, test), auc in zip(
        result["estimator"], FOLDS.split(data, Y), result["test_roc_auc"], strict=True
    ):
        held_out = data.iloc[test] if shape is after_columns else data[test]
        assert roc_auc_score(Y[test], fitted.score_samples(held_out)) == pytest.approx(auc)
        assert len(train) + len(test) == len(Y)


@SHAPES
def test_cross_val_predict(shape):
    estimator, data, _ = shape(ENCODER)
    labels = cross_val_predict(estimator, data, Y, cv=FOLDS)
    assert set(labels) == {-1, 1}
    # With y, scikit-learn sorts decisions by class, which a detector has not.
    decisions = cross_val_predict(
        estimator, data, cv=list(FOLDS.split(data, Y)), method="decision_function"
    )
    assert roc_auc_score(Y, decisions) > 0.6
    np.testing.assert_array_equal(np.where(decisions < 0, -1, 1), labels)
    classifier = as_classifier(estimator)
    flipped = cross_val_predict(classifier, data, Y == -1, cv=FOLDS, method="decision_function")
    np.testing.assert_array_equal(flipped, -decisions)
    with pytest.raises(ValueError, match="writes labels such as -1 and"):
        cross_val_predict(classifier, data, Y, cv=FOLDS, method="decision_function")


@SHAPES
def test_learning_curve(shape):
    estimator, data, _ = shape(ENCODER)
    sizes, train, test = learning_curve(
        estimator,
        data,
        Y,
        train_sizes=[0.4, 1.0],
        shuffle=True,
        random_state=0,
        cv=FOLDS,
        scoring=outlier_scorers["average_precision"],
    )
    assert sizes.tolist() == [30, 75]
    assert train.shape == test.shape == (2, 2)
    assert np.isfinite([train, test]).all()
    assert not np.array_equal(test[0], test[1])


@SHAPES
def test_all_of_it_with_metadata_routing(shape):
    estimator, data, prefix = shape(ENCODER)
    plain = clone(estimator).fit(data).score_samples(data)
    with config_context(enable_metadata_routing=True):
        np.testing.assert_array_equal(clone(estimator).fit(data).score_samples(data), plain)
        assert set(clone(estimator).fit_predict(data)) == {-1, 1}
        search = GridSearchCV(
            estimator, {f"{prefix}contamination": [0.05, 0.2]}, scoring=F1, cv=FOLDS
        ).fit(data, Y)
        check_refitted(search, data)
        inner = ThresholdSearchCV(estimator, candidates=[0.1, 0.2], cv=2).fit(data, Y)
        np.testing.assert_array_equal(inner.score_samples(data), plain)
        result = cross_val_score(as_classifier(estimator), data, Y, cv=FOLDS)
        assert np.isfinite(result).all()
        with pytest.raises((TypeError, ValueError), match="sample_weight"):
            search.fit(data, Y, sample_weight=np.ones(len(Y)))


def forest_routes():
    """Whether the forest of this version of scikit-learn takes weights that are routed."""
    with config_context(enable_metadata_routing=True):
        forest = IsolationForest(n_estimators=1).set_fit_request(sample_weight=True)
        try:
            forest.fit(X, sample_weight=np.ones(len(X)))
        except UnsetMetadataPassedError:
            return False
    return True


ROUTED = pytest.mark.skipif(not forest_routes(), reason="this forest cannot be routed to")

# Rows on one side alone count, which forests of few rows take to heart.
WEIGHTS = np.where(X[:, 0] > 0, 1.0, 1e-3)


@ROUTED
@pytest.mark.parametrize(
    "wrap",
    [
        lambda forest: forest,
        ThresholdedDetector,
        lambda forest: ThresholdSearchCV(forest, candidates=SHARES, cv=FOLDS),
        as_classifier,
        lambda forest: Pipeline([("scale", StandardScaler()), ("forest", forest)]),
        lambda forest: ThresholdSearchCV(
            ThresholdedDetector(forest), candidates=SHARES, cv=FOLDS
        ),
        lambda forest: GridSearchCV(
            forest, {"contamination": [0.05, 0.2]}, scoring=F1, cv=FOLDS
        ),
        lambda forest: GridSearchCV(
            ThresholdedDetector(forest, QuantileThreshold()),
            {"threshold__contamination": [0.05, 0.2]},
            scoring=F1,
            cv=FOLDS,
        ),
    ],
)
def test_routed_sample_weight(wrap):
    forest = clone(FOREST).set_params(max_samples=30)
    with config_context(enable_metadata_routing=True):
        forest.set_fit_request(sample_weight=True)
        scaled = isinstance(wrap(forest), Pipeline)
        if scaled:
            wrap_scaler = StandardScaler().set_fit_request(sample_weight=False)
            estimator = wrap(forest).set_params(scale=wrap_scaler)
        else:
            estimator = wrap(forest)
        method = "decision_function"
        plain = getattr(clone(estimator).fit(X, Y), method)(X)
        even = getattr(clone(estimator).fit(X, Y, sample_weight=np.ones(len(X))), method)(X)
        weighted = getattr(clone(estimator).fit(X, Y, sample_weight=WEIGHTS), method)(X)
    assert not np.array_equal(weighted, even)
    # A weight of 1 for all is no weight, but scikit-learn draws with replacement then.
    assert plain.shape == even.shape


# The threshold search.


def truth_in(form):
    """Write the labels as -1/+1, 0/1, or booleans."""
    return {"-1/+1": Y, "0/1": (Y == -1).astype(int), "bool": Y == -1}[form]


def test_threshold_search_finds_what_a_grid_search_finds():
    """The detectors of this package cut as the search does."""
    scoring = {name: outlier_scorers[name] for name in label_scorers}
    grid = GridSearchCV(
        ENCODER, {"contamination": SHARES}, scoring=scoring, refit=False, cv=FOLDS
    ).fit(X, Y)
    for name in label_scorers:
        search = ThresholdSearchCV(ENCODER, scoring=name, candidates=SHARES, cv=FOLDS)
        found = search.fit(X, Y).cv_results_["mean_test_score"]
        np.testing.assert_array_equal(found, grid.cv_results_[f"mean_test_{name}"])


@pytest.mark.parametrize("n_samples", [10, 64, 101, 1000])
def test_at_most_one_row_lies_between_our_cut_and_that_of_scikit_learn(n_samples):
    scores = np.random.default_rng(n_samples).normal(size=n_samples)
    data, y = scores[:, None], np.where(scores < np.quantile(scores, 0.2), -1, 1)
    for share in SHARES:
        search = ThresholdSearchCV(Ramp(), candidates=[share], cv=FOLDS).fit(data, y)
        # What IsolationForest(contamination=share) would flag.
        flagged = scores < np.percentile(scores, 100 * share)
        assert np.sum(flagged != (search.predict(data) == -1)) <= 1


def test_default_candidates_hold_the_usual_ones():
    search = ThresholdSearchCV(FOREST, cv=FOLDS).fit(X, Y)
    assert set(SHARES) <= set(search.cv_results_["param_contamination"])
    few = ThresholdSearchCV(FOREST, candidates=SHARES, cv=FOLDS).fit(X, Y)
    assert search.best_score_ >= few.best_score_


def test_threshold_search_fits_once_a_fold():
    Counted.fits = 0
    search = ThresholdSearchCV(Counted(n_estimators=2), cv=FOLDS).fit(X, Y)
    # Once for each of two folds, and once for all rows.
    assert Counted.fits == 3
    assert len(search.cv_results_["params"]) >= 10


@pytest.mark.parametrize("form", ["0/1", "bool"])
def test_forms_of_truth_are_the_same(form):
    expected, search = (
        ThresholdSearchCV(FOREST, candidates=SHARES, cv=2, random_state=0).fit(X, truth_in(f))
        for f in ("-1/+1", form)
    )
    for name, values in expected.cv_results_.items():
        if "score" in name:
            np.testing.assert_array_equal(search.cv_results_[name], values)
    assert search.offset_ == expected.offset_


def test_threshold_search_results():
    search = ThresholdSearchCV(FOREST, cv=FOLDS).fit(X, Y)
    results = search.cv_results_
    folds = np.array([results[f"split{k}_test_score"] for k in range(2)])
    np.testing.assert_allclose(results["mean_test_score"], folds.mean(axis=0))
    np.testing.assert_allclose(results["std_test_score"], folds.std(axis=0))
    assert results["rank_test_score"][search.best_index_] == 1
    assert results["mean_test_score"][search.best_index_] == search.best_score_
    assert results["mean_test_score"].max() == search.best_score_
    assert results["param_contamination"][search.best_index_] == search.best_contamination_
    rule = results["params"][search.best_index_]["threshold"]
    assert rule is results["param_threshold"][search.best_index_]
    scores = clone(FOREST).fit(X).score_samples(X)
    assert search.offset_ == clone(rule).fit(scores).threshold_ == search.threshold_.threshold_
    np.testing.assert_array_equal(search.score_samples(X), scores)
    np.testing.assert_array_equal(search.decision_function(X), scores - search.offset_)
    np.testing.assert_array_equal(search.predict(X) == -1, scores < search.offset_)
    assert search.n_splits_ == 2


@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=30, random_state=0),
        LocalOutlierFactor(100, novelty=True),
        OneClassSVM(gamma=0.01),
        EllipticEnvelope(random_state=0),
    ],
    ids=lambda detector: type(detector).__name__,
)
def test_threshold_search_finds_the_share_of_anomalies(detector):
    rng = np.random.default_rng(0)
    shares, gains = [], []
    for n_anomalies in (10, 40):
        far = rng.normal(8, 1, size=(n_anomalies, 3))
        data = np.concatenate([rng.normal(size=(300, 3)), far])
        y = np.repeat([0, 1], [300, n_anomalies])
        search = ThresholdSearchCV(detector, cv=FOLDS).fit(data, y)
        scores = search.score_samples(data)
        wrong = scores < np.quantile(scores, 0.3)
        shares.append(search.best_contamination_)
        gains.append(f1_score(y, search.predict(data) == -1) - f1_score(y, wrong))
    assert 0.01 < shares[0] < shares[1] < 0.25
    assert np.mean(gains) > 0.2


class Ramp(OutlierMixin, BaseEstimator):
    """Its scores are the first column, whatever it was fitted to; it has no threshold."""

    def fit(self, X, y=None):
        self.y_ = y
        return self

    def score_samples(self, X):
        return np.asarray(X)[:, 0].astype(float)


def ramp(n_rows=200, n_anomalies=40, gap=0.0):
    values = np.arange(n_rows, dtype=float)
    values[:n_anomalies] -= gap
    return values[:, None], np.where(np.arange(n_rows) < n_anomalies, -1, 1)


def test_the_middle_one_of_tied_candidates_is_chosen():
    data, y = ramp(gap=100)
    search = ThresholdSearchCV(Ramp(), candidates=[0.1, 0.2, 0.3], cv=FOLDS).fit(data, y)
    assert search.best_score_ == 1
    assert search.best_contamination_ == 0.2
    # All small shares flag anomalies alone.
    data, y = ramp(n_anomalies=100)
    search = ThresholdSearchCV(Ramp(), scoring="precision", cv=FOLDS)
    for shares in ([0.1, 0.15, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]):
        search.set_params(candidates=shares).fit(data, y)
        # Of an even number the lower one.
        assert search.best_contamination_ == 0.2


@pytest.mark.parametrize("form", ["-1/+1", "0/1"])
def test_labels_reach_detectors_that_learn_from_them(form):
    search = ThresholdSearchCV(Ramp()).fit(X, truth_in(form))
    np.testing.assert_array_equal(search.detector_.y_, Y)
    deep = make_detector("DeepSAD", hidden_dims=(8,), latent_dim=2)
    labelled = ThresholdSearchCV(deep, candidates=SHARES, cv=2).fit(X, truth_in(form))
    np.testing.assert_array_equal(
        labelled.score_samples(X), clone(deep).fit(X, Y).score_samples(X)
    )


def test_rows_that_nobody_judged_are_trained_on_and_not_scored():
    unknown = np.random.default_rng(0).random(len(Y)) < 0.3
    y = np.where(unknown, 0, Y)
    search = ThresholdSearchCV(Ramp(), cv=3).fit(X, y)
    np.testing.assert_array_equal(search.detector_.y_, y)
    seen = []

    def record(detector, X, y):
        seen.append(y)
        return F1(detector, X, y)

    ThresholdSearchCV(Ramp(), scoring=record, candidates=[0.2], cv=3).fit(X, y)
    assert sorted(np.concatenate(seen)) == sorted(Y[~unknown])


def test_candidates_may_be_rules():
    rules = [MADThreshold(2.0), IQRThreshold(), POTThreshold(0.05), 0.1, QuantileThreshold(0.2)]
    search = ThresholdSearchCV(FOREST, candidates=rules, cv=FOLDS).fit(X, Y)
    assert len(search.cv_results_["params"]) == 5
    assert search.cv_results_["param_contamination"][0] == 0.1
    assert np.isnan(search.cv_results_["param_contamination"][1:]).all()
    for rule, mean in zip(rules[:3], search.cv_results_["mean_test_score"][1:4], strict=True):
        wrapped = ThresholdedDetector(FOREST, rule, calibration_size=None)
        assert cross_val_score(wrapped, X, Y, scoring=F1, cv=FOLDS).mean() == mean
    only = ThresholdSearchCV(FOREST, candidates=[MADThreshold(2.0)], cv=FOLDS).fit(X, Y)
    assert only.threshold_.get_params() == MADThreshold(2.0).get_params()
    assert only.best_contamination_ == np.mean(only.predict(X) == -1)
    assert not hasattr(rules[0], "threshold_")


def test_candidates_may_be_names_of_rules():
    named = ThresholdSearchCV(FOREST, candidates=["mad", 0.1, "iqr"], cv=FOLDS).fit(X, Y)
    rules = [MADThreshold(), 0.1, IQRThreshold()]
    given = ThresholdSearchCV(FOREST, candidates=rules, cv=FOLDS).fit(X, Y)
    np.testing.assert_array_equal(
        named.cv_results_["mean_test_score"], given.cv_results_["mean_test_score"]
    )
    assert isinstance(named.cv_results_["param_threshold"][1], MADThreshold)


def test_scorers_of_a_users_own():
    def cost(y, labels, missed):
        return -missed * np.sum((y == -1) & (labels == 1)) - np.sum((y == 1) & (labels == -1))

    search = ThresholdSearchCV(FOREST, candidates=SHARES, cv=FOLDS)
    shares = [
        clone(search)
        .set_params(scoring=make_scorer(cost, missed=missed))
        .fit(X, Y)
        .best_contamination_
        for missed in (0.01, 99)
    ]
    assert shares[0] <= 0.05 < 0.2 < shares[1]
    f1 = make_scorer(f1_score, pos_label=-1, zero_division=0)
    same = clone(search).set_params(scoring=f1).fit(X, Y)
    assert same.best_score_ == clone(search).fit(X, Y).best_score_

    def amount_missed(detector, X, y):
        """Score rows of another kind than those of the fold, too."""
        assert np.isfinite(detector.score_samples(X[:2])).all()
        return -np.abs(X[(y == -1) & (detector.predict(X) == 1)]).sum()

    search.set_params(scoring=amount_missed).fit(X, Y)
    assert search.best_contamination_ == pytest.approx(0.5, abs=0.2)


def test_folds_are_stratified_and_seeded():
    def scores(**params):
        search = ThresholdSearchCV(Ramp(), candidates=SHARES, **params).fit(X, Y)
        return [search.cv_results_[f"split{k}_test_score"] for k in range(5)]

    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    np.testing.assert_array_equal(scores(random_state=0), scores(cv=folds))
    assert not np.array_equal(scores(random_state=0), scores(random_state=1))
    before = pickle.dumps(np.random.get_state())
    assert not np.array_equal(scores(), scores())
    assert pickle.dumps(np.random.get_state()) == before


@pytest.mark.parametrize("routing", [False, True])
def test_folds_by_groups(routing):
    groups = np.arange(len(Y)) % 4
    with config_context(enable_metadata_routing=routing):
        search = ThresholdSearchCV(FOREST, candidates=SHARES, cv=GroupKFold(4))
        search.fit(X, Y, groups=groups)
    folds = list(GroupKFold(4).split(X, Y, groups))
    by_hand = ThresholdSearchCV(FOREST, candidates=SHARES, cv=folds).fit(X, Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], by_hand.cv_results_["mean_test_score"]
    )


@ROUTED
def test_weights_that_the_scorer_requests():
    weights = np.where(np.arange(len(Y)) % 2, 1.0, 0.1)
    scorer = make_scorer(f1_score, pos_label=-1, zero_division=0)
    with config_context(enable_metadata_routing=True):
        forest = clone(FOREST).set_fit_request(sample_weight=False)
        scorer.set_score_request(sample_weight=True)
        search = ThresholdSearchCV(forest, scoring=scorer, cv=FOLDS)
        search.fit(X, Y, sample_weight=weights)
    plain = ThresholdSearchCV(FOREST, scoring=scorer, cv=FOLDS).fit(X, Y)
    np.testing.assert_array_equal(search.score_samples(X), plain.score_samples(X))
    assert not np.array_equal(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )


@SHAPES
def test_threshold_search_in_all_shapes(shape):
    estimator, data, prefix = shape(ENCODER)
    search = ThresholdSearchCV(estimator, candidates=SHARES, cv=FOLDS).fit(data, Y)
    # Flagging all rows has this F1, whatever the scores are.
    assert search.best_score_ > 1.2 * f1_score(Y == -1, np.ones(len(Y)))
    assert set(search.predict(data)) == {-1, 1}
    nested = GridSearchCV(
        ThresholdSearchCV(estimator, candidates=SHARES, cv=2, random_state=0),
        {f"detector__{prefix}latent_dim": [1, 4]},
        scoring=F1,
    )
    shuffled = np.random.default_rng(0).permutation(len(Y))
    nested.set_params(cv=[(shuffled[:75], shuffled[75:])]).fit(data, Y)
    assert len(set(nested.cv_results_["mean_test_score"])) > 1
    check_refitted(nested, data)


def test_frozen_detector_is_not_fitted_again():
    Counted.fits = 0
    fitted = Counted(n_estimators=5, random_state=0).fit(X)
    search = ThresholdSearchCV(FrozenEstimator(fitted)).fit(X, Y)
    assert Counted.fits == 1
    np.testing.assert_array_equal(search.score_samples(X), fitted.score_samples(X))


BAD_LABELS = {
    "missing": (None, "requires y to be passed, but the target y is None"),
    "all 1": (np.ones(150), "holds only 1, which may mean normal .* or anomaly"),
    "all 0": (np.zeros(150), "holds no anomalies, only"),
    "no normal rows": (np.where(Y == -1, -1, 0), "holds no normal rows, only"),
    "strings": (np.where(Y == -1, "bad", "good"), "must hold -1 .*; got 'bad', 'good'"),
    "clusters": (np.arange(150) % 3, "must hold -1 .*; got 0, 1, 2"),
    "three anomalies": (np.where(np.arange(150) < 3, -1, 1), "3 anomalies for 5 folds"),
    "three normal rows": (np.where(np.arange(150) < 3, 1, -1), "3 normal rows for 5 folds"),
}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_threshold_search_refuses_labels(kind):
    y, message = BAD_LABELS[kind]
    search = ThresholdSearchCV(FOREST)
    with pytest.raises(ValueError, match=message):
        search.fit(X, y)
    assert not hasattr(search, "detector_")


def test_folds_of_one_class():
    with pytest.raises(ValueError, match=r"Fold 0 .* one class only: 50 .* 0 of them anomal"):
        ThresholdSearchCV(FOREST, cv=KFold(3)).fit(X, Y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scoring": "roc_auc"}, "judges the ranking, which no threshold changes. Expected"),
        ({"scoring": "accuracy"}, r"scoring='accuracy' is not known. Expected one of \['f1'"),
        ({"scoring": outlier_f1_score}, r"pass make_scorer\(outlier_f1_score\)"),
        ({"scoring": f1_score}, r"pass make_scorer\(f1_score\)"),
        ({"scoring": lambda d, X, y: np.nan}, "gave scores that are not finite"),
        ({"candidates": []}, "candidates is empty: expected shares or threshold rules"),
        (
            {"candidates": [0.1, "mean"]},
            "shares in .*, threshold rules .* 'mad', .*, got 'mean'",
        ),
        ({"candidates": [MADThreshold]}, "threshold rules .*, got <class"),
        ({"candidates": [0.7]}, "'contamination' parameter of QuantileThreshold must be"),
        ({"candidates": 0.1}, "'candidates' parameter of ThresholdSearchCV must be"),
        ({"cv": 1}, "'cv' parameter of ThresholdSearchCV must be"),
    ],
)
def test_threshold_search_refuses_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        ThresholdSearchCV(FOREST, **params).fit(X, Y)


@pytest.mark.parametrize("wrap", [ThresholdSearchCV, ThresholdedDetector, FeedbackDetector])
@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (LogisticRegression(), "LogisticRegression is a classifier, expected an outlier"),
        (Ridge(), "Ridge is a regressor"),
        (Pipeline([("ridge", Ridge())]), "Pipeline is a regressor"),
        (as_classifier(FOREST), "DetectorClassifier is a classifier"),
    ],
)
def test_wrappers_take_detectors_alone(wrap, inner, message):
    with pytest.raises(TypeError, match=message):
        wrap(inner).fit(X, Y)


# The adapter for tools that take classifiers.


@pytest.mark.parametrize(
    ("form", "classes", "anomaly"),
    [("-1/+1", [-1, 1], -1), ("0/1", [0, 1], 1), ("bool", [False, True], True)],
)
def test_classes_and_signs(form, classes, anomaly):
    y = truth_in(form)
    classifier = as_classifier(FOREST).fit(X, y)
    assert classifier.classes_.tolist() == classes
    assert classifier.anomaly_label_ == anomaly
    own = clone(FOREST).fit(X)
    sign = 1 if form == "-1/+1" else -1
    decision = classifier.decision_function(X)
    np.testing.assert_array_equal(decision, sign * own.decision_function(X))
    np.testing.assert_array_equal(classifier.predict(X) == anomaly, own.predict(X) == -1)
    np.testing.assert_array_equal(classifier.predict(X) == classes[1], decision > 0)
    assert classifier.predict(X).dtype == y.dtype
    # So that scikit-learn's own metrics rank the right way round.
    assert roc_auc_score(y, decision) > 0.6


@pytest.mark.parametrize("shape", [bare, after_columns])
def test_tuned_threshold(shape):
    estimator, data, prefix = shape(ENCODER)
    # A threshold that flags far too few rows.
    estimator = clone(estimator).set_params(**{f"{prefix}contamination": 0.01})
    flagged = {}
    for form, anomaly in (("-1/+1", -1), ("0/1", 1)):
        y, scorer = truth_in(form), make_scorer(f1_score, pos_label=anomaly)
        search = TunedThresholdClassifierCV(
            as_classifier(estimator), scoring=scorer, cv=FOLDS, thresholds=20
        ).fit(data, y)
        untuned = cross_val_score(as_classifier(estimator), data, y, scoring=scorer, cv=FOLDS)
        assert search.best_score_ > untuned.mean() + 0.1
        flagged[form] = search.predict(data) == anomaly
    # About the same rows, however the truth is written: the grid runs the other way.
    assert np.mean(flagged["-1/+1"] != flagged["0/1"]) < 0.1


def test_tuned_threshold_with_our_scorers():
    search = TunedThresholdClassifierCV(
        as_classifier(FOREST), scoring=F1, cv=FOLDS, thresholds=20
    ).fit(X, Y)
    assert 0 < np.mean(search.predict(X) == -1) < 0.5


@pytest.mark.parametrize("form", ["-1/+1", "0/1"])
@pytest.mark.parametrize(
    ("method", "inner"),
    [("sigmoid", "forest"), ("isotonic", "ours"), ("sigmoid", "pipeline")],
)
def test_calibrated_probabilities(form, method, inner):
    estimator = {
        "forest": FOREST,
        "ours": ENCODER,
        "pipeline": after_union(ENCODER)[0],
    }[inner]
    y = truth_in(form)
    calibrated = CalibratedClassifierCV(as_classifier(estimator), method=method, cv=3)
    calibrated.fit(X, y)
    anomaly = list(calibrated.classes_).index(-1 if form == "-1/+1" else 1)
    assert anomaly == (0 if form == "-1/+1" else 1)
    probability = calibrated.predict_proba(X)[:, anomaly]
    assert probability[Y == -1].mean() > 1.2 * probability[Y == 1].mean()
    assert probability.mean() == pytest.approx(np.mean(Y == -1), abs=0.08)


@pytest.mark.parametrize("form", ["-1/+1", "0/1"])
def test_calibration_of_what_is_fitted(form):
    y = truth_in(form)
    Counted.fits = 0
    detector = Counted(n_estimators=10, random_state=0).fit(X)
    classifier = as_classifier(FrozenEstimator(detector)).fit(X, y)
    frozen = CalibratedClassifierCV(FrozenEstimator(classifier), method="sigmoid").fit(X, y)
    assert Counted.fits == 1
    anomaly = list(frozen.classes_).index(classifier.anomaly_label_)
    probability = frozen.predict_proba(X)[:, anomaly]
    # Probabilities rank as the detector does.
    order = np.argsort(detector.score_samples(X), kind="stable")
    assert (np.diff(probability[order]) <= 1e-12).all()


def test_calibration_by_one_calibrator():
    """It hands over labels as 0 and 1, where -1 and +1 would change their meaning."""
    calibrated = CalibratedClassifierCV(as_classifier(FOREST), ensemble=False, cv=3)
    probability = calibrated.fit(X, Y == -1).predict_proba(X)[:, 1]
    ranking = clone(FOREST).fit(X).score_samples(X)
    # Probabilities rank as the detector does.
    assert roc_auc_score(Y == -1, probability) > roc_auc_score(Y, ranking) - 0.02
    with pytest.raises(ValueError, match=r"83% of y are 1, .* such as -1 and \+1 as 0 and 1"):
        calibrated.fit(X, Y)


def test_labels_that_are_written_anew_where_anomalies_are_many():
    half = np.concatenate([X[:24], X[-24:]])
    tools = (
        CalibratedClassifierCV(as_classifier(FOREST), ensemble=False, cv=3),
        CalibratedClassifierCV(as_classifier(FOREST, anomaly_label=-1), ensemble=False, cv=3),
    )
    for tool, message in zip(
        tools, ["50% of y are 1", "-1 is none of the labels"], strict=True
    ):
        with pytest.raises(ValueError, match=message):
            tool.fit(half, np.repeat([1, -1], 24))
    with pytest.raises(ValueError, match=r"-1 is none of the labels \[0, 1\] .* as 0 and 1"):
        tools[1].fit(half[18:], np.repeat([1, -1], [6, 24]))
    # 1 and 2 become 0 and 1, and the other one is the anomaly.
    with pytest.warns(UserWarning, match="8[34]% of y are anomalies by anomaly_label=1"):
        cross_val_predict(
            as_classifier(FOREST, anomaly_label=1),
            X,
            np.where(Y == -1, 1, 2),
            cv=FOLDS,
            method="decision_function",
        )


@pytest.mark.parametrize("dtype", ["boolean", "Int64"])
def test_labels_of_pandas_keep_their_kind(dtype):
    y = pd.Series(Y == -1).astype(dtype)
    found = as_classifier(FOREST).fit(X, y).predict(X)
    assert found.dtype.kind == ("b" if dtype == "boolean" else "i")
    np.testing.assert_array_equal(found, as_classifier(FOREST).fit(X, Y == -1).predict(X))
    y[3] = pd.NA
    with pytest.raises(ValueError, match="NaN"):
        as_classifier(FOREST).fit(X, y)


@pytest.mark.parametrize("form", ["-1/+1", "0/1"])
@pytest.mark.parametrize("name", ["DeepSAD", "DevNet"])
def test_classifier_of_detectors_that_learn_from_labels(name, form):
    detector = make_detector(name, hidden_dims=(8,))
    classifier = as_classifier(detector).fit(X, truth_in(form))
    expected = clone(detector).fit(X, Y)
    sign = 1 if form == "-1/+1" else -1
    np.testing.assert_array_equal(
        classifier.decision_function(X), sign * expected.decision_function(X)
    )


def test_labels_reach_the_steps_of_a_pipeline():
    pipeline = Pipeline([("select", SelectKBest(k=2)), ("forest", FOREST)])
    classifier = as_classifier(pipeline).fit(FRAME[list("abcde")], truth_in("0/1"))
    assert classifier.n_features_in_ == 5
    assert list(classifier.feature_names_in_) == list("abcde")
    assert classifier.detector_["select"].get_support().sum() == 2


def test_any_two_labels_with_the_anomaly_named():
    y = np.where(Y == -1, "fraud", "honest")
    classifier = as_classifier(FOREST, anomaly_label="fraud").fit(X, y)
    assert classifier.classes_.tolist() == ["fraud", "honest"]
    np.testing.assert_array_equal(classifier.predict(X) == "fraud", FOREST.fit_predict(X) == -1)
    reversed_ = as_classifier(FOREST, anomaly_label=0).fit(X, (Y == 1).astype(int))
    np.testing.assert_array_equal(
        reversed_.decision_function(X), classifier.decision_function(X)
    )


def test_classifier_explains_where_the_detector_does():
    classifier = as_classifier(ENCODER).fit(FRAME[list("abcde")], Y)
    explained = classifier.explain(FRAME[list("abcde")])
    expected = classifier.detector_.explain(FRAME[list("abcde")])
    np.testing.assert_array_equal(explained, expected)
    assert not hasattr(as_classifier(FOREST), "explain")


@pytest.mark.parametrize(
    ("y", "params", "message"),
    [
        (None, {}, "requires y to be passed, but the target y is None"),
        (np.ones(150), {}, r"holds one class only, \[1.0\]"),
        (np.ones(150), {"anomaly_label": 1}, r"holds one class only, \[1.0\]"),
        (np.where(Y == -1, -1, 0), {}, r"which of the labels \[-1, 0\] .* Set anomaly_label"),
        (np.repeat([-1, 0, 1], 50), {}, "multiclass: .* Leave out the rows labelled 0"),
        (np.arange(150) % 4, {}, r"multiclass: y holds 4 classes, \[0, 1, 2, 3\]"),
        (np.repeat([1, 2], 75), {}, r"which of the labels \[1, 2\] .* Set anomaly_label"),
        (np.where(Y == -1, "a", "b"), {}, r"which of the labels \['a', 'b'\]"),
        (Y == 1, {}, "83% of y are 1, which marks anomalies beside 0"),
        (np.repeat([0, 1], 75), {}, "50% of y are 1, which marks anomalies beside 0"),
        (Y == 1, {"anomaly_label": -1}, r"-1 is none of the labels .* writes labels such as"),
        (Y, {"anomaly_label": "a"}, r"'a' is none of the labels \[-1, 1\] in y"),
        (np.linspace(0, 1, 150), {}, "Unknown label type"),
    ],
)
def test_classifier_refuses_labels(y, params, message):
    classifier = as_classifier(FOREST, **params)
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    assert not hasattr(classifier, "detector_")


def test_one_class_in_a_fold_of_a_calibration():
    with pytest.raises(ValueError, match="holds one class only"):
        CalibratedClassifierCV(as_classifier(FOREST), cv=KFold(2)).fit(X[::-1], Y[::-1])


# Why the adapter does not pass scikit-learn's checks of classifiers.
CONTRADICTING_CHECKS = {
    "check_classifiers_classes": "any two strings are classes; one must be anomaly_label",
    **dict.fromkeys(
        ["check_dtype_object", "check_estimator_sparse_array", "check_estimator_sparse_matrix"],
        "older versions of scikit-learn hand over three classes",
    ),
    "check_classifiers_one_label_sample_weights": "weights of 0 are too much for the forest",
}


@pytest.mark.parametrize("inner", ["forest", pytest.param("ours", marks=pytest.mark.slow)])
def test_check_estimator_of_the_classifier(inner):
    detector = {"forest": FOREST, "ours": ENCODER}[inner]
    failed = failed_checks(as_classifier(detector, anomaly_label=1))
    assert set(failed) <= set(CONTRADICTING_CHECKS)
    assert inner == "forest" or "check_classifiers_one_label_sample_weights" not in failed
    # Without anomaly_label those fail, too, whose labels do not say what they mean.
    for check, error in failed_checks(as_classifier(detector)).items():
        if check not in CONTRADICTING_CHECKS:
            assert re.search("anomaly_label", f"{error} {error.__cause__}"), check
