"""Training and evaluation of networks in torch, for all detectors.

Training is based on skorch: :class:`DetectorNet` is a :class:`skorch.NeuralNet` whose target
is its input. It replaces the parts of skorch that are slow for small batches, and keeps
callbacks, validation, history, early stopping and learning-rate schedulers.
"""

from ._adversarial_net import AdversarialNet
from ._annealed_net import AnnealedNet
from ._blocks import (
    BLOCK_ROWS,
    block_sizes,
    iter_outputs,
    map_in_blocks,
    mean_over_rows,
    spread_tensor,
    widest_output,
)
from ._defaults import evaluation_defaults, export_defaults, single_row_defaults, torch_defaults
from ._device import check_device
from ._loader import SHUFFLE_BUFFER_BYTES, TensorLoader
from ._net import DetectorNet, StopTraining
from ._one_cycle_net import OneCycleNet
from ._plain_state import MODULE, pack, unpack
from ._random import draw_seed, isolated_rng, rng_states, set_rng_states
from ._single_row import numpy_layers, sigmoid

__all__ = [
    "BLOCK_ROWS",
    "MODULE",
    "SHUFFLE_BUFFER_BYTES",
    "AdversarialNet",
    "AnnealedNet",
    "DetectorNet",
    "OneCycleNet",
    "StopTraining",
    "TensorLoader",
    "block_sizes",
    "check_device",
    "draw_seed",
    "evaluation_defaults",
    "export_defaults",
    "isolated_rng",
    "iter_outputs",
    "map_in_blocks",
    "mean_over_rows",
    "numpy_layers",
    "pack",
    "rng_states",
    "set_rng_states",
    "sigmoid",
    "single_row_defaults",
    "spread_tensor",
    "torch_defaults",
    "unpack",
    "widest_output",
]
