"""Losses of one-class methods."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CenterLoss(nn.Module):
    """What losses share that look at squared distances of codes to a fixed centre."""

    center: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.empty(0))

    def distances(self, codes: Tensor) -> Tensor:
        """Return the squared distances (n,) of codes (n, latent_dim) to the centre."""
        return (codes - self.center).square().sum(dim=1)


class DeepSVDDLoss(CenterLoss):
    """Squared distance of codes to a fixed centre, or to a sphere around it.

    Parameters
    ----------
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere that leaves rows outside (Ruff et al.
        2018, eq. 3) in place of the mean distance (eq. 4).
    nu : float, default=0.1
        Upper bound of the share of rows outside of the sphere.
    """

    radius: Tensor

    def __init__(self, *, soft_boundary: bool = False, nu: float = 0.1):
        super().__init__()
        self.soft_boundary = soft_boundary
        self.nu = nu
        self.register_buffer("radius", torch.zeros(()))

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
