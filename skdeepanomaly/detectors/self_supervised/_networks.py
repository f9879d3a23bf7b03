"""Networks of self-supervised methods: transformations of rows, and an encoder."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import MLP, PackedLinear, rowwise_product

# Smallest squared length of a code that is divided by its length.
TINY = 1e-24


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
        first = cast(nn.Linear, self.encoder[0])
        if self.training or first.out_features >= x.shape[1]:
            return self.encoder(self.transform(x)).transpose(0, 1)
        # A map and the first layer are one map, to fewer numbers than a row has.
        weight = self.weight @ first.weight.T
        bias = self.bias @ first.weight.T + first.bias
        copies = x.expand(len(weight), *x.shape)
        first_codes = rowwise_product(copies, weight) + bias
        return self.encoder.after_first(first_codes).transpose(0, 1)


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


class PositionNorm(nn.BatchNorm1d):
    """Batch normalisation of (n, n_positions, width), each position by itself."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x; a single value has no variance, and is left to the running means."""
        if not self.training or x.shape[0] * x.shape[2] > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


class SubvectorPair(nn.Module):
    """Two networks: of sub-vectors of consecutive features, and of all other features.

    Parameters
    ----------
    order : Tensor of shape (n_features,)
        Order of the features, which makes them consecutive.
    starts : Tensor of shape (n_positions,)
        Places in this order where the sub-vectors start.
    subvector_dim : int
        Number of features of a sub-vector.
    hidden_dims : sequence of int
        Widths of the hidden layers of the network of the other features. The network of the
        sub-vectors has half of these widths.
    latent_dim : int
        Width of the codes.
    """

    inside: Tensor
    outside: Tensor

    def __init__(
        self,
        order: Tensor,
        starts: Tensor,
        subvector_dim: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
    ):
        super().__init__()
        places = torch.arange(len(order))
        is_inside = (places >= starts[:, None]) & (places < starts[:, None] + subvector_dim)
        expanded = order.expand(len(starts), -1)
        self.register_buffer("inside", expanded[is_inside].view(len(starts), -1))
        self.register_buffer("outside", expanded[~is_inside].view(len(starts), -1))
        self.subvector_layers = self._layers(
            [subvector_dim, *(max(1, dim // 2) for dim in hidden_dims), latent_dim],
            len(starts),
            nn.LeakyReLU(0.2),
        )
        self.rest_layers = self._layers(
            [len(order) - subvector_dim, *hidden_dims, latent_dim], len(starts), nn.Tanh()
        )

    @staticmethod
    def _layers(dims: Sequence[int], n_positions: int, first: nn.Module) -> nn.Sequential:
        """Return linear layers with activations, and batch normalisation by position."""
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(dims):
            if layers:
                layers.append(PositionNorm(n_positions))
            layers += [nn.Linear(n_in, n_out), first if not layers else nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers)

    def codes(self, layers: nn.Sequential, x: Tensor, places: Tensor) -> Tensor:
        """Map the parts of rows at places (n_positions, width) to codes of length one.

        Parameters
        ----------
        layers : torch.nn.Sequential
            The network of the parts.
        x : Tensor of shape (n, n_features)
            The rows.
        places : Tensor of shape (n_positions, width)
            The features of each part.

        Returns
        -------
        codes : Tensor of shape (n, n_positions, latent_dim)
            The codes.
        """
        first = cast(nn.Linear, layers[0])
        # The first layer on all parts as one product, with zeros for the features outside of a
        # part: to copy the parts of each row would take longer than all products.
        n_positions = len(places)
        weight = x.new_zeros(n_positions, x.shape[1], first.out_features)
        weight[torch.arange(n_positions, device=x.device)[:, None], places] = first.weight.T
        product = rowwise_product(x, weight.transpose(0, 1).flatten(1))
        codes = layers[1:](product.view(-1, n_positions, first.out_features) + first.bias)
        # Over the positions first: what all of them share tells nothing apart.
        codes = codes * codes.square().sum(dim=1, keepdim=True).clamp(min=TINY).rsqrt()
        return codes * codes.square().sum(dim=2, keepdim=True).clamp(min=TINY).rsqrt()

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to similarities (n, n_positions, n_positions).

        The last axis is the sub-vector, the one before it is the rest.
        """
        rests = self.codes(self.rest_layers, x, self.outside)
        subvectors = self.codes(self.subvector_layers, x, self.inside)
        # Zeros fill up the codes to 64 bytes, as in DeterministicContrastiveLoss.
        n_zeros = -rests.shape[2] % 16
        rests, subvectors = F.pad(rests, (0, n_zeros)), F.pad(subvectors, (0, n_zeros))
        if self.training:
            return torch.bmm(rests, subvectors.transpose(1, 2))
        # In float64, since the rounding of small products depends on their place in memory.
        exact = torch.bmm(rests.double(), subvectors.transpose(1, 2).double())
        return exact.to(x.dtype)


class InternalContrastNetwork(nn.Module):
    """Similarities of parts of a row, in several orders of the features.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    hidden_dims : sequence of int
        Widths of the hidden layers, as in :class:`SubvectorPair`.
    latent_dim : int
        Width of the codes.
    subvector_dim : int
        Number of features of a sub-vector, below ``n_features``.
    max_positions : int
        Largest number of sub-vectors; of more that there could be, evenly spaced ones.
    n_orders : int
        Number of orders. The first is that of the rows, the others are random.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        subvector_dim: int,
        max_positions: int,
        n_orders: int,
    ):
        super().__init__()
        last = n_features - subvector_dim
        # NOTE[DIFF]: the paper takes all positions; their cost grows with the square of the
        # number of features.
        starts = torch.linspace(0, last, min(max_positions, last + 1)).round().long()
        orders = [torch.arange(n_features)]
        orders += [torch.randperm(n_features) for _ in range(n_orders - 1)]
        self.pairs = nn.ModuleList(
            SubvectorPair(order, starts, subvector_dim, hidden_dims, latent_dim)
            for order in orders
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to similarities (n, n_orders, n_positions, n_positions)."""
        return torch.stack([pair(x) for pair in self.pairs], dim=1)
