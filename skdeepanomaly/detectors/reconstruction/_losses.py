"""Losses of reconstructions."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import check_reconstruction, log_uniform


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
        return log_uniform(low, high, shares) if low else high * shares

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

    def stacked_errors(self, module: nn.Module, x: Tensor) -> Tensor:
        """Return squared errors (n, n_corruptions, n_features) for the drawn corruptions."""
        errors = [self.squared_errors(module(rows), x) for rows in self.corruptions(x)]
        return torch.stack(errors).transpose(0, 1)

    def mean_feature_scores(self, errors: Tensor) -> Tensor:
        """Return terms (n, n_features) of the scores, means over stacked errors."""
        if self.variances.numel():
            errors = errors / self.variances
        return (errors / errors.shape[2]).mean(dim=1)


# Bounds of the logarithm of a feature's variance given the code. The lower one is a
# standard deviation of a twentieth of that of a scaled feature.
LOG_VARIANCE_RANGE = (-6.0, 6.0)


class GaussianLikelihood:
    """Independent normal features, each with a mean and a log-variance from the decoder."""

    n_parameters = 2

    def _moments(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = decoded.chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)

    def check(self, x: Tensor) -> None:
        """Any number will do."""

    def mean(self, decoded: Tensor) -> Tensor:
        """Return the expected rows (n, n_features)."""
        return self._moments(decoded)[0]

    def draw(self, decoded: Tensor) -> Tensor:
        """Draw rows (n, n_features)."""
        mean, log_variance = self._moments(decoded)
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)

    def losses(self, decoded: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-densities (n, n_features) of the values of rows."""
        mean, log_variance = self._moments(decoded)
        errors = (x - mean).square() * torch.exp(-log_variance)
        return 0.5 * (errors + log_variance + math.log(2 * math.pi))


class BernoulliLikelihood:
    """Independent binary features, each with a logit from the decoder.

    Values between 0 and 1 count as probabilities.
    """

    n_parameters = 1

    def check(self, x: Tensor) -> None:
        """Refuse rows that have no likelihood."""
        low, high = x.min().item(), x.max().item()
        if low < 0 or high > 1:
            raise ValueError(
                "likelihood='bernoulli' takes values between 0 and 1 to learn from, got"
                f" {low:.3g} to {high:.3g}. Scale the features, for example with"
                " MinMaxScaler, or use likelihood='gaussian'."
            )

    def mean(self, decoded: Tensor) -> Tensor:
        """Return the expected rows (n, n_features)."""
        return decoded.sigmoid()

    def draw(self, decoded: Tensor) -> Tensor:
        """Draw rows (n, n_features)."""
        return torch.bernoulli(self.mean(decoded))

    def losses(self, decoded: Tensor, x: Tensor) -> Tensor:
        """Return the cross-entropies (n, n_features).

        A value outside of [0, 1] has none: its distance to there is added to that of the
        nearest value which has.
        """
        nearest = x.clamp(0, 1)
        losses = F.binary_cross_entropy_with_logits(decoded, nearest, reduction="none")
        return losses + (x - nearest).abs()


LIKELIHOODS: dict[str, type[GaussianLikelihood] | type[BernoulliLikelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
}


class Variational(Protocol):
    """What the loss of a variational auto-encoder calls on a module."""

    latent_dim: int

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances (n, latent_dim) of the codes of rows."""

    def decode(self, z: Tensor) -> Tensor:
        """Map codes to the parameters of the distribution of rows."""


class VariationalLoss(nn.Module):
    """Negative evidence lower bound of rows.

    Parameters
    ----------
    likelihood : str, default="gaussian"
        A key of ``LIKELIHOODS``.
    beta : float, default=1.0
        Weight of the divergence of the codes from the standard normal distribution.
    warmup : float, default=0.0
        Share of the training in which that weight rises from 0.
    score_type : {"reconstruction_probability", "elbo", "error"}, \
default="reconstruction_probability"
        The score that :meth:`score_with` returns.
    """

    # What a module must offer beside ``forward``.
    module_interface = ("latent_dim", "posterior", "decode")
    noises: Tensor

    def __init__(
        self,
        *,
        likelihood: str = "gaussian",
        beta: float = 1.0,
        warmup: float = 0.0,
        score_type: str = "reconstruction_probability",
    ):
        super().__init__()
        self.score_type = score_type
        self.likelihood = LIKELIHOODS[likelihood]()
        self.beta = beta
        self.warmup = warmup
        self.weight = beta
        self.register_buffer("noises", torch.empty(0))

    def begin_epoch(self, share: float) -> None:
        """Set the weight of the divergence when the share of the training is done."""
        self.weight = self.beta * (min(1.0, share / self.warmup) if self.warmup else 1.0)

    def draw_noises(self, n_draws: int, latent_dim: int) -> None:
        """Draw the noises that make the codes of every row that is scored."""
        self.noises = torch.randn(n_draws, latent_dim, device=self.noises.device)

    def divergences(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Return the divergences (n,) of the codes' distributions from the prior."""
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)

    def forward(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean over rows of the negative bound, the divergence weighted."""
        self.likelihood.check(x)
        decoded, mean, log_variance = output
        check_reconstruction(self.likelihood.mean(decoded), x)
        losses = self.likelihood.losses(decoded, x).sum(dim=1)
        return (losses + self.weight * self.divergences(mean, log_variance)).mean()

    def errors(self, module: Variational, x: Tensor) -> Tensor:
        """Return squared errors over the number of features, (n, n_features)."""
        decoded = module.decode(module.posterior(x)[0])
        return (x - self.likelihood.mean(decoded)).square() / x.shape[1]

    def reconstruction_losses(self, module: Variational, x: Tensor) -> Tensor:
        """Return mean negative log-densities over codes of the rows, (n, n_features)."""
        mean, log_variance = module.posterior(x)
        deviation = torch.exp(0.5 * log_variance)
        total = torch.zeros_like(x)
        for noise in self.noises:
            decoded = module.decode(mean + deviation * noise)
            total = total + self.likelihood.losses(decoded, x)
        return total / len(self.noises)

    def feature_scores_with(self, module: Variational, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) of the scores, without any divergence."""
        if self.score_type == "error":
            return self.errors(module, x)
        return self.reconstruction_losses(module, x)

    def score_with(self, module: Variational, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows.

        For ``score_type="elbo"`` these are the negative evidence lower bounds, with a
        divergence of weight 1.
        """
        if self.score_type == "elbo":
            divergences = self.divergences(*module.posterior(x))
            return self.reconstruction_losses(module, x).sum(dim=1) + divergences
        return self.feature_scores_with(module, x).sum(dim=1)


class CodeGame(Protocol):
    """What the losses of an adversarial auto-encoder call on a module."""

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""

    def discriminate(self, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that codes come from the prior."""

    def __call__(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""


class AdversarialAutoEncoderLoss(ReconstructionLoss):
    """Reconstruction error, and the game of the encoder against a discriminator of codes.

    Parameters
    ----------
    score_type : {"reconstruction", "discriminator", "both"}, default="reconstruction"
        The score that :meth:`score_with` returns.
    """

    # What a module must offer beside ``forward``.
    module_interface = ("latent_dim", "encode", "generate", "discriminate")
    scales: Tensor

    def __init__(self, *, score_type: str = "reconstruction"):
        super().__init__()
        self.score_type = score_type
        # The two scores are divided by these before they are added.
        self.register_buffer("scales", torch.ones(2))

    def reconstruction_loss(self, module: nn.Module, x: Tensor) -> Tensor:
        """Return the mean of all squared errors."""
        return self(module(x), x)

    def discriminator_loss(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the cross-entropy of telling codes of rows from the prior's."""
        with torch.no_grad():
            codes = module.encode(x)
        drawn, encoded = (
            module.discriminate(torch.randn_like(codes)),
            module.discriminate(codes),
        )
        return F.softplus(-drawn).mean() + F.softplus(encoded).mean()

    def regularization_loss(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the non-saturating loss of the encoder."""
        return F.softplus(-module.discriminate(module.encode(x))).mean()

    def code_scores(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return -log D of the codes of rows, shape (n,)."""
        return F.softplus(-module.discriminate(module.encode(x))).squeeze(1)

    def score_parts(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the scores of the reconstruction and of the code, (n, 2)."""
        reconstruction = self.feature_scores(module(x), x).sum(dim=1)
        return torch.stack([reconstruction, self.code_scores(module, x)]).T

    def score_with(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows."""
        if self.score_type == "reconstruction":
            return self.feature_scores(module(x), x).sum(dim=1)
        if self.score_type == "discriminator":
            return self.code_scores(module, x)
        return (self.score_parts(module, x) / self.scales).sum(dim=1)
