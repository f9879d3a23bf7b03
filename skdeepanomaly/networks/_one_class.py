"""Networks of one-class methods."""

from collections.abc import Sequence

from torch import Tensor, nn

from ._layers import MLP
from ._reconstruction import AutoEncoderNetwork


class Encoder(nn.Module):
    """A multilayer perceptron without biases, from rows to codes.

    Without biases, and with an activation that is not bounded, the network cannot map
    every row to one constant code unless all of its weights are zero.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    latent_dim : int
        Width of the code.
    activation : str, default="leaky_relu"
        A key of ``ACTIVATIONS``.
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


class CodingAutoEncoder(nn.Module):
    """An auto-encoder that also returns its codes, for losses that look at both.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, activation, dropout
        As in :class:`AutoEncoderNetwork`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.auto_encoder = AutoEncoderNetwork(
            n_features, hidden_dims, latent_dim, activation=activation, dropout=dropout
        )

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.auto_encoder.encode(x)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes (n, latent_dim) of rows (n, n_features), and the rows rebuilt."""
        codes = self.encode(x)
        return codes, self.auto_encoder.decoder(codes)
