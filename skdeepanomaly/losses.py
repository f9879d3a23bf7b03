"""Parts of losses and scores that several families share."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .networks import rowwise_product


def check_reconstruction(output: Tensor, x: Tensor) -> None:
    """Check that reconstructions have the shape of the rows.

    With another shape the difference would be broadcast without an error.

    Parameters
    ----------
    output : Tensor
        Output of a module, expected to be reconstructions.
    x : Tensor of shape (n, n_features)
        The rows.

    Raises
    ------
    ValueError
        If the output is no tensor of the shape of x.
    """
    check_output(output, x, x.shape, "a reconstruction must have the shape of its input")


def check_output(output: Tensor, x: Tensor, shape: Sequence[int], expected: str) -> None:
    """Check the shape of what a module returned.

    Parameters
    ----------
    output : Tensor
        Output of the module.
    x : Tensor of shape (n, n_features)
        Its input.
    shape : sequence of int
        Shape that is expected.
    expected : str
        The same in words, for the message; ``{shape}`` stands for the shape.

    Raises
    ------
    ValueError
        If the output is no tensor of this shape.
    """
    found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    if found != tuple(shape):
        raise ValueError(
            f"The module returned an output of shape {found} for an input of shape"
            f" {tuple(x.shape)}; {expected.format(shape=tuple(shape))}."
        )


class MembersLoss(nn.Module):
    """Base of the losses of one network, or of several that train together.

    Several networks give outputs (n, n_members, ...). Their loss is the sum of the losses, so
    that each learns as if it were alone.

    Parameters
    ----------
    n_members : int, default=1
        Number of networks.
    """

    def __init__(self, *, n_members: int = 1) -> None:
        super().__init__()
        self.n_members = n_members

    def for_members(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features) for each of several networks, unless they are so."""
        if self.n_members == 1 or x.dim() == 3:
            return x
        return x.unsqueeze(1).expand(-1, self.n_members, -1)

    def mean_of_members(self, values: Tensor) -> Tensor:
        """Return the mean over several networks of values (n, n_members, ...)."""
        return values if self.n_members == 1 else values.mean(dim=1)


def trimmed_mean(losses: Tensor, fraction: float) -> Tensor:
    """Return the mean of the losses of rows without the largest ones.

    Parameters
    ----------
    losses : Tensor of shape (n,) or (n, n_members)
        The losses; the means of several networks are added up.
    fraction : float
        Share of the losses that is left out, in [0, 1). One loss always stays.

    Returns
    -------
    mean : Tensor of shape ()
        The mean.
    """
    if fraction:
        n_kept = max(1, round((1 - fraction) * losses.shape[0]))
        losses = losses.topk(n_kept, dim=0, largest=False, sorted=False).values
    return losses.mean() if losses.dim() == 1 else losses.mean(dim=0).sum()


class TrainingBall(nn.Module):
    """The smallest ball around the mean training row that contains all training rows.

    Some scores are bounded, so that a row far away from all training rows does not get a higher
    anomaly score than a row nearby. To such a score ``excess`` is added. It is zero inside of
    the ball, and grows with the distance from it.

    Attributes
    ----------
    center : Tensor of shape (n_features,)
        The mean training row.
    squared_radius : Tensor of shape ()
        The squared radius; infinite before :meth:`enclose` is called.
    """

    center: Tensor
    squared_radius: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(()))
        self.register_buffer("squared_radius", torch.full((), torch.inf))

    def enclose(self, x: Tensor) -> None:
        """Set the centre and the radius from rows (n, n_features)."""
        self.center = x.mean(dim=0)
        # If all rows are equal the radius would be zero. The floor is a radius of 0.01, a
        # hundredth of the standard deviation of a standardised feature.
        self.squared_radius = self.squared_distances(x).max().clamp(min=1e-4)

    def squared_distances(self, x: Tensor) -> Tensor:
        """Return the squared distances (n,) of rows to the centre."""
        return (x - self.center).square().sum(dim=1)

    def excess(self, x: Tensor) -> Tensor:
        """Return ``max(0, d / squared_radius - 1)`` for squared distances d, shape (n,)."""
        return F.relu(self.squared_distances(x) / self.squared_radius - 1)


def log_uniform(low: float, high: float, shares: Tensor) -> Tensor:
    """Map shares in [0, 1] to values between two positive bounds, evenly in the logarithm."""
    return low * (high / low) ** shares


def squared_distances(codes: Tensor, centers: Tensor) -> Tensor:
    """Return the squared distances of codes to centres.

    Parameters
    ----------
    codes : Tensor of shape (n, latent_dim)
        The codes.
    centers : Tensor of shape (n_centers, latent_dim)
        The centres.

    Returns
    -------
    distances : Tensor of shape (n, n_centers)
        The squared distances. If a code is equal to a centre, rounding can make the value
        slightly negative.
    """
    lengths = codes.square().sum(dim=1, keepdim=True) + centers.square().sum(dim=1)
    return lengths - 2 * rowwise_product(codes, centers.T)


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
