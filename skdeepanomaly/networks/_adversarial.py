"""Networks that play against each other."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._layers import LEAK, MLP


def discriminator_layers(
    n_inputs: int, hidden_dims: Sequence[int], n_outputs: int, dropout: float = 0.0
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
    """
    dims = [n_inputs, *hidden_dims]
    body = MLP(dims, activation="leaky_relu", dropout=dropout, output_activation="leaky_relu")
    return body, nn.Linear(dims[-1], n_outputs)


def initialize_leaky(network: nn.Module) -> None:
    """Draw the weights of all linear layers for leaky rectifiers; biases are zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)


class GANNetwork(nn.Module):
    """Generator of rows and discriminator of rows.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the hidden layers of the discriminator; the generator mirrors them.
    latent_dim : int
        Width of the code.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training.
    n_outputs : int, default=1
        Number of the discriminator's logits.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
        n_outputs: int = 1,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        self.generator = MLP(
            [latent_dim, *reversed(hidden_dims), n_features], activation="leaky_relu"
        )
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            n_features, hidden_dims, n_outputs, dropout
        )
        initialize_leaky(self)

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.generator(z)

    def discriminator_features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer of the discriminator on rows."""
        return self.discriminator_body(x)

    def discriminate(self, x: Tensor) -> Tensor:
        """Return the logits (n, n_outputs) that rows are real."""
        return self.discriminator_head(self.discriminator_features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the discriminator's logits of rows (n, n_features)."""
        return self.discriminate(x)


class BiGANNetwork(nn.Module):
    """Encoder, generator and joint discriminator of a bidirectional GAN.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the hidden layers of the encoder and of the discriminator; the
        generator mirrors them.
    latent_dim : int
        Width of the code.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder = MLP(dims, activation="leaky_relu")
        self.generator = MLP(dims[::-1], activation="leaky_relu")
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            n_features + latent_dim, hidden_dims, 1, dropout
        )
        initialize_leaky(self)

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(x)

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.generator(z)

    def discriminator_features(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the last hidden layer of the discriminator on pairs."""
        return self.discriminator_body(torch.cat([x, z], dim=1))

    def discriminate(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that pairs come from the encoder."""
        return self.discriminator_head(self.discriminator_features(x, z))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the reconstructions of rows and the features of both kinds of pairs."""
        z = self.encode(x)
        reconstruction = self.generate(z)
        return (
            reconstruction,
            self.discriminator_features(x, z),
            self.discriminator_features(reconstruction, z),
        )
