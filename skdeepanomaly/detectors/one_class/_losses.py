"""Losses of one-class methods."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import TrainingBall, check_reconstruction


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


class OneClassSVMLoss(nn.Module):
    """A one-class SVM on random Fourier features of codes, and the reconstruction error.

    The kernel is ``exp(-gamma ||z - z'||^2 / v)``, with v the total variance of the codes. Its
    features are ``cos(z @ frequencies)`` and ``sin(z @ frequencies)``.

    Parameters
    ----------
    n_fourier_features : int, default=256
        Number of random features, rounded up to an even number.
    nu : float, default=0.1
        Share of the training rows that the SVM leaves outside.
    gamma : float, default=2.0
        Inverse width of the kernel.
    alpha : float, default=1.0
        Weight of the reconstruction error.
    joint : bool, default=True
        Whether the SVM shapes the codes, too.
    """

    frequencies: Tensor
    variance: Tensor

    # How fast ``variance`` follows the codes of the batches.
    momentum = 0.05

    def __init__(
        self,
        *,
        n_fourier_features: int = 256,
        nu: float = 0.1,
        gamma: float = 2.0,
        alpha: float = 1.0,
        joint: bool = True,
    ):
        super().__init__()
        self.n_frequencies = -(-n_fourier_features // 2)
        self.nu = nu
        self.gamma = gamma
        self.alpha = alpha
        self.joint = joint
        # Stored as normal * sqrt(len(normal)): entries then have the size of network weights,
        # and one learning rate suits both.
        self.scaled_normal = nn.Parameter(torch.zeros(2 * self.n_frequencies))
        self.rho = nn.Parameter(torch.zeros(()))
        self.register_buffer("frequencies", torch.empty(0))
        self.register_buffer("variance", torch.ones(()))
        self.ball = TrainingBall()

    def initialize(self, codes: Tensor) -> None:
        """Draw the frequencies for codes (n, latent_dim), and begin with a density.

        The directions are orthogonal in blocks, which lowers the noise of the kernel. The
        normal of the hyperplane is at first the mean of the features, so that the
        similarities are a kernel density estimate.
        """
        latent_dim = codes.shape[1]
        blocks = []
        for start in range(0, self.n_frequencies, latent_dim):
            n_columns = min(latent_dim, self.n_frequencies - start)
            directions, _ = torch.linalg.qr(torch.randn(latent_dim, n_columns))
            blocks.append(directions * torch.randn(latent_dim, n_columns).norm(dim=0))
        self.frequencies = torch.cat(blocks, dim=1).to(codes.device)
        self.variance.copy_(codes.var(dim=0).sum())
        mean = self.fourier_features(codes).mean(dim=0)
        self.scaled_normal.data.copy_(mean * len(mean) ** 0.5)

    @property
    def normal(self) -> Tensor:
        """The normal of the hyperplane, (n_fourier_features,)."""
        return self.scaled_normal / len(self.scaled_normal) ** 0.5

    def fourier_features(self, codes: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to features (n, n_fourier_features) of norm one."""
        scale = (2 * self.gamma / self.variance.clamp(min=1e-12)).sqrt()
        angles = codes @ (self.frequencies * scale)
        return torch.cat([angles.cos(), angles.sin()], dim=1) / self.n_frequencies**0.5

    def similarities(self, codes: Tensor) -> Tensor:
        """Return the products (n,) of the features with the normal of the hyperplane."""
        # A sum, for equal rounding of all rows: see rowwise_product.
        return (self.fourier_features(codes) * self.normal).sum(dim=1)

    def check_output(self, output: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Refuse what is not a pair of codes and reconstructions."""
        pair = isinstance(output, tuple) and len(output) == 2
        if not pair or not isinstance(output[0], Tensor) or output[0].ndim != 2:
            raise ValueError(
                f"The module returned {getattr(output, 'shape', type(output).__name__)}; the"
                " one-class SVM needs a pair of codes of shape (n_samples, latent_dim) and"
                " reconstructions."
            )
        check_reconstruction(output[1], x)
        return output

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return how far rows lie outside of the hyperplane, shape (n,)."""
        codes, _ = self.check_output(output, x)
        return self.rho - self.similarities(codes) + self.ball.excess(x)

    def follow(self, codes: Tensor) -> None:
        """Let the width of the kernel follow the codes of a batch."""
        if len(codes) > 1:
            self.variance.lerp_(codes.detach().var(dim=0).sum(), self.momentum)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the weighted sum of both objectives."""
        codes, reconstruction = self.check_output(output, x)
        if self.training:
            self.follow(codes)
        seen = codes if self.joint else codes.detach()
        outside = F.relu(self.rho - self.similarities(seen)).mean() / self.nu
        svm = self.normal.square().sum() / 2 - self.rho + outside
        error = (reconstruction - x).square().mean()
        return self.alpha * error + svm
