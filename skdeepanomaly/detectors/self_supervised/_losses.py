"""Losses of self-supervised methods, on the codes of transformed copies of rows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import TrainingBall, squared_distances


def check_views(output: Tensor, x: Tensor) -> Tensor:
    """Return the output of a module if it is one code for each copy of each row.

    Parameters
    ----------
    output : Tensor of shape (n, n_copies, latent_dim)
        The codes of at least two copies of each row.
    x : Tensor of shape (n, n_features)
        The rows.

    Returns
    -------
    output : Tensor of shape (n, n_copies, latent_dim)
        The same.

    Raises
    ------
    ValueError
        If the output is not such a tensor.
    """
    fits = isinstance(output, Tensor) and output.ndim == 3
    n = x.shape[0]
    if not fits or output.shape[0] != n or output.shape[1] < 2:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"The module returned an output of shape {shape} for {n} rows; expected codes"
            f" of shape ({n}, n_copies, latent_dim) of at least two copies of each row."
        )
    return output


class DeterministicContrastiveLoss(nn.Module):
    """Contrastive loss of the similarities between a row and its transformed copies.

    The loss is low if the code of each copy is similar to the code of its row, and different
    from the codes of the other copies.

    Parameters
    ----------
    temperature : float, default=0.1
        Divisor of the cosine similarities.
    """

    def __init__(self, *, temperature: float = 0.1):
        super().__init__()
        self.temperature = temperature
        self.ball = TrainingBall()

    def losses(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss (n,) of each row, in units of the loss of equal codes."""
        codes = check_views(output, x)
        # Each row is a product of its own. Zeros fill up its codes to 64 bytes, because the
        # rounding of a product depends on where and how its factors lie in the memory.
        padded = F.pad(codes, (0, -codes.shape[2] % 16)).contiguous()
        similarities = torch.bmm(padded, padded.transpose(1, 2)) / self.temperature
        n_copies = codes.shape[1]
        itself = torch.eye(n_copies, dtype=torch.bool, device=codes.device)
        similarities = similarities.masked_fill(itself, -torch.inf)[:, 1:]
        losses = similarities.logsumexp(dim=2) - similarities[:, :, 0]
        # NOTE[DIFF]: divided by K log K as in the authors' code; in the paper it is the sum.
        return losses.mean(dim=1) / math.log(max(2, n_copies - 1))

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): the loss, plus a penalty far from the data."""
        # NOTE[DIFF]: cosines are bounded, so that the loss alone cannot tell how far away
        # from the data a row lies.
        return self.losses(output, x) + self.ball.excess(x)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean loss of the rows."""
        return self.losses(output, x).mean()


class TransformationLoss(nn.Module):
    """Triplet loss and likelihood of the distances between codes and centres.

    Each transformation has a centre. The loss is low if the code of a transformed copy is
    close to the centre of its transformation, and far from the other centres.

    Parameters
    ----------
    margin : float, default=1.0
        Margin of the triplet loss, in squared distance.
    eps : float, default=1e-6
        Constant added to each likelihood in the score.
    likelihood_weight : float, default=1.0
        Weight of the negative log-likelihood of the correct transformations in the loss.
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
        """Return the squared distances (n, k, k) of codes (n, k, latent_dim) to all centres.

        The second axis is the transformation that was applied, the last axis the centre.
        """
        distances = squared_distances(codes.flatten(0, 1), centers)
        return distances.reshape(*codes.shape[:2], -1)

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,): the negative log-likelihood, and a penalty."""
        distances = self.distances(check_views(output, x), self.centers)
        k = distances.shape[1]
        log_eps = torch.full((), self.eps, device=x.device).log()
        right = torch.logaddexp(-distances.diagonal(dim1=1, dim2=2), log_eps)
        total = torch.logaddexp(torch.logsumexp(-distances, dim=2), log_eps + math.log(k))
        # NOTE[DIFF]: with eps the likelihood is bounded, so that it cannot tell how far away
        # from the data a row lies.
        return (total - right).mean(dim=1) + self.ball.excess(x)

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the triplet loss plus the negative log-likelihood, a mean over codes.

        The centres are the mean codes of the batch.
        """
        codes = check_views(output, x)
        distances = self.distances(codes, codes.mean(dim=0))
        own = distances.diagonal(dim1=1, dim2=2)
        itself = torch.eye(codes.shape[1], dtype=torch.bool, device=codes.device)
        nearest = distances.masked_fill(itself, torch.inf).amin(dim=2)
        loss = F.relu(own + self.margin - nearest).mean()
        if self.likelihood_weight:
            # NOTE[DIFF]: in place of the cross-entropy of a second head in the authors' code.
            likelihood = distances.negative().log_softmax(dim=2).diagonal(dim1=1, dim2=2)
            loss = loss - self.likelihood_weight * likelihood.mean()
        return loss


class MaskedCellLoss(nn.Module):
    """Error of rows that were rebuilt from masked versions, and the diversity of the masks.

    Parameters
    ----------
    diversity_weight : float, default=1.0
        Weight of the diversity loss of the masks.
    temperature : float, default=0.1
        Divisor of the cosine similarities of the masks.

    Attributes
    ----------
    variances : Tensor of shape (n_masks, n_features) or (0,)
        Mean squared errors by which the scores divide the squared errors. If it is empty,
        the scores use the squared errors as they are.
    """

    variances: Tensor

    def __init__(self, *, diversity_weight: float = 1.0, temperature: float = 0.1):
        super().__init__()
        self.diversity_weight = diversity_weight
        self.temperature = temperature
        self.register_buffer("variances", torch.empty(0))

    def squared_errors(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the squared errors (n, n_masks, n_features) of the rebuilt rows."""
        fits = isinstance(output, tuple) and len(output) == 2
        shapes = [tuple(getattr(part, "shape", ())) for part in output] if fits else [(), ()]
        shape = shapes[0] if shapes[0] == shapes[1] else ()
        if len(shape) != 3 or shape[0] != x.shape[0] or shape[1] < 2 or shape[2] != x.shape[1]:
            got = [
                tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
                for part in (output if isinstance(output, tuple) else (output,))
            ]
            raise ValueError(
                f"The module returned {got} for {len(x)} rows of {x.shape[1]} features;"
                " expected a pair, the rebuilt rows and the masks, both of shape"
                f" ({len(x)}, n_masks, {x.shape[1]}) with at least two masks."
            )
        return (output[0] - x.unsqueeze(1)).square()

    def feature_scores(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the terms (n, n_features) whose sums over features are anomaly scores."""
        errors = self.squared_errors(output, x)
        if self.variances.numel():
            errors = errors / self.variances
        return errors.mean(dim=1) / errors.shape[2]

    def diversity_loss(self, masks: Tensor) -> Tensor:
        """Return a loss that is low if the masks (n, n_masks, n_features) of a row differ."""
        directions = F.normalize(masks, dim=2).contiguous()
        similarities = torch.bmm(directions, directions.transpose(1, 2)) / self.temperature
        n_masks = masks.shape[1]
        itself = torch.eye(n_masks, dtype=torch.bool, device=masks.device)
        sums = similarities.masked_fill(itself, -torch.inf).logsumexp(dim=2)
        n_others = max(2, n_masks - 1)
        return sums.sum(dim=1).mean() / (n_others * math.log(n_others))

    def forward(self, output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mean squared error plus the weighted diversity loss."""
        # NOTE[DIFF]: a mean over the features, where the paper has the sum.
        loss = self.squared_errors(output, x).mean()
        if self.diversity_weight:
            loss = loss + self.diversity_weight * self.diversity_loss(output[1])
        return loss


class InternalContrastiveLoss(nn.Module):
    """Contrastive loss of the similarities of parts of a row.

    The loss is low if the features beside a sub-vector are more similar to this sub-vector than
    to the others of the same row.

    Parameters
    ----------
    temperature : float, default=0.1
        Divisor of the similarities.
    """

    def __init__(self, *, temperature: float = 0.1):
        super().__init__()
        self.temperature = temperature

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the loss (n,) of each row, a mean over all positions."""
        fits = isinstance(output, Tensor) and output.ndim == 4
        if not fits or output.shape[0] != x.shape[0] or output.shape[2] != output.shape[3]:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f"The module returned an output of shape {shape} for {len(x)} rows; expected"
                f" similarities of shape ({len(x)}, n_orders, n_positions, n_positions)."
            )
        logits = output / self.temperature
        losses = logits.logsumexp(dim=3) - logits.diagonal(dim1=2, dim2=3)
        return losses.mean(dim=(1, 2))

    def forward(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the mean loss of the rows."""
        return self.score_rows(output, x).mean()
