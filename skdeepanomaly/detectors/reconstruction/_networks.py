"""Networks that rebuild rows."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import ACTIVATIONS, MLP, discriminator_layers

# Bounds of the logarithms of the variances of codes.
MAX_LOG_VARIANCE = 10.0


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

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""
        return self.decoder(self.encoder(x))


class VariationalNetwork(nn.Module):
    """An encoder to a distribution of codes and a decoder to one of rows.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int
        Width of the code.
    n_parameters : int, default=2
        Number of parameters of the distribution of one feature.
    activation, dropout
        As in :class:`MLP`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        n_parameters: int = 2,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = MLP(
            [n_features, *hidden_dims, 2 * latent_dim], activation=activation, dropout=dropout
        )
        self.decoder = MLP(
            [latent_dim, *reversed(hidden_dims), n_parameters * n_features],
            activation=activation,
            dropout=dropout,
        )

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances (n, latent_dim) of the codes of rows."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to the means of their codes (n, latent_dim)."""
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Map codes to parameters (n, n_parameters * n_features) of rows' distribution."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what one code of each row decodes to, and the moments of the codes.

        In training the code is drawn, such that gradients reach its moments; else it is
        the mean.
        """
        mean, log_variance = self.posterior(x)
        z = mean
        if self.training:
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decode(z), mean, log_variance


class AdversarialAutoEncoderNetwork(AutoEncoderNetwork):
    """An auto-encoder and a discriminator of its codes.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, activation, dropout, tied, output_activation
        As in :class:`AutoEncoderNetwork`; the discriminator has the same hidden layers.
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
        super().__init__(
            n_features,
            hidden_dims,
            latent_dim,
            activation=activation,
            dropout=dropout,
            tied=tied,
            output_activation=output_activation,
        )
        self.latent_dim = latent_dim
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            latent_dim, hidden_dims, 1, dropout
        )

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.decoder(z)

    def discriminate(self, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that codes come from the prior."""
        return self.discriminator_head(self.discriminator_body(z))


class CodingAutoEncoder(AutoEncoderNetwork):
    """An auto-encoder that also gives the codes, for losses on both.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, activation, dropout
        As in :class:`AutoEncoderNetwork`.
    """

    def decode(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return the codes and the reconstructions of rows (n, n_features)."""
        codes = self.encode(x)
        return codes, self.decoder(codes)
