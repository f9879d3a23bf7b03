"""Losses of networks that predict each feature from the others."""

import torch
from torch import Tensor, nn

from ...losses import check_reconstruction, trimmed_mean


class ResidualLoss(nn.Module):
    """Mean squared residual of the predicted features.

    The output of a module is a tensor of predictions (n, n_features). In training it may also
    be a pair of predictions and a mask, both (n, n_features). The loss then is the mean over
    the values whose mask is 1.

    Parameters
    ----------
    errors : {"absolute", "squared"}, default="absolute"
        Whether a row is scored by absolute or by squared residuals.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch, those with the largest mean squared residuals, that the
        loss leaves out.
    """

    scales: Tensor
    intercept: Tensor
    mean_contributions: Tensor

    def __init__(self, *, errors: str = "absolute", trimmed_fraction: float = 0.0):
        super().__init__()
        self.kind = errors
        self.trimmed_fraction = trimmed_fraction
        # Mean error of each feature over the training rows; empty if scores are not
        # relative to it.
        self.register_buffer("scales", torch.empty(0))
        # Of an additive model: mean prediction and mean contributions over training rows.
        self.register_buffer("intercept", torch.empty(0))
        self.register_buffer("mean_contributions", torch.empty(0))

    def errors(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the absolute or squared residual of each feature, (n, n_features)."""
        check_reconstruction(output, x)
        residuals = x - output
        return residuals.square() if self.kind == "squared" else residuals.abs()

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the part of each feature in the anomaly scores, (n, n_features)."""
        errors = self.errors(output, x)
        if self.scales.numel():
            errors = errors / self.scales
        return errors / x.shape[1]

    def forward(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean of the squared residuals, of those with mask 1 if there is one.

        The residuals of trimmed rows do not count.
        """
        prediction, counted = output if isinstance(output, tuple) else (output, None)
        check_reconstruction(prediction, x)
        squares = (x - prediction).square()
        if counted is None:
            return trimmed_mean(squares.mean(dim=1), self.trimmed_fraction)
        squares = squares * counted
        if not self.trimmed_fraction:
            return squares.sum() / counted.sum()
        means = squares.sum(dim=1) / counted.sum(dim=1).clamp(min=1)
        return trimmed_mean(means, self.trimmed_fraction)
