"""Detectors of PyOD: refused as they are, and conformant inside the adapter."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import global_states, make_planted
from pyod.models.auto_encoder import AutoEncoder
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.inne import INNE
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.pca import PCA
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_common import failed_checks

from skdeepanomaly import (
    ClusterwiseDetector,
    ConformalDetector,
    FeedbackDetector,
    OutlierRocCurveDisplay,
    PyODDetector,
    ScoreDisplay,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnsupervisedSearch,
    as_classifier,
    evaluate,
    from_pyod,
    outlier_roc_auc_score,
    outlier_scorers,
)

X, Y = make_planted(n_inliers=300, n_outliers=30)
# One batch at a time: PyOD drops a batch that is not full, and scikit-learn's checks have few
# rows.
SMALL_NET = {"epoch_num": 1, "verbose": 0, "batch_size": 2, "hidden_neuron_list": [4]}
DETECTORS = {
    "neighbours": KNN(),
    "density": LOF(),
    "components": PCA(),
    "forest": IForest(n_estimators=5),
    "distribution": ECOD(),
    "deep": AutoEncoder(batch_norm=False, dropout_rate=0, **SMALL_NET),
}
WRAPPERS = {
    "thresholded": ThresholdedDetector,
    "conformal": ConformalDetector,
    "feedback": FeedbackDetector,
    "threshold search": lambda detector: ThresholdSearchCV(detector, cv=2),
    "search": lambda detector: UnsupervisedSearch(detector, [{}], cv=2, max_features=6),
    "stability": lambda detector: UnsupervisedSearch(
        detector, [{}], cv=2, criterion="stability"
    ),
    "clusterwise": lambda detector: ClusterwiseDetector(detector=detector, n_clusters=2),
    "classifier": as_classifier,
}


NEED_LABELS = ("threshold search", "classifier")


@pytest.mark.filterwarnings("ignore:y should not be presented")
@pytest.mark.parametrize("kind", WRAPPERS)
@pytest.mark.parametrize("inner", ["alone", "pipeline", "frozen"])
def test_labels_of_another_kind_are_refused(kind, inner):
    detector = ECOD()
    if inner == "pipeline":
        detector = make_pipeline(StandardScaler(), detector)
    elif inner == "frozen":
        detector = FrozenEstimator(make_pipeline(StandardScaler(), detector).fit(X))
    with pytest.raises(
        ValueError, match=r"gives the labels \[0(, 1)?\].*from_pyod\(detector\)"
    ):
        # PyOD warns of labels.
        WRAPPERS[kind](detector).fit(X, Y if kind in NEED_LABELS else None)


@pytest.mark.parametrize("labels", [(True, False), ("out", "in"), (1, 0), (1, 2)])
def test_other_labels_than_those_of_pyod_are_refused_too(labels):
    class Odd(BaseEstimator):
        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def score_samples(self, X):
            return -np.linalg.norm(X, axis=1)

        def predict(self, X):
            return np.where(np.arange(len(X)) == 0, *labels)

    with pytest.raises(ValueError, match="predict of Odd gives the labels"):
        ThresholdedDetector(Odd()).fit(X)


@pytest.mark.parametrize("detector", [GaussianMixture(3, random_state=0), KernelDensity()])
def test_density_estimators_have_scores_of_the_right_sign(detector):
    thresholded = ThresholdedDetector(detector, random_state=0).fit(X)
    assert outlier_roc_auc_score(Y, -thresholded.score_samples(X)) > 0.6


@pytest.mark.parametrize("name", outlier_scorers)
def test_scorers_refuse_other_labels(name):
    with pytest.raises(ValueError, match="from_pyod"):
        outlier_scorers[name](ECOD().fit(X), X, Y)


@pytest.mark.parametrize("display", [ScoreDisplay, OutlierRocCurveDisplay])
def test_metrics_and_displays_refuse_other_labels(display):
    with pytest.raises(ValueError, match="from_pyod"):
        evaluate(ECOD().fit(X), X, Y)
    with pytest.raises(ValueError, match="from_pyod"):
        display.from_estimator(ECOD().fit(X), X, Y)


@pytest.mark.parametrize("kind", DETECTORS)
def test_check_estimator(kind):
    failed = failed_checks(from_pyod(DETECTORS[kind], random_state=0))
    depends_on_other_rows = {"check_methods_subset_invariance"}
    if kind == "deep":
        # In the digits that single precision does not hold, so by chance.
        assert set(failed) <= depends_on_other_rows, failed
    else:
        assert set(failed) == (depends_on_other_rows if kind == "distribution" else set())


@pytest.mark.parametrize("kind", DETECTORS)
def test_labels_and_scores_are_those_of_pyod_with_the_sign_turned(kind):
    detector = from_pyod(DETECTORS[kind], random_state=0).fit(X)
    inside = detector.detector_
    labels = np.where(inside.predict(X) == 1, -1, 1)
    np.testing.assert_array_equal(detector.predict(X), labels)
    np.testing.assert_allclose(detector.score_samples(X), -inside.decision_function(X))
    assert detector.offset_ == -inside.threshold_
    few = clone(detector).set_params(detector__contamination=0.02).fit(X)
    assert few.offset_ < detector.offset_
    assert outlier_scorers["roc_auc"](detector, X, Y) == outlier_roc_auc_score(
        Y, inside.decision_function(X)
    )


@pytest.mark.parametrize("kind", DETECTORS)
def test_it_can_be_cloned_pickled_and_remembers_columns(kind):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    detector = from_pyod(DETECTORS[kind], random_state=0).fit(frame)
    assert list(detector.feature_names_in_) == list("abcdef")
    assert detector.n_features_in_ == 6
    scores = detector.score_samples(frame)
    reloaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(reloaded.score_samples(frame), scores)
    np.testing.assert_array_equal(clone(detector).fit(frame).score_samples(frame), scores)
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(frame[list("fedcba")])
    assert not hasattr(detector.detector, "decision_scores_")


@pytest.mark.parametrize(
    "detector", [INNE(), IForest(n_estimators=5), AutoEncoder(**SMALL_NET)]
)
def test_the_seed_makes_scores_repeat_and_global_generators_stay(detector):
    before = global_states()
    fitted = from_pyod(detector, random_state=0).fit(X)
    scores = fitted.score_samples(X)
    np.testing.assert_array_equal(fitted.fit(X).score_samples(X), scores)
    assert global_states() == before


@pytest.mark.parametrize("kind", WRAPPERS)
def test_the_adapter_works_in_every_wrapper(kind):
    wrapped = WRAPPERS[kind](from_pyod(KNN())).fit(X, Y)
    far, near = wrapped.decision_function(np.concatenate([X[:1] + 50, X[:1]]))
    assert far < min(0, near)


def test_a_grid_search_over_the_parameters_of_pyod():
    search = GridSearchCV(
        from_pyod(KNN()),
        {"detector__n_neighbors": [1, 5]},
        scoring=outlier_scorers["roc_auc"],
        cv=[(np.arange(0, 330, 2), np.arange(1, 330, 2))],
    ).fit(X, Y)
    assert search.best_params_["detector__n_neighbors"] in (1, 5)


def test_detectors_that_learn_from_labels_get_those_of_pyod():
    class Supervised(KNN):
        def fit(self, X, y):
            self.y_ = y
            return super().fit(X)

    detector = from_pyod(Supervised()).fit(X, Y)
    np.testing.assert_array_equal(detector.detector_.y_, Y == -1)
    with pytest.raises(ValueError, match="Supervised requires y"):
        detector.fit(X)
    with pytest.raises(ValueError, match="Supervised needs some anomalies"):
        detector.fit(X, np.ones(len(X)))


@pytest.mark.parametrize(
    ("detector", "error", "message"),
    [
        (IsolationForest(), TypeError, "scikit-learn's kind needs no adapter"),
        (from_pyod(KNN()), TypeError, "scikit-learn's kind needs no adapter"),
        (LogisticRegression(), ValueError, "contamination of LogisticRegression"),
        (KNN(contamination="auto"), ValueError, "must be a number, got 'auto'"),
        (KNN, TypeError, "takes a detector of PyOD"),
        (3, ValueError, "parameter of PyODDetector"),
    ],
)
def test_what_is_no_detector_of_pyod_is_refused(detector, error, message):
    assert isinstance(from_pyod(detector), PyODDetector)
    with pytest.raises(error, match=message):
        from_pyod(detector).fit(X, Y)
