"""Networks of self-supervised methods, which look at transformed copies of rows."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import MLP, PackedLinear, rowwise_product


class NeuralTransformations(nn.Module):
    """Learnable transformations of rows, and an encoder of what they make.

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
        What a transformation's network gives: "residual" is added to the row,
        "bounded_residual" is added after a tanh, "multiplicative" is a mask between 0 and 1
        that multiplies it, "feed_forward" is the transformed row itself.
    learn_transformations : bool, default=True
        Whether the transformations are trained, or stay as they are drawn.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
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
        # Without biases, as in the authors' code: no transformation can be a constant row.
        self.transformations = nn.Sequential(
            PackedLinear(n_transformations, n_features, transformation_dim, bias=False),
            nn.ReLU(),
            PackedLinear(n_transformations, transformation_dim, n_features, bias=False),
        ).requires_grad_(learn_transformations)
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder = MLP(dims, activation=activation, dropout=dropout)

    def transform(self, x: Tensor) -> Tensor:
        """Return the transformed copies (n_transformations, n, n_features) of rows."""
        copies = x.expand(self.n_transformations, *x.shape)
        made = self.transformations(copies)
        if self.transformation == "residual":
            return copies + made
        if self.transformation == "bounded_residual":
            return copies + made.tanh()
        if self.transformation == "multiplicative":
            return copies * made.sigmoid()
        return made

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim) of length one."""
        return F.normalize(self.encoder(x), dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Return codes (n, 1 + n_transformations, latent_dim), the row's own first."""
        views = torch.cat([x.unsqueeze(0), self.transform(x)])
        return self.encode(views).transpose(0, 1)


class AffineTransformations(nn.Module):
    """Fixed random affine transformations of rows, and an encoder of what they make.

    A transformation maps a row to ``x @ W + b``, where W has normal entries of standard
    deviation ``spread / sqrt(n_features)`` around the identity or around zero, and b has
    normal entries of standard deviation ``shift``.

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
        How much the transformations' matrices differ.
    shift : float, default=0.5
        How much they move rows.
    around_identity : bool, default=True
        Whether the matrices lie around the identity.
    activation : str, default="leaky_relu"
        A key of ``ACTIVATIONS``.
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
