"""Build the skorch net of a detector from its parameters and the training rows."""

import copy
import math
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from skorch.dataset import ValidSplit
from torch import nn

from ..engine import DetectorNet, TensorLoader, block_sizes
from ..engine.types import Device, Module
from ..utils.validation import parameter_names
from ._nested_params import check_nested_params, is_nested

# Parameters that may change between calls of partial_fit. The device is among them because a
# fitted net stays on its own device, which can differ from the parameter after loading.
CHANGEABLE = {
    "augmentation",
    "batch_size",
    "callbacks",
    "contamination",
    "device",
    "lr",
    "max_epochs",
    "random_state",
    "train_split",
    "verbose",
    "warm_start",
}
# Prefixes of the nested parameters that may change, too, but for the groups of parameters,
# which torch's optimisers only take when they are made.
CHANGEABLE_PREFIXES = ("callbacks__", "iterator_", "optimizer")

# Arguments of torch's optimisers that cannot be combined with the fused implementation.
_EXCLUDE_FUSED = {"fused", "foreach", "differentiable"}


def make_net(detector, X: np.ndarray, y, device: str, seed: int) -> DetectorNet:
    """Return a new, initialised net for a detector and its training rows.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector. Its class gives the classes of net, module and criterion; its parameters
        give their arguments.
    X : array of shape (n_samples, n_features) or (n_samples, n_members, n_features)
        Training rows.
    y : ndarray of shape (n_samples,) or None
        Labels.
    device : str
        Device of the net.
    seed : int
        Seed of the split into training and validation rows.

    Returns
    -------
    net : DetectorNet
        The net.

    Raises
    ------
    ValueError
        If no component of the net has a nested parameter of the detector, or if a callback
        or a module is not valid.
    """
    n_features = X.shape[-1]
    module = detector._module_class if detector.module is None else detector.module
    params = {f"criterion__{n}": v for n, v in detector._criterion_params().items()}
    if isinstance(module, nn.Module):
        # A copy, because fit must not change the parameters of the detector.
        module = copy.deepcopy(module)
    else:
        offered = {"n_features": n_features, **detector._module_params(n_features)}
        taken, takes_any = parameter_names(module)
        params |= {f"module__{n}": v for n, v in offered.items() if takes_any or n in taken}
    net = build_net(
        detector,
        module,
        detector._criterion_class,
        X,
        device,
        net_class=detector._net_class,
        max_epochs=resolve_max_epochs(detector, len(X), y),
        train_split=_seeded_split(detector, seed),
        callbacks=_cloned_callbacks(detector),
        **{
            **params,
            **{name: getattr(detector, name) for name in detector._optimizers},
            **detector._net_params(),
            **detector._nested_params(),
        },
    )
    check_nested_params(detector, net)
    net.initialize()
    net.width = detector._row_width(net, n_features)
    if net.width and "iterator_valid__batch_size" not in detector._nested_params():
        net.iterator_valid__batch_size = block_sizes(net.width)[-1]
    return net


def build_net(
    detector: BaseEstimator,
    module: Module,
    criterion: nn.Module | type[nn.Module],
    X: np.ndarray,
    device: Device,
    *,
    net_class: type[DetectorNet] = DetectorNet,
    **params: Any,
) -> DetectorNet:
    """Return a net that is not yet initialised, with the optimisers and batches of a detector.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector.
    module : torch.nn.Module or type
        The module, or its class.
    criterion : torch.nn.Module or type
        The loss, or its class.
    X : ndarray of shape (n_samples, n_features)
        Training rows; only their shape is used.
    device : str
        Device of the net.
    net_class : type, default=DetectorNet
        The class of the net.
    **params : dict
        Further arguments of the net; they override those that come from the detector.

    Returns
    -------
    net : DetectorNet
        The net.
    """
    for name in detector._optimizers:
        known = parameter_names(getattr(detector, name))[0]
        for argument, value in detector._optimizer_defaults.items():
            if argument in known:
                params.setdefault(f"{name}__{argument}", value)
        given = {n.removeprefix(f"{name}__") for n in params if n.startswith(f"{name}__")}
        on_known_device = torch.device(device).type in ("cpu", "cuda")
        if on_known_device and "fused" in known and not given & _EXCLUDE_FUSED:
            params[f"{name}__fused"] = True
    return net_class(
        module,
        criterion,
        **{
            "optimizer": detector.optimizer,
            "lr": detector.lr,
            "batch_size": resolve_batch_size(detector, len(X)),
            "train_split": None,
            "iterator_train": TensorLoader,
            "iterator_train__shuffle": True,
            "iterator_valid": TensorLoader,
            "iterator_valid__batch_size": block_sizes(math.prod(X.shape[1:]))[-1],
            "device": device,
            "compile": detector.compile,
            "verbose": int(detector.verbose >= 2),
            **params,
        },
    )


def continued_net(detector, X: np.ndarray, y, seed: int) -> DetectorNet:
    """Return a copy of the fitted net with the current training parameters of the detector."""
    net = copy.deepcopy(detector.net_)
    net.callbacks = _cloned_callbacks(detector)
    nested = detector._nested_params()
    for name, value in {**detector._net_params(), **nested}.items():
        if name.startswith(("callbacks__", "iterator_")):
            setattr(net, name, value)
    check_nested_params(detector, net)
    net.initialize_callbacks()
    net.train_split = _seeded_split(detector, seed)
    changed = {
        name: value
        for name, value in {"lr": detector.lr, **nested}.items()
        if name == "lr" or name.startswith("optimizer")
        if not equal_values(vars(net).get(name), value)
    }
    if "lr" in changed:
        # skorch passes a new learning rate on to ``optimizer`` only.
        own = detector._net_params()
        for name in detector._optimizers:
            if name != "optimizer" and f"{name}__lr" not in nested:
                changed[f"{name}__lr"] = own.get(f"{name}__lr", detector.lr)
    net.set_params(
        max_epochs=resolve_max_epochs(detector, len(X), y),
        batch_size=resolve_batch_size(detector, len(X)),
        verbose=int(detector.verbose >= 2),
        **changed,
    )
    return net


def fixed_params(detector) -> dict:
    """Return copies of the parameters that may not change between calls.

    For an instance of a module only its class is kept, because the weights of an instance may
    differ.
    """
    fixed = {
        name: value
        for name, value in detector.get_params(deep=False).items()
        if not _may_change(name)
    }
    return {
        name: type(value) if isinstance(value, nn.Module) else copy.deepcopy(value)
        for name, value in fixed.items()
    }


def _may_change(name: str) -> bool:
    if is_nested(name):
        return name.startswith(CHANGEABLE_PREFIXES) and not name.endswith("__param_groups")
    return name in CHANGEABLE


def refuse_changes(detector) -> None:
    """Raise a ValueError that names the fixed parameters which changed since the first fit."""
    now, before = fixed_params(detector), detector._fixed_params
    missing = object()
    changed = [
        name
        for name in now | before
        if not equal_values(now.get(name, missing), before.get(name, missing))
    ]
    if changed:
        name = changed[0]
        was = f"{before[name]!r}" if name in before else "not set"
        got = f"{now[name]!r}" if name in now else "not set"
        raise ValueError(
            f"{', '.join(changed)} of {type(detector).__name__} changed since it was fitted:"
            f" {name} is {got}, it was {was}. partial_fit and warm_start go on with the network"
            " and the loss of the first fit. Set the old value again, or fit a clone."
        )


def equal_values(a, b) -> bool:
    """Whether two parameter values are equal; sequences and arrays are compared by items."""
    a, b = (value.tolist() if isinstance(value, np.ndarray) else value for value in (a, b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal_values, a, b))
    return a is b or bool(a == b)


def resolve_batch_size(detector, n_samples: int) -> int:
    """Return the number of rows in a batch; ``"auto"`` is the default size or all rows."""
    if detector.batch_size != "auto":
        return detector.batch_size
    return min(detector._auto_batch_size, n_samples)


def resolve_max_epochs(detector, n_samples: int, y) -> int:
    """Return the epochs of one fit; ``"auto"`` gives about ``_n_steps`` optimiser steps."""
    if detector.max_epochs != "auto":
        return detector.max_epochs
    n_rows = detector._rows_in_epoch(n_samples, y)
    return epochs_for(detector, detector._n_steps, n_rows, detector._epoch_range)


def epochs_for(
    detector: BaseEstimator, n_steps: int, n_rows: int, epoch_range: tuple[int, int]
) -> int:
    """Return the number of epochs that take about ``n_steps`` optimiser steps.

    They never take more than about ``detector._most_steps`` steps, if there are several epochs.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector; its batch size is used.
    n_steps : int
        Number of optimiser steps.
    n_rows : int
        Number of rows in an epoch.
    epoch_range : tuple of two ints
        Smallest and largest number of epochs.

    Returns
    -------
    n_epochs : int
        The number of epochs.
    """
    batch_size = resolve_batch_size(detector, n_rows)
    n_batches = 1 if batch_size == -1 else max(1, round(n_rows / batch_size))
    n_epochs = int(np.clip(-(-n_steps // n_batches), *epoch_range))
    # Otherwise the time of a fit would grow with the rows long after it has converged.
    return min(n_epochs, max(1, round(detector._most_steps / n_batches)))


def _cloned_callbacks(detector) -> list:
    if detector.callbacks is None:
        return []
    for item in detector.callbacks:
        callback = item[1] if isinstance(item, tuple | list) and len(item) == 2 else item
        if callback is not None and not hasattr(callback, "on_train_begin"):
            raise ValueError(
                f"callbacks must hold skorch callbacks or (name, callback) pairs, got {item!r}."
            )
    return clone(list(detector.callbacks), safe=False)


def _seeded_split(detector, seed: int):
    if isinstance(detector.train_split, Real):
        return ValidSplit(float(detector.train_split), random_state=seed)
    return detector.train_split
