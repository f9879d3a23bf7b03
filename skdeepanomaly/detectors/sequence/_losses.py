"""Losses and scores of the detectors of windows."""

import torch
from torch import Tensor

from ...networks import rowwise_product
from ..reconstruction._losses import ReconstructionLoss

# Part of the mean variance that is added to the variances of residuals: without it a channel
# that is predicted almost exactly would decide the score alone.
RIDGE = 1e-3


class WindowLoss(ReconstructionLoss):
    """Mean squared error of windows, of which the last steps count for the score.

    Parameters
    ----------
    n_scored : int
        Number of values at the end of a flat window that count.
    """

    def __init__(self, *, n_scored: int):
        super().__init__()
        self.n_scored = n_scored

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) whose sums are anomaly scores; 0 for early steps."""
        errors = self.squared_errors(output, x) / self.n_scored
        early = errors.shape[1] - self.n_scored
        return torch.cat([torch.zeros_like(errors[:, :early]), errors[:, early:]], dim=1)


class ForecastLoss(WindowLoss):
    """Mean squared error of predictions; scores weigh residuals by their covariance.

    Parameters
    ----------
    n_scored : int
        Number of values at the end of a flat window that count.
    n_channels : int
        Number of channels.

    Attributes
    ----------
    mean : Tensor of shape (n_channels,)
        Mean of the residuals of training windows.
    precision : Tensor of shape (n_channels, n_channels)
        Inverse of their covariance.
    """

    mean: Tensor
    precision: Tensor

    def __init__(self, *, n_scored: int, n_channels: int):
        super().__init__(n_scored=n_scored)
        self.n_channels = n_channels
        self.register_buffer("mean", torch.zeros(n_channels))
        self.register_buffer("precision", torch.eye(n_channels))

    def residuals(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the residuals (n, n_steps, n_channels) of the steps that count."""
        self.squared_errors(output, x)  # checks the shapes
        last = (x - output)[:, x.shape[1] - self.n_scored :]
        return last.reshape(x.shape[0], -1, self.n_channels)

    def products(self, output: Tensor, x: Tensor) -> Tensor:
        """Return means over steps (n, n_channels + n_channels^2) of residuals and products."""
        residuals = self.residuals(output, x)
        squares = residuals[:, :, :, None] * residuals[:, :, None, :]
        return torch.cat([residuals.mean(dim=1), squares.mean(dim=1).flatten(1)], dim=1)

    def set_distribution(self, moments: Tensor) -> None:
        """Set the distribution from means over training windows of :meth:`products`."""
        moments = moments.double()
        mean = moments[: self.n_channels]
        covariance = moments[self.n_channels :].reshape(self.n_channels, -1)
        covariance = covariance - mean[:, None] * mean
        variances = covariance.diagonal().clamp(min=0)
        # Channels that never change are predicted exactly.
        ridge = RIDGE * variances.mean().clamp(min=1e-8)
        covariance = covariance + ridge * torch.eye(self.n_channels).to(covariance)
        self.mean.copy_(mean)
        self.precision.copy_(torch.linalg.inv(covariance))

    def step_scores(self, predictions: Tensor, x: Tensor) -> Tensor:
        """Return the squared Mahalanobis distances (n,) of the residuals of n single steps."""
        residuals = x - predictions - self.mean
        return (residuals * rowwise_product(residuals, self.precision)).sum(dim=1)

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) whose sums are squared Mahalanobis distances.

        They are averaged over the steps that count. A term can be negative, where a residual
        makes those of other channels less surprising.
        """
        residuals = self.residuals(output, x) - self.mean
        n, n_steps, n_channels = residuals.shape
        weighed = rowwise_product(residuals.reshape(-1, n_channels), self.precision)
        terms = residuals * weighed.reshape(residuals.shape) / n_steps
        early = x.shape[1] - self.n_scored
        return torch.cat([torch.zeros_like(x[:, :early]), terms.reshape(n, -1)], dim=1)


class MaskedWindowLoss(WindowLoss):
    """Mean squared error of the steps that were hidden."""

    def squared_errors(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared errors (n, n_features); in training, of hidden steps alone.

        These are scaled so that their mean is that over the hidden steps.
        """
        if not isinstance(output, tuple):
            return super().squared_errors(output, x)
        restored, mask = output
        share = mask.float().mean()
        return super().squared_errors(restored, x) * mask / share
