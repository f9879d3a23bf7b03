"""A fit succeeds or changes nothing; partial_fit and warm starts go on."""

import copy
import pickle

import numpy as np
import pytest
from conftest import DETECTORS, make_detector, make_rows
from skorch.callbacks import Callback, EarlyStopping

# The data of some of scikit-learn's checks are not scaled.
unscaled = pytest.mark.filterwarnings("ignore:The scales of the columns:UserWarning")


@unscaled
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_failed_fit_leaves_the_detector_as_it_was(name, fitted, rows, method):
    class Fail(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("on purpose")

    detector = make_detector(name, callbacks=[("fail", None)]).fit(rows)
    scores, before = detector.decision_function(rows), vars(detector).copy()
    failures = [
        ({}, np.full((20, 5), np.nan), "NaN"),
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


def test_ctrl_c_while_the_threshold_is_set(name, rows, monkeypatch):
    detector = make_detector(name)
    finalize, calls = DETECTORS[name]._finalize_state, []

    def interrupted_once(self, *args):
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        finalize(self, *args)

    monkeypatch.setattr(DETECTORS[name], "_finalize_state", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(rows)
    assert np.sum(detector.predict(rows) == -1) == 15


def test_finished_fit_holds_no_rows(name):
    sizes = []
    for n_rows in (1000, 2000):
        X = make_rows(n_rows, 20)
        # So many rows that no "auto" depends on their number.
        detector = make_detector(name, max_epochs=1, batch_size=512).fit(X)
        sizes.append(len(pickle.dumps(detector)))
    assert abs(sizes[1] - sizes[0]) < 0.1 * (X.nbytes / 2)


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
