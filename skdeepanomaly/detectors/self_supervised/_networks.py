"""Networks of self-supervised methods: transformations of rows, and an encoder."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import MLP, PackedLinear, rowwise_product


class NeuralTransformations(nn.Module):
    """Learned transformations of rows, and an encoder of the transformed copies.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers.
    latent_dim : int
        Width of the code.
    n_transformations : int, default=8
        Number of transformations.
    transformation_dim : int, default=32
        Width of the hidden layer of each transformation's network.
    transformation : str, default="bounded_residual"
        How the output of a transformation's network is used. With "residual" it is added to
        the row; with "bounded_residual" its tanh is added to the row; with "multiplicative"
        the row is multiplied by its sigmoid; with "feed_forward" the output is the
        transformed row itself.
    learn_transformations : bool, default=True
        Whether the transformations are trained. With False they keep their random initial
        weights.
    activation : str, default="relu"
        Activation of the encoder's hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the encoder's hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        n_transformations: int = 8,
        transformation_dim: int = 32,
        transformation: str = "bounded_residual",
        learn_transformations: bool = True,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.n_transformations = n_transformations
        self.transformation = transformation
        # Without biases, as in the authors' code: a transformation cannot return the same
        # row for every input.
        self.transformations = nn.Sequential(
            PackedLinear(n_transformations, n_features, transformation_dim, bias=False),
            nn.ReLU(),
            PackedLinear(n_transformations, transformation_dim, n_features, bias=False),
        ).requires_grad_(learn_transformations)
        dims = [n_features, *hidden_dims, latent_dim]
        # NOTE[DIFF]: the encoder has biases; this was chosen on tables.
        self.encoder = MLP(dims, activation=activation, dropout=dropout)

    def transform(self, x: Tensor) -> Tensor:
        """Return the transformed copies (n_transformations, n, n_features) of rows."""
        copies = x.expand(self.n_transformations, *x.shape)
        made = self.transformations(copies)
        if self.transformation == "residual":
            return copies + made
        if self.transformation == "bounded_residual":
            # NOTE[DIFF]: far from the data the copies become almost equal, and score high.
            return copies + made.tanh()
        if self.transformation == "multiplicative":
            return copies * made.sigmoid()
        return made

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim) of length one."""
        return F.normalize(self.encoder(x), dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Return codes (n, 1 + n_transformations, latent_dim); the first is of the row."""
        views = torch.cat([x.unsqueeze(0), self.transform(x)])
        return self.encode(views).transpose(0, 1)


class AffineTransformations(nn.Module):
    """Fixed random affine transformations of rows, and an encoder of the copies.

    A transformation maps a row to ``x @ W + b``. The entries of W are normal with the
    standard deviation ``spread / sqrt(n_features)``; their mean is the identity matrix or
    zero. The entries of b are normal with the standard deviation ``shift`` and mean zero.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers.
    latent_dim : int
        Width of the code.
    n_transformations : int, default=16
        Number of transformations.
    spread : float, default=0.3
        Spread of the matrices W.
    shift : float, default=0.5
        Standard deviation of the shifts b.
    around_identity : bool, default=True
        Whether the mean of the matrices is the identity; otherwise it is zero.
    activation : str, default="leaky_relu"
        Activation of the encoder's hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the encoder's hidden units that is dropped in training.
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        n_transformations: int = 16,
        spread: float = 0.3,
        shift: float = 0.5,
        around_identity: bool = True,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        # NOTE[DIFF]: square matrices; in the paper a transformation may change the number of
        # features.
        weight = torch.randn(n_transformations, n_features, n_features)
        weight *= spread / n_features**0.5
        if around_identity:
            weight += torch.eye(n_features)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", shift * torch.randn(n_transformations, 1, n_features))
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder = MLP(dims, activation=activation, dropout=dropout)

    def transform(self, x: Tensor) -> Tensor:
        """Return the transformed copies (n_transformations, n, n_features) of rows."""
        copies = x.expand(len(self.weight), *x.shape)
        return rowwise_product(copies, self.weight) + self.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes (n, n_transformations, latent_dim) of the transformed copies."""
        return self.encoder(self.transform(x)).transpose(0, 1)


class MaskingNetwork(nn.Module):
    """Learned soft masks of rows, and an auto-encoder of the masked rows.

    Each mask has a network of its own, from the row to one share in (0, 1) for each feature.
    A masked row is the row times its mask.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers; the decoder has them in reverse order.
    latent_dim : int
        Width of the code.
    n_masks : int, default=15
        Number of masks.
    mask_dim : int, default=64
        Width of the two hidden layers of the network of each mask.
    learn_masks : bool, default=True
        Whether the networks of the masks are trained. With False they keep their random
        initial weights.
    activation : str, default="leaky_relu"
        Activation of the auto-encoder's hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the auto-encoder's hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        n_masks: int = 15,
        mask_dim: int = 64,
        learn_masks: bool = True,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.n_masks = n_masks
        # Without biases, as in the authors' code.
        self.mask_layers = nn.Sequential(
            PackedLinear(n_masks, n_features, mask_dim, bias=False),
            nn.ReLU(),
            PackedLinear(n_masks, mask_dim, mask_dim, bias=False),
            nn.ReLU(),
            PackedLinear(n_masks, mask_dim, n_features, bias=False),
        ).requires_grad_(learn_masks)
        dims = [n_features, *hidden_dims, latent_dim]
        # NOTE[DIFF]: the auto-encoder has biases; this was chosen on tables.
        self.encoder = MLP(dims, activation=activation, dropout=dropout)
        self.decoder = MLP(dims[::-1], activation=activation, dropout=dropout)

    def masks(self, x: Tensor) -> Tensor:
        """Return the masks (n_masks, n, n_features) of rows (n, n_features)."""
        return self.mask_layers(x.expand(self.n_masks, *x.shape)).sigmoid()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows rebuilt from each masked version, and the masks.

        Both have the shape (n, n_masks, n_features).
        """
        masks = self.masks(x)
        # As one table, which is faster than a batched product.
        masked = (x * masks).flatten(0, 1)
        rebuilt = self.decoder(self.encoder(masked)).view_as(masks)
        return rebuilt.transpose(0, 1), masks.transpose(0, 1)
