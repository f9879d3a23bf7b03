"""Types of torch and skorch that annotations share."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch

# A class is called as any function would be that returns a module.
Module: TypeAlias = torch.nn.Module | Callable[..., torch.nn.Module]
Optimizer: TypeAlias = Callable[..., torch.optim.Optimizer]
Device: TypeAlias = str | torch.device
# skorch has no types; and to a type checker, a list of EarlyStopping is no list of Callback.
Callbacks: TypeAlias = list[Any] | tuple[Any, ...]
TrainSplit: TypeAlias = float | Callable[..., Any]
