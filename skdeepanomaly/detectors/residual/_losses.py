"""Losses of predictions of each feature from the others."""

import torch
from torch import Tensor, nn

from ...losses import check_reconstruction


class ResidualLoss(nn.Module):
    """Mean squared residual of predicted features; the score is of standardised residuals.

    An output that is a pair holds predictions and a mask, both (n, n_features): only
    features with mask 1 count in the loss.

    Parameters
    ----------
    errors : {"absolute", "squared"}, default="absolute"
        Whether a row is scored by absolute or by squared residuals.
    """

    scales: Tensor
    intercept: Tensor
    mean_contributions: Tensor

    def __init__(self, *, errors: str = "absolute"):
        super().__init__()
        self.kind = errors
        # The mean of each feature's errors, where scores are relative to them.
        self.register_buffer("scales", torch.empty(0))
        # Means over training rows that the contributions of an additive model are read by.
        self.register_buffer("intercept", torch.empty(0))
        self.register_buffer("mean_contributions", torch.empty(0))

    def errors(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the absolute or squared residual of each feature, (n, n_features)."""
        check_reconstruction(output, x)
        residuals = x - output
        return residuals.square() if self.kind == "squared" else residuals.abs()

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return what each feature adds to the scores, (n, n_features)."""
        errors = self.errors(output, x)
        if self.scales.numel():
            errors = errors / self.scales
        return errors / x.shape[1]

    def forward(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean of the squared residuals that count."""
        if isinstance(output, tuple):
            prediction, counted = output
            check_reconstruction(prediction, x)
            return ((x - prediction).square() * counted).sum() / counted.sum()
        check_reconstruction(output, x)
        return (x - output).square().mean()
