"""Losses with labels: -1 for anomalies, +1 for normal rows, 0 for rows without a label."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import check_reconstruction, log_uniform, whitening
from ...networks import rowwise_product
from ..one_class._losses import CenterLoss


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the values (n,) that a mask selects, or zero if it selects none."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


class DeepSADLoss(CenterLoss):
    """Squared distance to a fixed centre, and its inverse for labelled anomalies.

    Parameters
    ----------
    eta : float, default=1.0
        Weight of a labelled row; a row without a label has weight 1.
    eps : float, default=1e-6
        Constant added to a distance before it is inverted.
    """

    scale: Tensor

    def __init__(self, *, eta: float = 1.0, eps: float = 1e-6):
        super().__init__()
        self.eta = eta
        self.eps = eps
        self.register_buffer("scale", torch.ones(()))

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the squared distances (n,) to the centre, in units of ``scale``."""
        return self.distances(output) / self.scale

    def forward(self, output: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the weighted mean of the distances, inverted for labelled anomalies."""
        distances = self.score_rows(output, x)
        losses = torch.where(y < 0, 1 / (distances + self.eps), distances)
        return torch.where(y == 0, losses, self.eta * losses).mean()


class DeviationLoss(nn.Module):
    """Deviation of scalar outputs from a Gaussian reference (Pang et al. 2019).

    The loss is low if the deviation is small for normal rows, and at least ``margin`` for
    labelled anomalies.

    Parameters
    ----------
    margin : float, default=5.0
        Deviation that labelled anomalies should reach, in standard deviations of the
        reference.
    n_reference_draws : int, default=5000
        Number of draws from the standard normal distribution that make the reference.
    two_sided : bool, default=True
        Whether rows below the reference are abnormal, too.
    """

    reference_mean: Tensor
    reference_std: Tensor

    def __init__(
        self,
        *,
        margin: float = 5.0,
        n_reference_draws: int = 5000,
        two_sided: bool = True,
    ):
        super().__init__()
        self.margin = margin
        self.two_sided = two_sided
        # NOTE[DIFF]: drawn once, as in the authors' code, and not for each batch.
        reference = torch.randn(n_reference_draws)
        self.register_buffer("reference_mean", reference.mean())
        self.register_buffer("reference_std", reference.std())

    def deviations(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the deviations of outputs from the reference.

        Parameters
        ----------
        output : Tensor of shape (n, 1)
            One number for each row.
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        deviations : Tensor of shape (n,)
            In standard deviations of the reference.

        Raises
        ------
        ValueError
            If the output has another shape.
        """
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        n = x.shape[0]
        if shape != (n, 1):
            raise ValueError(
                f"The module returned an output of shape {shape} for {n} rows; expected"
                f" one number a row, of shape {(n, 1)}."
            )
        return (output[:, 0] - self.reference_mean) / self.reference_std

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): the deviations, or their absolute values."""
        deviations = self.deviations(output, x)
        # NOTE[DIFF]: the paper has the signed deviation, which calls a row far below the
        # reference the most normal one.
        return deviations.abs() if self.two_sided else deviations

    def forward(self, output: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean of the deviations, or for anomalies of their gap to the margin."""
        deviations = self.deviations(output, x)
        lacking = F.relu(self.margin - deviations)
        return torch.where(y < 0, lacking, deviations.abs()).mean()


class ClassifyingGAN(Protocol):
    """Interface of a module for :class:`SemiSupervisedGANLoss`."""

    latent_dim: int

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (n, any width) and logits (n, 2) of rows."""


class SemiSupervisedGANLoss(nn.Module):
    """Losses of a generator and of a discriminator with the classes normal and anomaly.

    Parameters
    ----------
    feature_matching : bool, default=True
        Whether the generator matches the mean of the discriminator's features. With False
        it has the non-saturating loss of a GAN.
    background_weight : float, default=1.0
        Weight of noisy rows, which the discriminator should recognise as fakes.
    unlabelled_weight : float, default=1.0
        Weight of the term that treats rows without a label as normal.
    alpha : float, default=1.0
        Weight of the class probability in the score.
    """

    # Attributes that a module must have beside ``forward``.
    module_interface = ("latent_dim", "generate")

    # Range of the standard deviation of the noise, for features of unit variance.
    noise_range = (0.1, 3.0)
    # Ridge of the covariance of the features, in units of their mean variance.
    ridge = 0.003

    mean: Tensor
    whitening: Tensor

    def __init__(
        self,
        *,
        feature_matching: bool = True,
        background_weight: float = 1.0,
        unlabelled_weight: float = 1.0,
        alpha: float = 1.0,
    ):
        super().__init__()
        self.feature_matching = feature_matching
        self.background_weight = background_weight
        self.unlabelled_weight = unlabelled_weight
        self.alpha = alpha
        self.register_buffer("mean", torch.empty(0))
        self.register_buffer("whitening", torch.empty(0))

    @staticmethod
    def check_output(output: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output of a module if it is a pair of features and logits.

        Parameters
        ----------
        output : tuple of two Tensors
            Features (n, any width) and logits (n, 2).
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        output : tuple of two Tensors
            The same.

        Raises
        ------
        ValueError
            If the output is not such a pair.
        """
        if not isinstance(output, tuple) or len(output) != 2:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of features"
                " and logits."
            )
        features, logits = output
        n = x.shape[0]
        if features.ndim != 2 or tuple(logits.shape) != (n, 2):
            raise ValueError(
                f"The module returned features of shape {tuple(features.shape)} and logits of"
                f" shape {tuple(logits.shape)} for {n} rows; expected ({n}, any"
                f" width) and ({n}, 2)."
            )
        return features, logits

    @staticmethod
    def anomaly_log_odds(logits: Tensor) -> Tensor:
        """Return the log-odds (n,) of anomaly against normal, given that a row is real."""
        return logits[:, 1] - logits[:, 0]

    def add_noise(self, x: Tensor) -> Tensor:
        """Return rows plus Gaussian noise, whose standard deviation is drawn for each row."""
        low, high = self.noise_range
        strengths = log_uniform(low, high, torch.rand(x.shape[0], 1, device=x.device))
        return x + strengths * torch.randn_like(x)

    def generate(self, module: ClassifyingGAN, x: Tensor) -> Tensor:
        """Return as many generated rows as ``x`` has, (n, n_features)."""
        fakes = module.generate(torch.randn(x.shape[0], module.latent_dim, device=x.device))
        check_reconstruction(fakes, x)
        return fakes

    def discriminator_loss(self, module: ClassifyingGAN, x: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropies of real against fake, and of the two classes."""
        with torch.no_grad():
            rows = [x, self.generate(module, x)]
        if self.background_weight:
            # NOTE[DIFF]: noisy rows are fakes, too.
            rows.append(self.add_noise(x))
        everything = torch.cat(rows)
        _, logits = self.check_output(module(everything), everything)
        real, fake, *background = torch.split(logits.logsumexp(dim=1), x.shape[0])
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        for noisy in background:
            loss = loss + self.background_weight * F.softplus(noisy).mean()
        log_odds = self.anomaly_log_odds(logits[: x.shape[0]])
        called_anomaly = F.softplus(log_odds)
        # NOTE[DIFF]: the last term treats rows without a label as normal.
        return (
            loss
            + mean_where(F.softplus(-log_odds), y < 0)
            + mean_where(called_anomaly, y > 0)
            + self.unlabelled_weight * mean_where(called_anomaly, y == 0)
        )

    def generator_loss(self, module: ClassifyingGAN, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss of the generator.

        With ``feature_matching`` it is the squared distance between the mean features of
        generated rows and of the rows that are not labelled as anomalies.
        """
        made, logits = self.check_output(module(self.generate(module, x)), x)
        if not self.feature_matching:
            return F.softplus(-logits.logsumexp(dim=1)).mean()
        with torch.no_grad():
            features, _ = module(x)
        shares = (y >= 0) / (y >= 0).sum().clamp(min=1)
        return (shares @ features - made.mean(dim=0)).square().sum()

    def follow(self, features: Tensor, logits: Tensor) -> None:
        """Set the mean and the whitening matrix of the features of normal rows.

        Normal rows are those that the discriminator does not call anomalies. The whitening
        is scaled so that their squared Mahalanobis distances have the mean 1.

        Parameters
        ----------
        features : Tensor of shape (n, any width)
            Features of training rows.
        logits : Tensor of shape (n, 2)
            Their logits.
        """
        normal = self.anomaly_log_odds(logits) <= 0
        features = (features[normal] if normal.sum() > 1 else features).double()
        mean = features.mean(dim=0)
        covariance = torch.cov(features.T, correction=0).reshape(len(mean), len(mean))
        # The constant keeps the matrix invertible if all rows are equal.
        ridge = self.ridge * covariance.diagonal().mean() + 1e-12
        self.mean = mean.float()
        self.whitening = whitening(covariance, ridge, unit_mean=True).float()

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the anomaly scores (n,), from the features and the class probability."""
        # NOTE[DIFF]: the paper has no anomaly score. The probability that a row is real is
        # not used, because rows far from the data can look more real than the data.
        features, logits = self.check_output(output, x)
        whitened = rowwise_product(features - self.mean, self.whitening)
        distances = whitened.square().sum(dim=1)
        surprise = F.softplus(self.anomaly_log_odds(logits))
        return (distances + 1e-3).log() + self.alpha * surprise
