"""Losses and scores of the detectors of images."""

from typing import Any

from torch import Tensor, nn

from ..reconstruction._losses import DenoisingLoss


class ImageReconstructionLoss(DenoisingLoss):
    """Mean squared error of what is rebuilt: the output of a stem for the clean images.

    Parameters
    ----------
    stem : torch.nn.Module
        Maps rows (n, n_features) to what is rebuilt, (n, n_outputs).
    **params : Any
        As in :class:`DenoisingLoss`.
    """

    def __init__(self, *, stem: nn.Module, **params: Any):
        super().__init__(**params)
        self.stem = stem

    def squared_errors(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared errors (n, n_outputs) of what is rebuilt, without pictures."""
        rebuilt = output[0] if isinstance(output, tuple) else output
        return super().squared_errors(rebuilt, self.stem(x))

    def forward(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean of all squared errors, and that of the pictures if there are any."""
        loss = self.squared_errors(output, x).mean()
        if isinstance(output, tuple):
            loss = loss + (output[1] - x).square().mean()
        return loss
