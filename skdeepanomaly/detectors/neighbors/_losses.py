"""Losses of networks that predict the distance of a row to its neighbours."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DistanceLoss(nn.Module):
    """Smooth absolute error of predicted logarithms of distances.

    The error is squared below 1 and absolute above, so that a few distances that cannot be
    predicted do not dominate. The network learns the difference to ``center``: distances in
    any unit are as easy to learn.

    Attributes
    ----------
    center : Tensor of shape ()
        Mean logarithm of the distances of training rows.
    """

    center: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(()))

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the predicted logarithms (n,), the anomaly scores of rows."""
        if not isinstance(output, Tensor) or output.shape != (x.shape[0], 1):
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f"The module returned an output of shape {shape} for an input of shape"
                f" {tuple(x.shape)}; expected one distance for each row, ({x.shape[0]}, 1)."
            )
        return output.squeeze(1) + self.center

    def forward(self, output: Tensor, x: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, given the logarithms of the distances (n,)."""
        return F.smooth_l1_loss(self.score_rows(output, x), targets)
