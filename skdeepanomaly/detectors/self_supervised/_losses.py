"""Losses of self-supervised methods, on codes of transformed copies of rows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import TrainingBall, squared_distances
from ...networks import rowwise_product


def check_views(output: Tensor, x: Tensor) -> Tensor:
    """Refuse what is not one code for each of several copies of each row."""
    fits = isinstance(output, Tensor) and output.ndim == 3
    if not fits or len(output) != len(x) or output.shape[1] < 2:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"The module returned an output of shape {shape} for {len(x)} rows; expected codes"
            f" of shape ({len(x)}, n_copies, latent_dim) of at least two copies of each row."
        )
    return output


class DeterministicContrastiveLoss(nn.Module):
    """Each transformed copy is like its row, and unlike the other transformed copies.

    Parameters
    ----------
    temperature : float, default=0.1
        What the cosines are divided by.
    """

    def __init__(self, *, temperature: float = 0.1):
        super().__init__()
        self.temperature = temperature
        self.ball = TrainingBall()

    def losses(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss (n,) of each row, relative to that of indistinct copies."""
        codes = check_views(output, x)
        similarities = torch.bmm(codes, codes.transpose(1, 2)) / self.temperature
        n_copies = codes.shape[1]
        itself = torch.eye(n_copies, dtype=torch.bool, device=codes.device)
        similarities = similarities.masked_fill(itself, -torch.inf)[:, 1:]
        losses = similarities.logsumexp(dim=2) - similarities[:, :, 0]
        return losses.mean(dim=1) / math.log(max(2, n_copies - 1))

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss of each row; rows far out score more, shape (n,)."""
        return self.losses(output, x) + self.ball.excess(x)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean loss."""
        return self.losses(output, x).mean()


class TransformationLoss(nn.Module):
    """Codes of one transformation gather around a centre, away from the other centres.

    Parameters
    ----------
    margin : float, default=1.0
        By how much a code shall be nearer to its own centre than to any other, in squared
        distance.
    eps : float, default=1e-6
        What is added to each of the likelihoods.
    likelihood_weight : float, default=1.0
        Weight of the negative log-likelihood of the right transformations in the loss.
    """

    centers: Tensor

    def __init__(
        self, *, margin: float = 1.0, eps: float = 1e-6, likelihood_weight: float = 1.0
    ):
        super().__init__()
        self.margin = margin
        self.eps = eps
        self.likelihood_weight = likelihood_weight
        self.register_buffer("centers", torch.empty(0))
        self.ball = TrainingBall()

    def distances(self, codes: Tensor, centers: Tensor) -> Tensor:
        """Return distances (n, k, k) of the codes (n, k, latent_dim) to all centres.

        The second axis is the transformation that was made, the last one the centre.
        """
        distances = squared_distances(codes.flatten(0, 1), centers, rowwise_product)
        return distances.reshape(*codes.shape[:2], -1)

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the right transformation, (n,)."""
        distances = self.distances(check_views(output, x), self.centers)
        k = distances.shape[1]
        log_eps = torch.full((), self.eps, device=x.device).log()
        right = torch.logaddexp(-distances.diagonal(dim1=1, dim2=2), log_eps)
        total = torch.logaddexp(torch.logsumexp(-distances, dim=2), log_eps + math.log(k))
        return (total - right).mean(dim=1) + self.ball.excess(x)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the triplet loss and the likelihood, with the centres of the batch."""
        codes = check_views(output, x)
        distances = self.distances(codes, codes.mean(dim=0))
        own = distances.diagonal(dim1=1, dim2=2)
        itself = torch.eye(codes.shape[1], dtype=torch.bool, device=codes.device)
        nearest = distances.masked_fill(itself, torch.inf).amin(dim=2)
        loss = F.relu(own + self.margin - nearest).mean()
        if self.likelihood_weight:
            likelihood = distances.negative().log_softmax(dim=2).diagonal(dim1=1, dim2=2)
            loss = loss - self.likelihood_weight * likelihood.mean()
        return loss
