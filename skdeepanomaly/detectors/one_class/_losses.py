"""Losses of one-class methods."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import TrainingBall, check_reconstruction
from ...networks import rowwise_product


class CenterLoss(nn.Module):
    """Base of losses of the squared distances between codes and a fixed centre."""

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
        Whether to minimise the radius of a sphere that may leave rows outside (Ruff et al.
        2018, equation 3). With False the mean squared distance to the centre is minimised
        (equation 4).
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
        """Return the squared distances (n,) to the centre, minus the squared radius."""
        # NOTE[DIFF]: minus the squared radius, as in the authors' code; the radius is zero
        # unless the boundary is soft.
        return self.distances(output) - self.radius.square()

    def set_radius(self, distances: Tensor) -> None:
        """Set the radius so that the share ``nu`` of the squared distances (n,) is larger."""
        self.radius.copy_(torch.quantile(distances.detach().sqrt(), 1 - self.nu))

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss; in training also set the radius of a soft boundary."""
        distances = self.distances(output)
        if not self.soft_boundary:
            return distances.mean()
        loss = self.radius.square() + F.relu(distances - self.radius.square()).mean() / self.nu
        if self.training:
            # NOTE[DIFF]: the radius is set after each batch, from the rows of the batch.
            self.set_radius(distances)
        return loss


class OneClassSVMLoss(nn.Module):
    """A one-class SVM on random Fourier features of codes, and the reconstruction error.

    The kernel is ``exp(-gamma ||z - z'||^2 / v)``, where v is the total variance of the codes.
    With ``s = sqrt(2 * gamma / v)`` its random features are ``cos(z @ (s * frequencies))`` and
    ``sin(z @ (s * frequencies))``, divided by the square root of the number of frequencies.

    Parameters
    ----------
    n_fourier_features : int, default=256
        Number of random features, rounded up to an even number.
    nu : float, default=0.1
        Upper bound of the share of training rows outside of the SVM's boundary.
    gamma : float, default=2.0
        Inverse width of the kernel, in units of one over the total variance of the codes.
    alpha : float, default=1.0
        Weight of the reconstruction error.
    joint : bool, default=True
        Whether the SVM's objective trains the encoder, too.
    """

    frequencies: Tensor
    variance: Tensor

    # Weight of the newest batch in the moving average ``variance``.
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
        """Draw the frequencies for codes (n, latent_dim), and set the first normal.

        The normal of the hyperplane starts as the mean of the random features. The
        similarities are then a kernel density estimate.
        """
        latent_dim = codes.shape[1]
        blocks = []
        for start in range(0, self.n_frequencies, latent_dim):
            n_columns = min(latent_dim, self.n_frequencies - start)
            # NOTE[DIFF]: orthogonal directions, which lower the error of the approximation.
            # Their lengths are those of independent normal vectors.
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
        angles = rowwise_product(codes, self.frequencies * scale)
        return torch.cat([angles.cos(), angles.sin()], dim=1) / self.n_frequencies**0.5

    def similarities(self, codes: Tensor) -> Tensor:
        """Return the dot products (n,) of the random features and the hyperplane's normal."""
        # Not a matrix product: all rows must be rounded alike, see rowwise_product.
        return (self.fourier_features(codes) * self.normal).sum(dim=1)

    def check_output(self, output: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output of a module if it is a pair of codes and reconstructions.

        Parameters
        ----------
        output : tuple of two Tensors
            Codes (n, latent_dim) and reconstructions (n, n_features).
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        output : tuple of two Tensors
            The same.

        Raises
        ------
        ValueError
            If the output is not such a pair.
        """
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
        """Return the anomaly scores (n,): positive for rows outside of the boundary."""
        codes, _ = self.check_output(output, x)
        # NOTE[DIFF]: the excess over the ball is a penalty for rows far from the data, where
        # the random features oscillate.
        return self.rho - self.similarities(codes) + self.ball.excess(x)

    def follow(self, codes: Tensor) -> None:
        """Update the moving average of the codes' total variance, on the codes of a batch."""
        # NOTE[DIFF]: the width of the kernel follows the scale of the codes.
        if codes.shape[0] > 1:
            self.variance.lerp_(codes.detach().var(dim=0).sum(), self.momentum)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the weighted sum of the reconstruction error and the SVM's objective."""
        codes, reconstruction = self.check_output(output, x)
        if self.training:
            self.follow(codes)
        seen = codes if self.joint else codes.detach()
        outside = F.relu(self.rho - self.similarities(seen)).mean() / self.nu
        svm = self.normal.square().sum() / 2 - self.rho + outside
        error = (reconstruction - x).square().mean()
        return self.alpha * error + svm
