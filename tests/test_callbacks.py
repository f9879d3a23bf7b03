"""A fit that was killed goes on, and ends with the same bits."""

import errno
import functools
import io
import os
import pathlib
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import DETECTORS, make_detector, make_rows
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


class Killed(BaseException):
    """Stands in for the end of the process."""


def failing_after(n_calls, function, error):
    """Make a function that raises an error at its call number ``n_calls + 1``."""
    calls = []

    def call_or_fail(*args, **kwargs):
        if len(calls) == n_calls:
            raise error
        calls.append(args)
        return function(*args, **kwargs)

    return call_or_fail


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


# The first backups are of the pre-training, where there is one.
@pytest.mark.parametrize(
    ("name", "n_backups", "end"),
    [
        *((name, 3, fail_within_a_backup) for name in DETECTORS),
        ("DeepSVDD", 1, fail_within_a_backup),
        ("BiGAN", 1, fail_within_a_backup),
        ("DeepSVDD", 1, kill_within_a_backup),
        ("BiGAN", 3, kill_within_a_backup),
        *(
            pytest.param(name, 3, kill_within_a_backup, marks=pytest.mark.slow)
            for name in DETECTORS
            if name != "BiGAN"
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


def make_failing(folder, **params):
    """Make a detector whose fit fails in its third epoch, after two backups."""
    return make_detector(
        "AutoEncoder", max_epochs=5, callbacks=[BackupAndRestore(folder), Fail()], **params
    )


def leave_a_backup(folder, **params):
    """Let a fit fail; return the file of its backup."""
    Fail.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        make_failing(folder, **params).fit(X)
    Fail.fails = False
    (backup,) = folder.iterdir()
    return backup


def saved_by_torch(content):
    buffer = io.BytesIO()
    torch.save({"phase": 0, "history": []}, buffer)
    return buffer.getvalue()


def with_flipped_bit(place):
    def flip(content):
        changed = bytearray(content)
        changed[int(place * (len(content) - 1))] ^= 1
        return bytes(changed)

    return flip


DAMAGES = {
    **{f"bit at {place}": with_flipped_bit(place) for place in (0, 0.001, 0.01, 0.5, 0.9, 1)},
    "empty": lambda content: b"",
    "beginning": lambda content: content[:40],
    "half": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "one byte long": lambda content: content + b"0",
    "text": lambda content: b"epoch,loss\n1,0.5\n",
    "torch": saved_by_torch,
    "pickle": lambda content: pickle.dumps({"phase": 0}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_and_foreign_files_are_refused_and_left(damage, tmp_path):
    backup = leave_a_backup(tmp_path)
    content = damage(backup.read_bytes())
    backup.write_bytes(content)
    with pytest.raises(ValueError, match=r"\.backup cannot be used: .*Delete it"):
        make_failing(tmp_path).fit(X)
    assert backup.read_bytes() == content
    backup.unlink()
    assert make_failing(tmp_path).fit(X).n_epochs_ == 5


def test_the_backup_of_another_fit_is_refused(tmp_path):
    backup = leave_a_backup(tmp_path)
    (tmp_path / "other").mkdir()
    leave_a_backup(tmp_path / "other", hidden_dims=(8,)).replace(backup)
    with pytest.raises(ValueError, match="belongs to another fit"):
        make_failing(tmp_path).fit(X)


class RemoveFolder(Callback):
    """Removes the folder of the backups in the third epoch."""

    folder = None

    def on_epoch_end(self, net, **kwargs):
        if RemoveFolder.folder is not None and len(net.history) == 3:
            shutil.rmtree(RemoveFolder.folder)


FULL = OSError(errno.ENOSPC, "No space left on device")
DENIED = PermissionError(errno.EACCES, "Permission denied")
WHILE_WRITING = {
    "no space": (os, "fsync", FULL),
    "input or output": (os, "fsync", OSError(errno.EIO, "Input/output error")),
    "not opened": (pathlib.Path, "open", DENIED),
    "not renamed": (pathlib.Path, "replace", DENIED),
}


@pytest.mark.parametrize("n_backups", [0, 2])
@pytest.mark.parametrize(("owner", "call", "error"), WHILE_WRITING.values(), ids=WHILE_WRITING)
def test_what_a_failed_write_keeps(owner, call, error, n_backups, tmp_path, monkeypatch):
    Fail.fails = False
    detector = make_failing(tmp_path).fit(X)
    before = detector.score_samples(X)
    detector.set_params(lr=1e-4)
    with monkeypatch.context() as patch:
        patch.setattr(owner, call, failing_after(n_backups, getattr(owner, call), error))
        kept = "backup of epoch 2 is kept in" if n_backups else "no earlier backup"
        epoch = n_backups + 1
        with pytest.raises(type(error), match=rf"backup of epoch {epoch} \(.*{kept}"):
            detector.fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), before)
    assert [path.suffix for path in tmp_path.iterdir()] == [".backup"] * (n_backups > 0)
    whole = make_detector("AutoEncoder", max_epochs=5, lr=1e-4).fit(X)
    np.testing.assert_array_equal(detector.fit(X).score_samples(X), whole.score_samples(X))


def test_a_file_that_grows_too_large(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(OSError, match="cannot write the backup of epoch 1"):
            make_failing(tmp_path).fit(X)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_the_folder_vanishes(tmp_path):
    folder = tmp_path / "backups"
    callbacks = [RemoveFolder(), BackupAndRestore(folder)]
    RemoveFolder.folder = folder
    try:
        with pytest.raises(FileNotFoundError, match="cannot write the backup of epoch 3"):
            make_detector("AutoEncoder", callbacks=callbacks).fit(X)
    finally:
        RemoveFolder.folder = None


@pytest.mark.parametrize("inside", ["", "folder"])
def test_a_folder_that_cannot_be_one(inside, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OSError, match=r"cannot use the folder .*Give another dirname"):
        make_failing(file / inside).fit(X)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("call", ["mkdir", "read_bytes"])
def test_a_folder_without_permissions(call, tmp_path, monkeypatch):
    leave_a_backup(tmp_path)
    monkeypatch.setattr(pathlib.Path, call, failing_after(0, None, DENIED))
    with pytest.raises(PermissionError, match=r"cannot use the folder .*Give another dirname"):
        make_failing(tmp_path).fit(X)


@pytest.mark.parametrize("dirname", [None, 3, b"folder"])
def test_no_path(dirname):
    with pytest.raises(ValueError, match="dirname must be the path of a folder, got"):
        make_failing(dirname).fit(X)


def test_a_backup_that_cannot_be_deleted_costs_no_fit(tmp_path, monkeypatch):
    Fail.fails = False
    monkeypatch.setattr(pathlib.Path, "unlink", failing_after(0, None, DENIED))
    with pytest.warns(UserWarning, match="complete, but its backup cannot be deleted"):
        detector = make_failing(tmp_path).fit(X)
    assert detector.n_epochs_ == 5


class WithoutPickle(Callback):
    """A callback whose state cannot be pickled."""

    def on_train_begin(self, net, **kwargs):
        self.state_ = self

    def __reduce__(self):
        raise RuntimeError("no pickle of this")


def test_a_state_that_cannot_be_pickled(tmp_path):
    callbacks = [WithoutPickle(), BackupAndRestore(tmp_path)]
    with pytest.raises(ValueError, match=r"cannot save the state .*no pickle .*state_dict"):
        make_detector("AutoEncoder", callbacks=callbacks).fit(X)
    assert not list(tmp_path.iterdir())


def test_parameters_that_cannot_be_pickled(tmp_path):
    detector = make_failing(tmp_path, train_split=lambda dataset: (dataset, None))
    with pytest.raises(ValueError, match="cannot be pickled"):
        detector.fit(X)


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
