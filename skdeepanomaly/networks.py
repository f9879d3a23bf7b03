"""Layers and parts of networks that several families share."""

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
    """A linear layer with spectral normalisation.

    The weight is divided by an estimate of its largest singular value, so that the layer does
    not increase distances. In training each pass updates the estimate with one step of power
    iteration (Miyato et al., "Spectral normalization for generative adversarial networks",
    ICLR 2018, algorithm 1). The layer can be pickled, unlike torch's parametrisation.

    Parameters
    ----------
    in_features, out_features : int
        Widths of the input and the output.
    bias : bool, default=True
        Whether the layer has a bias.
    """

    direction: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("direction", F.normalize(torch.randn(out_features), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, in_features) to (n, out_features)."""
        # Power iteration: no gradient flows through the singular vectors.
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
        Widths of all layers, from the input to the output.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    bias : bool, default=True
        Whether the layers have biases.
    output_activation : str or None, default=None
        Activation of the output, a key of ``ACTIVATIONS``.
    linear : callable, default=torch.nn.Linear
        Class of the linear layers, called with two widths and ``bias``.
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

    def after_first(self, x: Tensor) -> Tensor:
        """Map outputs (..., dims[1]) of the first layer, which were computed in another way."""
        for layer in list(self)[1:]:
            x = layer(x)
        return x


def is_exporting() -> bool:
    """Whether torch records the calls for a graph that is exported, with any number of rows."""
    # Torch before 2.7 does not say so.
    asked = getattr(torch.compiler, "is_exporting", None)
    return asked is not None and bool(asked())


def rowwise_product(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``x @ weight``, with a rounding of each row that does not depend on its position.

    The score of a row must not depend on the other rows. In a float32 product with few output
    columns it does: torch adds up the terms of a row in an order that depends on the position
    of the row in its block. This function computes ``(weight^T x^T)^T``. The rows are then the
    columns of the computed product, and all of them are rounded alike. The engine does the
    same for :class:`torch.nn.Linear` where it scores rows. All other matrix products that a
    score depends on use this function, or are sums over elementwise products.

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
    """Linear layers of several networks, evaluated as one batched matrix product.

    Parameters
    ----------
    n_members : int
        Number of networks.
    n_in, n_out : int
        Widths of the input and the output of each layer.
    bias : bool, default=True
        Whether the layers have biases.
    """

    def __init__(self, n_members: int, n_in: int, n_out: int, *, bias: bool = True):
        super().__init__()
        # The range of the initial weights is the same as in nn.Linear.
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

    def extra_repr(self) -> str:
        """Return what torch shows of the layer."""
        n_members, n_in, n_out = self.weight.shape
        return f"{n_members} networks, {n_in} to {n_out}"


class MembersLinear(PackedLinear):
    """A :class:`PackedLinear` whose first axis is that of the rows, as in other layers.

    Parameters
    ----------
    n_members : int
        Number of networks.
    n_in, n_out : int
        Widths of the input and the output of each layer.
    bias : bool, default=True
        Whether the layers have biases.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (n, n_members, n_in), or (n, n_in) for all, to (n, n_members, n_out)."""
        return super().forward(self._members_first(x)).transpose(0, 1)

    def transposed(self, z: Tensor, bias: Tensor) -> Tensor:
        """Map (n, n_members, n_out) by the transposed weights to (n, n_members, n_in)."""
        product = rowwise_product(self._members_first(z), self.weight.transpose(1, 2))
        return product.transpose(0, 1) + bias

    def _members_first(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return x.expand(self.weight.shape[0], -1, -1)
        return x.transpose(0, 1)


def linear_layer(n_members: int) -> Callable[..., nn.Module]:
    """Return what makes a linear layer of one network, or of several that train together.

    Parameters
    ----------
    n_members : int
        Number of networks.

    Returns
    -------
    make : callable
        Called with two widths and ``bias``.
    """
    return nn.Linear if n_members == 1 else partial(MembersLinear, n_members)


def discriminator_layers(
    n_inputs: int,
    hidden_dims: Sequence[int],
    n_outputs: int,
    dropout: float = 0.0,
    spectral_norm: bool = False,
    n_members: int = 1,
) -> tuple[MLP, nn.Module]:
    """Return the hidden layers of a discriminator, and its last layer.

    Parameters
    ----------
    n_inputs : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    n_outputs : int
        Number of logits.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    spectral_norm : bool, default=False
        Whether the weight matrices are divided by their largest singular values.
    n_members : int, default=1
        Number of discriminators that train together; several have no spectral norm.

    Returns
    -------
    body : MLP
        The hidden layers; their output is the features of the discriminator.
    head : torch.nn.Module
        The last layer, from the features to the logits.
    """
    dims = [n_inputs, *hidden_dims]
    linear = SpectralLinear if spectral_norm else linear_layer(n_members)
    body = MLP(
        dims,
        activation="leaky_relu",
        dropout=dropout,
        output_activation="leaky_relu",
        linear=linear,
    )
    return body, linear(dims[-1], n_outputs)


def initialize_leaky(network: nn.Module) -> None:
    """Initialise all linear layers for leaky ReLU activations.

    The weights are drawn by Kaiming initialisation, and the biases are zero.

    Parameters
    ----------
    network : torch.nn.Module
        The network; its layers are changed in place.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)
