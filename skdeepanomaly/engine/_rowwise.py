"""Linear layers that round a row alike wherever it stands in a block."""

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode


class RowwiseLinear(TorchFunctionMode):
    """Context in which linear layers round all rows of a block alike.

    On some processors :func:`torch.nn.functional.linear` in float32 adds up the terms of a row
    in an order that depends on the position of the row: MKL does so on AMD's, for layers with
    few outputs. The transposed product does not, and takes the same time. The context covers
    the layers of custom modules, too. It does not change what happens on a GPU.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call a function of torch; called by torch."""
        if func is F.linear:
            func = _rowwise_linear
        return func(*args, **(kwargs or {}))


def _rowwise_linear(input, weight, bias=None):
    if input.device.type != "cpu":
        return F.linear(input, weight, bias)
    columns = input.reshape(-1, input.shape[-1]).mT
    if bias is None:
        product = weight @ columns
    else:
        product = torch.addmm(bias[:, None], weight, columns)
    return product.mT.reshape(*input.shape[:-1], len(weight))
