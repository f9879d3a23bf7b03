"""Networks of the detectors with generative adversarial networks."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...networks import MLP, discriminator_layers, initialize_leaky


class GANNetwork(nn.Module):
    """A generator of rows and a discriminator of rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the discriminator. The generator has the same widths in
        reverse order.
    latent_dim : int
        Width of the code.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training.
    n_outputs : int, default=1
        Number of logits of the discriminator.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminator are divided by their largest singular
        values.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
        n_outputs: int = 1,
        spectral_norm: bool = False,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        self.generator: nn.Module = MLP(
            [latent_dim, *reversed(hidden_dims), n_features], activation="leaky_relu"
        )
        self.discriminator_body: nn.Module
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            n_features, hidden_dims, n_outputs, dropout, spectral_norm
        )
        initialize_leaky(self)

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.generator(z)

    def discriminator_features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer (n, hidden_dims[-1]) of the discriminator on rows."""
        return self.discriminator_body(x)

    def discriminate(self, x: Tensor) -> Tensor:
        """Return the logits (n, n_outputs) that rows are real."""
        return self.discriminator_head(self.discriminator_features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, n_outputs) of the discriminator for rows (n, n_features)."""
        return self.discriminate(x)


class ConditionalGANNetwork(GANNetwork):
    """A generator of some columns given the others, and a discriminator of whole rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the discriminator. The generator has the same widths in
        reverse order.
    latent_dim : int
        Width of the code.
    condition : sequence of int
        Indices of the columns of the context, which are given.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminator are divided by their largest singular
        values.
    """

    condition: Tensor
    order: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        condition: Sequence[int],
        *,
        dropout: float = 0.0,
        spectral_norm: bool = False,
    ):
        super().__init__(
            n_features, hidden_dims, latent_dim, dropout=dropout, spectral_norm=spectral_norm
        )
        rest = [i for i in range(n_features) if i not in set(condition)]
        self.register_buffer("condition", torch.tensor(condition, dtype=torch.long))
        # Brings the given columns followed by the generated columns into the order of X.
        self.register_buffer("order", torch.tensor([*condition, *rest]).argsort())
        self.generator = MLP(
            [latent_dim + len(condition), *reversed(hidden_dims), len(rest)],
            activation="leaky_relu",
        )
        initialize_leaky(self.generator)

    def generate(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        """Return rows (n, n_features) with the context of given rows.

        Parameters
        ----------
        z : Tensor of shape (n, latent_dim)
            The codes.
        x : Tensor of shape (n, n_features) or None, default=None
            Rows of which only the context is used. None is allowed if there is no context.

        Returns
        -------
        rows : Tensor of shape (n, n_features)
            The context of x and the generated columns, in the order of X.

        Raises
        ------
        ValueError
            If there is a context and x is None.
        """
        if not len(self.condition):
            return self.generator(z)
        if x is None:
            raise ValueError("The rows whose context is given must be passed, got None.")
        given = x[:, self.condition]
        made = self.generator(torch.cat([z, given], dim=1))
        return torch.cat([given, made], dim=1)[:, self.order]


class BiGANNetwork(nn.Module):
    """An encoder, a generator and a discriminator of pairs of rows and codes.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the encoder and of the discriminator. The generator has
        the same widths in reverse order.
    latent_dim : int
        Width of the code.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminator are divided by their largest singular
        values.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
        spectral_norm: bool = False,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder: nn.Module = MLP(dims, activation="leaky_relu")
        self.generator: nn.Module = MLP(dims[::-1], activation="leaky_relu")
        self.discriminator_body: nn.Module
        self.discriminator_body, self.discriminator_head = discriminator_layers(
            n_features + latent_dim, hidden_dims, 1, dropout, spectral_norm
        )
        initialize_leaky(self)

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(x)

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.generator(z)

    def discriminator_features(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the last hidden layer (n, hidden_dims[-1]) of the discriminator on pairs."""
        return self.discriminator_body(torch.cat([x, z], dim=1))

    def discriminate(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that pairs come from the encoder."""
        return self.discriminator_head(self.discriminator_features(x, z))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Reconstruct rows, and return the discriminator's features of two kinds of pairs.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        reconstructions : Tensor of shape (n, n_features)
            The rows that are generated from the codes of x.
        real, fake : Tensor of shape (n, hidden_dims[-1])
            Features of the pairs (row, code) and (reconstruction, code).
        """
        z = self.encode(x)
        reconstruction = self.generate(z)
        return (
            reconstruction,
            self.discriminator_features(x, z),
            self.discriminator_features(reconstruction, z),
        )


class ALADNetwork(BiGANNetwork):
    """A bidirectional GAN with two more discriminators, of pairs of rows and of codes.

    One of them separates pairs (row, same row) from pairs (row, its reconstruction); the
    other separates pairs (code, same code) from pairs (code, its reconstruction).

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_dims : sequence of int
        Widths of the hidden layers of the encoder and of each discriminator. The generator
        has the same widths in reverse order.
    latent_dim : int
        Width of the code.
    dropout : float, default=0.0
        Share of the hidden units of the discriminators that is dropped in training.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminators are divided by their largest
        singular values.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
        spectral_norm: bool = False,
    ):
        super().__init__(
            n_features, hidden_dims, latent_dim, dropout=dropout, spectral_norm=spectral_norm
        )
        self.discriminator_xx_body, self.discriminator_xx_head = discriminator_layers(
            2 * n_features, hidden_dims, 1, dropout, spectral_norm
        )
        self.discriminator_zz_body, self.discriminator_zz_head = discriminator_layers(
            2 * latent_dim, hidden_dims, 1, dropout, spectral_norm
        )
        initialize_leaky(self)

    def row_pair_features(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the last hidden layer (n, hidden_dims[-1]) of the discriminator of rows."""
        return self.discriminator_xx_body(torch.cat([x, other], dim=1))

    def discriminate_rows(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the logits (n, 1) that the second row equals the first."""
        return self.discriminator_xx_head(self.row_pair_features(x, other))

    def discriminate_codes(self, z: Tensor, other: Tensor) -> Tensor:
        """Return the logits (n, 1) that the second code equals the first."""
        return self.discriminator_zz_head(
            self.discriminator_zz_body(torch.cat([z, other], dim=1))
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Reconstruct rows, and evaluate the discriminator of pairs of rows.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        reconstructions : Tensor of shape (n, n_features)
            The rows that are generated from the codes of x.
        same, cycled : Tensor of shape (n, hidden_dims[-1])
            Features of the pairs (row, row) and (row, reconstruction).
        logits : Tensor of shape (n, 1)
            Logits of the pairs (row, reconstruction).
        """
        reconstruction = self.generate(self.encode(x))
        features = self.row_pair_features(x, reconstruction)
        logits = self.discriminator_xx_head(features)
        return reconstruction, self.row_pair_features(x, x), features, logits
