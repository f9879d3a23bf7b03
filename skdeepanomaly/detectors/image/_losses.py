"""The loss and the scores of the detectors that rebuild images."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...losses import check_reconstruction, trimmed_mean
from ..reconstruction._losses import DenoisingLoss
from ._stems import GradientStem, PixelStem


class ImageReconstructionLoss(DenoisingLoss):
    """Mean squared error of what is rebuilt: the output of a stem for the clean images.

    Parameters
    ----------
    stem : PixelStem or GradientStem
        What the network sees of an image, and how it is compared.
    noise_std : tuple of two floats, default=(0.0, 0.0)
        As in :class:`DenoisingLoss`.
    masking_rate : float or sequence of floats, default=0.0
        As in :class:`DenoisingLoss`.
    trimmed_fraction : float, default=0.0
        As in :class:`DenoisingLoss`.

    Attributes
    ----------
    energy_range : Tensor of shape (2,)
        Smallest and largest mean square of an image by which its errors are divided. (1, 1)
        leaves them as they are.
    """

    energy_range: Tensor

    def __init__(
        self,
        *,
        stem: PixelStem | GradientStem,
        noise_std: tuple[float, float] = (0.0, 0.0),
        masking_rate: float | Sequence[float] = 0.0,
        trimmed_fraction: float = 0.0,
    ):
        super().__init__(
            noise_std=noise_std, masking_rate=masking_rate, trimmed_fraction=trimmed_fraction
        )
        self.stem = stem
        self.register_buffer("energy_range", torch.ones(2))

    def squared_errors(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared errors (n, n_outputs) of what is rebuilt, without pictures."""
        rebuilt = output[0] if isinstance(output, tuple) else output
        return super().squared_errors(rebuilt, self.stem(x))

    def set_energy_range(self, x: Tensor) -> None:
        """Set the range of energies from training rows (n, n_features)."""
        energies = x.square().mean(dim=1)
        # The floor keeps images that are almost empty from being all error; the ceiling keeps
        # the errors of images far away from all others large.
        if self.stem.relative and energies.any():
            self.energy_range.copy_(torch.stack([0.1 * energies.mean(), energies.max()]))

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the terms (n, n_outputs) whose sums are anomaly scores."""
        target = self.stem(x)
        check_reconstruction(output, target)
        errors = self.stem.smooth(output - target).square()
        energies = target.square().mean(dim=1, keepdim=True)
        low, high = self.energy_range
        return errors / (energies.clamp(low, high) * errors.shape[1])

    def forward(self, output: Tensor | tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean of the squared errors, and that of the pictures if there are any.

        The errors of trimmed images do not count.
        """
        losses = self.squared_errors(output, x).mean(dim=1)
        if isinstance(output, tuple):
            losses = losses + (output[1] - x).square().mean(dim=1)
        return trimmed_mean(losses, self.trimmed_fraction)
