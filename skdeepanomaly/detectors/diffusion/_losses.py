"""Losses and scores of networks that judge the noise of rows."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import MembersLoss, check_output, check_reconstruction

# The linear schedule of the paper: the share of the variance that is replaced by noise in each
# time step.
NOISE_SHARES = (1e-4, 1e-2)


def noise_levels(n_timesteps: int) -> Tensor:
    """Return the standard deviations (n_timesteps,) of the noise at each diffusion time.

    Parameters
    ----------
    n_timesteps : int
        Number of time steps.

    Returns
    -------
    levels : Tensor of shape (n_timesteps,)
        ``sqrt(1 - prod(1 - beta))`` with beta linear between 0.0001 and 0.01.
    """
    betas = torch.linspace(*NOISE_SHARES, n_timesteps, dtype=torch.float64)
    return (1 - (1 - betas).cumprod(0)).sqrt().float()


class DiffusionTimeLoss(MembersLoss):
    """Cross-entropy of the predicted diffusion times of noised rows.

    Parameters
    ----------
    n_bins : int, default=7
        Number of intervals into which the time is divided.
    n_timesteps : int, default=300
        Number of time steps of the diffusion.
    n_members : int, default=1
        Number of networks; the shapes below are those of one, several add a second axis.
    """

    levels: Tensor

    def __init__(self, *, n_bins: int = 7, n_timesteps: int = 300, n_members: int = 1):
        super().__init__(n_members=n_members)
        self.n_bins = n_bins
        self.register_buffer("levels", noise_levels(n_timesteps))

    def draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return noised rows (n, n_features), and the bins (n,) of their times."""
        n_timesteps = len(self.levels)
        x = self.for_members(x)
        times = torch.randint(n_timesteps, x.shape[:-1], device=x.device)
        noised = x + self.levels[times].unsqueeze(-1) * torch.randn_like(x)
        return noised, times * self.n_bins // n_timesteps

    def _check(self, output: Tensor, x: Tensor) -> None:
        shape = (*self.for_members(x).shape[:-1], self.n_bins)
        check_output(output, x, shape, "expected one logit for each bin, {shape}")

    def forward(self, output: Tensor, x: Tensor, bins: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (n, n_bins), given the bins (n,)."""
        self._check(output, x)
        # The mean over the networks, times their number, is the sum.
        return self.n_members * F.cross_entropy(output.flatten(0, -2), bins.flatten())

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the expected bins (n,), the anomaly scores of rows."""
        self._check(output, x)
        bins = torch.arange(self.n_bins, dtype=output.dtype, device=output.device)
        return self.mean_of_members((output.softmax(dim=-1) * bins).sum(dim=-1))


class ScoreMatchingLoss(MembersLoss):
    """Squared error of the predicted noise of rows.

    Parameters
    ----------
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch, those that the teacher finds least probable, that are
        left out.
    teacher_decay : float, default=0.99
        Share of its former weights that the teacher keeps in a step.
    n_members : int, default=1
        Number of networks, each with a teacher of its own.

    Attributes
    ----------
    noise_std : Tensor of shape (n_features,)
        Standard deviations of the noise.
    teacher : torch.nn.Module or None
        A network with the moving average of the weights; only in training, and only if rows
        are left out.
    """

    noise_std: Tensor
    teacher: nn.Module | None

    def __init__(
        self, *, trimmed_fraction: float = 0.0, teacher_decay: float = 0.99, n_members: int = 1
    ):
        super().__init__(n_members=n_members)
        self.trimmed_fraction = trimmed_fraction
        self.teacher_decay = teacher_decay
        self.register_buffer("noise_std", torch.ones(()))
        self.register_module("teacher", None)

    def start_teacher(self, module: nn.Module) -> None:
        """Start the average with the weights of a network, if rows are to be left out."""
        if self.trimmed_fraction:
            self.teacher = copy.deepcopy(module).requires_grad_(False)

    def move_teacher(self, module: nn.Module) -> None:
        """Move the average towards the weights of a network."""
        if self.teacher is not None:
            with torch.no_grad():
                pairs = zip(self.teacher.parameters(), module.parameters(), strict=True)
                for mean, weight in pairs:
                    mean.lerp_(weight, 1 - self.teacher_decay)

    def stop_teacher(self) -> None:
        """Drop the average."""
        self.teacher = None

    def draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return noised rows (n_kept, n_features), and their noise in standard deviations."""
        x = self.for_members(x)
        if self.training and self.teacher is not None:
            x = self._probable(self.teacher.eval(), x)
        noise = torch.randn_like(x)
        return x + self.noise_std * noise, noise

    def _probable(self, teacher: nn.Module, x: Tensor) -> Tensor:
        """Return the rows of a batch without the least probable ones."""
        with torch.no_grad():
            steps = self._squared_steps(teacher(x), x).sum(dim=-1)
        n_kept = max(1, round((1 - self.trimmed_fraction) * x.shape[0]))
        kept = steps.topk(n_kept, dim=0, largest=False, sorted=False).indices
        return x.take_along_dim(kept.unsqueeze(-1), dim=0)

    def forward(self, output: Tensor, x: Tensor, noise: Tensor) -> Tensor:
        """Return the mean squared difference of predicted noise and noise (n, n_features)."""
        check_reconstruction(output, x)
        # The mean over the networks, times their number, is the sum.
        return self.n_members * F.mse_loss(output, noise)

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) whose sums over features are anomaly scores."""
        return self.mean_of_members(self._squared_steps(output, x))

    def _squared_steps(self, output: Tensor, x: Tensor) -> Tensor:
        check_reconstruction(output, self.for_members(x))
        return (self.noise_std * output).square() / x.shape[-1]
