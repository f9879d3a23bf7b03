"""Any estimator, on any rows: it works as the contract says, or says why it does not."""

import contextlib
import dis
import io
import pickle
import re
import warnings

import numpy as np
import pytest
from conftest import EXPORTED, IMAGE, UNTRAINED, global_states
from fuzzed_data import images, labels, rows, tables
from fuzzed_estimators import (
    META,
    SERIES,
    detectors,
    meta_estimators,
    series_detectors,
    table_pipelines,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, FitFailedWarning

from skdeepanomaly import make_detector_pipeline
from skdeepanomaly.base import BaseDeepDetector
from skdeepanomaly.utils.scores import OffsetMixin

# Warnings that an odd table or parameter may bring.
WARNINGS = {
    UserWarning: (
        "The scales of the columns of X differ",
        "The root mean square of X is",
        "batch_size=.* is larger than",
        "n_clusters=.* is more than X has different rows",
        "calibration rows are too few|scores are too few",
        "These candidates have no score",
        "Scoring failed",
        "A series of .* steps is shorter than the window",
        "of y are anomalies by",
        # Few values of a column are the same, or some cannot be read.
        "Not all was understood of the columns",
        "is read as .* but .* of its values",
    ),
    ConvergenceWarning: (".*",),
    DataConversionWarning: ("A column-vector y was passed",),
    FitFailedWarning: (".*",),
    # scikit-learn's, for a table that holds both inf and -inf, and of the scaler of a pipeline
    # for a column without any value.
    RuntimeWarning: (
        "invalid value encountered in reduce",
        "invalid value encountered in divide.*sklearn.utils.extmath.py",
    ),
}
# Parts of scikit-learn whose errors are for users.
VALIDATION = ("sklearn.utils.", "sklearn.model_selection.", "sklearn.base", "sklearn.mixture.")


def is_known(warning):
    texts = WARNINGS.get(warning.category, ())
    return any(re.search(text, str(warning)) for text in texts)


def is_explained(error):
    """Whether an error was raised on purpose, by the package or by scikit-learn's checks."""
    innermost = error.__traceback__
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    module = innermost.tb_frame.f_globals["__name__"]
    instructions = dis.get_instructions(innermost.tb_frame.f_code)
    # An error of torch or numpy, which are no Python, seems to come from the line of the call.
    raised = any(
        i.offset == innermost.tb_lasti and i.opname == "RAISE_VARARGS" for i in instructions
    )
    ours = module.startswith("skdeepanomaly.") and raised
    return bool(str(error)) and (ours or module.startswith(VALIDATION))


def scores_of(estimator, X):
    return getattr(estimator, "score_samples", estimator.decision_function)(X)


def is_seeded(estimator):
    params = estimator.get_params()
    return not any(
        value is None for name, value in params.items() if name.endswith("random_state")
    )


def check_contract(estimator, rows, y, are_independent=True):
    """Fit, and check the scores; or check that the error was raised on purpose."""
    twin = clone(estimator)
    before, printed = global_states(), io.StringIO()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("always")
        try:
            scores_of(estimator.fit(rows.take(), y), rows.take())
        except (ValueError, TypeError) as error:
            if not is_explained(error):
                raise
            if isinstance(estimator, BaseDeepDetector):
                assert not hasattr(estimator, "net_")
        else:
            check_scores(estimator, rows, are_independent)
            if is_seeded(twin):
                again = twin.fit(rows.take(), y)
                X = rows.take()
                np.testing.assert_array_equal(scores_of(again, X), scores_of(estimator, X))
    unknown = [str(warning) for warning in caught if not is_known(warning)]
    assert not unknown, unknown
    if not estimator.get_params().get("verbose"):
        assert printed.getvalue() == ""
    assert global_states() == before


def is_causal(estimator):
    """Whether the score of a time stamp depends on none that come later."""
    params = estimator.get_params()
    return all(v == "last" for name, v in params.items() if name.endswith("aggregate"))


def check_scores(estimator, rows, are_independent):
    X, n = rows.take(), len(rows)
    scores = scores_of(estimator, X)
    assert scores.shape == (n,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    if are_independent:
        order = np.random.default_rng(0).permutation(n)
        permuted = scores_of(estimator, rows.take(order))
        np.testing.assert_allclose(permuted, scores[order], rtol=1e-7)
        for i in {0, n // 2, n - 1}:
            one = scores_of(estimator, rows.take([i]))
            np.testing.assert_allclose(one, scores[[i]], rtol=1e-7)
    elif is_causal(estimator):
        # Time stamps: no later one changes a score.
        first = scores_of(estimator, rows.take(np.arange(n // 2 + 1)))
        np.testing.assert_allclose(first, scores[: n // 2 + 1], rtol=1e-5, atol=1e-7)
    decisions, predicted = estimator.decision_function(X), estimator.predict(X)
    if isinstance(estimator, OffsetMixin):
        np.testing.assert_array_equal(predicted, np.where(decisions < 0, -1, 1))
    reloaded = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(scores_of(reloaded, X), scores)


@pytest.mark.parametrize("name", EXPORTED)
@given(data=st.data())
def test_detectors(name, data):
    detector, X = data.draw(detectors(name)), data.draw(rows())
    y = data.draw(labels(len(X))) if getattr(detector, "_labels", None) else None
    check_contract(detector, X, y)


@pytest.mark.parametrize("name", [*IMAGE, *UNTRAINED])
@given(data=st.data())
def test_detectors_of_images(name, data):
    check_contract(data.draw(detectors(name)), data.draw(images()), None)


@pytest.mark.parametrize("name", META)
@given(data=st.data())
def test_meta_estimators(name, data):
    estimator, X = data.draw(meta_estimators(name)), data.draw(rows())
    check_contract(estimator, X, data.draw(labels(len(X))))


@pytest.mark.parametrize("name", SERIES)
@given(data=st.data())
def test_detectors_of_series(name, data):
    estimator, X = data.draw(series_detectors(name)), data.draw(rows())
    check_contract(estimator, X, None, are_independent=False)


@given(data=st.data())
def test_table_pipelines(data):
    table = data.draw(tables())
    detector, params = data.draw(table_pipelines(table))
    check_contract(make_detector_pipeline(detector, **params), table, None)
