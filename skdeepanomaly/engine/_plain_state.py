"""Torch modules and tensors as plain state: dicts, numpy arrays and classes."""

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import nn

# Keys of the dicts that stand for a tensor, for a module, and for one that came before.
_TENSOR, MODULE, _SAME = "torch.Tensor", "torch.nn.Module", "same as"
_CONTAINERS = (list, tuple)
_MAPPINGS = (dict, OrderedDict)


class _Packer:
    """What was packed so far, by identity, so that what is shared stays shared."""

    def __init__(self):
        self._numbers: dict[int, int] = {}
        # An object that is kept alive keeps its identity for itself.
        self._kept: list = []

    def pack(self, value: Any) -> Any:
        # A module that is compiled is made from the one that is not.
        value = getattr(value, "_orig_mod", value) if isinstance(value, nn.Module) else value
        is_module = isinstance(value, nn.Module) and _has_plain_state(value)
        if is_module or _is_plain_tensor(value):
            if id(value) in self._numbers:
                return {_SAME: self._numbers[id(value)]}
            self._numbers[id(value)] = len(self._kept)
            self._kept.append(value)
            return self._pack_module(value) if is_module else _pack_tensor(value)
        if type(value) in _CONTAINERS:
            return type(value)(map(self.pack, value))
        if type(value) in _MAPPINGS:
            return type(value)((key, self.pack(item)) for key, item in value.items())
        return value

    def _pack_module(self, module: nn.Module) -> dict:
        # Most of the attributes are the hooks that it does not have.
        bare = vars(nn.Module())
        own = {
            name: self.pack(value)
            for name, value in module.__getstate__().items()
            if name not in bare or not _is_same(value, bare[name])
        }
        return {MODULE: type(module), "state": own}


class _Unpacker:
    """Makes modules and tensors on a device from what :class:`_Packer` made of them."""

    def __init__(self, device: str | torch.device):
        self._device = device
        self._made: list = []

    def unpack(self, value: Any) -> Any:
        if type(value) in _CONTAINERS:
            return type(value)(map(self.unpack, value))
        if type(value) not in _MAPPINGS:
            return value
        if _SAME in value:
            return self._made[value[_SAME]]
        if _TENSOR in value:
            self._made.append(_unpack_tensor(value, self._device))
            return self._made[-1]
        if MODULE in value:
            return self._unpack_module(value[MODULE], value["state"])
        return type(value)((key, self.unpack(item)) for key, item in value.items())

    def _unpack_module(self, kind: type, state: dict) -> nn.Module:
        if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
            raise TypeError(f"{kind!r} is no class of a torch module.")
        # As unpickling does: no constructor of the module's own runs.
        module = kind.__new__(kind)
        nn.Module.__init__(module)
        self._made.append(module)
        module.__setstate__({**vars(module), **self.unpack(state)})
        return module


def pack(value: Any) -> Any:
    """Replace the modules and tensors in a value by plain state.

    What is left are dicts, numpy arrays on the CPU and classes, which any serialiser writes
    and any audit sees. Parts that are shared, such as tied weights, stay shared. What has no
    plain state is left as it is: subclasses of tensors, and modules that say themselves how
    they are pickled.

    Parameters
    ----------
    value : object
        A value; dicts, lists and tuples are searched for modules and tensors.

    Returns
    -------
    plain : object
        The value with plain state, which :func:`unpack` reverts. The arrays share their memory
        with tensors on the CPU.
    """
    return _Packer().pack(value)


def unpack(value: Any, device: str | torch.device = "cpu") -> Any:
    """Make the modules and tensors again that :func:`pack` has replaced.

    Parameters
    ----------
    value : object
        What :func:`pack` returned.
    device : str or torch.device, default="cpu"
        Device of the modules and tensors.

    Returns
    -------
    value : object
        The value.

    Raises
    ------
    TypeError
        If the class of a module is none.
    """
    return _Unpacker(device).unpack(value)


def _has_plain_state(module: nn.Module) -> bool:
    """Whether a module is pickled in the standard way, as a class and its attributes."""
    kind = type(module)
    return (kind.__reduce_ex__, kind.__reduce__) == (object.__reduce_ex__, object.__reduce__)


def _is_plain_tensor(value: Any) -> bool:
    return (
        type(value) in (torch.Tensor, nn.Parameter)
        and value.layout == torch.strided
        and not value.is_quantized
        and value.device.type != "meta"
    )


def _is_same(value: Any, other: Any) -> bool:
    """Whether an attribute of a module is what it is in a bare one."""
    plain = (bool, dict, OrderedDict, set, type(None))
    return type(value) is type(other) and isinstance(value, plain) and value == other


def _pack_tensor(tensor: torch.Tensor) -> dict:
    # The order of the dimensions in memory is kept: products of matrices can depend on it in
    # the last bit.
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    values = tensor.detach().cpu().resolve_conj().resolve_neg().permute(order).contiguous()
    packed: dict[str, Any] = {}
    if order != sorted(order):
        packed["order"] = order
    if isinstance(tensor, nn.Parameter):
        packed["is_parameter"] = True
    if tensor.requires_grad:
        packed["requires_grad"] = True
    if values.dtype == torch.bfloat16:
        # numpy does not have it.
        packed["is_bfloat16"] = True
        values = values.view(torch.int16)
    return {_TENSOR: values.numpy(), **packed}


def _unpack_tensor(packed: dict, device) -> torch.Tensor:
    values = np.asarray(packed[_TENSOR])
    if not (values.flags.writeable and values.flags.c_contiguous):
        values = values.copy()
    tensor = torch.from_numpy(values)
    if "is_bfloat16" in packed:
        tensor = tensor.view(torch.bfloat16)
    if "order" in packed:
        tensor = tensor.permute(np.argsort(packed["order"]).tolist())
    tensor = tensor.to(device)
    requires_grad = packed.get("requires_grad", False)
    if "is_parameter" in packed:
        return nn.Parameter(tensor, requires_grad=requires_grad)
    return tensor.requires_grad_(requires_grad)
