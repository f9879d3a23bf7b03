"""Types that annotations share.

Rows are ``ArrayLike``, which takes lists, arrays, tensors and data frames alike: the frames of
pandas, polars and pyarrow all have ``__array__``. A union of their classes would need them
installed.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

RandomState: TypeAlias = int | np.random.RandomState | None
Contamination: TypeAlias = float | Literal["auto"]
Activation: TypeAlias = Literal["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "tanh"]

# A class is called as any function would be that returns a module.
Module: TypeAlias = torch.nn.Module | Callable[..., torch.nn.Module]
Optimizer: TypeAlias = Callable[..., torch.optim.Optimizer]
Device: TypeAlias = str | torch.device
# skorch has no types; and to a type checker, a list of EarlyStopping is no list of Callback.
Callbacks: TypeAlias = list[Any] | tuple[Any, ...]
TrainSplit: TypeAlias = float | Callable[..., Any]
