"""Backup of a running fit."""

import contextlib
import copy
import hashlib
import io
import os
import pickle
from collections.abc import Iterator
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import joblib
import torch
from skorch.callbacks import Callback, EarlyStopping

from ..engine import DetectorNet, rng_states, set_rng_states
from ..utils.warn import warn_user

# A backup file is this mark, a SHA-256 digest, and the state, which the digest belongs to.
_MARK = b"skdeepanomaly backup 1\n"


class BackupAndRestore(Callback):
    """Save the state of a running fit, so that the fit can go on after a crash.

    Put it into the ``callbacks`` of a detector. Every ``every_n_epochs`` epochs the whole
    state of the training is written to ``dirname``: the weights, all optimisers, the state of
    the other callbacks and learning-rate schedulers, the random generators, the phase
    (pre-training or training) and the epoch. After a crash, call ``fit`` again with equal
    parameters and the same data. The fit goes on from the backup, and its scores are equal,
    bit for bit, to those of a fit that was not interrupted. When a fit ends, its backup is
    deleted.

    Parameters
    ----------
    dirname : str or path
        Folder of the backups; it is created if it does not exist. The file name is a hash of
        the data and the parameters, so that one folder can be used for many fits, for example
        those of a grid search.
    every_n_epochs : int, default=1
        Number of epochs between two backups.

    Raises
    ------
    ValueError
        In ``fit``: if ``every_n_epochs`` is not a positive integer, if a backup is damaged or
        is none, or if a parameter or the state of a callback cannot be pickled.
    OSError
        In ``fit``: if a backup cannot be written or read, for example because the disk is
        full. The last backup that was written is kept, and the message names its epoch. If
        only the deletion fails at the end, there is a warning.

    Notes
    -----
    Only a fit from scratch is saved; ``partial_fit`` and a warm start are not. A digest in the
    file tells damaged and foreign files, but protects against no attack: the file holds a
    pickle, and loading a pickle can run any code. Use a folder that only you can write to.
    The state of a custom callback is saved with its methods ``state_dict`` and
    ``load_state_dict``, or, if it has none, through its attributes that end with an underscore.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from skdeepanomaly import AutoEncoder
    >>> from skdeepanomaly.callbacks import BackupAndRestore
    >>> X = scale(load_breast_cancer().data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     backup = BackupAndRestore(folder, every_n_epochs=5)
    ...     detector = AutoEncoder(max_epochs=10, callbacks=[backup], random_state=0).fit(X)
    >>> detector.n_epochs_
    10
    """

    # These are set only during a fit from scratch.
    path_: Path | None = None
    state_: dict[str, Any] | None = None
    saved_: str | None = None
    phase_: int

    def __init__(self, dirname: str | PathLike[str], every_n_epochs: int = 1):
        self.dirname = dirname
        self.every_n_epochs = every_n_epochs

    def open(self, key: str) -> None:
        """Begin a fit, and load its backup if there is one.

        Parameters
        ----------
        key : str
            Fingerprint of the data and the parameters. Only a backup with the same key is
            loaded.

        Raises
        ------
        ValueError
            If ``every_n_epochs`` is not a positive integer, or if the backup is damaged.
        OSError
            If the folder cannot be made, or the backup cannot be read.
        """
        if not isinstance(self.every_n_epochs, Integral) or self.every_n_epochs < 1:
            raise ValueError(
                f"every_n_epochs must be an integer of at least 1, got {self.every_n_epochs!r}."
            )
        if not isinstance(self.dirname, str | os.PathLike):
            raise ValueError(f"dirname must be the path of a folder, got {self.dirname!r}.")
        path = Path(self.dirname) / f"{key}.backup"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else None
        except OSError as error:
            raise type(error)(
                f"BackupAndRestore cannot use the folder {path.parent} ({error}). Nothing was"
                " trained or changed. Give another dirname, or make this one a folder that you"
                " can read and write."
            ) from error
        self.path_, self.phase_ = path, 0
        if content is not None:
            self.state_ = _read_state(path, content)
            self.saved_ = _epoch(self.state_["phase"], self.state_["history"])

    def begin_phase(self, phase: int) -> bool:
        """Begin a phase; return whether it must be trained, or was finished in the backup.

        Parameters
        ----------
        phase : int
            Number of the phase, from 0.

        Returns
        -------
        must_train : bool
            False if the backup was written in a later phase.
        """
        self.phase_ = phase
        return self.state_ is None or self.state_["phase"] <= phase

    def close(self, delete: bool) -> None:
        """End the fit.

        Parameters
        ----------
        delete : bool
            Whether the backup is deleted.
        """
        if delete and self.path_ is not None:
            try:
                # Also delete files that were not finished because the process was killed.
                for path in self.path_.parent.glob(f"{self.path_.stem}.*"):
                    path.unlink(missing_ok=True)
            except OSError as error:
                # No reason to lose a complete fit.
                warn_user(
                    f"The fit is complete, but its backup cannot be deleted ({error})."
                    f" Delete {self.path_}, or the next equal fit begins with its state."
                )
        for name in ("path_", "state_", "phase_", "saved_"):
            self.__dict__.pop(name, None)

    def begin(self, net: DetectorNet) -> None:
        """Restore the state of the net from the backup, after all callbacks were set up.

        Parameters
        ----------
        net : DetectorNet
            The net that is trained.
        """
        if self.state_ is None:
            return
        state, self.state_ = self.state_, None
        # The validation rows must be those of the interrupted fit, even if the seed differs.
        net.train_split = state["train_split"]
        for name, part in _stateful_parts(net):
            part.load_state_dict(state["parts"][name])
        for parameter, trained in zip(_parameters(net), state["requires_grad"], strict=True):
            parameter.requires_grad_(trained)
        net.history.extend(state["history"])
        net.epochs_restored_ = len(state["history"])
        for name, callback in self._other_callbacks(net):
            _set_callback_state(callback, state["callbacks"][name])
        set_rng_states(state["generators"], net.device)

    def end_epoch(self, net: DetectorNet) -> None:
        """Write the backup, after all callbacks were notified of the end of the epoch.

        Parameters
        ----------
        net : DetectorNet
            The net that is trained.

        Raises
        ------
        ValueError
            If the state of a callback cannot be pickled.
        OSError
            If the file cannot be written. The backup before it is kept.
        """
        if self.path_ is None or len(net.history) % self.every_n_epochs:
            return
        now, buffer = _epoch(self.phase_, net.history), io.BytesIO()
        try:
            torch.save(self._state(net), buffer)
        except (pickle.PicklingError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(
                f"BackupAndRestore cannot save the state of this fit: {error}. {self._kept()}"
                " Give callbacks that hold what cannot be pickled a state_dict and a"
                " load_state_dict."
            ) from error
        try:
            _write(self.path_, buffer.getvalue())
        except OSError as error:
            raise type(error)(
                f"BackupAndRestore cannot write the backup of {now} ({error}). {self._kept()}"
                " Make room, or the folder writable, and call fit again."
            ) from error
        self.saved_ = now

    def _kept(self) -> str:
        """Return a sentence for error messages: what a failed fit leaves."""
        if self.saved_ is None:
            return "There is no earlier backup, so that the fit would begin anew."
        return (
            f"The backup of {self.saved_} is kept in {self.path_}, and an equal fit goes on"
            " from there."
        )

    def _state(self, net: DetectorNet) -> dict[str, Any]:
        return {
            "train_split": net.train_split,
            "phase": self.phase_,
            "parts": {name: part.state_dict() for name, part in _stateful_parts(net)},
            "requires_grad": [parameter.requires_grad for parameter in _parameters(net)],
            "history": list(net.history),
            "callbacks": {n: _callback_state(cb) for n, cb in self._other_callbacks(net)},
            "generators": rng_states(net.device),
        }

    def _other_callbacks(self, net: DetectorNet) -> list[tuple[str, Callback]]:
        return [
            (name, callback)
            for name, callback in net.callbacks_
            if not isinstance(callback, BackupAndRestore)
        ]


def _epoch(phase: int, history: list[Any]) -> str:
    """Name an epoch in messages; pre-training and training are phases."""
    return f"epoch {len(history)} of phase {phase + 1}"


def _digest(key: str, payload: bytes) -> bytes:
    """Return the digest of a state; the key tells a file that was renamed."""
    return hashlib.sha256(key.encode() + payload).digest()


def _write(path: Path, payload: bytes) -> None:
    """Write a backup, or leave the earlier one and nothing else."""
    # A new file is renamed to the old one in a single step: if the process is killed in
    # between, the old backup is still complete.
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(_MARK + _digest(path.stem, payload) + payload)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _read_state(path: Path, content: bytes) -> dict[str, Any]:
    """Return the state in a backup file; raise a ValueError if the file is not as written."""
    start = len(_MARK) + hashlib.sha256().digest_size
    digest, payload = content[len(_MARK) : start], content[start:]
    if not content.startswith(_MARK):
        reason = "it is no backup of this version of the package"
    elif digest != _digest(path.stem, payload):
        reason = "it was changed or cut off after it was written, or belongs to another fit"
    else:
        try:
            return torch.load(io.BytesIO(payload), weights_only=False)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
    raise ValueError(
        f"The backup {path} cannot be used: {reason}. The file was left as it is, and nothing"
        " was trained. Delete it to begin anew, or put a copy back."
    )


def fingerprint(*parts: object) -> str:
    """Return a hash of parameters and data.

    Parameters
    ----------
    *parts : object
        Parameters and data. Arrays, memory maps and modules are hashed by their contents.

    Returns
    -------
    key : str
        The hash, in hexadecimal digits.

    Raises
    ------
    ValueError
        If a part cannot be pickled.
    """
    try:
        return joblib.hash(_hashable(parts), hash_name="sha1", coerce_mmap=True)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            "BackupAndRestore recognises a fit by its parameters, and one of them cannot be"
            f" pickled: {error}. Use a function of a module in place of a lambda or a local"
            " class."
        ) from error


def _hashable(value: Any) -> Any:
    """Replace modules and tensors, whose pickles differ each time, by their contents.

    The pickle of a tensor holds the address of its memory.
    """
    if isinstance(value, torch.nn.Module):
        return type(value), repr(value), _hashable(value.state_dict())
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, dict):
        return {key: _hashable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hashable(item) for item in value]
    return value


def _parameters(net: DetectorNet) -> list[torch.nn.Parameter]:
    return [parameter for _, parameter in net.get_all_learnable_params()]


def _stateful_parts(net: DetectorNet) -> Iterator[tuple[str, Any]]:
    for name in (*net._modules, *net._criteria, *net._optimizers):
        yield name, getattr(net, f"{name}_")


def _callback_state(callback: Callback) -> dict[str, Any]:
    if hasattr(callback, "state_dict"):
        return callback.state_dict()
    state = {}
    # The attributes that a callback pickles are its training state. EarlyStopping does not
    # pickle its best weights, so all its attributes are used.
    if isinstance(callback, EarlyStopping):
        attributes = vars(callback)
    else:
        attributes = callback.__getstate__() or {}
    for name, value in attributes.items():
        has_state = hasattr(value, "state_dict") and not isinstance(value, type)
        if name.endswith("_") and (has_state or not callable(value)):
            state[name] = (has_state, value.state_dict() if has_state else copy.copy(value))
    return state


def _set_callback_state(callback: Callback, state: dict[str, Any]) -> None:
    if hasattr(callback, "load_state_dict"):
        callback.load_state_dict(state)
        return
    for name, (has_state, value) in state.items():
        if has_state:
            getattr(callback, name).load_state_dict(value)
        else:
            setattr(callback, name, value)
