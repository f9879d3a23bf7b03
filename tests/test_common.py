"""The contract of a detector, for every detector that the package exports."""

import copy
import os
import pickle
import re
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from conftest import (
    DEEP,
    DETECTORS,
    EXPORTED,
    KINDS,
    LABELLED,
    UNTRAINED,
    make_detector,
    subclass,
)
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
    check_param_validation,
    estimator_checks_generator,
)

slow = pytest.mark.slow
# The data of some of scikit-learn's checks are not scaled.
unscaled = pytest.mark.filterwarnings("ignore:The scales of the columns:UserWarning")


# scikit-learn's checks that hand over labels such as 0, 1, 2.
CHECKS_WITH_ARBITRARY_LABELS = [
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
]


# Those that hand over none.
CHECKS_WITHOUT_LABELS = ["check_outliers_fit_predict", "check_outliers_train"]


# Checks that compare scores of the same detector, or of the same rows, with each other.
CHECKS_OF_SCORES = [
    "check_dict_unchanged",
    "check_estimators_pickle",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_outliers_train",
]


def with_dropout_and_validation(name):
    dropout = {"dropout": 0.2} if "dropout" in DETECTORS[name]().get_params() else {}
    return make_detector(name, max_epochs=2, train_split=0.2, **dropout)


def through_partial_fit(name):
    """Make a detector that learns by ``partial_fit`` alone, in two calls."""
    return make_detector(name, classes=PARTIAL_FIT_FIRST, max_epochs=1)


def partial_fit_first(cls):
    def fit(self, X, y=None):
        fresh = clone(self).partial_fit(X).partial_fit(X)
        learned = set(vars(fresh)) - set(self.get_params())
        vars(self).update({name: vars(fresh)[name] for name in learned})
        return self

    return subclass(cls, "PartialFitFirst", fit=fit)


PARTIAL_FIT_FIRST = {name: partial_fit_first(cls) for name, cls in DETECTORS.items()}


def failed_checks(estimator):
    """Run scikit-learn's checks and return those that did not pass, or were skipped."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 40
    return {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"}


def test_check_estimator(name):
    assert failed_checks(make_detector(name)) == {}


SHAPES = [with_dropout_and_validation, through_partial_fit]
KINDS_FIRST = [
    pytest.param(name, marks=() if name in KINDS else slow, id=name) for name in DETECTORS
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", KINDS_FIRST)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_checks_of_scores(name, shape):
    made = {}
    for estimator, check in estimator_checks_generator(shape(name)):
        made.setdefault(check.func.__name__, []).append((estimator, check))
    for check_name in CHECKS_OF_SCORES:
        for estimator, check in made[check_name]:
            check(estimator)


@slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", KINDS)
def test_all_checks(name, shape):
    assert failed_checks(shape(name)) == {}


@pytest.mark.parametrize("name", LABELLED)
def test_check_estimator_with_labels_as_they_come(name):
    """The checks that give a detector labels it refuses, and only those, do not pass.

    ``test_check_estimator`` runs the same checks with their labels mapped to -1, 0, +1.
    """
    reason = "hands over labels of clusters, which are not -1, 0 and +1"
    expected_failed_checks = dict.fromkeys(CHECKS_WITH_ARBITRARY_LABELS, reason)
    if LABELLED[name]._labels == "required":
        expected_failed_checks |= dict.fromkeys(CHECKS_WITHOUT_LABELS, "hands over no labels")
    failed = failed_checks(make_detector(name, classes=LABELLED))
    assert set(failed) <= set(expected_failed_checks)
    # Older versions of scikit-learn do not have this one.
    assert set(expected_failed_checks) - set(failed) <= {"check_array_api_input"}
    for check, error in failed.items():
        messages = f"{error} {error.__cause__}"
        assert re.search("takes labels|holds 0 and|requires y|must contain", messages), check


@pytest.mark.parametrize("name", sorted(set(EXPORTED) - set(DEEP)))
def test_check_estimator_of_others(name):
    assert failed_checks(make_detector(name, classes=EXPORTED)) == {}


@pytest.fixture(scope="session")
def checks_that_pipelines_fail():
    """Name the checks that a pipeline itself fails, whatever stands at its end."""
    forest = IsolationForest(n_estimators=5, random_state=0)
    return set(failed_checks(make_pipeline(StandardScaler(), forest)))


# What a pipeline does depends on no method: three kinds of detector are enough for a start.
IN_A_PIPELINE = [
    pytest.param(name, marks=() if name in ("AutoEncoder", "BiGAN", "DevNet") else slow)
    for name in KINDS
]


@pytest.mark.parametrize("name", IN_A_PIPELINE)
def test_check_estimator_in_a_pipeline(name, checks_that_pipelines_fail):
    detector = make_detector(name, max_epochs=2)
    failed = failed_checks(make_pipeline(StandardScaler(), detector))
    assert set(failed) <= checks_that_pipelines_fail, failed


FURTHER_CHECKS = [
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
]


@unscaled
@pytest.mark.parametrize("check", FURTHER_CHECKS)
def test_further_scikit_learn_checks(name, check):
    check(name, make_detector(name, max_epochs=1))


@pytest.mark.parametrize("check", FURTHER_CHECKS)
@pytest.mark.parametrize("name", UNTRAINED)
def test_further_scikit_learn_checks_of_untrained_detectors(name, check):
    check(name, make_detector(name, classes=UNTRAINED))


def test_same_seed_same_bits(name, fitted, rows):
    detector = fitted(name)
    scores = detector.score_samples(rows)
    assert scores.dtype == np.float64
    refitted = copy.deepcopy(detector).fit(rows)
    np.testing.assert_array_equal(refitted.score_samples(rows), scores)
    reloaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(reloaded.score_samples(rows), scores)


def test_same_seed_same_bits_in_another_process(fitted, rows, tmp_path):
    detectors = {name: fitted(name) for name in DETECTORS}
    joblib.dump((detectors, rows), tmp_path / "detectors.joblib")
    code = (
        "import sys, joblib, torch; torch.set_num_threads(1)\n"
        "detectors, rows = joblib.load(sys.argv[1] + '/detectors.joblib')\n"
        "scores = {\n"
        "    name: (detector.score_samples(rows), detector.fit(rows).score_samples(rows))\n"
        "    for name, detector in detectors.items()\n"
        "}\n"
        "joblib.dump(scores, sys.argv[1] + '/scores.joblib')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, env=environment, check=True)
    for name, (loaded, refitted) in joblib.load(tmp_path / "scores.joblib").items():
        expected = fitted(name).score_samples(rows)
        np.testing.assert_array_equal(loaded, expected, err_msg=name)
        np.testing.assert_array_equal(refitted, expected, err_msg=name)


def test_another_seed_other_scores(name, fitted, rows):
    other = clone(fitted(name)).set_params(random_state=1).fit(rows)
    assert not np.array_equal(other.score_samples(rows), fitted(name).score_samples(rows))


def median_score(detector, X, y=None):
    return float(np.median(detector.score_samples(X)))


# Processes for three kinds of net: all detectors give the same bits in another process.
SEARCHED = [
    *(("threading", name) for name in KINDS),
    *(("loky", name) for name in ("AutoEncoder", "BiGAN", "DeepClustering")),
]


@pytest.mark.parametrize(("backend", "name"), SEARCHED)
def test_grid_search_does_not_depend_on_n_jobs(name, rows, backend):
    search = GridSearchCV(
        make_detector(name, max_epochs=1), {"lr": [1e-3, 3e-3]}, scoring=median_score, cv=2
    )
    alone = search.fit(rows).cv_results_["mean_test_score"]
    threads = {"inner_max_num_threads": 1} if backend == "loky" else {}
    with joblib.parallel_config(backend, n_jobs=2, **threads):
        together = clone(search).fit(rows).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("name", sorted(set(DETECTORS) - set(LABELLED)))
def test_y_is_ignored(name, fitted, rows):
    labels = np.array(["normal", "odd"])[np.arange(len(rows)) % 2]
    labelled = make_detector(name).fit(rows, labels)
    np.testing.assert_array_equal(
        labelled.score_samples(rows), fitted(name).score_samples(rows)
    )


def test_fit_predict_passes_y_on(name, rows):
    class Recording(DETECTORS[name]):
        def fit(self, X, y=None):
            self.y_ = y
            return super().fit(X, y)

    y = np.ones(len(rows))
    detector = Recording(**make_detector(name).get_params())
    detector.fit_predict(rows, y)
    assert detector.y_ is y
