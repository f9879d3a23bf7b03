"""Losses of networks that predict the distance of a row to its neighbours."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import MembersLoss, check_output


class DistanceLoss(MembersLoss):
    """Smooth absolute error of predicted logarithms of distances.

    The error is squared below 1 and absolute above, so that a few distances that cannot be
    predicted do not dominate. The network learns the difference to ``center``: distances in
    any unit are as easy to learn.

    Parameters
    ----------
    n_members : int, default=1
        Number of networks.

    Attributes
    ----------
    center : Tensor of shape ()
        Mean logarithm of the distances of training rows.
    """

    center: Tensor

    def __init__(self, *, n_members: int = 1) -> None:
        super().__init__(n_members=n_members)
        self.register_buffer("center", torch.zeros(()))

    def logarithms(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the predicted logarithms (n,), or (n, n_members) of several networks."""
        shape = (*self.for_members(x).shape[:-1], 1)
        check_output(output, x, shape, "expected one distance for each row, {shape}")
        return output.squeeze(-1) + self.center

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the predicted logarithms (n,), the anomaly scores of rows."""
        return self.mean_of_members(self.logarithms(output, x))

    def forward(self, output: Tensor, x: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, given the logarithms of the distances, of the same shape."""
        # The mean over the networks, times their number, is the sum.
        return self.n_members * F.smooth_l1_loss(self.logarithms(output, x), targets)


class NegativesLoss(nn.Module):
    """Squared error of the probability that a row is negative, given its distances.

    It also keeps the rows to which distances are measured, because scores need them.

    Parameters
    ----------
    n_neighbors : int
        Number of nearest rows whose distances the network reads.

    Attributes
    ----------
    reference : Tensor of shape (n_reference, n_features)
        The rows, less ``center`` and divided by ``unit``.
    center : Tensor of shape (n_features,)
        Mean training row.
    unit : Tensor of shape ()
        Root mean square of the standard deviations of the columns.
    scale : Tensor of shape ()
        Mean distance of training rows to their neighbours, by which the distances that the
        network reads are divided.
    """

    reference: Tensor
    center: Tensor
    unit: Tensor
    scale: Tensor

    def __init__(self, *, n_neighbors: int):
        super().__init__()
        self.n_neighbors = n_neighbors
        self.register_buffer("reference", torch.empty(0))
        self.register_buffer("center", torch.zeros(()))
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("scale", torch.ones(()))

    def refer_to(self, X: np.ndarray) -> None:
        """Set the reference rows (n, n_features), and their centre and unit."""
        X = X.astype(np.float64)
        unit = np.sqrt(np.mean(X.std(axis=0) ** 2)) or np.abs(X).max() or 1.0
        self.center = torch.from_numpy(X.mean(axis=0)).float()
        self.unit = torch.full((), max(unit, 1e-30))
        self.reference = self.scaled(torch.from_numpy(X).float())

    def scaled(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features) in the units of the reference rows."""
        # Beyond this limit the squares would overflow.
        return ((x - self.center) / self.unit).clamp(-1e15, 1e15)

    def distances(self, scaled: Tensor, nearest: Tensor) -> Tensor:
        """Return the distances (n, n_neighbors) of rows to their neighbours, ascending.

        Parameters
        ----------
        scaled : Tensor of shape (n, n_features)
            Rows from :meth:`scaled`.
        nearest : Tensor of shape (n, n_found)
            Indices of the nearest reference rows. A reference row that is equal to the row
            counts as the row itself, which is not its own neighbour. If fewer than
            ``n_neighbors`` others were found, the last distance is repeated.
        """
        squares = (scaled.unsqueeze(1) - self.reference[nearest]).square().sum(dim=2)
        squares = squares.sort(dim=1).values
        itself = (squares[:, :1] == 0).long()
        places = torch.arange(self.n_neighbors, device=scaled.device) + itself
        squares = squares.gather(1, places.clamp(max=nearest.shape[1] - 1))
        # The root has no gradient at zero.
        return torch.where(squares > 0, squares, 1.0).sqrt() * (squares > 0) / self.scale

    def score_rows(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the logits (n,) of being negative, the anomaly scores."""
        # NOTE[DIFF]: the paper scores by the sigmoid, which has ties.
        shape = (x.shape[0], 1)
        check_output(output, x, shape, "expected one logit for each row, {shape}")
        return output.squeeze(1)

    def forward(self, output: Tensor, x: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss; the targets (n,) are 1 for negatives and 0 for other rows."""
        return F.mse_loss(self.score_rows(output, x).sigmoid(), targets)
