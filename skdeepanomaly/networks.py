"""Layers and parts of networks that several families share; torch only."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.1
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": partial(nn.LeakyReLU, LEAK),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class SpectralLinear(nn.Linear):
    """A linear layer that stretches no input by more than a factor of one.

    The weight is divided by an estimate of its largest singular value, which one step
    of power iteration renews in each pass in training (Miyato et al., "Spectral
    normalization for generative adversarial networks", ICLR 2018). Unlike torch's
    parametrisation it can be pickled.
    """

    direction: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("direction", F.normalize(torch.randn(out_features), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, in_features) to (n, out_features)."""
        with torch.no_grad():
            left = self.direction
            right = F.normalize(self.weight.t().mv(left), dim=0)
            if self.training:
                left = F.normalize(self.weight.mv(right), dim=0)
                self.direction = left
        return F.linear(x, self.weight / left.dot(self.weight.mv(right)), self.bias)


class MLP(nn.Sequential):
    """Linear layers with an activation, and optionally dropout, between them.

    Parameters
    ----------
    dims : sequence of int
        Widths from the input to the output.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    bias : bool, default=True
        Whether the layers have biases.
    output_activation : str or None, default=None
        Activation of the last layer.
    linear : callable, default=torch.nn.Linear
        Makes a linear layer of its widths and ``bias``.
    """

    def __init__(
        self,
        dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        bias: bool = True,
        output_activation: str | None = None,
        linear: Callable[..., nn.Module] = nn.Linear,
    ):
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(dims):
            if layers:
                layers.append(ACTIVATIONS[activation]())
                if dropout:
                    layers.append(nn.Dropout(dropout))
            layers.append(linear(n_in, n_out, bias=bias))
        if output_activation is not None:
            layers.append(ACTIVATIONS[output_activation]())
        super().__init__(*layers)


def rowwise_product(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply rows by a weight so that each row is rounded alike, wherever it stands.

    The score of a row must not depend on the rows around it, and float32 products of narrow
    outputs do: torch adds the terms of a row in another order at other places of a block.
    Here the rows are the columns of the product that is computed, ``(W^T x^T)^T``, which
    treats them alike. Layers of :class:`torch.nn.Linear` do so, too. All other products on
    the way to a score go through this function, or are sums over elementwise products.

    Parameters
    ----------
    x : Tensor of shape (n, n_in) or (k, n, n_in)
        The rows, or k batches of them.
    weight : Tensor of shape (n_in, n_out) or (k, n_in, n_out)
        The weight, one for each batch.

    Returns
    -------
    product : Tensor of shape (n, n_out) or (k, n, n_out)
    """
    product = torch.bmm if x.dim() == 3 else torch.mm
    return product(weight.transpose(-2, -1), x.transpose(-2, -1)).transpose(-2, -1)


class PackedLinear(nn.Module):
    """Linear layers of several networks, evaluated as one batched product.

    Parameters
    ----------
    n_members : int
        Number of networks.
    n_in, n_out : int
        Widths of each layer.
    bias : bool, default=True
        Whether the layers have biases.
    """

    def __init__(self, n_members: int, n_in: int, n_out: int, *, bias: bool = True):
        super().__init__()
        # The range of nn.Linear.
        bound = n_in**-0.5
        weight = torch.empty(n_members, n_in, n_out).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = None
        if bias:
            self.bias = nn.Parameter(torch.empty(n_members, 1, n_out).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map the inputs (n_members, n, n_in) of all networks to (n_members, n, n_out)."""
        product = rowwise_product(x, self.weight)
        return product if self.bias is None else product + self.bias


def discriminator_layers(
    n_inputs: int,
    hidden_dims: Sequence[int],
    n_outputs: int,
    dropout: float = 0.0,
    spectral_norm: bool = False,
) -> tuple[MLP, nn.Linear]:
    """Make the body of a discriminator, which gives its features, and the last layer.

    Parameters
    ----------
    n_inputs : int
        Width of what it judges.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    n_outputs : int
        Number of logits.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    spectral_norm : bool, default=False
        Whether the weights are divided by their largest singular values.
    """
    dims = [n_inputs, *hidden_dims]
    linear = SpectralLinear if spectral_norm else nn.Linear
    body = MLP(
        dims,
        activation="leaky_relu",
        dropout=dropout,
        output_activation="leaky_relu",
        linear=linear,
    )
    return body, linear(dims[-1], n_outputs)


def initialize_leaky(network: nn.Module) -> None:
    """Draw the weights of all linear layers for leaky rectifiers; biases are zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)
