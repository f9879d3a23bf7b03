"""Networks of one-class methods."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...networks import MLP


class Encoder(nn.Module):
    """A multilayer perceptron without biases, from rows to codes.

    A network with biases could map all rows to the same code, which would be a useless
    optimum of the loss. Without biases, and with an unbounded activation, it can do so only
    if all weights of a layer are zero.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    latent_dim : int
        Width of the code.
    activation : str, default="leaky_relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        dims = [n_features, *hidden_dims, latent_dim]
        self.layers = MLP(dims, activation=activation, dropout=dropout, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.layers(x)
