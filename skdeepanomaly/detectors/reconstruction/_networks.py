"""Networks of the reconstruction detectors."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import ACTIVATIONS, MLP, MembersLinear, discriminator_layers, linear_layer

# NOTE[DIFF]: the papers do not bound the log-variances of codes. The bound keeps their
# exponentials finite at the start of training and for rows far from the training rows.
MAX_LOG_VARIANCE = 10.0


class TiedDecoder(nn.Module):
    """A decoder with the transposed weights of an encoder, and with its own biases.

    Parameters
    ----------
    encoder : MLP
        The encoder whose weights the decoder uses.
    dims : sequence of int
        Widths of all layers, from the code to the output.
    activation, dropout, output_activation
        As in :class:`MLP`.
    n_members : int, default=1
        Number of networks that the encoder consists of.
    """

    def __init__(
        self,
        encoder: MLP,
        dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        output_activation: str | None = None,
        n_members: int = 1,
    ):
        super().__init__()
        # A plain list does not register its layers: the weights are parameters of the
        # encoder already, and must not be counted twice.
        kinds = nn.Linear | MembersLinear
        self._linears = [layer for layer in encoder if isinstance(layer, kinds)][::-1]
        shape = () if n_members == 1 else (n_members,)
        self.biases = nn.ParameterList(torch.zeros(*shape, dim) for dim in dims[1:])
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
            if isinstance(linear, MembersLinear):
                z = linear.transposed(z, bias)
            else:
                z = F.linear(z, linear.weight.t(), bias)
        return self.output_activation(z)


class AutoEncoderNetwork(nn.Module):
    """An encoder from rows to codes and a decoder from codes to rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int
        Width of the code.
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    activation, dropout, output_activation
        As in :class:`MLP`. Only the decoder has an output activation.
    n_members : int, default=1
        Number of networks that train together. Several add an axis before the last to codes and
        reconstructions.
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
        n_members: int = 1,
    ):
        super().__init__()
        dims = [n_features, *hidden_dims, latent_dim]
        linear = linear_layer(n_members)
        self.encoder = MLP(dims, activation=activation, dropout=dropout, linear=linear)
        if tied:
            self.decoder: nn.Module = TiedDecoder(
                self.encoder,
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
                n_members=n_members,
            )
        else:
            self.decoder = MLP(
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
                linear=linear,
            )

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""
        return self.decoder(self.encoder(x))


class VariationalNetwork(nn.Module):
    """An encoder to a distribution of codes and a decoder to a distribution of rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int
        Width of the code.
    n_parameters : int, default=2
        Number of parameters of the distribution of one feature: 2 for a mean and a
        log-variance, 1 for a logit.
    activation, dropout
        As in :class:`MLP`.
    n_members : int, default=1
        As in :class:`AutoEncoderNetwork`.
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
        n_members: int = 1,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        linear = linear_layer(n_members)
        self.encoder: nn.Module = MLP(
            [n_features, *hidden_dims, 2 * latent_dim],
            activation=activation,
            dropout=dropout,
            linear=linear,
        )
        self.decoder: nn.Module = MLP(
            [latent_dim, *reversed(hidden_dims), n_parameters * n_features],
            activation=activation,
            dropout=dropout,
            linear=linear,
        )

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances (n, latent_dim) of the codes of rows."""
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        return mean, log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to the means of their codes (n, latent_dim)."""
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to parameters (n, n_parameters * n_features) of rows."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decode one code of each row.

        In training the code is drawn by the reparameterisation trick, so that gradients reach
        its mean and variance. In evaluation the code is the mean.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        decoded : Tensor of shape (n, n_parameters * n_features)
            The parameters of the distributions of the rows.
        mean, log_variance : Tensor of shape (n, latent_dim)
            The moments of the codes.
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
        As in :class:`AutoEncoderNetwork`. The discriminator has hidden layers of the same
        widths as the encoder.
    n_members : int, default=1
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
        tied: bool = False,
        output_activation: str | None = None,
        n_members: int = 1,
    ):
        super().__init__(
            n_features,
            hidden_dims,
            latent_dim,
            activation=activation,
            dropout=dropout,
            tied=tied,
            output_activation=output_activation,
            n_members=n_members,
        )
        self.latent_dim = latent_dim
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            latent_dim, hidden_dims, 1, dropout, n_members=n_members
        )

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.decoder(z)

    def discriminate(self, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that codes come from the prior."""
        return self.discriminator_head(self.discriminator_body(z))


class CodingAutoEncoder(AutoEncoderNetwork):
    """An auto-encoder that returns codes and reconstructions, for losses of both.

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
