"""Files of estimators: safetensors, with JSON in their metadata."""

import contextlib
import hashlib
import json
import os
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._version import __version__
from ..utils._compat import is_newer
from ._decoding import Decoder
from ._encoding import Encoder

_FORMAT = "skdeepanomaly"
# The version of the format; a file with another one is refused.
_FORMAT_VERSION = "1"
# safetensors reads no header of more than 100 MB.
_MAX_JSON = 90_000_000


def save_detector(detector: BaseEstimator, path: str | PathLike[str]) -> None:
    """Save a fitted detector to a file that cannot run code.

    The file is a safetensors file: numbers, and JSON with names. :func:`load_detector` makes
    from it what is on a fixed list of classes, and nothing else. It needs the extra
    ``safetensors``.

    Parameters
    ----------
    detector : estimator
        A fitted detector of this package, alone, in meta-estimators of this package, or in a
        pipeline with transformers on the list of the user guide.
    path : str or path
        The file; one that is there is replaced when the new one is complete.

    Raises
    ------
    TypeError
        If the detector holds what a file may not hold, such as a module, a callback or a
        function of your own. The message says where, and what to do.
    NotFittedError
        If the detector is not fitted.
    ImportError
        If safetensors is not installed.
    OSError
        If the file cannot be written.

    See Also
    --------
    load_detector : Loads such a file.

    Notes
    -----
    Callbacks of a net, its validation split, and records of callbacks are not in the file;
    those in the parameters of the detector are. What is in the file of the training rows is
    what is in a pickle: see :doc:`/user_guide/fitted_models`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from skdeepanomaly import AutoEncoder, load_detector, save_detector
    >>> X = scale(load_breast_cancer().data)
    >>> detector = AutoEncoder(max_epochs=10, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_detector(detector, Path(folder) / "detector.safetensors")
    ...     loaded = load_detector(Path(folder) / "detector.safetensors")
    >>> bool((loaded.score_samples(X) == detector.score_samples(X)).all())
    True
    """
    safetensors = _import_safetensors()
    if not isinstance(detector, BaseEstimator):
        raise TypeError(f"detector must be a scikit-learn estimator, got {detector!r}.")
    check_is_fitted(detector)
    encoder = Encoder()
    state = json.dumps(encoder.encode(detector, type(detector).__name__), allow_nan=False)
    if len(state) > _MAX_JSON:
        raise TypeError(
            f"The names, strings and lists of this {type(detector).__name__} take"
            f" {len(state)} bytes, more than the {_MAX_JSON} of the format. Use joblib."
        )
    arrays = dict(sorted(encoder.arrays.items()))
    metadata = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "skdeepanomaly_version": __version__,
        "state": state,
    }
    metadata["sha256"] = _digest(metadata, arrays)
    _write(Path(path), safetensors.save(arrays, metadata))


def load_detector(path: str | PathLike[str]) -> BaseEstimator:
    """Load a detector that :func:`save_detector` saved.

    Nothing in the file can run code: classes and functions are looked up in a fixed list. The
    detector gives the same scores and explanations as the one that was saved, bit for bit, on
    the same type of processor.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    detector : estimator
        The fitted detector. A net of a GPU is loaded to the CPU, with a warning, where there is
        no GPU.

    Raises
    ------
    ValueError
        If the file is damaged, or was not written by :func:`save_detector`, or by a newer
        version of the package, or names what is not on the list.
    ImportError
        If safetensors is not installed.
    OSError
        If the file cannot be read.

    See Also
    --------
    save_detector : Saves a detector, with an example.

    Notes
    -----
    A digest in the file tells damage, but not who wrote the file. Someone who can write to it
    can put another detector there, one that calls everything normal, say.
    """
    safetensors = _import_safetensors()
    content = Path(path).read_bytes()
    try:
        arrays, metadata = _read(safetensors, content)
        decoder = Decoder(arrays)
        detector = decoder.decode(json.loads(metadata["state"]))
        if decoder.unread:
            raise ValueError(f"its arrays {sorted(decoder.unread)} belong to nothing")
        if not isinstance(detector, BaseEstimator):
            raise ValueError(f"it holds a {type(detector).__name__}, and no estimator")
    except _Refused as error:
        raise ValueError(f"{path} cannot be loaded: {error}") from None
    except Exception as error:
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        raise ValueError(
            f"{path} cannot be loaded: {kind}{error}. It was changed after it was written, or"
            " not written by save_detector. Get a good copy, or save the detector again."
        ) from error
    return detector


class _Refused(Exception):
    """A file that is none of save_detector's, or of another version; the message says it."""


def _import_safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "save_detector and load_detector need safetensors:"
            ' pip install "skdeepanomaly[safetensors]".'
        ) from error
    return safetensors.numpy


def _read(safetensors: Any, content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata of a file, complete and as they were written."""
    try:
        # This checks that the file is complete, and that each array lies in it.
        arrays = safetensors.load(content)
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    except Exception as error:
        what = "a pickle" if content[:1] == b"\x80" else "no complete safetensors file"
        raise _Refused(
            f"it is {what}{'' if what == 'a pickle' else f' ({error})'}, expected a file of"
            " save_detector. Files of joblib and pickle are loaded with joblib.load, and only"
            " where you trust them."
        ) from error
    if metadata.get("format") != _FORMAT:
        raise _Refused(
            "it is a safetensors file, but none of save_detector. Weights alone do not make a"
            " detector."
        )
    version, form = metadata["skdeepanomaly_version"], metadata["format_version"]
    if form != _FORMAT_VERSION or is_newer(version, than=__version__):
        raise _Refused(
            f"it was saved by skdeepanomaly {version} in version {form} of the format; the"
            f" installed {__version__} reads version {_FORMAT_VERSION} and files of its own and"
            f" older versions. Install skdeepanomaly>={version} to load it."
        )
    if metadata.pop("sha256") != _digest(metadata, arrays):
        raise ValueError("its digest is not that of its contents")
    return arrays, metadata


def _digest(metadata: dict[str, str], arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file, or leave the one that is there."""
    unfinished = path.parent / f"{path.name}.{os.getpid()}"
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            # The error names the file that was asked for, not the unfinished one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
