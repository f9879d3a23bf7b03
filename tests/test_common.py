"""The contract of a detector, for every detector that the package exports."""

import copy
import os
import pickle
import random
import re
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import (
    DEEP,
    DETECTORS,
    EXPORTED,
    LABELLED,
    make_detector,
    make_rows,
)
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
    check_param_validation,
)
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

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


def with_dropout_and_validation(name):
    dropout = {"dropout": 0.2} if "dropout" in DETECTORS[name]().get_params() else {}
    return make_detector(name, max_epochs=2, train_split=0.2, **dropout)


def through_partial_fit(name):
    """Make a detector that learns by ``partial_fit`` alone, in two calls."""
    return PARTIAL_FIT_FIRST[name](**make_detector(name, max_epochs=1).get_params())


def partial_fit_first(cls):
    def fit(self, X, y=None):
        fresh = clone(self).partial_fit(X).partial_fit(X)
        learned = set(vars(fresh)) - set(self.get_params())
        vars(self).update({name: vars(fresh)[name] for name in learned})
        return self

    kind = type(f"PartialFitFirst{cls.__name__}", (cls,), {"fit": fit, "__module__": __name__})
    # Where pickle looks for it.
    globals()[kind.__name__] = kind
    return kind


PARTIAL_FIT_FIRST = {name: partial_fit_first(cls) for name, cls in DETECTORS.items()}


def failed_checks(estimator):
    """Run scikit-learn's checks and return those that did not pass, or were skipped."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 40
    return {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"}


@pytest.mark.parametrize(
    "shape", [make_detector, with_dropout_and_validation, through_partial_fit]
)
def test_check_estimator(name, shape):
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
def test_check_estimator_of_meta_estimators(name):
    assert failed_checks(EXPORTED[name]()) == {}


@pytest.fixture(scope="session")
def checks_that_pipelines_fail():
    """Name the checks that a pipeline itself fails, whatever stands at its end."""
    forest = IsolationForest(n_estimators=5, random_state=0)
    return set(failed_checks(make_pipeline(StandardScaler(), forest)))


def test_check_estimator_in_a_pipeline(name, checks_that_pipelines_fail):
    detector = make_detector(name, max_epochs=2)
    failed = failed_checks(make_pipeline(StandardScaler(), detector))
    assert set(failed) <= checks_that_pipelines_fail, failed


@unscaled
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_param_validation,
    ],
)
def test_further_scikit_learn_checks(name, check):
    check(name, make_detector(name, max_epochs=1))


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


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_does_not_depend_on_n_jobs(name, rows, backend):
    search = GridSearchCV(
        make_detector(name, max_epochs=1), {"lr": [1e-3, 3e-3]}, scoring=median_score, cv=2
    )
    alone = search.fit(rows).cv_results_["mean_test_score"]
    threads = {"inner_max_num_threads": 1} if backend == "loky" else {}
    with joblib.parallel_config(backend, n_jobs=2, **threads):
        together = clone(search).fit(rows).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(together, alone)


def global_states():
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), (kind, keys.tolist(), rest), torch.get_rng_state().tolist()


@pytest.mark.parametrize("random_state", [0, None])
def test_global_generators_are_left_alone(name, rows, random_state):
    before = global_states()
    detector = make_detector(name, random_state=random_state, train_split=0.2).fit(rows)
    detector.partial_fit(rows)
    detector.predict(rows)
    assert global_states() == before


def test_global_generators_are_left_alone_when_fit_raises(name, rows):
    class Fail(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("on purpose")

    before = global_states()
    with pytest.raises(RuntimeError, match="on purpose"):
        make_detector(name, callbacks=[Fail()]).fit(rows)
    assert global_states() == before


def test_import_leaves_global_generators_alone():
    code = (
        "import random, numpy as np, torch\n"
        "def states():\n"
        "    return random.getstate(), np.random.get_state()[1].tolist(), "
        "torch.get_rng_state().tolist()\n"
        "before = states()\n"
        "import skdeepanomaly\n"
        "assert states() == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_row_scores_the_same_in_any_company(name, fitted):
    detector = fitted(name)
    X = make_rows(9300, seed=3)
    scores = detector.score_samples(X)
    for i in (0, 1, 63, 64, 8191, 8192, 9299):
        assert detector.score_samples(X[i : i + 1])[0] == scores[i]
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(detector.score_samples(X[order]), scores[order])
    np.testing.assert_array_equal(detector.score_samples(X[100:1500]), scores[100:1500])


@pytest.mark.parametrize("contamination", [1e-6, 0.013, 0.1, 0.25, 0.5])
def test_contamination_is_exact(name, contamination):
    X = make_rows(173)
    detector = make_detector(name, max_epochs=1, contamination=contamination)
    n_outliers = np.sum(detector.fit_predict(X) == -1)
    assert n_outliers == max(1, round(contamination * len(X)))


def test_contamination_does_not_split_equal_rows(name):
    X = np.repeat(make_rows(30), 5, axis=0)
    labels = make_detector(name, contamination=0.1).fit_predict(X).reshape(30, 5)
    assert (labels == labels[:, :1]).all()
    assert np.sum(labels == -1) == 15


def test_contamination_auto(name, rows):
    detector = make_detector(name, contamination="auto").fit(rows)
    scores = detector.score_samples(rows)
    quartile, median = np.quantile(scores, [0.25, 0.5])
    assert detector.offset_ == pytest.approx(median - 3 * (median - quartile) / 0.6745)


def test_fit_leaves_parameters_alone(name, rows):
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0)
    module = make_detector(name).fit(rows).net_.module_
    before = copy.deepcopy(module.state_dict())
    detector = make_detector(name, callbacks=[("stop", stopping)], module=module)
    params = joblib.hash(detector.get_params())
    detector.fit(rows)
    assert joblib.hash(detector.get_params()) == params
    assert detector.callbacks == [("stop", stopping)]
    assert stopping.misses_ == 0
    assert detector.module is module
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])


def test_copies_and_set_params_do_not_change_scores(name, fitted, rows):
    detector = copy.deepcopy(fitted(name))
    scores = fitted(name).score_samples(rows)
    np.testing.assert_array_equal(detector.score_samples(rows), scores)
    clone(detector)
    detector.set_params(lr=0.5, optimizer__weight_decay=1.0, max_epochs=1, batch_size=7)
    np.testing.assert_array_equal(detector.score_samples(rows), scores)
    with pytest.raises(NotFittedError):
        clone(detector).score_samples(rows)


def test_finished_fit_holds_no_rows(name):
    X = make_rows(50_000, 20)
    detector = make_detector(name, max_epochs=1, batch_size=2048).fit(X)
    assert len(pickle.dumps(detector)) < X.nbytes / 2


def test_model_from_a_gpu_loads_on_a_cpu(name, fitted, rows, monkeypatch):
    """Storages tagged as CUDA's and a net on "cuda" stand in for a GPU."""
    detector = copy.deepcopy(fitted(name))
    detector.set_params(device="cuda")
    detector.net_.device = "cuda"
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    dumped = pickle.dumps(detector)
    monkeypatch.undo()
    if torch.cuda.is_available():
        pytest.skip("there is a GPU to load to")
    assert b"cuda:0" in dumped
    with pytest.warns(UserWarning, match="(?i)cuda"):
        loaded = pickle.loads(dumped)
    np.testing.assert_array_equal(loaded.score_samples(rows), fitted(name).score_samples(rows))
    loaded.partial_fit(rows)


def test_older_and_newer_pickles(name, fitted, rows, monkeypatch):
    monkeypatch.setattr("skdeepanomaly.base._detector.__version__", "0.0.1")
    older = pickle.dumps(fitted(name))
    monkeypatch.setattr("skdeepanomaly.base._detector.__version__", "99.0")
    newer = pickle.dumps(fitted(name))
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by skdeepanomaly 0\.0\.1"):
        loaded = pickle.loads(older)
    np.testing.assert_array_equal(loaded.score_samples(rows), fitted(name).score_samples(rows))
    with pytest.raises(ValueError, match=r"99\.0, which is newer than the installed"):
        pickle.loads(newer)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_data_frames(name, rows, library):
    columns = list("abcde")
    make = {
        "pandas": lambda X, names: pd.DataFrame(X, columns=names),
        "polars": lambda X, names: pl.DataFrame(X, schema=names),
        "pyarrow": lambda X, names: pa.table(dict(zip(names, X.T, strict=True))),
    }[library]
    frame = make(rows, columns)
    detector = make_detector(name, max_epochs=1).fit(frame)
    assert list(detector.feature_names_in_) == columns
    with warnings.catch_warnings():
        # Only scores from a bare array warn of missing names.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        expected = detector.score_samples(rows)
    np.testing.assert_array_equal(detector.score_samples(frame), expected)
    reordered = make(rows[:, ::-1], columns[::-1])
    with pytest.raises(ValueError, match="must be in the same order"):
        detector.score_samples(reordered)


WORKING = {
    "one column": make_rows(60, 3)[:, :1],
    "a constant column": np.column_stack([make_rows(60, 3), np.ones(60)]),
    "all rows equal": np.tile(make_rows(2, 3)[:1], (20, 1)),
    "two rows": make_rows(2, 3),
    "a last batch of one row": make_rows(33, 3),
    "integers": np.random.default_rng(0).integers(0, 5, size=(60, 3)),
    "booleans": np.random.default_rng(0).random((60, 3)) < 0.4,
    "a list": make_rows(20, 3).tolist(),
    "float64": make_rows(60, 3).astype(np.float64),
    "column order": np.asfortranarray(make_rows(60, 3)),
}


@pytest.mark.parametrize("case", WORKING)
def test_unusual_input_works(name, case):
    X = WORKING[case]
    detector = make_detector(name, batch_size="auto" if case == "two rows" else 16).fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert set(detector.predict(X)) <= {-1, 1}


def test_fewer_rows_than_batch_size_works_and_warns_once(name, rows):
    message = "batch_size=1000 is larger than the 150 rows"
    with pytest.warns(UserWarning, match=message) as caught:
        detector = make_detector(name, batch_size=1000).fit(rows)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert np.isfinite(detector.score_samples(rows)).all()


def test_far_out_rows_get_a_finite_lowest_score(name, fitted, rows):
    far = rows[:4].astype(np.float64).copy()
    far[0], far[1, 2], far[2] = 1e30, -1e30, np.array([1e30, -1e30, 0, 1, 2])
    scores = fitted(name).score_samples(far)
    assert np.isfinite(scores).all()
    assert scores[:3].max() < fitted(name).score_samples(rows).min()
    np.testing.assert_array_equal(fitted(name).predict(far)[:3], -1)
    assert np.isfinite(fitted(name).decision_function(far)).all()


def changed(value):
    X = make_rows(20, 5).astype(np.float64)
    X[3, 2] = value
    return X


BAD = {
    "NaN": (changed(np.nan), ValueError, "NaN"),
    "inf": (changed(np.inf), ValueError, "infinity"),
    "beyond float32": (changed(1e300), ValueError, r"too large for dtype\('float32'\)"),
    "empty": (np.empty((0, 5)), ValueError, r"0 sample\(s\)"),
    "no columns": (np.empty((20, 0)), ValueError, r"0 feature\(s\)"),
    "1-D": (np.ones(5), ValueError, "Expected 2D array, got 1D"),
    "3-D": (np.ones((4, 5, 2)), ValueError, "dim 3"),
    "sparse": (sparse.csr_matrix(np.eye(5)), TypeError, "(?i)sparse"),
    "complex": (np.ones((20, 5)) * 1j, ValueError, "(?i)complex"),
    "strings": (np.full((20, 5), "a"), ValueError, "could not convert|non-numeric"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(name, fitted, case):
    X, error, message = BAD[case]
    with pytest.raises(error, match=message):
        make_detector(name).fit(X)
    with pytest.raises(error, match=message):
        fitted(name).score_samples(X)


def test_one_row_is_too_few_to_fit(name, fitted, rows):
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2"):
        make_detector(name).fit(rows[:1])
    assert fitted(name).predict(rows[:1]).shape == (1,)
    with pytest.raises(ValueError, match=r"1 sample\(s\).*minimum of 2"):
        copy.deepcopy(fitted(name)).partial_fit(rows[:1])


def test_wrong_width_and_names_are_refused(name, fitted, rows):
    with pytest.raises(ValueError, match=r"X has 4 features, but .* is expecting 5"):
        fitted(name).score_samples(rows[:, :4])
    detector = make_detector(name, max_epochs=1).fit(pd.DataFrame(rows, columns=list("abcde")))
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(pd.DataFrame(rows, columns=list("abcdx")))


@pytest.mark.parametrize("contamination", [0, -0.1, 0.51, 1, "none"])
def test_contamination_out_of_range(name, rows, contamination):
    with pytest.raises(ValueError, match=r"'contamination' parameter .*\(0.0, 0.5\]"):
        make_detector(name, contamination=contamination).fit(rows)


def test_unknown_parameters_name_the_nearest_valid_one(name, rows):
    with pytest.raises(TypeError, match=r"'max_epoch'\. Did you mean 'max_epochs'\?"):
        DETECTORS[name](max_epoch=1)
    with pytest.raises(ValueError, match=r"'max_epoch' .*Did you mean 'max_epochs'\?"):
        make_detector(name).set_params(max_epoch=1)
    for wrong, right in [
        ("optimizer__weight_deacy", "optimizer__weight_decay"),
        ("optimzer__weight_decay", "optimizer__weight_decay"),
        ("iterator_train__shufle", "iterator_train__shuffle"),
        ("callbacks__print_lgo", "callbacks__print_log"),
    ]:
        detector = make_detector(name).set_params(**{wrong: 0})
        with pytest.raises(ValueError, match=f"'{wrong}'.*Did you mean '{right}'"):
            detector.fit(rows)


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_device_that_is_not_there(name, rows, device):
    with pytest.raises(ValueError, match=f"device='{device}' is not there.*Expected one of"):
        make_detector(name, device=device).fit(rows)


def test_device_auto(name, rows):
    detector = make_detector(name, device="auto", max_epochs=1).fit(rows)
    assert detector.net_.device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_not_fitted(name, rows):
    for method in ("score_samples", "decision_function", "predict"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(make_detector(name), method)(rows)


def test_unscaled_columns_warn_once_by_name(name, rows):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    frame["c"] *= 1e4
    with pytest.warns(UserWarning, match="scales of the columns") as caught:
        make_detector(name, max_epochs=1).fit(frame)
    messages = [str(w.message) for w in caught]
    assert len(messages) == 1
    assert "column c (" in messages[0]
    assert caught[0].filename == __file__


@unscaled
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_failed_fit_leaves_the_detector_as_it_was(name, fitted, rows, method):
    class Fail(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("on purpose")

    detector = make_detector(name, callbacks=[("fail", None)]).fit(rows)
    scores, before = detector.decision_function(rows), vars(detector).copy()
    failures = [
        ({}, BAD["NaN"][0], "NaN"),
        ({"contamination": 2.0}, rows, "contamination"),
        ({"lr": 1e30}, rows, "Training diverged"),
    ]
    if method == "fit":
        failures.append(({"callbacks": [Fail()]}, rows[:, :3], "on purpose"))
    for params, X, message in failures:
        restore = {key: detector.get_params()[key] for key in params}
        detector.set_params(**params)
        with pytest.raises((ValueError, RuntimeError), match=message):
            getattr(detector, method)(X)
        detector.set_params(**restore)
        assert vars(detector) == before
        np.testing.assert_array_equal(detector.decision_function(rows), scores)


def test_divergence_says_which_epoch_and_what_to_try(name, rows):
    with pytest.raises(
        ValueError, match=r"diverged.* epoch \d+.*Lower the learning.*StandardScaler"
    ):
        make_detector(name, lr=1e30, max_epochs=20).fit(rows)


def test_partial_fit_follows_the_stream(name):
    streamed = make_detector(name, max_epochs=1, contamination=0.1)
    parts = [make_rows(100, seed=seed) for seed in range(4)]
    for part in parts:
        streamed.partial_fit(part)
    assert streamed.n_epochs_ == 4
    # Fewer rows than the sample holds: the threshold is exact over all of them.
    assert np.sum(streamed.predict(np.concatenate(parts)) == -1) == 40


def test_partial_fit_sample_is_bounded(name):
    detector = make_detector(name, max_epochs=1)
    detector._reservoir_size = 50
    for seed in range(3):
        detector.partial_fit(make_rows(100, seed=seed))
        assert detector._reservoir[0].shape == (50, 5)
    sample = {row.tobytes() for row in detector._reservoir[0]}
    for seed in range(3):
        assert sample & {row.tobytes() for row in make_rows(100, seed=seed)}


def test_few_rows_after_fit_warn(fitted, rows):
    detector = copy.deepcopy(fitted("LinearAutoEncoder"))
    with pytest.warns(UserWarning, match=r"after fit with 20 rows.*Give 50 or more"):
        detector.partial_fit(rows[:20])
    # These rows are kept: the next ones add to them. From the start all are.
    detector.partial_fit(rows[20:40])
    streamed = make_detector("LinearAutoEncoder").partial_fit(rows[:20]).partial_fit(rows[:20])
    assert streamed.n_epochs_ == 6


def test_warm_start_goes_on(name, rows):
    detector = make_detector(name, warm_start=True).fit(rows).fit(rows)
    assert detector.n_epochs_ == 6
    assert detector.set_params(warm_start=False).fit(rows).n_epochs_ == 3


def test_partial_fit_follows_changed_training_parameters(name, fitted, rows):
    detector = copy.deepcopy(fitted(name))
    stopping = EarlyStopping(monitor="valid_loss", patience=1, threshold=10.0)
    detector.set_params(
        lr=0.25,
        optimizer__weight_decay=0.5,
        train_split=0.2,
        max_epochs=20,
        callbacks=[stopping],
        callbacks__EarlyStopping__patience=2,
    )
    detector.partial_fit(rows)
    assert detector.n_epochs_ <= 3 + 4
    group = detector.net_.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.25, 0.5)
    assert "valid_loss" in detector.history_[-1]
    with pytest.raises(ValueError, match="nothing reads it"):
        detector.set_params(optimizer__weight_deacy=1).partial_fit(rows)


def test_ctrl_c_while_the_threshold_is_set(name, rows, monkeypatch):
    detector = make_detector(name)
    finish, calls = DETECTORS[name]._finish, []

    def interrupted_once(self, net, X):
        calls.append(net)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return finish(self, net, X)

    monkeypatch.setattr(DETECTORS[name], "_finish", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(rows)
    assert np.sum(detector.predict(rows) == -1) == 15


def test_torch_tensors_are_input_too(name, fitted, rows):
    np.testing.assert_array_equal(
        fitted(name).score_samples(torch.from_numpy(rows)), fitted(name).score_samples(rows)
    )


def test_names_with_a_leading_underscore_are_no_parameters(name):
    with pytest.raises(TypeError, match="unexpected keyword argument '_optimizer__lr'"):
        DETECTORS[name](_optimizer__lr=1)
    with pytest.raises(ValueError, match="Invalid parameter '__dict__'"):
        DETECTORS[name]().set_params(__dict__=1)


@pytest.mark.parametrize("value", [nn.Identity(), [3]])
def test_modules_and_callbacks_that_are_none(name, rows, value):
    params = {"callbacks": value} if isinstance(value, list) else {"module": value}
    with pytest.raises(ValueError, match=r"no parameters to train|callbacks must hold"):
        make_detector(name, **params).fit(rows)


CAN = {
    ability: [name for name in DETECTORS if hasattr(DETECTORS[name], ability)]
    for ability in ("encode", "reconstruct", "sample", "predict_cluster")
}


@pytest.mark.parametrize("name", CAN["encode"])
def test_codes(name, fitted, rows):
    codes = fitted(name).encode(rows)
    assert codes.dtype == np.float32
    assert codes.ndim == 2
    assert len(codes) == len(rows)
    np.testing.assert_array_equal(fitted(name).encode(rows[70:71]), codes[70:71])
    assert np.ptp(codes, axis=0).max() > 0


@pytest.mark.parametrize("name", CAN["reconstruct"])
def test_reconstructions(name, fitted, rows):
    rebuilt = fitted(name).reconstruct(rows)
    assert rebuilt.shape == rows.shape
    assert rebuilt.dtype == np.float32
    np.testing.assert_array_equal(fitted(name).reconstruct(rows[70:71]), rebuilt[70:71])
    trained = DETECTORS[name](random_state=0).fit(rows)
    error = np.square(trained.reconstruct(rows) - rows).mean()
    assert error < 0.5 * rows.var(axis=0).mean()


@pytest.mark.parametrize("name", CAN["sample"])
def test_samples(name, fitted, rows):
    drawn = fitted(name).sample(40, random_state=1)
    assert drawn.shape == (40, 5)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(fitted(name).sample(40, random_state=1), drawn)
    before = global_states()
    assert not np.array_equal(fitted(name).sample(40), fitted(name).sample(40))
    assert global_states() == before
    assert len(np.unique(drawn, axis=0)) == 40
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        fitted(name).sample(0)
    with pytest.raises(NotFittedError):
        DETECTORS[name]().sample()


@pytest.mark.parametrize("name", CAN["predict_cluster"])
def test_clusters(name):
    X = np.concatenate([make_rows(80) + shift for shift in (-6, 6)]).astype(np.float32)
    detector = DETECTORS[name](n_clusters=2, random_state=0).fit(X)
    clusters = detector.predict_cluster(X)
    assert clusters.dtype.kind == "i"
    assert detector.cluster_centers_.shape[0] == 2
    assert len(set(clusters[:80])) == len(set(clusters[80:])) == 1
    assert clusters[0] != clusters[-1]
    np.testing.assert_array_equal(detector.predict_cluster(X[70:71]), clusters[70:71])


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


def test_silent_unless_verbose(name, rows, capfd):
    make_detector(name, train_split=0.2).fit(rows)
    assert capfd.readouterr() == ("", "")
    make_detector(name, verbose=1).fit(rows)
    out, err = capfd.readouterr()
    assert out == ""
    assert name in err
    assert "epoch" in err
    make_detector(name, verbose=2).fit(rows)
    assert "train_loss" in capfd.readouterr().out


def test_read_only_memory_map(name, fitted, rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    X = np.load(tmp_path / "rows.npy", mmap_mode="r")
    detector = make_detector(name).fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), fitted(name).score_samples(rows))


def test_signature_docs_and_params_agree(name):
    cls = DETECTORS[name]
    params = cls().get_params()
    assert set(params) == set(cls._parameter_constraints)
    for param in [*params, "**component__param"]:
        assert f"\n{param}" in cls.__doc__, f"{param} is not documented"
    assert "%(" not in cls.__doc__


def test_custom_module_with_a_wrong_output(name, rows):
    class Wrong(nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.linear = nn.Linear(n_features, n_features)

        def forward(self, x):
            return self.linear(x).reshape(-1)

    with pytest.raises(ValueError, match="module"):
        make_detector(name, module=Wrong).fit(rows)
