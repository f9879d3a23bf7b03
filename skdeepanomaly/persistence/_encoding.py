"""From Python objects to JSON and arrays."""

import functools
import inspect
from collections import UserList
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from ..engine import MODULE
from . import _allowed
from ._native import STATES

# Kinds of arrays whose bytes are written; those of times are written as integers.
_NUMBERS = "biuf"
_TIMES = "mM"
# What a net is given anew before it is trained further, and needs for no score.
_FOR_TRAINING: dict[str, Any] = {
    "callbacks": [],
    "callbacks_": [],
    "torch_load_kwargs": None,
    "train_split": None,
}


class Encoder:
    """Encodes a value as JSON, and gathers its arrays.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays, by names that the JSON holds.
    """

    def __init__(self):
        self.arrays: dict[str, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        # An object that is kept alive keeps its identity for itself.
        self._kept: list = []

    def encode(self, value: Any, path: str) -> Any:
        """Return a node of the JSON.

        Parameters
        ----------
        value : object
            The value.
        path : str
            Where it was found, for the names of arrays and for messages.

        Returns
        -------
        node : object
            A string, a number, a bool, None, a list of nodes, or a dict whose first key is the
            kind of the node.

        Raises
        ------
        TypeError
            If a value is not among those that a file may hold.
        """
        kind = type(value)
        if value is None or kind in (str, bool, int):
            return value
        if kind is float:
            # JSON has no infinity.
            return value if np.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return self._items(value, path)
        if isinstance(value, UserList):
            # Older versions of scikit-learn keep columns in one, to warn of its use.
            return self._items(value.data, path)
        if kind is tuple:
            return {"tuple": self._items(value, path)}
        if kind is set:
            return {"set": self._items(sorted(value, key=repr), path)}
        if kind is slice:
            return {"slice": self._items([value.start, value.stop, value.step], path)}
        if kind is dict:
            return {"dict": self._pairs(value, path)}
        if kind in _allowed.MAPPINGS.values():
            return {"mapping": kind.__name__, "pairs": self._pairs(value, path)}
        if kind is torch.device:
            return {"device": str(value)}
        if isinstance(value, np.dtype):
            return {"dtype": _dtype_name(value, path)}
        if isinstance(value, type | np.ufunc) or inspect.isroutine(value):
            return {"name": _name_of(value, path)}
        if kind is np.ma.MaskedArray:
            parts = {"data": value.data, "mask": np.ma.getmaskarray(value)}
            return {"masked": {n: self.encode(v, f"{path}.{n}") for n, v in parts.items()}}
        if isinstance(value, np.generic) and value.dtype.kind == "U":
            return {"text": str(value)}
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value), path)}
        return self._shared(value, path)

    def _items(self, values: Any, path: str) -> list:
        return [self.encode(value, f"{path}[{i}]") for i, value in enumerate(values)]

    def _pairs(self, mapping: dict, path: str) -> list:
        # Weights get the names that they have in a module.
        hidden = {"torch.Tensor", "_buffers", "_modules", "_parameters"}
        hidden |= {"state"} if MODULE in mapping else set()
        return [
            [
                self.encode(key, f"{path} (a key)"),
                self.encode(value, path if key in hidden else f"{path}.{key}"),
            ]
            for key, value in mapping.items()
        ]

    def _shared(self, value: Any, path: str) -> dict:
        """Encode what has an identity: what comes a second time is the same."""
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._kept)
        self._kept.append(value)
        if type(value) is np.ndarray:
            return self._array(value, path)
        kind = type(value)
        name = _allowed.names_of().get(kind)
        if name not in _allowed.made():
            raise _refused(value, path)
        state = STATES[kind][0](value) if kind in STATES else value.__getstate__() or {}
        if isinstance(value, NeuralNet):
            state = {**state, **_FOR_TRAINING}
        if isinstance(value, Pipeline) and value.memory is not None:
            raise TypeError(
                f"{path} has memory={value.memory!r}, a folder of pickles. Call"
                " set_params(memory=None) before, or use joblib."
            )
        for attribute in state:
            if attribute.startswith("compile__"):
                raise TypeError(
                    f"{path} has the parameter {attribute}, and compilers run what such"
                    " parameters say. Train a detector with compile=True alone, or use joblib."
                )
        encoded = {key: self.encode(item, f"{path}.{key}") for key, item in state.items()}
        return {"object": name, "state": encoded}

    def _array(self, array: np.ndarray, path: str) -> dict:
        kind, shape = array.dtype.kind, list(array.shape)
        if kind == "O":
            return {"objects": self._items(list(array.ravel()), path), "shape": shape}
        if kind == "U":
            return {"strings": array.ravel().tolist(), "shape": shape}
        node: dict[str, Any] = {"array": "", "dtype": _dtype_name(array.dtype, path)}
        if kind in _TIMES:
            array = array.view(np.int64)
        elif kind not in _NUMBERS:
            raise _refused(array, path)
        # The order in memory is kept: products can depend on it in the last bit.
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            array, node["is_transposed"] = array.T, True
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        # ascontiguousarray makes a scalar an array of one dimension.
        array = array.reshape(shape if "is_transposed" not in node else shape[::-1])
        name = path if path not in self.arrays else f"{path} ({len(self.arrays)})"
        self.arrays[name] = array
        return {**node, "array": name, "shape": list(array.shape)}


def _dtype_name(dtype: np.dtype, path: str) -> str:
    if dtype.kind not in _NUMBERS + _TIMES + "OU" or (dtype.itemsize > 8 and dtype.kind == "f"):
        raise _refused(dtype, path)
    return dtype.newbyteorder("=").str.lstrip("<>=|")


def _name_of(value: Any, path: str) -> str:
    try:
        name = _allowed.names_of().get(value)
    except TypeError:  # not hashable
        name = None
    if name is None:
        raise _refused(value, path)
    return name


def _refused(value: Any, path: str) -> TypeError:
    """Return the error for a value that no file may hold; it says what to do."""
    is_class = inspect.isclass(value)
    kind = value if is_class else type(value)
    shown = f"{kind.__module__}.{kind.__qualname__}"
    if inspect.isroutine(value) or isinstance(value, functools.partial | np.ufunc):
        named = getattr(value, "func", value)
        name = getattr(named, "__qualname__", repr(named))
        shown = f"the function {getattr(named, '__module__', 'numpy')}.{name}"
        advice = "Use a parameter without functions where there is one, such as a string."
    elif issubclass(kind, Callback):
        advice = "Scores do not need it: call set_params(callbacks=None) before."
    elif issubclass(kind, nn.Module):
        advice = (
            "Modules may be made of layers of torch.nn and of this package. Save the weights of"
            " others with safetensors.torch.save_file(net_.module_.state_dict(), path) and"
            " keep their code."
        )
    elif issubclass(kind, torch.optim.Optimizer):
        advice = "Optimisers may be those of torch.optim."
    elif issubclass(kind, BaseEstimator):
        advice = (
            "Of other libraries these detectors can be saved: IsolationForest, OneClassSVM,"
            " EllipticEnvelope and LocalOutlierFactor of scikit-learn; the user guide, under"
            " 'Saving and loading', lists the transformers."
        )
    elif kind.__module__.startswith(("pandas", "polars", "pyarrow")):
        advice = "Give the detector rows as numpy arrays."
    else:
        advice = "Leave it out."
    return TypeError(
        f"save_detector does not write {shown}, found at {path}: a file holds numbers, names"
        f" and objects of a fixed list of classes. {advice} Or use joblib, and load the file"
        " only where you trust it."
    )
