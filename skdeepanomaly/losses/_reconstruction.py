"""Losses of reconstructions."""

from collections.abc import Iterator, Sequence

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
            errors = errors / self.variances.unsqueeze(-2)
        return errors / x.shape[1]

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of each row's squared errors, shape (n,)."""
        return self.feature_scores(output, x).sum(dim=1)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of all squared errors."""
        return self.squared_errors(output, x).mean()


class DenoisingLoss(ReconstructionLoss):
    """Mean squared error between clean rows and what was made of corrupted ones.

    Parameters
    ----------
    noise_std : tuple of two floats, default=(0.05, 1.5)
        Range of the standard deviation of Gaussian noise. Each row draws its own, evenly
        on a logarithmic scale; (0, 0) is no noise.
    masking_rate : float or sequence of floats, default=0.0
        Probability that a value is set to zero, for all features or for each of them.
    """

    rates: Tensor
    noises: Tensor
    kept: Tensor

    def __init__(
        self,
        *,
        noise_std: tuple[float, float] = (0.05, 1.5),
        masking_rate: float | Sequence[float] = 0.0,
    ):
        super().__init__()
        self.noise_std = noise_std
        self.register_buffer("rates", torch.as_tensor(masking_rate, dtype=torch.float32))
        for name in ("noises", "kept"):
            self.register_buffer(name, torch.empty(0))

    def _noise_levels(self, shares: Tensor) -> Tensor:
        """Map shares in [0, 1] to standard deviations."""
        low, high = self.noise_std
        return low * (high / low) ** shares if low else high * shares

    def corrupt(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features) with random noise and random zeros."""
        if self.noise_std[1]:
            levels = self._noise_levels(torch.rand(len(x), 1, device=x.device))
            x = x + levels * torch.randn_like(x)
        if self.rates.any():
            x = x * (torch.rand_like(x) >= self.rates)
        return x

    def draw_corruptions(self, n_corruptions: int, n_features: int) -> None:
        """Draw what is done to every row that is scored; the noises have all levels."""
        shape, device = (n_corruptions, n_features), self.rates.device
        shares = (torch.arange(n_corruptions, device=device) + 0.5) / max(1, n_corruptions)
        self.noises = self._noise_levels(shares)[:, None] * torch.randn(shape, device=device)
        self.kept = (torch.rand(shape, device=device) >= self.rates).float()

    def corruptions(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the rows (n, n_features) with each of the corruptions that were drawn."""
        for noise, kept in zip(self.noises, self.kept, strict=True):
            yield (x + noise) * kept

    def squared_errors(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared errors of one output, or of a stack of them."""
        if isinstance(output, Tensor) and output.dim() == x.dim() + 1:
            check_reconstruction(output[0], x)
            return (output - x).square()
        return super().squared_errors(output, x)

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return what each feature adds to the scores, as a mean over stacked outputs."""
        scores = super().feature_scores(output, x)
        return scores.mean(dim=0) if scores.dim() == x.dim() + 1 else scores
