"""A fit that was killed goes on, and ends with the same bits."""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import KINDS, Killed, failing_after, make_detector, make_rows
from skorch.callbacks import Callback, EarlyStopping, Freezer, LRScheduler

from skdeepanomaly import BackupAndRestore
from skdeepanomaly.callbacks import fingerprint

# Kills itself in the middle of writing a backup: the one before must stay whole.
KILLED = """
import os, signal, sys
import torch
from test_callbacks import make_resumable, X
torch.set_num_threads(1)
name, folder, n_backups = sys.argv[1], sys.argv[2], int(sys.argv[3])
sync, count = os.fsync, 0
def sync_or_die(file):
    global count
    count += 1
    if count > n_backups:
        os.ftruncate(file, 100)
        os.kill(os.getpid(), signal.SIGKILL)
    sync(file)
os.fsync = sync_or_die
make_resumable(name, folder).fit(X)
"""

X = make_rows(80)


class CountEpochs(Callback):
    """Counts the epochs that were really trained; they are no part of its state."""

    n_epochs = 0

    def on_epoch_begin(self, net, **kwargs):
        CountEpochs.n_epochs += 1


def make_resumable(name, folder, **params):
    callbacks = [
        LRScheduler(policy="CosineAnnealingLR", T_max=12),
        EarlyStopping(monitor="valid_loss", patience=8, threshold=0.05, load_best=True),
        CountEpochs(),
    ]
    if folder is not None:
        callbacks.append(BackupAndRestore(folder, every_n_epochs=2))
    detector = make_detector(
        name, max_epochs=12, batch_size=16, train_split=0.25, lr=5e-3, callbacks=callbacks
    )
    if "pretrain_epochs" in detector.get_params():
        detector.set_params(pretrain_epochs=4)
    return detector.set_params(**params)


def fail_within_a_backup(name, folder, n_backups, monkeypatch):
    """Raise while a backup is written."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_after(n_backups, os.fsync, Killed()))
        with pytest.raises(Killed):
            make_resumable(name, folder).fit(X)
    assert len(list(folder.iterdir())) == 1


def kill_within_a_backup(name, folder, n_backups, monkeypatch):
    """End a process when half of a backup is written."""
    command = [sys.executable, "-c", KILLED, name, str(folder), str(n_backups)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr


# To end a process takes seconds, and all detectors are ended by an exception.
KILLED_FOR_REAL = ["ALAD", "DeepEmbeddedClustering", "DevNet"]


# The first backups are of the pre-training, where there is one.
@pytest.mark.parametrize(
    ("name", "n_backups", "end"),
    [
        *((name, 3, fail_within_a_backup) for name in KINDS),
        ("DeepSVDD", 1, fail_within_a_backup),
        ("BiGAN", 1, fail_within_a_backup),
        ("DeepSVDD", 1, kill_within_a_backup),
        ("BiGAN", 3, kill_within_a_backup),
        *(
            pytest.param(name, 3, kill_within_a_backup, marks=pytest.mark.slow)
            for name in KILLED_FOR_REAL
        ),
        pytest.param("BiGAN", 1, kill_within_a_backup, marks=pytest.mark.slow),
    ],
)
def test_killed_fit_goes_on_to_the_same_bits(name, n_backups, end, tmp_path, monkeypatch):
    whole = make_resumable(name, None).fit(X)
    end(name, tmp_path, n_backups, monkeypatch)
    assert len(list(tmp_path.glob("*.backup"))) == 1

    CountEpochs.n_epochs = 0
    resumed = make_resumable(name, tmp_path).fit(X)
    pretrain_epochs = whole.get_params().get("pretrain_epochs", 0)
    done = max(0, 2 * n_backups - pretrain_epochs)
    assert CountEpochs.n_epochs == whole.n_epochs_ - done
    np.testing.assert_array_equal(resumed.score_samples(X), whole.score_samples(X))
    assert resumed.offset_ == whole.offset_
    for column in ("train_loss", "valid_loss", "event_lr"):
        assert resumed.history_[:, column] == whole.history_[:, column]
    assert not list(tmp_path.glob("*.backup"))


def test_a_fit_that_had_converged_is_not_trained_further(tmp_path, monkeypatch):
    # The clusters of any number of rows may change: the first renewal ends training.
    params = {"tol": 1.0, "update_interval": 1, "max_epochs": 4, "batch_size": 16}
    whole = make_detector("DeepEmbeddedClustering", **params).fit(X)
    assert whole.n_epochs_ < 4
    backup = BackupAndRestore(tmp_path)
    resumed = make_detector("DeepEmbeddedClustering", callbacks=[backup], **params)
    with monkeypatch.context() as patch:
        patch.setattr(type(resumed), "_finalize_state", lambda self, *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            resumed.fit(X)
    assert len(list(tmp_path.iterdir())) == 1
    resumed.fit(X)
    assert resumed.n_epochs_ == whole.n_epochs_
    np.testing.assert_array_equal(resumed.score_samples(X), whole.score_samples(X))


class Fail(Callback):
    fails = True

    def on_epoch_end(self, net, **kwargs):
        if Fail.fails and len(net.history) == 3:
            raise RuntimeError("on purpose")


@pytest.mark.parametrize("change", ["nothing", "data", "parameters"])
def test_only_an_equal_fit_goes_on(change, tmp_path):
    backup = BackupAndRestore(tmp_path)
    params = {"max_epochs": 5, "callbacks": [backup, CountEpochs(), Fail()]}
    Fail.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        make_detector("AutoEncoder", **params).fit(X)
    Fail.fails = False
    CountEpochs.n_epochs = 0
    data = X + np.float32(1e-3) if change == "data" else X
    if change == "parameters":
        params["lr"] = 1e-4
    make_detector("AutoEncoder", **params).fit(data)
    assert CountEpochs.n_epochs == (3 if change == "nothing" else 5)


def test_random_state_none_goes_on_with_the_same_split(tmp_path):
    params = {
        "max_epochs": 5,
        "random_state": None,
        "train_split": 0.5,
        "callbacks": [BackupAndRestore(tmp_path), Fail()],
    }
    Fail.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        make_detector("AutoEncoder", **params).fit(X)
    Fail.fails = False
    detector = make_detector("AutoEncoder", **params).fit(X)
    assert detector.n_epochs_ == 5


def test_partial_fit_after_a_backed_up_fit(name, tmp_path):
    detector = make_detector(name, callbacks=[BackupAndRestore(tmp_path)]).fit(X)
    assert detector.partial_fit(X).n_epochs_ == 6
    assert not list(tmp_path.iterdir())


def test_bad_interval(tmp_path):
    with pytest.raises(ValueError, match="at least 1, got 0"):
        make_detector("AutoEncoder", callbacks=[BackupAndRestore(tmp_path, 0)]).fit(X)


def interrupt_and_repeat(folder, **params):
    """Fail in the third epoch, fit again, and return the epochs that were repeated."""
    callbacks = [*params.pop("callbacks", []), BackupAndRestore(folder), CountEpochs(), Fail()]
    make = functools.partial(
        make_detector, "AutoEncoder", max_epochs=5, callbacks=callbacks, **params
    )
    Fail.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        make().fit(X)
    Fail.fails = False
    CountEpochs.n_epochs = 0
    return make().fit(X), CountEpochs.n_epochs


def test_module_instances_are_recognised_by_their_weights(tmp_path):
    def module(seed):
        torch.manual_seed(seed)
        return torch.nn.Linear(5, 5)

    assert fingerprint(module(0)) == fingerprint(module(0))
    assert fingerprint(module(0)) != fingerprint(module(1))
    assert interrupt_and_repeat(tmp_path, module=module(0))[1] == 3


def test_frozen_parameters_stay_frozen(tmp_path):
    resumed, n_epochs = interrupt_and_repeat(tmp_path, callbacks=[Freezer("encoder*")])
    assert n_epochs == 3
    whole = make_detector("AutoEncoder", max_epochs=5, callbacks=[Freezer("encoder*")]).fit(X)
    np.testing.assert_array_equal(resumed.score_samples(X), whole.score_samples(X))


def test_backup_lasts_until_the_threshold_is_set(tmp_path, monkeypatch):
    detector = make_detector("AutoEncoder", callbacks=[BackupAndRestore(tmp_path)])
    with monkeypatch.context() as patch:
        patch.setattr(type(detector), "_finalize_state", lambda self, *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            detector.fit(X)
    assert len(list(tmp_path.iterdir())) == 1
    detector.fit(X)
    assert not list(tmp_path.iterdir())


class WithState(Callback):
    """A callback that says itself what its state is."""

    def on_train_begin(self, net, **kwargs):
        self.total = 0

    def on_epoch_end(self, net, **kwargs):
        self.total += net.history[-1, "epoch"]
        net.history.record("total", self.total)

    def state_dict(self):
        return {"total": self.total}

    def load_state_dict(self, state):
        self.total = state["total"]


def test_callbacks_with_a_state_dict_are_restored(tmp_path):
    callbacks = [WithState(), Fail(), BackupAndRestore(tmp_path)]
    Fail.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        make_detector("AutoEncoder", max_epochs=5, callbacks=callbacks).fit(X)
    Fail.fails = False
    detector = make_detector("AutoEncoder", max_epochs=5, callbacks=callbacks).fit(X)
    assert detector.history_[:, "total"] == [1, 3, 6, 10, 15]
