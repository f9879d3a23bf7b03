"""Parts of losses that several families share; torch only."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def check_reconstruction(output: Tensor, x: Tensor) -> None:
    """Refuse reconstructions of another shape, which would broadcast in silence."""
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    if shape != tuple(x.shape):
        raise ValueError(
            f"The module returned an output of shape {shape} for an input of shape"
            f" {tuple(x.shape)}; a reconstruction must have the shape of its input."
        )


class TrainingBall(nn.Module):
    """The smallest ball around the mean training row that holds all training rows.

    Some scores are bounded: they cannot tell a row far away from one that is merely odd.
    Such a score adds ``excess``, which is zero inside of the ball.
    """

    center: Tensor
    squared_radius: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(()))
        self.register_buffer("squared_radius", torch.full((), torch.inf))

    def enclose(self, x: Tensor) -> None:
        """Put the ball around rows (n, n_features)."""
        self.center = x.mean(dim=0)
        # Equal rows have no radius; the floor is a hundredth of a scaled feature.
        self.squared_radius = self.squared_distances(x).max().clamp(min=1e-4)

    def squared_distances(self, x: Tensor) -> Tensor:
        """Return the squared distances (n,) of rows to the centre."""
        return (x - self.center).square().sum(dim=1)

    def excess(self, x: Tensor) -> Tensor:
        """Return by how much, relative to the ball's, squared distances are larger, (n,)."""
        return F.relu(self.squared_distances(x) / self.squared_radius - 1)
