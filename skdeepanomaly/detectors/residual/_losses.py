"""Losses of networks that predict each feature from the others."""

import torch
from torch import Tensor, nn

from ...losses import check_reconstruction


class ResidualLoss(nn.Module):
    """Mean squared residual of the predicted features.

    The output of a module is a tensor of predictions (n, n_features). In training it may also
    be a pair of predictions and a mask, both (n, n_features). The loss then is the mean over
    the values whose mask is 1.

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
        """Return the mean of the squared residuals, of those with mask 1 if there is one."""
        if isinstance(output, tuple):
            prediction, counted = output
            check_reconstruction(prediction, x)
            return ((x - prediction).square() * counted).sum() / counted.sum()
        check_reconstruction(output, x)
        return (x - output).square().mean()
