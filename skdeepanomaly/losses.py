"""Losses, and the scores of rows that belong to them.

A criterion is called as ``criterion(output, x)`` with what the module made of the rows
``x`` of shape (n, n_features), and returns the scalar to minimise;
``criterion.score_rows(output, x)`` returns the anomaly score of each row, shape (n,).
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def check_reconstruction(output: Tensor, x: Tensor) -> None:
    """Refuse reconstructions of another shape, which would broadcast in silence."""
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    if shape != tuple(x.shape):
        raise ValueError(
            f"The module returned an output of shape {shape} for an input of shape"
            f" {tuple(x.shape)}; a reconstruction must have the shape of its input."
        )


class ReconstructionLoss(nn.Module):
    """Mean squared error between rows and their reconstructions.

    Where ``variances`` is set, scores weigh each feature by the inverse of it, so that
    features that are rebuilt badly in all rows do not hide the others.
    """

    variances: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("variances", torch.empty(0))

    def squared_errors(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of each feature, (n, n_features)."""
        check_reconstruction(output, x)
        return (output - x).square()

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of each row's squared errors, shape (n,)."""
        errors = self.squared_errors(output, x)
        if self.variances.numel():
            errors = errors / self.variances
        return errors.mean(dim=1)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of all squared errors."""
        return self.squared_errors(output, x).mean()


class DeepSVDDLoss(nn.Module):
    """Squared distance of codes to a fixed centre, or to a sphere around it.

    Parameters
    ----------
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere that leaves rows outside (Ruff et al.
        2018, eq. 3) in place of the mean distance (eq. 4).
    nu : float, default=0.1
        Upper bound of the share of rows outside of the sphere.
    """

    center: Tensor
    radius: Tensor

    def __init__(self, *, soft_boundary: bool = False, nu: float = 0.1):
        super().__init__()
        self.soft_boundary = soft_boundary
        self.nu = nu
        self.register_buffer("center", torch.empty(0))
        self.register_buffer("radius", torch.zeros(()))

    def distances(self, codes: Tensor) -> Tensor:
        """Return the squared distances (n,) of codes (n, latent_dim) to the centre."""
        return (codes - self.center).square().sum(dim=1)

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared distances to the centre, less the squared radius."""
        return self.distances(output) - self.radius.square()

    def set_radius(self, distances: Tensor) -> None:
        """Let the sphere leave the share ``nu`` of the rows outside."""
        self.radius.copy_(torch.quantile(distances.detach().sqrt(), 1 - self.nu))

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss; in training a soft boundary follows the batch."""
        distances = self.distances(output)
        if not self.soft_boundary:
            return distances.mean()
        loss = self.radius.square() + F.relu(distances - self.radius.square()).mean() / self.nu
        if self.training:
            self.set_radius(distances)
        return loss


class BidirectionalGAN(Protocol):
    """What the losses of a bidirectional GAN call on a module."""

    latent_dim: int

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""

    def discriminate(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that pairs come from the encoder."""


class BiGANLoss(nn.Module):
    """The game of encoder and generator against a joint discriminator.

    Parameters
    ----------
    cycle_weight : float, default=1.0
        Weight of the squared reconstruction error in the loss of encoder and generator.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score; the rest is the error in the
        discriminator's features.
    """

    # What a module must offer beside ``forward``.
    module_interface = ("latent_dim", "encode", "generate", "discriminate")

    def __init__(self, *, cycle_weight: float = 1.0, alpha: float = 0.9):
        super().__init__()
        self.cycle_weight = cycle_weight
        self.alpha = alpha

    def _draw_codes(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        return torch.randn(len(x), module.latent_dim, device=x.device)

    def discriminator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the cross-entropy of telling encoded rows from generated ones."""
        z = self._draw_codes(module, x)
        with torch.no_grad():
            codes, fakes = module.encode(x), module.generate(z)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the non-saturating loss of encoder and generator."""
        z = self._draw_codes(module, x)
        codes, fakes = module.encode(x), module.generate(z)
        check_reconstruction(fakes, x)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        loss = F.softplus(real).mean() + F.softplus(-fake).mean()
        if self.cycle_weight:
            loss = loss + self.cycle_weight * (module.generate(codes) - x).square().mean()
        return loss

    def score_rows(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mix of both errors, each a sum of absolute values, shape (n,)."""
        if not isinstance(output, tuple) or len(output) != 3:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of"
                " reconstructions and the discriminator's features of both kinds of pairs."
            )
        reconstruction, real, fake = output
        check_reconstruction(reconstruction, x)
        residual = (x - reconstruction).abs().sum(dim=1)
        return self.alpha * residual + (1 - self.alpha) * (real - fake).abs().sum(dim=1)
