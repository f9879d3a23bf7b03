"""Networks: plain torch modules that know nothing of scikit-learn or of training."""

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
    """

    def __init__(
        self,
        dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        bias: bool = True,
        output_activation: str | None = None,
    ):
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(dims):
            if layers:
                layers.append(ACTIVATIONS[activation]())
                if dropout:
                    layers.append(nn.Dropout(dropout))
            layers.append(nn.Linear(n_in, n_out, bias=bias))
        if output_activation is not None:
            layers.append(ACTIVATIONS[output_activation]())
        super().__init__(*layers)


class TiedDecoder(nn.Module):
    """The transpose of an encoder: its weights, biases of its own.

    Parameters
    ----------
    encoder : MLP
        The weights to share.
    dims : sequence of int
        Widths from the code to the output.
    activation, dropout, output_activation
        As in :class:`MLP`.
    """

    def __init__(
        self,
        encoder: MLP,
        dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        output_activation: str | None = None,
    ):
        super().__init__()
        # In a list, so that the shared weights are registered once, with the encoder.
        self._linears = [layer for layer in encoder if isinstance(layer, nn.Linear)][::-1]
        self.biases = nn.ParameterList(torch.zeros(dim) for dim in dims[1:])
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.output_activation = (
            nn.Identity() if output_activation is None else ACTIVATIONS[output_activation]()
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        for i, (linear, bias) in enumerate(zip(self._linears, self.biases, strict=True)):
            if i:
                z = self.dropout(self.activation(z))
            z = F.linear(z, linear.weight.t(), bias)
        return self.output_activation(z)


class AutoEncoderNetwork(nn.Module):
    """An encoder to a code and a decoder back.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int
        Width of the code.
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    activation, dropout, output_activation
        As in :class:`MLP`; the output activation is the decoder's.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        tied: bool = False,
        output_activation: str | None = None,
    ):
        super().__init__()
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder = MLP(dims, activation=activation, dropout=dropout)
        if tied:
            self.decoder: nn.Module = TiedDecoder(
                self.encoder,
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
            )
        else:
            self.decoder = MLP(
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
            )

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""
        return self.decoder(self.encoder(x))


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
        self.discriminator_body = MLP(
            [n_features + latent_dim, *hidden_dims],
            activation="leaky_relu",
            dropout=dropout,
            output_activation="leaky_relu",
        )
        last_dim = [n_features + latent_dim, *hidden_dims][-1]
        self.discriminator_head = nn.Linear(last_dim, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
                nn.init.zeros_(layer.bias)

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
