"""Losses and scores of the reconstruction detectors."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import MembersLoss, check_reconstruction, log_uniform, trimmed_mean


class ReconstructionLoss(MembersLoss):
    """Mean squared error between rows and their reconstructions.

    Parameters
    ----------
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch, those with the largest errors, that the loss leaves out.
    n_members : int, default=1
        Number of networks; the shapes below are those of one, several add an axis before the
        last.

    Attributes
    ----------
    variances : Tensor of shape (n_features,), (n_corruptions, n_features) or (0,)
        Mean squared errors by which the scores divide the squared errors. If it is empty,
        the scores use the squared errors as they are.
    """

    variances: Tensor

    def __init__(self, *, trimmed_fraction: float = 0.0, n_members: int = 1) -> None:
        super().__init__(n_members=n_members)
        self.trimmed_fraction = trimmed_fraction
        self.register_buffer("variances", torch.empty(0))

    def squared_errors(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared error of each feature, shape (n, n_features)."""
        x = self.for_members(x)
        check_reconstruction(output, x)
        return (output - x).square()

    def feature_scores(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) whose sums over features are anomaly scores."""
        errors = self.squared_errors(output, x)
        if self.variances.numel():
            errors = errors / self.variances
        return self.mean_of_members(errors / errors.shape[-1])

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean of all squared errors, but for those of trimmed rows."""
        errors = self.squared_errors(output, x)
        if not self.trimmed_fraction and self.n_members == 1:
            return errors.mean()
        return trimmed_mean(errors.mean(dim=-1), self.trimmed_fraction)


class DenoisingLoss(ReconstructionLoss):
    """Mean squared error between clean rows and the reconstructions of corrupted rows.

    Parameters
    ----------
    noise_std : tuple of two floats, default=(0.05, 1.5)
        Range (low, high) of the standard deviation of the Gaussian noise. A standard
        deviation is drawn for each row: log-uniformly, or uniformly if low is 0. (0, 0)
        means no noise.
    masking_rate : float or sequence of floats, default=0.0
        Probability that a value is set to zero: one number for all features, or one for each
        feature.
    trimmed_fraction, n_members
        As in :class:`ReconstructionLoss`.
    """

    rates: Tensor
    noises: Tensor
    kept: Tensor

    def __init__(
        self,
        *,
        noise_std: tuple[float, float] = (0.05, 1.5),
        masking_rate: float | Sequence[float] = 0.0,
        trimmed_fraction: float = 0.0,
        n_members: int = 1,
    ):
        super().__init__(trimmed_fraction=trimmed_fraction, n_members=n_members)
        self.noise_std = noise_std
        self.register_buffer("rates", torch.as_tensor(masking_rate, dtype=torch.float32))
        for name in ("noises", "kept"):
            self.register_buffer(name, torch.empty(0))

    def _noise_levels(self, shares: Tensor) -> Tensor:
        """Map shares in [0, 1] to standard deviations of the noise."""
        low, high = self.noise_std
        return log_uniform(low, high, shares) if low else high * shares

    def corrupt(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features) with random noise and with random values set to zero."""
        # NOTE[DIFF]: noise and masking can be combined; the papers use one or the other.
        x = self.for_members(x)
        if self.noise_std[1]:
            levels = self._noise_levels(torch.rand(*x.shape[:-1], 1, device=x.device))
            x = x + levels * torch.randn_like(x)
        if self.rates.any():
            x = x * (torch.rand_like(x) >= self.rates)
        return x

    def draw_corruptions(self, n_corruptions: int, n_features: int) -> None:
        """Draw the corruptions of the rows that are scored; all rows get the same ones."""
        shape, device = (n_corruptions, n_features), self.rates.device
        # Evenly spread levels, not random ones: few corruptions cover the whole range.
        shares = (torch.arange(n_corruptions, device=device) + 0.5) / max(1, n_corruptions)
        self.noises = self._noise_levels(shares)[:, None] * torch.randn(shape, device=device)
        self.kept = (torch.rand(shape, device=device) >= self.rates).float()

    def corruptions(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the rows (n, n_features) once for each drawn corruption."""
        for noise, kept in zip(self.noises, self.kept, strict=True):
            yield (x + noise) * kept

    def stacked_errors(self, module: nn.Module, x: Tensor) -> Tensor:
        """Return squared errors (n, n_corruptions, n_features) for the drawn corruptions."""
        errors = [self.squared_errors(module(rows), x) for rows in self.corruptions(x)]
        return torch.stack(errors).transpose(0, 1)

    def mean_feature_scores(self, errors: Tensor) -> Tensor:
        """Return the terms (n, n_features) of the scores.

        Parameters
        ----------
        errors : Tensor of shape (n, n_corruptions, n_features)
            Squared errors from :meth:`stacked_errors`.

        Returns
        -------
        terms : Tensor of shape (n, n_features)
            Means over the corruptions; their sums over features are anomaly scores.
        """
        if self.variances.numel():
            errors = errors / self.variances
        return self.mean_of_members((errors / errors.shape[-1]).mean(dim=1))


# NOTE[DIFF]: the papers do not bound the log-variances of the features. Without bounds the
# variance of a feature that is almost constant goes to zero, and the loss to minus infinity.
# The lower bound is a standard deviation of exp(-3) = 0.05 of a standardised feature.
LOG_VARIANCE_RANGE = (-6.0, 6.0)


class GaussianLikelihood:
    """Independent normal features, each with a mean and a log-variance from the decoder."""

    n_parameters = 2

    def _moments(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = decoded.chunk(2, dim=-1)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)

    def check(self, x: Tensor) -> None:
        """Accept all rows: each number has a normal likelihood."""

    def mean(self, decoded: Tensor) -> Tensor:
        """Return the expected rows (n, n_features)."""
        return self._moments(decoded)[0]

    def draw(self, decoded: Tensor) -> Tensor:
        """Draw rows (n, n_features)."""
        mean, log_variance = self._moments(decoded)
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)

    def losses(self, decoded: Tensor, x: Tensor) -> Tensor:
        """Return the negative log-densities (n, n_features), in nats, of the values of rows."""
        mean, log_variance = self._moments(decoded)
        errors = (x - mean).square() * torch.exp(-log_variance)
        return 0.5 * (errors + log_variance + math.log(2 * math.pi))


class BernoulliLikelihood:
    """Independent binary features, each with a logit from the decoder.

    A value between 0 and 1 is read as the probability that the feature is 1.
    """

    n_parameters = 1

    def check(self, x: Tensor) -> None:
        """Raise a ValueError if a value is outside of [0, 1] and has no likelihood."""
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
        """Return the cross-entropies (n, n_features), in nats.

        A value outside of [0, 1] has no cross-entropy. It gets the cross-entropy of the
        nearest value in [0, 1], plus its distance to this value.
        """
        # NOTE[DIFF]: the papers do not score values outside of [0, 1].
        nearest = x.clamp(0, 1)
        losses = F.binary_cross_entropy_with_logits(decoded, nearest, reduction="none")
        return losses + (x - nearest).abs()


LIKELIHOODS: dict[str, type[GaussianLikelihood] | type[BernoulliLikelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
}


class Variational(Protocol):
    """Attributes of a module that the loss of a variational auto-encoder uses."""

    latent_dim: int

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances (n, latent_dim) of the codes of rows."""

    def decode(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to the parameters of the distribution of rows."""


class VariationalLoss(MembersLoss):
    """Negative evidence lower bound of rows.

    Parameters
    ----------
    likelihood : str, default="gaussian"
        A key of ``LIKELIHOODS``.
    beta : float, default=1.0
        Weight of the divergence of the codes from the standard normal distribution.
    warmup : float, default=0.0
        Share of the training during which this weight rises from 0 to ``beta``, in [0, 1].
    score_type : {"reconstruction_probability", "elbo", "error"}, \
default="reconstruction_probability"
        The score that :meth:`score_with` returns.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch, those with the largest losses, that the loss leaves out.
    n_members : int, default=1
        Number of networks; the shapes below are those of one, several add an axis before the
        last.
    """

    # Attributes that a module must have besides ``forward``.
    module_interface = ("latent_dim", "posterior", "decode")
    noises: Tensor

    def __init__(
        self,
        *,
        likelihood: str = "gaussian",
        beta: float = 1.0,
        warmup: float = 0.0,
        score_type: str = "reconstruction_probability",
        trimmed_fraction: float = 0.0,
        n_members: int = 1,
    ):
        super().__init__(n_members=n_members)
        self.trimmed_fraction = trimmed_fraction
        self.score_type = score_type
        self.likelihood = LIKELIHOODS[likelihood]()
        self.beta = beta
        self.warmup = warmup
        self.weight = beta
        self.register_buffer("noises", torch.empty(0))

    def begin_epoch(self, share: float) -> None:
        """Set the weight of the divergence.

        Parameters
        ----------
        share : float
            Share of the training that is done, in [0, 1].
        """
        self.weight = self.beta * (min(1.0, share / self.warmup) if self.warmup else 1.0)

    def draw_noises(self, n_draws: int, latent_dim: int) -> None:
        """Draw the noise of the codes of the rows that are scored; it is equal for all rows."""
        self.noises = torch.randn(n_draws, latent_dim, device=self.noises.device)

    def divergences(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Return the divergences (n,), in nats, of the distributions of codes from the prior.

        Both distributions are normal, so the divergence has a closed form (Kingma and
        Welling 2014, appendix B).
        """
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1)

    def forward(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean over rows of the reconstruction loss plus the weighted divergence."""
        self.likelihood.check(x)
        x = self.for_members(x)
        decoded, mean, log_variance = output
        check_reconstruction(self.likelihood.mean(decoded), x)
        losses = self.likelihood.losses(decoded, x).sum(dim=-1)
        losses = losses + self.weight * self.divergences(mean, log_variance)
        return trimmed_mean(losses, self.trimmed_fraction)

    def errors(self, module: Variational, x: Tensor) -> Tensor:
        """Return squared errors divided by the number of features, shape (n, n_features)."""
        means = self.likelihood.mean(module.decode(module.posterior(x)[0]))
        return self.mean_of_members((self.for_members(x) - means).square() / x.shape[-1])

    def reconstruction_losses(self, module: Variational, x: Tensor) -> Tensor:
        """Return negative log-densities (n, n_features), averaged over the drawn codes."""
        mean, log_variance = module.posterior(x)
        deviation = torch.exp(0.5 * log_variance)
        x = self.for_members(x)
        total = torch.zeros_like(x)
        for noise in self.noises:
            decoded = module.decode(mean + deviation * noise)
            total = total + self.likelihood.losses(decoded, x)
        return self.mean_of_members(total / len(self.noises))

    def feature_scores_with(self, module: Variational, x: Tensor) -> Tensor:
        """Return the terms (n, n_features) of the scores, without the divergence."""
        if self.score_type == "error":
            return self.errors(module, x)
        return self.reconstruction_losses(module, x)

    def score_with(self, module: Variational, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows.

        For ``score_type="elbo"`` the scores are the negative evidence lower bounds; the
        divergence has the weight 1 there, whatever ``beta`` is.
        """
        if self.score_type == "elbo":
            divergences = self.mean_of_members(self.divergences(*module.posterior(x)))
            return self.reconstruction_losses(module, x).sum(dim=1) + divergences
        return self.feature_scores_with(module, x).sum(dim=1)


class CodeGame(Protocol):
    """Methods of a module that the losses of an adversarial auto-encoder call."""

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""

    def discriminate(self, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that codes come from the prior."""

    def __call__(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""


class AdversarialAutoEncoderLoss(ReconstructionLoss):
    """Losses of the reconstruction, of a discriminator of codes, and of the encoder against it.

    Parameters
    ----------
    score_type : {"reconstruction", "discriminator", "both"}, default="reconstruction"
        The score that :meth:`score_with` returns.
    trimmed_fraction, n_members
        As in :class:`ReconstructionLoss`.
    """

    # Attributes that a module must have besides ``forward``.
    module_interface = ("latent_dim", "encode", "generate", "discriminate")
    scales: Tensor

    def __init__(
        self,
        *,
        score_type: str = "reconstruction",
        trimmed_fraction: float = 0.0,
        n_members: int = 1,
    ):
        super().__init__(trimmed_fraction=trimmed_fraction, n_members=n_members)
        self.score_type = score_type
        # Means of the two scores over the training rows; each score is divided by its mean
        # before the two are added.
        self.register_buffer("scales", torch.ones(2))

    def reconstruction_loss(self, module: nn.Module, x: Tensor) -> Tensor:
        """Return the mean of the squared errors."""
        return self(module(x), x)

    def discriminator_loss(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the cross-entropy of the discriminator on codes of rows and prior draws."""
        # No gradients for the encoder: this step trains the discriminator only.
        with torch.no_grad():
            codes = module.encode(x)
        drawn, encoded = (
            module.discriminate(torch.randn_like(codes)),
            module.discriminate(codes),
        )
        return self._total(F.softplus(-drawn)) + self._total(F.softplus(encoded))

    def regularization_loss(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the loss of the encoder against the discriminator."""
        # NOTE[DIFF]: the non-saturating loss -log D; the paper minimises log(1 - D).
        return self._total(F.softplus(-module.discriminate(module.encode(x))))

    def _total(self, losses: Tensor) -> Tensor:
        """Return the mean over rows of losses (n, 1), added up over several networks."""
        return trimmed_mean(losses.squeeze(-1), 0.0)

    def code_scores(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return ``-log D(E(x))`` of rows, shape (n,)."""
        # NOTE[DIFF]: the paper does not score rows.
        losses = F.softplus(-module.discriminate(module.encode(x)))
        return self.mean_of_members(losses.squeeze(-1))

    def score_parts(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the scores of the reconstruction and of the code, shape (n, 2)."""
        reconstruction = self.feature_scores(module(x), x).sum(dim=1)
        return torch.stack([reconstruction, self.code_scores(module, x)]).T

    def score_with(self, module: CodeGame, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows."""
        if self.score_type == "reconstruction":
            return self.feature_scores(module(x), x).sum(dim=1)
        if self.score_type == "discriminator":
            return self.code_scores(module, x)
        return (self.score_parts(module, x) / self.scales).sum(dim=1)
