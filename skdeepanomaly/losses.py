"""Parts of losses that several families share; torch only."""

from collections.abc import Callable

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


class TrainingBall(nn.Module):
    """The smallest ball around the mean training row that holds all training rows.

    Some scores are bounded: they cannot tell a row far away from one that is merely odd.
    Such a score adds ``excess``, which is zero inside of the ball.
    """

    center: Tensor
    squared_radius: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(()))
        self.register_buffer("squared_radius", torch.full((), torch.inf))

    def enclose(self, x: Tensor) -> None:
        """Put the ball around rows (n, n_features)."""
        self.center = x.mean(dim=0)
        # Equal rows have no radius; the floor is a hundredth of a scaled feature.
        self.squared_radius = self.squared_distances(x).max().clamp(min=1e-4)

    def squared_distances(self, x: Tensor) -> Tensor:
        """Return the squared distances (n,) of rows to the centre."""
        return (x - self.center).square().sum(dim=1)

    def excess(self, x: Tensor) -> Tensor:
        """Return by how much, relative to the ball's, squared distances are larger, (n,)."""
        return F.relu(self.squared_distances(x) / self.squared_radius - 1)


def log_uniform(low: float, high: float, shares: Tensor) -> Tensor:
    """Map shares in [0, 1] to values between two positive bounds, on a logarithmic scale."""
    return low * (high / low) ** shares


def squared_distances(
    codes: Tensor, centers: Tensor, product: Callable[[Tensor, Tensor], Tensor] = torch.matmul
) -> Tensor:
    """Return the squared distances of codes to centres.

    Parameters
    ----------
    codes : Tensor of shape (n, latent_dim)
        The codes.
    centers : Tensor of shape (n_centers, latent_dim)
        The centres.
    product : callable, default=torch.matmul
        The matrix product. Scores that are made of the distances need
        :func:`skdeepanomaly.networks.rowwise_product`.

    Returns
    -------
    distances : Tensor of shape (n, n_centers)
        Rounding can make that of a code which lies on a centre slightly negative.
    """
    lengths = codes.square().sum(dim=1, keepdim=True) + centers.square().sum(dim=1)
    return lengths - 2 * product(codes, centers.T)


def whitening(covariance: Tensor, ridge: float | Tensor, *, unit_mean: bool = False) -> Tensor:
    """Return a matrix that whitens deviations.

    Parameters
    ----------
    covariance : Tensor of shape (d, d), float64
        Covariance of the deviations.
    ridge : float or Tensor of shape ()
        Added to the diagonal, so that there is an inverse.
    unit_mean : bool, default=False
        Whether squared norms of whitened deviations get a mean of one, instead of d.

    Returns
    -------
    whitening : Tensor of shape (d, d), float64
        But for the ridge and the scale, ``deviations @ whitening`` has the identity as its
        covariance.
    """
    identity = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    precision = torch.linalg.inv(covariance + ridge * identity)
    if unit_mean:
        mean = (precision * covariance).sum()
        # Deviations that are all zero have no scale.
        precision = precision / torch.where(mean > 1e-6, mean, 1.0)
    return torch.linalg.cholesky(precision)
