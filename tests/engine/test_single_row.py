"""A single row through layers, in numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from skdeepanomaly.engine import numpy_layers
from skdeepanomaly.networks import ACTIVATIONS, MLP

# Without one in numpy.
OTHERS = {"gelu"}


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in OTHERS])
def test_the_numbers_are_those_of_torch(activation):
    module = MLP([5, 16, 3], activation=activation, dropout=0.5, output_activation="tanh")
    module.eval()
    rows = 10 * torch.randn(20, 5)
    rows[0] = 1e4
    forward = numpy_layers(module)
    found = np.stack([forward(row.numpy()) for row in rows])
    np.testing.assert_allclose(found, module(rows).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32


def test_modules_are_called_one_after_the_other():
    first, second = nn.Linear(4, 6), nn.Linear(6, 2, bias=False)
    x = torch.randn(4)
    found = numpy_layers(first, nn.Identity(), second)(x.numpy())
    np.testing.assert_allclose(found, second(first(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_weights_are_those_of_the_call():
    layer = nn.Linear(2, 2)
    forward = numpy_layers(layer)
    before = forward(np.ones(2, dtype=np.float32))
    nn.init.zeros_(layer.weight)
    np.testing.assert_array_equal(forward(np.ones(2, dtype=np.float32)), before)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Reversed(nn.Sequential):
    def forward(self, x):
        return x.flip(0)


def with_hook():
    layer = nn.Linear(3, 3)
    layer.register_forward_hook(lambda module, x, output: 2 * output)
    return layer


@pytest.mark.parametrize(
    "module",
    [
        nn.GELU(),
        nn.LayerNorm(3),
        Doubled(3, 3),
        Reversed(nn.ReLU()),
        with_hook(),
        nn.Sequential(nn.ReLU(), nn.Sequential(nn.Softmax(0))),
        nn.Linear(3, 3, device="meta"),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_is_not_known_is_left_to_torch(module):
    assert numpy_layers(nn.ReLU(), module) is None
