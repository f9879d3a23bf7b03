"""A fitted detector as an ONNX file."""

import io
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from .._version import __version__
from ..engine import export_defaults
from ..utils.nesting import supervised_kind
from ..utils.rows import shape_of
from ._rows import input_shape, named, typical_rows
from ._scores import Graph

# Scores of the graph may differ by this share of the score, or of the usual score where a
# score is near zero.
TOLERANCE = 1e-4
OUTPUTS = ("label", "score", "decision")


def to_onnx(
    detector: BaseEstimator,
    path: str | PathLike[str],
    *,
    X: ArrayLike | None = None,
    dtype: Literal["float32", "float64"] = "float32",
) -> Path:
    """Write a fitted detector to an ONNX file, which runs without torch and scikit-learn.

    The file holds one graph: the scaling of the columns, the network, the score and the
    threshold. Before the file is written, onnxruntime runs the graph on one, two and many rows,
    and its outputs are compared with those of the detector.

    Parameters
    ----------
    detector : estimator
        Fitted: a detector of this package, or a pipeline, an ensemble or another meta-estimator
        around one. Transformers in a pipeline must be plain arithmetic on numbers.
    path : str or path-like
        The file, which usually ends in ``.onnx``. A file of this name is replaced.
    X : array-like of shape (n_samples, n_features), default=None
        Rows for the comparison, as the detector takes them; up to 1,000 of them are used. None
        draws some around the training rows, and far away.
    dtype : {"float32", "float64"}, default="float32"
        Type of the input of the graph. Values such as times in seconds since 1970 need more
        digits than float32 has.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    ImportError
        If onnx, onnxscript or onnxruntime is not installed.
    TypeError
        If a part of the detector cannot be exported. The message says which, and what to do.
    ValueError
        If ``dtype`` is neither of the two, or the outputs of the graph differ from those of the
        detector: a label, except of rows at the threshold, or a score by more than 1e-4 of its
        size, or of the usual size for scores near zero. No file is left.
    sklearn.exceptions.NotFittedError
        If the detector is not fitted.

    Notes
    -----
    The graph has one input and three outputs, for any number of rows:

    - ``X``, of type ``dtype``, of shape (n_samples, n_features), or of the shape that images
      had in ``fit``: the raw values, with the columns in the order of ``fit``;
    - ``label``, int64, of shape (n_samples,): -1 for outliers, 1 for inliers;
    - ``score``, float64, of shape (n_samples,): ``score_samples``;
    - ``decision``, float64, of shape (n_samples,): ``decision_function``.

    Steps of a pipeline compute in float64, as in scikit-learn. The graph checks nothing: a row
    with NaN that no step imputes gets the lowest score and the label -1, where
    ``score_samples`` raises an error. In :class:`EnsembleDetector` and
    :class:`ConformalDetector`, scores count as equal to the score of a training row if they
    differ by rounding only.

    The names of the columns and the version of the package are in the metadata of the file.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdeepanomaly import AutoEncoder, to_onnx
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> pipeline = make_pipeline(StandardScaler(), AutoEncoder(random_state=0)).fit(X)
    >>> to_onnx(pipeline, "detector.onnx")  # doctest: +SKIP
    PosixPath('detector.onnx')

    In a program without torch:

    >>> session = onnxruntime.InferenceSession("detector.onnx")  # doctest: +SKIP
    >>> label, score, decision = session.run(  # doctest: +SKIP
    ...     None, {"X": X.astype(np.float32)}
    ... )
    """
    _require("onnx", "onnxscript", "onnxruntime")
    check_is_fitted(detector)
    if (kind := supervised_kind(detector)) is not None:
        raise TypeError(
            f"{type(detector).__name__} is a {kind}, expected an outlier detector, a pipeline"
            " that ends in one, or a meta-estimator around one. Export the detector inside."
        )
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}.")
    path = Path(path)
    graph = Graph(detector).eval()
    rows = typical_rows(detector) if X is None else _checked_rows(X)
    model = _convert(graph, input_shape(detector), detector, dtype)
    _compare(model, detector, rows, dtype)
    _write(model, path)
    return path


def _require(*packages: str) -> None:
    for package in packages:
        try:
            __import__(package)
        except ImportError as error:
            raise ImportError(
                f"to_onnx needs {package}: pip install 'skdeepanomaly[onnx]'. A program that"
                " runs the file needs onnxruntime alone."
            ) from error


def _checked_rows(X: ArrayLike) -> np.ndarray:
    if len(shape_of(X)) < 3:
        X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
    # Of float32 a pipeline may compute with fewer digits.
    return np.asarray(X, dtype=np.float64)[:1000]


def _convert(
    graph: Graph, shape: tuple[int, ...], detector: BaseEstimator, dtype: str
) -> bytes:
    """Return the graph as the bytes of an ONNX file."""
    name = type(detector).__name__
    with export_defaults(), _quiet():
        # In two steps: torch.onnx.export alone would fix the number of rows where a detector
        # needs that, and say nothing.
        try:
            recorded = torch.export.export(
                graph,
                (torch.zeros(3, *shape, dtype=getattr(torch, dtype)),),
                dynamic_shapes={"x": {0: torch.export.Dim("n_samples", min=1)}},
                strict=False,
            )
        except Exception as error:
            raise TypeError(
                f"torch cannot record {name} for any number of rows. A custom module must be"
                " without Python branches on values or on the number of rows, and use"
                f" x.shape[0] in place of len(x). The error was: {_cause(error)}"
            ) from error
        try:
            program: Any = torch.onnx.export(
                recorded, dynamo=True, verbose=False, input_names=["X"], output_names=OUTPUTS
            )
        except Exception as error:
            raise TypeError(
                f"torch {torch.__version__} cannot write {name} as ONNX: an operator has no"
                " counterpart there, or the installed onnxscript is too old for this torch"
                f" (pip install -U onnxscript). The error was: {_cause(error)}"
            ) from error
    # Where each node comes from, with the paths of this machine.
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    # The number of rows has a name that says so.
    for value in (*program.model.graph.inputs, *program.model.graph.outputs):
        value.shape[0] = "n_samples"
    program.model.metadata_props.update(
        skdeepanomaly_version=__version__,
        detector=type(detector).__name__,
        feature_names=json.dumps([*map(str, getattr(detector, "feature_names_in_", []))]),
    )
    file = io.BytesIO()
    program.save(file)
    return file.getvalue()


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from reporting on what concerns its developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _compare(model: bytes, detector: BaseEstimator, rows: np.ndarray, dtype: str) -> None:
    """Raise an error unless the graph gives what the detector gives."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Errors only.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    X = named(detector, rows)
    scores = np.asarray(detector.score_samples(X), dtype=np.float64)
    decisions = np.asarray(detector.decision_function(X), dtype=np.float64)
    labels = np.asarray(detector.predict(X))
    usual = np.median(np.abs(scores))
    with np.errstate(over="ignore"):
        allowed = TOLERANCE * np.maximum(np.abs(scores), usual)
    # Images may be flat for the detector, but not for the graph.
    rows = rows.reshape(len(rows), *session.get_inputs()[0].shape[1:]).astype(dtype)
    for n in {1, min(2, len(rows)), len(rows)}:
        label, score, _ = session.run(None, {"X": rows[:n]})
        # The lowest float stands for a score that overflowed.
        with np.errstate(over="ignore"):
            differences = np.abs(score - scores[:n])
        wrong = ~(differences <= allowed[:n])
        wrong |= (label != labels[:n]) & (np.abs(decisions[:n]) > allowed[:n])
        if wrong.any():
            worst = int(np.argmax(wrong * np.nan_to_num(1 + differences)))
            raise ValueError(
                f"The graph of {type(detector).__name__} gives other results than the detector"
                f" for {wrong.sum()} of {n} rows, so that no file was written. Row {worst} has"
                f" the score {score[worst]:.9g}, expected {scores[worst]:.9g} up to"
                f" {TOLERANCE:g} of it, and the label {label[worst]}, expected"
                f" {labels[worst]}. A custom module whose output depends on the other rows, or"
                " on random numbers, cannot be exported. Values that need more digits than"
                ' float32 has need dtype="float64".'
            )


def _write(model: bytes, path: Path) -> None:
    """Write a file at once, so that nobody reads half of it."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(model)
        # As of a file that open() makes.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None:
            # The error names the file that was asked for, not the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
