"""Losses of clusters in the space of the codes of an auto-encoder."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from ._reconstruction import check_reconstruction


class ClusteringLoss(nn.Module):
    """Reconstruction error of an auto-encoder whose codes have centres.

    The module returns codes and reconstructions. This loss is that of the pre-training,
    the reconstruction alone; a method of clustering adds what the centres are for.
    """

    # What a module must offer beside ``forward``.
    module_interface: tuple[str, ...] = ("encode",)

    centers: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centers", torch.empty(0))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Start from centres (n_clusters, latent_dim) and the sizes of their clusters."""
        self.centers = centers

    def split(self, output: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes and the reconstructions, and refuse all else."""
        if not isinstance(output, tuple) or len(output) != 2:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of codes"
                " (n_samples, latent_dim) and reconstructions (n_samples, n_features)."
            )
        codes, reconstruction = output
        if codes.ndim != 2 or len(codes) != len(x):
            raise ValueError(
                f"The module returned codes of shape {tuple(codes.shape)} for an input of"
                f" shape {tuple(x.shape)}; expected (n_samples, latent_dim)."
            )
        check_reconstruction(reconstruction, x)
        return codes, reconstruction

    def squared_distances(self, codes: Tensor, centers: Tensor | None = None) -> Tensor:
        """Return the squared distances (n, n_clusters) of codes to all centres."""
        centers = self.centers if centers is None else centers
        products = codes @ centers.T
        squares = codes.square().sum(dim=1, keepdim=True) + centers.square().sum(dim=1)
        # Rounding can take the distance of a code that lies on a centre below zero.
        return (squares - 2 * products).clamp_min(0)

    def nearest(self, codes: Tensor) -> Tensor:
        """Return the index (n,) of the centre nearest to each code."""
        return self.squared_distances(codes).argmin(dim=1)

    def distances(self, codes: Tensor) -> Tensor:
        """Return the squared distances (n,) of codes to their nearest centres."""
        with torch.no_grad():
            nearest = self.nearest(codes)
        return (codes - self.centers[nearest]).square().sum(dim=1)

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared distances to the nearest centres, shape (n,)."""
        return self.distances(self.split(output, x)[0])

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean, over rows, of the squared norm of the error."""
        return (self.split(output, x)[1] - x).square().sum(dim=1).mean()


class DeepClusteringLoss(ClusteringLoss):
    """Reconstruction error and squared distance to the nearest centre (Yang et al. 2017).

    Parameters
    ----------
    cluster_weight : float, default=5.0
        Weight of half the squared distance.
    """

    counts: Tensor

    def __init__(self, *, cluster_weight: float = 5.0):
        super().__init__()
        self.cluster_weight = cluster_weight
        self.register_buffer("counts", torch.empty(0))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Start from centres (n_clusters, latent_dim) and the sizes of their clusters."""
        super().set_centers(centers, counts)
        # Where rows coincide, a cluster may be empty.
        self.counts = counts.to(centers).clamp_min(1)

    @torch.no_grad()
    def update_centers(self, codes: Tensor) -> None:
        """Move each centre by the codes that are nearest to it, one after the other.

        The k-th code that a centre is given moves it by 1/k of the way. These steps, one
        a code, add up to the mean of all codes that the centre was ever given.
        """
        nearest = self.nearest(codes)
        sums = torch.zeros_like(self.centers).index_add_(0, nearest, codes)
        counts = self.counts + torch.bincount(nearest, minlength=len(self.counts))
        self.centers = (self.counts[:, None] * self.centers + sums) / counts[:, None]
        self.counts = counts

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the reconstruction error plus the weighted distances, a mean over rows."""
        loss = super().forward(output, x)
        return loss + self.cluster_weight / 2 * self.distances(output[0]).mean()


class DeepEmbeddedClusteringLoss(ClusteringLoss):
    """Divergence of soft assignments from a sharpened target (Xie et al. 2016).

    The target is a function of the row: a teacher, which is the encoder, the centres and
    the frequencies of the clusters as they were when the target was last renewed, gives
    it for any row. So it need not be stored for each row of the training data.

    Parameters
    ----------
    reconstruction_weight : float, default=0.1
        Weight of the reconstruction error (Guo et al. 2017).
    degrees_of_freedom : float, default=1.0
        Of the Student's t distribution that measures how near a code is to a centre.
    """

    frequencies: Tensor
    target_centers: Tensor
    labels: Tensor
    n_steps: Tensor

    def __init__(self, *, reconstruction_weight: float = 0.1, degrees_of_freedom: float = 1.0):
        super().__init__()
        self.reconstruction_weight = reconstruction_weight
        self.degrees_of_freedom = degrees_of_freedom
        # The centres are trained, as the weights are.
        del self.centers
        self.centers = nn.Parameter(torch.empty(0))
        self.teacher: Any = None
        for name in ("frequencies", "target_centers", "labels"):
            self.register_buffer(name, torch.empty(0))
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Start from centres (n_clusters, latent_dim)."""
        self.centers = nn.Parameter(centers)

    def assign(self, codes: Tensor, centers: Tensor) -> Tensor:
        """Return the soft assignments q (n, n_clusters) of codes to centres."""
        dof = self.degrees_of_freedom
        logits = torch.log1p(self.squared_distances(codes, centers) / dof)
        return torch.softmax(-(dof + 1) / 2 * logits, dim=1)

    @torch.no_grad()
    def renew_target(self, module: nn.Module, codes: Tensor) -> float:
        """Make the current module the teacher; return the share of labels that changed.

        ``codes`` are the module's, of the rows that stand for the training data.
        """
        if self.teacher is None:
            self.teacher = copy.deepcopy(module).requires_grad_(False)
        self.teacher.load_state_dict(module.state_dict())
        self.teacher.eval()
        self.target_centers = self.centers.detach().clone()
        assignments = self.assign(codes, self.target_centers)
        tiny = torch.finfo(codes.dtype).tiny
        self.frequencies = assignments.sum(dim=0).clamp_min(tiny)
        labels, before = assignments.argmax(dim=1), self.labels
        self.labels = labels
        if before.shape != labels.shape:
            return 1.0
        return (labels != before).float().mean().item()

    def forget_target(self) -> None:
        """Drop the teacher, which only training needs."""
        self.teacher = None
        for name in ("frequencies", "target_centers", "labels"):
            setattr(self, name, torch.empty(0, device=self.centers.device))
        self.n_steps.zero_()

    def target(self, x: Tensor) -> Tensor:
        """Return the target distribution p (n, n_clusters) of rows."""
        with torch.no_grad():
            codes = self.teacher.encode(x)
            weights = self.assign(codes, self.target_centers).square() / self.frequencies
            return weights / weights.sum(dim=1, keepdim=True)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return KL(P || Q), a mean over rows, and the weighted reconstruction error."""
        codes, _ = self.split(output, x)
        target, assigned = self.target(x), self.assign(codes, self.centers)
        tiny = torch.finfo(codes.dtype).tiny
        logarithms = target.clamp_min(tiny).log() - assigned.clamp_min(tiny).log()
        loss = (target * logarithms).sum(dim=1).mean()
        if self.reconstruction_weight:
            loss = loss + self.reconstruction_weight * super().forward(output, x)
        return loss
