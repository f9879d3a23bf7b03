"""Losses of clusters that are learnt from relations between pairs of rows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._clustering import ClusteringLoss


class DeepDiscriminativeClusteringLoss(ClusteringLoss):
    """Cross-entropy of the relations of pairs (Chang et al. 2017, 2019).

    The label features of a row are the softmax of a linear layer on its code, divided by
    their norm, so that the product of two rows' features is a similarity in [0, 1].

    Parameters
    ----------
    upper_threshold : float, default=0.95
        Similarity above which a pair is taken to be of one cluster, at the start.
    lower_threshold : float, default=0.455
        Similarity below which a pair is taken to be of two clusters, at the start.
    relation_weight : float, default=0.1
        Weight of the cross-entropy of the relations.
    balance_weight : float, default=0.1
        Weight of the negative entropy of the mean label.
    reconstruction_weight : float, default=1.0
        Weight of the mean squared error of the reconstruction.
    """

    # A softmax that is much softer calls all pairs alike, and everything becomes one
    # cluster.
    sharpness = 10.0

    progress: Tensor
    occupied: Tensor
    whitening: Tensor

    def __init__(
        self,
        *,
        upper_threshold: float = 0.95,
        lower_threshold: float = 0.455,
        relation_weight: float = 0.1,
        balance_weight: float = 0.1,
        reconstruction_weight: float = 1.0,
    ):
        super().__init__()
        self.upper_threshold = upper_threshold
        self.lower_threshold = lower_threshold
        self.relation_weight = relation_weight
        self.balance_weight = balance_weight
        self.reconstruction_weight = reconstruction_weight
        self.label_weight = nn.Parameter(torch.empty(0))
        self.label_bias = nn.Parameter(torch.empty(0))
        self.register_buffer("progress", torch.zeros(()))
        self.register_buffer("occupied", torch.empty(0))
        self.register_buffer("whitening", torch.empty(0))

    def begin_epoch(self, share: float) -> None:
        """Move the thresholds to where they are when that share of the training is done."""
        self.progress.fill_(share)

    def start_labels(self, codes: Tensor) -> None:
        """Make the label layer assign codes to the centres, before training."""
        scale = self.sharpness / self.distances(codes).mean().clamp_min(1e-6)
        self.label_weight = nn.Parameter(2 * scale * self.centers)
        self.label_bias = nn.Parameter(-scale * self.centers.square().sum(dim=1))

    def label_probabilities(self, codes: Tensor) -> Tensor:
        """Return the softmax of the label layer, shape (n, n_clusters)."""
        return F.linear(codes, self.label_weight, self.label_bias).softmax(dim=1)

    def thresholds(self) -> tuple[Tensor, Tensor]:
        """Return the upper and the lower threshold; they meet where training ends."""
        gap = self.progress * (self.upper_threshold - self.lower_threshold)
        return self.upper_threshold - gap * 10 / 11, self.lower_threshold + gap / 11

    def relation_loss(self, probabilities: Tensor) -> Tensor:
        """Return the mean cross-entropy of the pairs whose relation is decided."""
        features = F.normalize(probabilities, dim=1)
        similarities = (features @ features.T).clamp(1e-6, 1 - 1e-6)
        upper, lower = self.thresholds()
        # A row is always like itself; that teaches nothing.
        others = ~torch.eye(len(features), dtype=torch.bool, device=features.device)
        # Where the thresholds have met, each pair is decided.
        same = (similarities >= upper) & others
        different = (similarities < lower) & others
        entropies = -(similarities.log() * same + torch.log1p(-similarities) * different).sum()
        return entropies / (same.sum() + different.sum()).clamp_min(1)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the weighted sum of relations, balance and reconstruction error."""
        codes, reconstruction = self.split(output, x)
        loss = self.reconstruction_weight * (reconstruction - x).square().mean()
        if self.relation_weight or self.balance_weight:
            probabilities = self.label_probabilities(codes)
            loss = loss + self.relation_weight * self.relation_loss(probabilities)
            mean = probabilities.mean(dim=0)
            negative_entropy = (mean * mean.clamp_min(1e-9).log()).sum()
            loss = loss + self.balance_weight * negative_entropy
        return loss

    @torch.no_grad()
    def describe_clusters(self, codes: Tensor) -> None:
        """Set the centres to the mean codes, and how codes spread around them."""
        labels = self.label_probabilities(codes).argmax(dim=1)
        n_clusters = len(self.label_weight)
        counts = torch.bincount(labels, minlength=n_clusters)
        sums = torch.zeros(n_clusters, codes.shape[1], dtype=torch.float64)
        sums.index_add_(0, labels.cpu(), codes.cpu().double())
        centers = sums / counts.cpu().clamp_min(1)[:, None]
        deviations = codes.cpu().double() - centers[labels.cpu()]
        covariance = deviations.T @ deviations / len(codes)
        ridge = 1e-2 * covariance.diagonal().mean() + 1e-6
        covariance += ridge * torch.eye(len(covariance), dtype=torch.float64)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance))
        # The centre of a cluster that no row is in stands for all rows, and attracts none.
        centers[counts.cpu() == 0] = codes.cpu().double().mean(dim=0)
        self.centers = centers.float().to(codes.device)
        self.whitening = whitening.float().to(codes.device)
        self.occupied = counts > 0

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared Mahalanobis distances (n,) to the nearest centres."""
        codes, _ = self.split(output, x)
        # Whitened one after the other, centres and codes of far rows lose no digits.
        codes, centers = codes @ self.whitening, self.centers @ self.whitening
        with torch.no_grad():
            squared = self.squared_distances(codes, centers)
            nearest = squared.masked_fill(~self.occupied, torch.inf).argmin(dim=1)
        return (codes - centers[nearest]).square().sum(dim=1)
