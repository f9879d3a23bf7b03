"""Networks that predict the distance of a row to its neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...networks import MLP, linear_layer


class DistanceNetwork(nn.Module):
    """A multilayer perceptron from rows to one number, the logarithm of a distance.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    activation : str, default="silu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    n_members : int, default=1
        Number of networks that train together; outputs of several are (n, n_members, 1).
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        activation: str = "silu",
        dropout: float = 0.0,
        n_members: int = 1,
    ):
        super().__init__()
        self.layers = MLP(
            [n_features, *hidden_dims, 1],
            activation=activation,
            dropout=dropout,
            linear=linear_layer(n_members),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to numbers (n, 1)."""
        return self.layers(x)


class DistanceCombination(nn.Module):
    """A logit from the distances of a row to its neighbours.

    With weights it is a linear function, which rises, of a weighted mean of the distances. A
    network reads all distances and gives the weights.

    Parameters
    ----------
    n_features : int
        Number of distances.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    weighted : bool, default=True
        Whether the network gives the weights of a mean; otherwise it gives the logit.
    activation : str, default="relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        weighted: bool = True,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        n_outputs = n_features if weighted else 1
        dims = [n_features, *hidden_dims, n_outputs]
        self.layers = MLP(dims, activation=activation, dropout=dropout)
        self.weighted = weighted
        if weighted:
            # Distances come in units of their mean over the training rows.
            self.log_slope = nn.Parameter(torch.zeros(()))
            self.threshold = nn.Parameter(torch.ones(()))

    def forward(self, distances: Tensor) -> Tensor:
        """Map distances (n, n_features) to logits (n, 1)."""
        output = self.layers(distances)
        if not self.weighted:
            return output
        mean = (output.softmax(dim=1) * distances).sum(dim=1, keepdim=True)
        return self.log_slope.exp() * (mean - self.threshold)
