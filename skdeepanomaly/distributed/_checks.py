"""What can be trained by chunks, and with which parameters."""

from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..base import BaseDeepDetector
from ..engine import OneCycleNet


def check_parameters(n_passes: Any, buffer_rows: Any, checkpoint: Any, once: bool) -> None:
    """Refuse numbers out of range, and what cannot be done with an iterator."""
    for name, value, least in [("n_passes", n_passes, 1), ("buffer_rows", buffer_rows, 2)]:
        is_number = isinstance(value, Integral) and not isinstance(value, bool)
        if not (value >= least if is_number else value == "auto"):
            raise ValueError(
                f"{name} must be 'auto' or an integer of at least {least}, got {value!r}."
            )
    if once and n_passes != 1:
        raise ValueError(
            f"n_passes={n_passes!r}, but chunks is an iterator, which can be read once. Pass a"
            " callable that returns a new iterator in each pass, such as lambda:"
            " pandas.read_csv(path, chunksize=50_000), or n_passes=1."
        )
    if once and checkpoint is not None:
        raise ValueError(
            "checkpoint needs chunks that can be read again, but chunks is an iterator. Pass a"
            " callable that returns a new iterator in each pass, or checkpoint=None."
        )


def check_shared(detector: BaseEstimator, once: bool, checkpoint: Any) -> None:
    """Refuse what belongs to one process where several train together."""
    for is_so, found, expected in [
        (once, "chunks is an iterator", "chunks that can be read again"),
        (checkpoint is not None, f"checkpoint={checkpoint!r}", "checkpoint=None"),
        (
            bool(split(detector)[1].get_params().get("callbacks")),
            "the detector has callbacks, which see the losses of one process",
            "callbacks=None",
        ),
    ]:
        if is_so:
            raise ValueError(f"With a process_group expected {expected}, but {found}.")


def split(detector: BaseEstimator) -> tuple[list[Any], Any]:
    """Return the transformers of a pipeline, those of pipelines in it too, and its detector."""
    transformers = []
    while isinstance(detector, Pipeline):
        transformers += [step for _, step in detector.steps[:-1]]
        detector = detector.steps[-1][1]
    return [t for t in transformers if t is not None and t != "passthrough"], detector


def check_detector(detector: BaseEstimator, once: bool) -> None:
    """Refuse detectors that cannot be trained by chunks."""
    name = type(detector).__name__
    if not isinstance(detector, BaseDeepDetector):
        hint = "Fit it to a sample of the rows"
        if hasattr(detector, "partial_fit"):
            hint = "Call its partial_fit with each chunk"
        raise TypeError(
            "fit_chunks trains the deep detectors of this package that learn by gradient"
            f" steps, and pipelines that end in one, got {name}. {hint}."
        )
    detector._validate_params()
    if detector._labels == "required":
        raise ValueError(
            f"{name} learns from labels, which chunks do not have. Fit it to the labelled rows"
            " and a sample of the others."
        )
    if type(detector)._training_rows is not BaseDeepDetector._training_rows:
        raise ValueError(
            f"{name} learns from the neighbours that each row has among all rows, so that it"
            " cannot be trained by chunks. Fit it to a sample of the rows."
        )
    if getattr(detector, "max_samples", None) is not None:
        raise ValueError(
            f"max_samples={detector.max_samples!r} of {name}, but each network sees all rows of"
            " the chunks. Leave it None, or fit the detector to a sample of the rows."
        )
    if once and issubclass(detector._net_class, OneCycleNet):
        raise ValueError(
            f"{name} plans its learning rate over all steps, but chunks is an iterator, whose"
            " length is not known. Pass a callable that returns a new iterator in each pass."
        )
    if detector.train_split is not None:
        raise ValueError(
            f"train_split={detector.train_split!r} of {name}, but all rows of the chunks are"
            " trained on. Leave it None, keep a chunk back, and compare its scores."
        )
