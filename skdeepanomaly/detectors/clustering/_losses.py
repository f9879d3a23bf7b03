"""Losses of clustering methods, on the codes of an auto-encoder."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import check_reconstruction, squared_distances, whitening
from ...networks import rowwise_product


class ClusteringLoss(nn.Module):
    """Reconstruction error of an auto-encoder, and centres of its codes.

    The module returns codes and reconstructions. This class is the loss of the pre-training:
    the reconstruction error alone. The losses of the clustering methods are its subclasses.
    """

    # Attributes that a module must have beside ``forward``.
    module_interface: tuple[str, ...] = ("encode",)

    centers: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centers", torch.empty(0))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Set the first centres.

        Parameters
        ----------
        centers : Tensor of shape (n_clusters, latent_dim)
            The centres.
        counts : Tensor of shape (n_clusters,)
            Numbers of rows in the clusters.
        """
        self.centers = centers

    def split(self, output: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes and the reconstructions in the output of a module.

        Parameters
        ----------
        output : tuple of two Tensors
            Codes (n, latent_dim) and reconstructions (n, n_features).
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        codes : Tensor of shape (n, latent_dim)
            The codes.
        reconstruction : Tensor of shape (n, n_features)
            The reconstructions.

        Raises
        ------
        ValueError
            If the output is not such a pair.
        """
        if not isinstance(output, tuple) or len(output) != 2:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of codes"
                " (n_samples, latent_dim) and reconstructions (n_samples, n_features)."
            )
        codes, reconstruction = output
        if codes.ndim != 2 or codes.shape[0] != x.shape[0]:
            raise ValueError(
                f"The module returned codes of shape {tuple(codes.shape)} for an input of"
                f" shape {tuple(x.shape)}; expected (n_samples, latent_dim)."
            )
        check_reconstruction(reconstruction, x)
        return codes, reconstruction

    def squared_distances(self, codes: Tensor, centers: Tensor | None = None) -> Tensor:
        """Return the squared distances (n, n_clusters) of codes to all centres."""
        centers = self.centers if centers is None else centers
        return squared_distances(codes, centers).clamp_min(0)

    def nearest(self, codes: Tensor) -> Tensor:
        """Return the index (n,) of the centre nearest to each code."""
        return self.squared_distances(codes).argmin(dim=1)

    def distances(self, codes: Tensor) -> Tensor:
        """Return the squared distances (n,) of codes to their nearest centres."""
        # From the differences: squared_distances loses digits by cancellation. This matters for
        # the score, but hardly for finding the nearest centre.
        with torch.no_grad():
            nearest = self.nearest(codes)
        return (codes - self.centers[nearest]).square().sum(dim=1)

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): the squared distances to the nearest centres."""
        return self.distances(self.split(output, x)[0])

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared norm of the reconstruction error, a mean over rows."""
        return (self.split(output, x)[1] - x).square().sum(dim=1).mean()


class DeepClusteringLoss(ClusteringLoss):
    """Reconstruction error and squared distance to the nearest centre (Yang et al. 2017).

    Parameters
    ----------
    cluster_weight : float, default=5.0
        Weight of half the squared distance to the nearest centre.
    """

    counts: Tensor

    def __init__(self, *, cluster_weight: float = 5.0):
        super().__init__()
        self.cluster_weight = cluster_weight
        self.register_buffer("counts", torch.empty(0))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Set the first centres (n_clusters, latent_dim) and the counts (n_clusters,)."""
        super().set_centers(centers, counts)
        # NOTE[DIFF]: the counts start with the sizes of the clusters of k-means. A cluster may
        # be empty if rows have equal codes, but its count must not be zero.
        self.counts = counts.to(centers).clamp_min(1)

    @torch.no_grad()
    def update_centers(self, codes: Tensor) -> None:
        """Move each centre towards its codes (Yang et al. 2017, equation 8).

        The k-th code that is assigned to a centre moves the centre by 1/k of the way. After
        all these steps the centre is the mean of all codes that were ever assigned to it, so
        the steps of a batch are computed at once.

        Parameters
        ----------
        codes : Tensor of shape (n, latent_dim)
            Codes of a batch.
        """
        # NOTE[DIFF]: assigned with the current network; the paper stores assignments.
        nearest = self.nearest(codes)
        sums = torch.zeros_like(self.centers).index_add_(0, nearest, codes)
        counts = self.counts + torch.bincount(nearest, minlength=len(self.counts))
        self.centers = (self.counts[:, None] * self.centers + sums) / counts[:, None]
        self.counts = counts

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the reconstruction error plus the weighted distance, a mean over rows."""
        loss = super().forward(output, x)
        return loss + self.cluster_weight / 2 * self.distances(output[0]).mean()


class DeepEmbeddedClusteringLoss(ClusteringLoss):
    """Divergence of soft assignments from a sharpened target (Xie et al. 2016).

    The target of a row is computed by a teacher: a copy of the module, the centres and the
    frequencies of the clusters from the last update of the target. Therefore the targets of
    the training rows need not be stored.

    Parameters
    ----------
    reconstruction_weight : float, default=0.1
        Weight of the reconstruction error (Guo et al. 2017).
    degrees_of_freedom : float, default=1.0
        Degrees of freedom of the Student's t kernel between codes and centres.
    """

    frequencies: Tensor
    target_centers: Tensor
    labels: Tensor
    n_steps: Tensor
    converged: Tensor

    def __init__(self, *, reconstruction_weight: float = 0.1, degrees_of_freedom: float = 1.0):
        super().__init__()
        self.reconstruction_weight = reconstruction_weight
        self.degrees_of_freedom = degrees_of_freedom
        # The centres are trained like weights, so a parameter replaces the buffer.
        del self.centers
        self.centers = nn.Parameter(torch.empty(0))
        self.teacher: Any = None
        for name in ("frequencies", "target_centers", "labels"):
            self.register_buffer(name, torch.empty(0))
        # Buffers, not attributes of the net, so that a saved state of training contains them.
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("converged", torch.zeros((), dtype=torch.bool))

    def set_centers(self, centers: Tensor, counts: Tensor) -> None:
        """Set the first centres (n_clusters, latent_dim); the counts are not used."""
        self.centers = nn.Parameter(centers)

    def assign(self, codes: Tensor, centers: Tensor) -> Tensor:
        """Return the soft assignments q (n, n_clusters) of codes (n, latent_dim)."""
        dof = self.degrees_of_freedom
        logits = torch.log1p(self.squared_distances(codes, centers) / dof)
        return torch.softmax(-(dof + 1) / 2 * logits, dim=1)

    @torch.no_grad()
    def renew_target(self, module: nn.Module, codes: Tensor) -> float:
        """Copy the current module and centres to the teacher.

        Parameters
        ----------
        module : torch.nn.Module
            The current module.
        codes : Tensor of shape (n, latent_dim)
            Its codes of a sample of the training rows.

        Returns
        -------
        changed : float
            Share of the sample whose cluster changed since the last update.
        """
        # NOTE[DIFF]: a teacher in place of stored targets, and a sample of the training rows
        # for the frequencies and the share.
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
        """Drop the teacher and the state of training, which scoring does not need."""
        self.teacher = None
        for name in ("frequencies", "target_centers", "labels"):
            setattr(self, name, torch.empty(0, device=self.centers.device))
        self.n_steps.zero_()
        self.converged.fill_(False)

    def target(self, x: Tensor) -> Tensor:
        """Return the target p (n, n_clusters) of rows (n, n_features)."""
        with torch.no_grad():
            codes = self.teacher.encode(x)
            weights = self.assign(codes, self.target_centers).square() / self.frequencies
            return weights / weights.sum(dim=1, keepdim=True)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return KL(p || q) plus the weighted reconstruction error, a mean over rows."""
        codes, _ = self.split(output, x)
        target, assigned = self.target(x), self.assign(codes, self.centers)
        tiny = torch.finfo(codes.dtype).tiny
        logarithms = target.clamp_min(tiny).log() - assigned.clamp_min(tiny).log()
        loss = (target * logarithms).sum(dim=1).mean()
        if self.reconstruction_weight:
            loss = loss + self.reconstruction_weight * super().forward(output, x)
        return loss


class DeepDiscriminativeClusteringLoss(ClusteringLoss):
    """Cross-entropy of pairs of rows, in one cluster or not (Chang et al. 2017, 2019).

    The label features of a row are the softmax of a linear layer on its code, divided by
    their norm. The dot product of the label features of two rows is a similarity in [0, 1].

    Parameters
    ----------
    upper_threshold : float, default=0.95
        In the first epoch, pairs with at least this similarity are taken to be in the same
        cluster.
    lower_threshold : float, default=0.455
        In the first epoch, pairs with less than this similarity are taken to be in different
        clusters.
    relation_weight : float, default=0.1
        Weight of the cross-entropy of the pairs.
    balance_weight : float, default=0.1
        Weight of the negative entropy of the mean label probabilities.
    reconstruction_weight : float, default=1.0
        Weight of the mean squared error of the reconstruction.
    """

    # Scale of the first logits. With a much softer softmax all pairs have high similarities,
    # and training merges all clusters.
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
        """Note the share of the training that is done, in [0, 1]; it sets the thresholds."""
        self.progress.fill_(share)

    def start_labels(self, codes: Tensor) -> None:
        """Set the label layer so that it assigns codes (n, latent_dim) to their centres."""
        # NOTE[DIFF]: the centres of k-means in place of random weights. The logits are scaled
        # negative squared distances; the squared norm of a code is equal for all clusters,
        # and is left out.
        scale = self.sharpness / self.distances(codes).mean().clamp_min(1e-6)
        self.label_weight = nn.Parameter(2 * scale * self.centers)
        self.label_bias = nn.Parameter(-scale * self.centers.square().sum(dim=1))

    def label_probabilities(self, codes: Tensor) -> Tensor:
        """Return the label probabilities (n, n_clusters) of codes (n, latent_dim)."""
        return F.linear(codes, self.label_weight, self.label_bias).softmax(dim=1)

    def thresholds(self) -> tuple[Tensor, Tensor]:
        """Return the upper and the lower threshold; they are equal at the end of training."""
        gap = self.progress * (self.upper_threshold - self.lower_threshold)
        return self.upper_threshold - gap * 10 / 11, self.lower_threshold + gap / 11

    def relation_loss(self, probabilities: Tensor) -> Tensor:
        """Return the mean cross-entropy of the pairs outside of the two thresholds.

        Parameters
        ----------
        probabilities : Tensor of shape (n, n_clusters)
            Label probabilities of a batch.

        Returns
        -------
        loss : Tensor of shape ()
        """
        features = F.normalize(probabilities, dim=1)
        similarities = (features @ features.T).clamp(1e-6, 1 - 1e-6)
        upper, lower = self.thresholds()
        # A row and itself are no pair.
        others = ~torch.eye(len(features), dtype=torch.bool, device=features.device)
        # ">=" and "<": if the thresholds are equal, each pair counts in exactly one of both.
        same = (similarities >= upper) & others
        different = (similarities < lower) & others
        entropies = -(similarities.log() * same + torch.log1p(-similarities) * different).sum()
        return entropies / (same.sum() + different.sum()).clamp_min(1)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the weighted sum of the pairs, the balance and the reconstruction error."""
        codes, reconstruction = self.split(output, x)
        loss = self.reconstruction_weight * (reconstruction - x).square().mean()
        if self.relation_weight or self.balance_weight:
            probabilities = self.label_probabilities(codes)
            loss = loss + self.relation_weight * self.relation_loss(probabilities)
            # NOTE[DIFF]: the entropy prevents one cluster from taking all rows.
            mean = probabilities.mean(dim=0)
            negative_entropy = (mean * mean.clamp_min(1e-9).log()).sum()
            loss = loss + self.balance_weight * negative_entropy
        return loss

    @torch.no_grad()
    def describe_clusters(self, codes: Tensor) -> None:
        """Set the centres and the common covariance of the clusters.

        Parameters
        ----------
        codes : Tensor of shape (n, latent_dim)
            Codes of training rows.
        """
        labels = self.label_probabilities(codes).argmax(dim=1)
        n_clusters = len(self.label_weight)
        counts = torch.bincount(labels, minlength=n_clusters)
        sums = torch.zeros(n_clusters, codes.shape[1], dtype=torch.float64)
        sums.index_add_(0, labels.cpu(), codes.cpu().double())
        centers = sums / counts.cpu().clamp_min(1)[:, None]
        deviations = codes.cpu().double() - centers[labels.cpu()]
        covariance = deviations.T @ deviations / codes.shape[0]
        ridge = 1e-2 * covariance.diagonal().mean() + 1e-6
        # An empty cluster gets the mean of all codes; ``occupied`` excludes it from the score.
        centers[counts.cpu() == 0] = codes.cpu().double().mean(dim=0)
        self.centers = centers.float().to(codes.device)
        self.whitening = whitening(covariance, ridge).float().to(codes.device)
        self.occupied = counts > 0

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): squared Mahalanobis distances to the centres.

        Only the nearest centre counts; clusters without rows are left out.
        """
        # NOTE[DIFF]: the papers have no anomaly score.
        codes, _ = self.split(output, x)
        # In whitened space the Mahalanobis distance is the Euclidean one.
        codes = rowwise_product(codes, self.whitening)
        centers = rowwise_product(self.centers, self.whitening)
        with torch.no_grad():
            squared = self.squared_distances(codes, centers)
            nearest = squared.masked_fill(~self.occupied, torch.inf).argmin(dim=1)
        return (codes - centers[nearest]).square().sum(dim=1)


class SelfExpressionLoss(ClusteringLoss):
    """Reconstruction of rows from codes that are expressed by each other (Ji et al. 2017).

    Parameters
    ----------
    coefficient_weight : float, default=1.0
        Weight of the squared norm of the coefficients.
    self_expression_weight : float, default=1.0
        Weight of half the squared error of codes that are expressed by other codes.
    residual_weight : float, default=1.0
        Weight of the distance from the nearest subspace in the score.
    """

    module_interface: tuple[str, ...] = ("encode", "decode")

    landmarks: Tensor
    origin: Tensor
    labels: Tensor
    bases: Tensor
    code_variances: Tensor
    variances: Tensor
    all_landmarks: Tensor

    def __init__(
        self,
        *,
        coefficient_weight: float = 1.0,
        self_expression_weight: float = 1.0,
        residual_weight: float = 1.0,
    ):
        super().__init__()
        self.coefficient_weight = coefficient_weight
        self.self_expression_weight = self_expression_weight
        self.residual_weight = residual_weight
        self.coefficients = nn.Parameter(torch.empty(0))
        for name in ("landmarks", "origin", "labels", "bases", "code_variances", "variances"):
            self.register_buffer(name, torch.empty(0))
        # Whether all training rows are landmarks.
        self.register_buffer("all_landmarks", torch.tensor(False))

    @torch.no_grad()
    def best_coefficients(self, codes: Tensor) -> Tensor:
        """Return the optimal coefficients for fixed codes of the landmarks.

        The least squares solution with a diagonal of zeros has a closed form (Lu et al.
        2012).

        Parameters
        ----------
        codes : Tensor of shape (n_landmarks, latent_dim)
            The codes.

        Returns
        -------
        coefficients : Tensor of shape (n_landmarks, n_landmarks)
            The optimum.
        """
        codes = (codes - self.origin).double().cpu()
        weight = max(self.self_expression_weight, 1e-12)
        gram = codes @ codes.T
        # The last term keeps the matrix invertible where the others are lost in rounding.
        size = 1e-12 * gram.diagonal().mean()
        gram.diagonal().add_(2 * self.coefficient_weight / weight + 1e-6 + size)
        inverse = torch.linalg.inv(gram)
        coefficients = -inverse / inverse.diagonal()[:, None]
        coefficients.fill_diagonal_(0)
        return coefficients.float().to(self.origin.device)

    def off_diagonal(self) -> Tensor:
        """Return the coefficients (n_landmarks, n_landmarks) with a diagonal of zeros."""
        return self.coefficients - torch.diag(self.coefficients.diagonal())

    def self_expression_loss(self, module: nn.Module) -> Tensor:
        """Return the loss of the landmarks, divided by their number.

        It is equation 5 of Ji et al. (2017), with the landmarks as the rows.

        Parameters
        ----------
        module : torch.nn.Module
            The auto-encoder, with the methods ``encode`` and ``decode``.

        Returns
        -------
        loss : Tensor of shape ()
        """
        codes = module.encode(self.landmarks) - self.origin  # type: ignore[operator]
        coefficients = self.off_diagonal()
        expressed = coefficients @ codes
        rebuilt = module.decode(expressed + self.origin)  # type: ignore[operator]
        loss = 0.5 * (rebuilt - self.landmarks).square().sum()
        loss = loss + self.coefficient_weight * coefficients.square().sum()
        residuals = (expressed - codes).square().sum()
        return (loss + self.self_expression_weight / 2 * residuals) / codes.shape[0]

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return half the squared norm of the reconstruction error, a mean over rows."""
        return super().forward(output, x) / 2

    @torch.no_grad()
    def affinities(self, *, signed: bool) -> Tensor:
        """Return the affinities (n_landmarks, n_landmarks) of the landmarks.

        They are ``D + D^T``, where D is the positive part of the coefficients C if ``signed``
        is True. Otherwise D is ``|C|``, as in the paper.
        """
        coefficients = self.off_diagonal()
        coefficients = coefficients.clamp_min(0) if signed else coefficients.abs()
        return coefficients + coefficients.T

    @torch.no_grad()
    def span(self, codes: Tensor, labels: Tensor, energy: float) -> None:
        """Set the centre and the basis of the subspace of each cluster.

        ``bases`` has the shape (n_clusters, latent_dim, largest dimension of a subspace). Bases
        of fewer dimensions are filled up with zeros.

        Parameters
        ----------
        codes : Tensor of shape (n, latent_dim)
            The codes of the landmarks.
        labels : Tensor of shape (n,)
            Their clusters.
        energy : float
            Share of the variance of a cluster that its subspace must contain.
        """
        centers, bases = [], []
        for label in torch.unique(labels):
            members = codes[labels == label]
            centers.append(members.mean(dim=0))
            _, singular, rows = torch.linalg.svd(
                (members - centers[-1]).double().cpu(), full_matrices=False
            )
            shares = singular.square().cumsum(0) / singular.square().sum().clamp_min(1e-12)
            # A subspace of all dimensions would have a distance of zero to every code.
            rank = min(int((shares < energy).sum()) + 1, codes.shape[1] - 1)
            bases.append(rows[: rank if singular.sum() > 0 else 0].T)
        width = max(basis.shape[1] for basis in bases)
        padded = torch.zeros(len(bases), codes.shape[1], width)
        for i, basis in enumerate(bases):
            padded[i, :, : basis.shape[1]] = basis
        self.centers = torch.stack(centers)
        self.bases = padded.to(codes.device)

    def residuals(self, codes: Tensor) -> Tensor:
        """Return codes minus their projections, (n, n_clusters, latent_dim).

        The codes are projected on the subspace of each cluster.
        """
        deviations = codes - self.centers[:, None]
        inside = rowwise_product(deviations, self.bases)
        outside = deviations - rowwise_product(inside, self.bases.mT)
        return outside.transpose(0, 1)

    def nearest(self, codes: Tensor) -> Tensor:
        """Return the index (n,) of the subspace nearest to each code."""
        return self.residuals(codes).square().sum(dim=2).argmin(dim=1)

    def squared_residuals(self, codes: Tensor) -> Tensor:
        """Return the squared residuals (n, latent_dim) to the nearest subspace."""
        squared = self.residuals(codes).square()
        nearest = squared.sum(dim=2).argmin(dim=1)
        return squared[torch.arange(codes.shape[0], device=codes.device), nearest]

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): reconstruction error plus weighted residual."""
        # NOTE[DIFF]: the paper has no anomaly score.
        codes, reconstruction = self.split(output, x)
        scores = ((reconstruction - x).square() / self.variances).mean(dim=1)
        if self.residual_weight:
            residuals = (self.squared_residuals(codes) / self.code_variances).mean(dim=1)
            scores = scores + self.residual_weight * residuals
        return scores
