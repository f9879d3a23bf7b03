"""Backups that are damaged, foreign, or cannot be written."""

import errno
import io
import os
import pathlib
import pickle
import shutil

import numpy as np
import pytest
import torch
from conftest import make_detector
from skorch.callbacks import Callback
from test_callbacks import Fail, X, failing_after

from skdeepanomaly import BackupAndRestore


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
        kept = "backup of epoch 2 of phase 1 is kept in" if n_backups else "no earlier backup"
        now = f"epoch {n_backups + 1} of phase 1"
        with pytest.raises(type(error), match=rf"backup of {now} \(.*{kept}"):
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
