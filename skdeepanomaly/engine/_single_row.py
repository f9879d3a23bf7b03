"""A single row through layers, in numpy: for small networks much faster than torch."""

from collections.abc import Callable

import numpy as np
from torch import nn

Step = Callable[[np.ndarray], np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function; of large negative numbers it is 0."""
    # By tanh, which does not overflow.
    return 0.5 * np.tanh(0.5 * x) + 0.5


def numpy_layers(*modules: nn.Module) -> Step | None:
    """Return a function that maps one row as the layers do, with their weights as they are.

    Parameters
    ----------
    *modules : torch.nn.Module
        Modules that are called one after the other: linear layers, activations, dropout, which
        does nothing in evaluation, and sequences of these.

    Returns
    -------
    forward : callable or None
        Maps an array (n_in,) to an array (n_out,), float32. None if there is another layer, or
        if a layer is not on the CPU.
    """
    steps: list[Step] = []
    for module in modules:
        step = _numpy_layer(module)
        if step is None:
            return None
        steps.append(step)

    def forward(x: np.ndarray) -> np.ndarray:
        for step in steps:
            x = step(x)
        return x

    return forward


def _numpy_layer(module: nn.Module) -> Step | None:
    # Hooks may change anything.
    if module._forward_hooks or module._forward_pre_hooks:
        return None
    # A subclass may do something else, but MLP and its like are sequences and nothing more.
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        return numpy_layers(*module)
    if type(module) is nn.Linear and module.weight.device.type == "cpu":
        weight = module.weight.detach().numpy().copy()
        if module.bias is None:
            return lambda x: weight @ x
        bias = module.bias.detach().numpy().copy()
        return lambda x: weight @ x + bias
    if type(module) is nn.LeakyReLU:
        slope = np.float32(module.negative_slope)
        return lambda x: np.where(x > 0, x, slope * x)
    if type(module) is nn.ELU:
        alpha = np.float32(module.alpha)
        return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return _PLAIN.get(type(module))


_PLAIN: dict[type[nn.Module], Step] = {
    nn.ReLU: lambda x: np.maximum(x, 0),
    nn.Tanh: np.tanh,
    nn.Sigmoid: sigmoid,
    nn.SiLU: lambda x: x * sigmoid(x),
    nn.Dropout: lambda x: x,
    nn.Identity: lambda x: x,
}
