"""From JSON and arrays to Python objects, without code of a file's choice."""

from typing import Any

import numpy as np
import torch

from ..engine import MODULE
from . import _allowed
from ._native import STATES, check_object

# The kinds of dtypes, such as "f8" or "M8[ns]".
_DTYPES = "biufmMOU"


class Decoder:
    """Decodes what :class:`Encoder` has encoded.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays of the file.

    Attributes
    ----------
    unread : set of str
        Names of the arrays that no node has asked for yet.
    """

    def __init__(self, arrays: dict[str, np.ndarray]):
        self._arrays = arrays
        self.unread = set(arrays)
        self._made: list = []

    def decode(self, node: Any) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node : object
            A node of the JSON.

        Returns
        -------
        value : object
            The value.

        Raises
        ------
        ValueError
            If a node is not one that ``Encoder`` makes, or names what a file may not name.
            Nodes that are otherwise wrong may raise other errors, too.
        """
        if node is None or type(node) in (str, bool, int, float):
            return node
        if type(node) is list:
            return list(map(self.decode, node))
        kind = next(iter(node), None)
        decode = None if kind is None else _KINDS.get(kind)
        if decode is None:
            raise ValueError(f"it holds a node of the unknown kind {kind!r}")
        return decode(self, node)

    def _float(self, node: Any) -> Any:
        if node["float"] not in ("nan", "inf", "-inf"):
            raise ValueError(f"it holds {node['float']!r} in place of a float")
        return float(node["float"])

    def _tuple(self, node: Any) -> Any:
        return tuple(self.decode(node["tuple"]))

    def _set(self, node: Any) -> Any:
        return set(self.decode(node["set"]))

    def _slice(self, node: Any) -> Any:
        return slice(*self.decode(node["slice"]))

    def _dict(self, node: Any) -> Any:
        found = {self.decode(key): self.decode(value) for key, value in node["dict"]}
        if MODULE in found:
            _check_attributes(found[MODULE], found["state"])
        return found

    def _mapping(self, node: Any) -> Any:
        mapping = _allowed.MAPPINGS[node["mapping"]]()
        for key, value in node["pairs"]:
            mapping[self.decode(key)] = self.decode(value)
        return mapping

    def _dtype(self, node: Any) -> Any:
        return _read_dtype(node["dtype"])

    def _device(self, node: Any) -> Any:
        return torch.device(node["device"])

    def _name(self, node: Any) -> Any:
        if node["name"] not in _allowed.named():
            raise ValueError(
                f"it holds the name {node['name']!r}, which is not on the list of names"
            )
        return _allowed.named()[node["name"]]

    def _masked(self, node: Any) -> Any:
        data, mask = (self.decode(node["masked"][name]) for name in ("data", "mask"))
        return np.ma.MaskedArray(data, mask)

    def _text(self, node: Any) -> Any:
        return np.str_(node["text"])

    def _scalar(self, node: Any) -> Any:
        return self._read_array(node["scalar"])[()]

    def _same(self, node: Any) -> Any:
        number = node["same"]
        value = self._made[number] if number >= 0 else None
        if value is None:
            raise ValueError(f"it refers to the object number {number}, which is not there")
        return value

    def _objects(self, node: Any) -> Any:
        place = self._place()
        values = self.decode(node["objects"])
        array = np.empty(len(values), dtype=object)
        # One by one: of a list of tuples numpy would make an array of more dimensions.
        for i, value in enumerate(values):
            array[i] = value
        return self._put(place, array.reshape(node["shape"]))

    def _strings(self, node: Any) -> Any:
        values = node["strings"]
        if not all(type(value) is str for value in values):
            raise ValueError("it holds an array of strings with other values")
        array = np.array(values, dtype=np.str_).reshape(node["shape"])
        return self._put(self._place(), array)

    def _array(self, node: Any) -> Any:
        return self._put(self._place(), self._read_array(node))

    def _read_array(self, node: Any) -> np.ndarray:
        name = node["array"]
        if name not in self._arrays:
            raise ValueError(f"its array {name!r} is missing")
        self.unread.discard(name)
        array, dtype = self._arrays[name], _read_dtype(node["dtype"])
        held = np.dtype(np.int64) if dtype.kind in "mM" else dtype
        if array.dtype != held or list(array.shape) != node["shape"]:
            raise ValueError(
                f"its array {name!r} has the dtype {array.dtype} and the shape"
                f" {list(array.shape)}, expected {held} and {node['shape']}"
            )
        # A copy that is writable, in the order in memory that it had.
        array = np.array(array, order="C").view(dtype)
        return array.T if "is_transposed" in node else array

    def _object(self, node: Any) -> Any:
        name = node["object"]
        kind: Any = _allowed.made().get(name)
        if kind is None:
            raise ValueError(
                f"it holds an object of {name!r}, which is not on the list of classes"
            )
        place = self._place()
        if kind in STATES:
            state = {key: self.decode(value) for key, value in node["state"].items()}
            return self._put(place, STATES[kind][1](state))
        # As unpickling does: no constructor runs.
        value = self._put(place, kind.__new__(kind))
        state = {key: self.decode(item) for key, item in node["state"].items()}
        _check_attributes(kind, state)
        if hasattr(kind, "__setstate__"):
            value.__setstate__(state)
        else:
            vars(value).update(state)
        check_object(value)
        return value

    def _place(self) -> int:
        """Take the next number, under which a value can be found again."""
        self._made.append(None)
        return len(self._made) - 1

    def _put(self, place: int, value: Any) -> Any:
        self._made[place] = value
        return value


_KINDS = {
    "array": Decoder._array,
    "device": Decoder._device,
    "dict": Decoder._dict,
    "dtype": Decoder._dtype,
    "float": Decoder._float,
    "mapping": Decoder._mapping,
    "masked": Decoder._masked,
    "name": Decoder._name,
    "object": Decoder._object,
    "objects": Decoder._objects,
    "same": Decoder._same,
    "scalar": Decoder._scalar,
    "set": Decoder._set,
    "slice": Decoder._slice,
    "strings": Decoder._strings,
    "text": Decoder._text,
    "tuple": Decoder._tuple,
}


def _read_dtype(name: str) -> np.dtype:
    if type(name) is not str or name[:1] not in _DTYPES or "," in name:
        raise ValueError(f"it holds the dtype {name!r}, which no array has")
    dtype = np.dtype(name)
    if dtype.kind not in _DTYPES or dtype.shape or dtype.fields:
        raise ValueError(f"it holds the dtype {name!r}, which no array has")
    return dtype


def _check_attributes(kind: type, state: dict) -> None:
    """Raise a ValueError for attributes that would take the place of a method."""
    for name in state:
        hides = callable(getattr(kind, name, None))
        if hides or name.startswith(("__", "compile__")):
            raise ValueError(
                f"it sets the attribute {name!r} of {kind.__name__}, which no file may set"
            )
