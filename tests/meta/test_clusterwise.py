"""ClusterwiseDetector: one detector for each cluster."""

import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import make_rows
from sklearn.base import clone
from sklearn.cluster import DBSCAN, AgglomerativeClustering, FeatureAgglomeration, KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
    check_param_validation,
)

import skdeepanomaly
from skdeepanomaly import AutoEncoder, ClusterwiseDetector

CENTERS = np.array([[0.0, 0.0], [12.0, 0.0], [0.0, 12.0]])
WIDTHS = np.array([1.5, 0.15, 0.5])


def make_clusters(seed=0, n_rows=120):
    """Draw three clusters of different widths, and rows a few widths off each of them."""
    rng = np.random.default_rng(seed)
    rows = [
        center + width * rng.normal(size=(n_rows, 2))
        for center, width in zip(CENTERS, WIDTHS, strict=True)
    ]
    angles = rng.uniform(0, 2 * np.pi, size=(3, 20))
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    outliers = (CENTERS[:, None] + 5 * WIDTHS[:, None, None] * around).reshape(-1, 2)
    return np.concatenate(rows), outliers


def mean_auroc(seeds=range(3), **params):
    """Return how well new rows and outliers are told apart, as a mean over data sets."""
    values = []
    for seed in seeds:
        X, outliers = make_clusters(seed)
        detector = ClusterwiseDetector(**params, random_state=seed).fit(X[::2])
        scores = detector.score_samples(np.concatenate([X[1::2], outliers]))
        y = np.repeat([1, -1], [len(X) // 2, len(outliers)])
        values.append(roc_auc_score(y, scores))
    return np.mean(values)


VARIANTS = {
    "nearest": {"combine": "nearest"},
    "transformer": {"encoder": StandardScaler(), "n_clusters": 2},
    "no predict": {"clusterer": AgglomerativeClustering(2)},
    "noise": {"clusterer": DBSCAN(), "min_cluster_size": 2},
    "mixture": {"clusterer": GaussianMixture(2, init_params="random_from_data")},
    "forest": {"detector": IsolationForest(n_estimators=10), "n_clusters": 2},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_check_estimator(variant):
    detector = ClusterwiseDetector(**VARIANTS[variant], random_state=0)
    results = check_estimator(detector, on_fail=None, on_skip=None)
    assert len(results) > 40
    assert [r["check_name"] for r in results if r["status"] != "passed"] == []


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_param_validation,
    ],
)
def test_further_scikit_learn_checks(check):
    check("ClusterwiseDetector", ClusterwiseDetector())


@pytest.mark.parametrize("combine", ["best", "nearest"])
def test_each_cluster_is_judged_by_its_own_width(combine):
    together = mean_auroc(n_clusters=1, combine=combine)
    assert mean_auroc(n_clusters=3, combine=combine) > together + 0.08


def test_one_cluster_is_the_detector_alone():
    X, outliers = make_clusters()
    plain = OneClassSVM().fit(X)
    detector = ClusterwiseDetector(n_clusters=1).fit(X)
    own = plain.score_samples(X)
    expected = (plain.score_samples(outliers) - own.mean()) / own.std()
    np.testing.assert_allclose(detector.score_samples(outliers), expected)


def test_scores_are_standardised_by_cluster():
    X, _ = make_clusters()
    detector = ClusterwiseDetector(n_clusters=3, combine="nearest", random_state=0).fit(X)
    scores, clusters = detector.score_samples(X), detector.predict_cluster(X)
    for cluster in range(3):
        assert scores[clusters == cluster].mean() == pytest.approx(0, abs=1e-9)
        assert scores[clusters == cluster].std() == pytest.approx(1)


def test_best_is_never_below_nearest():
    X = make_rows(300)
    nearest, best = (
        ClusterwiseDetector(combine=combine, random_state=0).fit(X).score_samples(X)
        for combine in ("nearest", "best")
    )
    assert (best >= nearest).all()
    assert (best > nearest).any()
    # The kernel of a one-class SVM is 0 far away, which is the lowest score of all.
    detector = ClusterwiseDetector(random_state=0).fit(X)
    assert detector.score_samples(np.full((1, 5), 1e9)) <= best.min()


def test_how_scores_are_combined_changes_with_the_next_fit_alone():
    X = make_rows(300)
    detector = ClusterwiseDetector(random_state=0).fit(X)
    best = detector.score_samples(X)
    detector.set_params(combine="nearest")
    np.testing.assert_array_equal(detector.score_samples(X), best)
    assert (detector.fit(X).score_samples(X) <= best).all()
    assert not np.array_equal(detector.score_samples(X), best)


def test_clusters():
    X, _ = make_clusters()
    detector = ClusterwiseDetector(n_clusters=3, random_state=0).fit(X)
    clusters = detector.predict_cluster(X)
    for own in np.split(clusters, 3):
        assert (own == own[0]).all()
    assert sorted(clusters[[0, 120, 240]]) == [0, 1, 2]
    np.testing.assert_allclose(
        detector.cluster_centers_[clusters[[0, 120, 240]]], CENTERS, atol=0.5
    )
    np.testing.assert_allclose(
        detector.cluster_centers_, detector.clusterer_.cluster_centers_, rtol=1e-9
    )
    assert len(detector.detectors_) == 3


def test_small_clusters_train_no_detector():
    X, _ = make_clusters()
    few = np.array([40.0, 40.0]) + 0.01 * np.random.default_rng(0).normal(size=(4, 2))
    X = np.concatenate([X, few])
    detector = ClusterwiseDetector(n_clusters=4, contamination=0.02, random_state=0)
    labels = detector.fit_predict(X)
    assert len(detector.detectors_) == len(detector.cluster_centers_) == 3
    np.testing.assert_array_equal(labels[-4:], -1)
    # Rows of a cluster that is left out belong to the nearest of the others.
    distances = np.linalg.norm(detector.cluster_centers_ - few.mean(axis=0), axis=1)
    assert (detector.predict_cluster(few) == distances.argmin()).all()
    detector.set_params(min_cluster_size=4).fit(X)
    assert len(detector.detectors_) == 4
    assert (detector.predict(few) == 1).all()


def test_no_cluster_is_large_enough():
    X = make_rows(12)
    detector = ClusterwiseDetector(n_clusters=8, min_cluster_size=10).fit(X)
    assert len(detector.detectors_) == 1
    np.testing.assert_allclose(detector.cluster_centers_[0], X.mean(axis=0), atol=1e-6)
    assert (detector.predict_cluster(X) == 0).all()


def test_max_samples_limits_what_a_detector_sees():
    X, _ = make_clusters()
    detector = ClusterwiseDetector(n_clusters=3, max_samples=50, random_state=0).fit(X)
    assert [own.shape_fit_ for own in detector.detectors_] == [(50, 2)] * 3
    detector.set_params(max_samples=None).fit(X)
    assert [own.shape_fit_ for own in detector.detectors_] == [(120, 2)] * 3


@pytest.mark.parametrize(
    "X",
    [
        make_rows(2),
        np.ones((20, 3)),
        make_rows(100)[:, :1],
        np.repeat(make_rows(2), 10, axis=0),
    ],
    ids=["two rows", "equal rows", "one column", "two distinct rows"],
)
@pytest.mark.parametrize("combine", ["best", "nearest"])
def test_unusual_data(X, combine):
    detector = ClusterwiseDetector(combine=combine, random_state=0).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    if combine == "best":
        assert (detector.predict(np.full((1, X.shape[1]), 1e12)) == -1).all()


@pytest.mark.parametrize("value", [1e30, 1e200, -1e308])
def test_far_out_rows_are_outliers(value):
    X, _ = make_clusters()
    detector = ClusterwiseDetector(n_clusters=3, random_state=0).fit(X)
    far = [[value, 0], [value, value]]
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert np.isfinite(detector.score_samples(far)).all()
        np.testing.assert_array_equal(detector.predict(far), -1)


@pytest.mark.parametrize("contamination", [1e-6, 0.05, 0.3, 0.5])
def test_contamination_is_exact(contamination):
    X, _ = make_clusters()
    labels = ClusterwiseDetector(contamination=contamination, random_state=0).fit_predict(X)
    assert np.sum(labels == -1) == max(1, round(contamination * len(X)))


def test_contamination_auto():
    X, _ = make_clusters()
    detector = ClusterwiseDetector(contamination="auto", random_state=0).fit(X)
    quartile, median = np.quantile(detector.score_samples(X), [0.25, 0.5])
    assert detector.offset_ == pytest.approx(median - 3 * (median - quartile) / 0.6745)


CLUSTERERS = {
    "predict": KMeans(3, n_init=10),
    "no labels_": GaussianMixture(3),
    "no predict": AgglomerativeClustering(3),
    "noise": DBSCAN(eps=1.5),
}


@pytest.mark.parametrize("clusterer", CLUSTERERS)
def test_any_clusterer(clusterer):
    X, _ = make_clusters()
    detector = ClusterwiseDetector(clusterer=CLUSTERERS[clusterer], random_state=0).fit(X)
    clusters = detector.predict_cluster(CENTERS)
    assert len(set(clusters)) == 3
    np.testing.assert_allclose(detector.cluster_centers_[clusters], CENTERS, atol=1)
    assert mean_auroc(clusterer=CLUSTERERS[clusterer]) > mean_auroc(n_clusters=1) + 0.08


def test_noise_trains_no_detector():
    X, _ = make_clusters()
    noise = np.random.default_rng(0).uniform(20, 60, size=(10, 2))
    clusterer = DBSCAN(eps=1.5)
    detector = ClusterwiseDetector(clusterer=clusterer, contamination=0.02).fit(
        np.concatenate([X, noise])
    )
    assert (detector.clusterer_.labels_[-10:] == -1).all()
    assert sum(own.shape_fit_[0] for own in detector.detectors_) <= len(X)
    assert (detector.predict(noise) == -1).all()


def test_clusterer_without_labels():
    with pytest.raises(TypeError, match="clusterer must offer labels_ or predict after fit"):
        ClusterwiseDetector(clusterer=StandardScaler()).fit(make_rows())
    # Its labels are those of columns.
    with pytest.raises(TypeError, match=r"each of 150 rows a label, Feature.* shape \(5,\)"):
        ClusterwiseDetector(clusterer=FeatureAgglomeration()).fit(make_rows())


DETECTORS = {
    "IsolationForest": IsolationForest(n_estimators=30),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    "AutoEncoder": AutoEncoder(max_epochs=10, hidden_dims=(8,)),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_any_detector(name):
    detector = ClusterwiseDetector(detector=DETECTORS[name], n_clusters=3, random_state=0)
    detector.fit(make_clusters()[0])
    assert {type(own).__name__ for own in detector.detectors_} == {name}
    assert not hasattr(DETECTORS[name], "offset_")
    # By chance it would be 0.5.
    assert mean_auroc(detector=DETECTORS[name], n_clusters=3) > 0.7


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (LocalOutlierFactor(), "offers them with novelty=True"),
        (LogisticRegression(), r"must be an instance of an outlier detector, got Logistic"),
        (IsolationForest, r"must be an instance of an outlier detector, got <class"),
    ],
)
def test_other_estimators_are_refused(detector, message):
    with pytest.raises(TypeError, match=message):
        ClusterwiseDetector(detector=detector).fit(make_rows())


def test_scores_of_a_detector_that_are_not_finite():
    class Broken(OneClassSVM):
        def score_samples(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(ValueError, match="gave scores that are not finite"):
        ClusterwiseDetector(detector=Broken()).fit(make_rows())


def test_unfitted_encoder_is_cloned_and_fitted():
    X = make_rows(200, 6)
    encoder = PCA(2, random_state=0)
    detector = ClusterwiseDetector(encoder=encoder, random_state=0).fit(X)
    assert not hasattr(encoder, "components_")
    assert detector.cluster_centers_.shape == (8, 2)
    codes = PCA(2).fit_transform(X.astype(np.float64))
    expected = ClusterwiseDetector(random_state=0).fit(codes)
    np.testing.assert_allclose(detector.score_samples(X), expected.score_samples(codes))


def test_fitted_encoder_is_used_as_it_is():
    X, other = make_rows(200, 6), make_rows(100, 6, seed=5)
    encoder = AutoEncoder(latent_dim=2, max_epochs=2, random_state=0).fit(other)
    codes = encoder.encode(X)
    detector = ClusterwiseDetector(encoder=encoder, random_state=0).fit(X)
    assert detector.encoder_ is encoder
    np.testing.assert_array_equal(encoder.encode(X), codes)
    assert detector.cluster_centers_.shape == (8, 2)
    np.testing.assert_array_equal(
        detector.score_samples(X),
        ClusterwiseDetector(random_state=0).fit(codes).score_samples(codes),
    )


def test_frozen_encoder_outlives_a_clone():
    X = make_rows(200, 6)
    encoder = AutoEncoder(latent_dim=2, max_epochs=2, random_state=0).fit(X)
    detector = ClusterwiseDetector(encoder=FrozenEstimator(encoder), random_state=0)
    detector = clone(detector).fit(X)
    assert detector.encoder_.estimator is encoder
    assert detector.cluster_centers_.shape == (8, 2)


def test_deep_encoder_is_fitted_with_the_seed():
    X = make_rows(200, 6)
    detector = ClusterwiseDetector(encoder=AutoEncoder(latent_dim=2, max_epochs=2))
    scores = [detector.set_params(random_state=s).fit(X).score_samples(X) for s in (0, 0, 1)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    assert detector.encoder.random_state is None


def test_seeds_that_are_set_stay():
    forest = IsolationForest(n_estimators=3, random_state=7)
    detector = ClusterwiseDetector(detector=forest, n_clusters=2, random_state=0)
    detector.fit(make_rows())
    assert [own.random_state for own in detector.detectors_] == [7, 7]
    detector.set_params(detector__random_state=None).fit(make_rows())
    assert len({own.random_state for own in detector.detectors_} - {None}) == 2


@pytest.mark.parametrize("encoder", [None, StandardScaler(), AutoEncoder(max_epochs=1)])
def test_names_of_columns(encoder):
    X = pd.DataFrame(make_rows(), columns=list("abcde"))
    detector = ClusterwiseDetector(encoder=encoder, random_state=0).fit(X)
    assert list(detector.feature_names_in_) == list("abcde")
    if encoder is not None:
        assert list(detector.encoder_.feature_names_in_) == list("abcde")
    scores = detector.score_samples(X)
    with pytest.raises(ValueError, match="must be in the same order"):
        detector.score_samples(X[list("edcba")])
    named = detector.set_params(encoder=detector.encoder_).fit(X)
    np.testing.assert_array_equal(named.score_samples(X).shape, scores.shape)


def test_encoder_that_was_fitted_without_names_gets_none():
    X = pd.DataFrame(make_rows(), columns=list("abcde"))
    encoder = StandardScaler().fit(X.to_numpy())
    detector = ClusterwiseDetector(encoder=encoder, random_state=0).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()


def test_runs_without_torch():
    """The module, loaded without its package's ``__init__``, imports no torch."""
    code = f"""
        import sys, types
        package = types.ModuleType("skdeepanomaly")
        package.__path__ = [{str(Path(skdeepanomaly.__file__).parent)!r}]
        sys.modules["skdeepanomaly"] = package
        class Refuse:
            def find_spec(self, name, *args):
                assert name.split(".")[0] not in ("torch", "skorch"), name
        sys.meta_path.insert(0, Refuse())
        from skdeepanomaly.meta import ClusterwiseDetector
        import numpy as np
        X = np.random.default_rng(0).normal(size=(100, 3))
        assert (ClusterwiseDetector(random_state=0).fit_predict(X) == -1).sum() == 10
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_scores_without_size_do_not_set_the_scale():
    X = make_rows(200).astype(np.float64)
    spoiled = X.copy()
    spoiled[::50] = -1e60
    detectors = [
        ClusterwiseDetector(detector=LocalOutlierFactor(novelty=True), n_clusters=1).fit(rows)
        for rows in (X, spoiled)
    ]
    spreads = [np.ptp(detector.score_samples(X[1:50])) for detector in detectors]
    assert spreads[1] == pytest.approx(spreads[0], rel=0.5)
    assert (detectors[1].predict(spoiled[::50]) == -1).all()
