"""Torch's global settings, held at their defaults while a network is trained or evaluated.

A user may have changed them for other work: the default dtype or device, inference mode,
autocast, the precision of matrix products. A detector computes the same numbers all the same.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch

# Torch's own types lack some of what is in it.
_BACKENDS: Any = torch.backends


class _ProcessSetting:
    """A setting that all threads share, held at its default while any thread needs it.

    The first thread that enters remembers the value of the user, and the last one that leaves
    puts it back. If each thread did so for itself, a thread could take the value that another
    one holds for that of the user.

    Parameters
    ----------
    read : callable
        Returns the present value.
    write : callable
        Sets a value.
    defaults : tuple
        The values to leave alone; others are replaced by the first of them.
    """

    def __init__(
        self, read: Callable[[], Any], write: Callable[[Any], object], defaults: tuple
    ):
        self._read, self._write, self._defaults = read, write, defaults
        self._lock = threading.Lock()
        self._n_inside = 0
        self._replaced: list = []

    def is_default(self) -> bool:
        """Whether the setting is at its default, and not only held there for a thread."""
        return not self._replaced and self._read() in self._defaults

    def __enter__(self):
        with self._lock:
            before = self._read()
            if before not in self._defaults:
                self._write(self._defaults[0])
                self._replaced.append(before)
            self._n_inside += 1

    def __exit__(self, *error):
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside and self._replaced:
                # The first: a later one was set while a thread was inside.
                self._write(self._replaced[0])
                self._replaced.clear()


def _read_precision() -> tuple[str | None, ...]:
    """Return the precision of float32 matrix products: in general, on the CPU, on a GPU.

    Torch raises an error for the first, which is the older name, if the others were set to
    something else; it is None then. Torch before 2.9 has only the older name.
    """
    try:
        general = torch.get_float32_matmul_precision()
    except RuntimeError:
        general = None
    if not hasattr(_BACKENDS, "fp32_precision"):
        return (general,)
    matmuls = _BACKENDS.mkldnn.matmul, _BACKENDS.cuda.matmul
    return (general, *(matmul.fp32_precision for matmul in matmuls))


def _write_precision(precision: tuple[str | None, ...]) -> None:
    """Set what :func:`_read_precision` returned."""
    general, *each = precision
    if general is not None:
        # This sets the others, too, hence it comes first.
        torch.set_float32_matmul_precision(general)
    if each:
        _BACKENDS.mkldnn.matmul.fp32_precision = each[0]
        _BACKENDS.cuda.matmul.fp32_precision = each[1]


def _read_convolutions() -> tuple[str | bool, ...]:
    """Return the precision of float32 convolutions: on the CPU, and by cuDNN on a GPU."""
    if not hasattr(_BACKENDS, "fp32_precision"):
        return (_BACKENDS.cudnn.allow_tf32,)
    return _BACKENDS.mkldnn.conv.fp32_precision, _BACKENDS.cudnn.conv.fp32_precision


def _write_convolutions(precision: tuple[str | bool, ...]) -> None:
    """Set what :func:`_read_convolutions` returned."""
    if len(precision) == 1:
        _BACKENDS.cudnn.allow_tf32 = precision[0]
    else:
        _BACKENDS.mkldnn.conv.fp32_precision = precision[0]
        _BACKENDS.cudnn.conv.fp32_precision = precision[1]


_DTYPE = _ProcessSetting(torch.get_default_dtype, torch.set_default_dtype, (torch.float32,))
_PRECISION = _ProcessSetting(
    _read_precision,
    _write_precision,
    (("highest",), ("highest", "none", "none"), ("highest", "ieee", "ieee")),
)
# Torch's own default on a GPU is TF32, which has three digits.
_CONVOLUTIONS = _ProcessSetting(
    _read_convolutions,
    _write_convolutions,
    (("ieee", "ieee"), ("none", "none"), ("none", "ieee"), ("ieee", "none"))
    if hasattr(_BACKENDS, "fp32_precision")
    else ((False,),),
)
_ANOMALIES = _ProcessSetting(
    lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
    lambda modes: torch.autograd.set_detect_anomaly(*modes),
    ((False, True), (False, False)),
)


@contextmanager
def torch_defaults() -> Iterator[None]:
    """Hold torch's global settings at their defaults for a block, and put them back after it.

    These are the default dtype and device, gradients, inference mode, autocast and the
    precision of float32 matrix products and convolutions. Settings that change no number, such
    as deterministic algorithms, the number of threads and the detection of anomalies in
    gradients, stay as they are.
    """
    with ExitStack() as stack:
        stack.enter_context(_DTYPE)
        stack.enter_context(_PRECISION)
        stack.enter_context(_CONVOLUTIONS)
        # Each of these slows down every call of torch inside, so only where there is need.
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda", "mps"):
            # torch 2.4 has no autocast of MPS.
            if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        yield


@contextmanager
def export_defaults() -> Iterator[None]:
    """Hold the settings that decide what torch records of a module, for a block.

    These are the default dtype and device, autocast, gradients and inference mode. The
    precision of products is left alone: it changes nothing that is recorded, and torch's
    exporter cannot read it where it is held.
    """
    with ExitStack() as stack:
        stack.enter_context(_DTYPE)
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        if torch.is_autocast_enabled("cpu"):
            stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        yield


def single_row_defaults() -> AbstractContextManager[Any]:
    """Return the context in which a single row is evaluated, without gradients.

    It is :func:`evaluation_defaults` where a setting was changed, and inference mode alone
    otherwise: to hold what is at its default takes as long as to score a row.
    """
    settings = (_DTYPE, _PRECISION, _CONVOLUTIONS)
    if (
        all(setting.is_default() for setting in settings)
        and torch.get_default_device().type == "cpu"
        and not any(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda", "mps"))
    ):
        return torch.inference_mode()
    return evaluation_defaults()


@contextmanager
def evaluation_defaults() -> Iterator[None]:
    """Hold :func:`torch_defaults` for a block without gradients.

    The detection of anomalies in gradients is off, too. Where it is on, the scores of a fit
    stay the same, but an extreme row whose gradient overflows would end ``explain``.
    """
    with torch_defaults(), _ANOMALIES, torch.inference_mode():
        yield
