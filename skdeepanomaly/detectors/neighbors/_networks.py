"""Networks that predict the distance of a row to its neighbours."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...networks import MLP


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
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        activation: str = "silu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.layers = MLP([n_features, *hidden_dims, 1], activation=activation, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to numbers (n, 1)."""
        return self.layers(x)
