"""Losses of reconstructions."""

import torch
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

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return what each feature adds to the scores, (n, n_features)."""
        errors = self.squared_errors(output, x)
        if self.variances.numel():
            errors = errors / self.variances
        return errors / x.shape[1]

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of each row's squared errors, shape (n,)."""
        return self.feature_scores(output, x).sum(dim=1)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of all squared errors."""
        return self.squared_errors(output, x).mean()
