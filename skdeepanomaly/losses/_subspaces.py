"""Losses of codes that lie in a union of subspaces."""

import torch
from torch import Tensor, nn

from ._clustering import ClusteringLoss


class SelfExpressionLoss(ClusteringLoss):
    """Reconstruction through codes that are made of each other (Ji et al. 2017).

    Parameters
    ----------
    coefficient_weight : float, default=1.0
        Weight of the squared norm of the coefficients.
    self_expression_weight : float, default=1.0
        Weight of half the squared error of the codes that are made of other codes.
    residual_weight : float, default=1.0
        Weight of the distance from the subspace in the score.
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
        # Whether the landmarks are all rows of the training data.
        self.register_buffer("all_landmarks", torch.tensor(False))

    @torch.no_grad()
    def best_coefficients(self, codes: Tensor) -> Tensor:
        """Return the coefficients that are best for codes at rest.

        The least squares solution with a zero diagonal has a closed form (Lu et al. 2012).
        """
        codes = (codes - self.origin).double().cpu()
        weight = max(self.self_expression_weight, 1e-12)
        gram = codes @ codes.T
        gram.diagonal().add_(2 * self.coefficient_weight / weight + 1e-6)
        inverse = torch.linalg.inv(gram)
        coefficients = -inverse / inverse.diagonal()[:, None]
        coefficients.fill_diagonal_(0)
        return coefficients.float().to(self.origin.device)

    def off_diagonal(self) -> Tensor:
        """Return the coefficients, without those of a row for itself."""
        return self.coefficients - torch.diag(self.coefficients.diagonal())

    def self_expression_loss(self, module: nn.Module) -> Tensor:
        """Return the loss of the landmarks, each made of the others; a mean over them."""
        codes = module.encode(self.landmarks) - self.origin  # type: ignore[operator]
        coefficients = self.off_diagonal()
        expressed = coefficients @ codes
        rebuilt = module.decode(expressed + self.origin)  # type: ignore[operator]
        loss = 0.5 * (rebuilt - self.landmarks).square().sum()
        loss = loss + self.coefficient_weight * coefficients.square().sum()
        residuals = (expressed - codes).square().sum()
        return (loss + self.self_expression_weight / 2 * residuals) / len(codes)

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return half the squared error of the reconstruction, a mean over rows."""
        return super().forward(output, x) / 2

    @torch.no_grad()
    def affinities(self, *, signed: bool) -> Tensor:
        """Return C' + C'^T; C' is the positive part of C if ``signed``, else |C|."""
        coefficients = self.off_diagonal()
        coefficients = coefficients.clamp_min(0) if signed else coefficients.abs()
        return coefficients + coefficients.T

    @torch.no_grad()
    def span(self, codes: Tensor, labels: Tensor, energy: float) -> None:
        """Set the centre and the basis of the subspace of each cluster of codes.

        The bases are of shape (n_clusters, latent_dim, largest dimension), padded by zero.
        """
        centers, bases = [], []
        for label in torch.unique(labels):
            members = codes[labels == label]
            centers.append(members.mean(dim=0))
            _, singular, rows = torch.linalg.svd(
                (members - centers[-1]).double().cpu(), full_matrices=False
            )
            shares = singular.square().cumsum(0) / singular.square().sum().clamp_min(1e-12)
            # A subspace of all dimensions would hold anything.
            rank = min(int((shares < energy).sum()) + 1, codes.shape[1] - 1)
            bases.append(rows[: rank if singular.sum() > 0 else 0].T)
        width = max(basis.shape[1] for basis in bases)
        padded = torch.zeros(len(bases), codes.shape[1], width)
        for i, basis in enumerate(bases):
            padded[i, :, : basis.shape[1]] = basis
        self.centers = torch.stack(centers)
        self.bases = padded.to(codes.device)

    def residuals(self, codes: Tensor) -> Tensor:
        """Return what each subspace leaves of codes, (n, n_clusters, latent_dim)."""
        deviations = codes[:, None] - self.centers
        inside = torch.einsum("nkd,kdr->nkr", deviations, self.bases)
        return deviations - torch.einsum("nkr,kdr->nkd", inside, self.bases)

    def nearest(self, codes: Tensor) -> Tensor:
        """Return the index (n,) of the subspace nearest to each code."""
        return self.residuals(codes).square().sum(dim=2).argmin(dim=1)

    def squared_residuals(self, codes: Tensor) -> Tensor:
        """Return the squared residuals (n, latent_dim) to the nearest subspace."""
        squared = self.residuals(codes).square()
        nearest = squared.sum(dim=2).argmin(dim=1)
        return squared[torch.arange(len(codes), device=codes.device), nearest]

    def score_rows(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the errors of reconstruction and of the subspaces, shape (n,)."""
        codes, reconstruction = self.split(output, x)
        scores = ((reconstruction - x).square() / self.variances).mean(dim=1)
        if self.residual_weight:
            residuals = (self.squared_residuals(codes) / self.code_variances).mean(dim=1)
            scores = scores + self.residual_weight * residuals
        return scores
