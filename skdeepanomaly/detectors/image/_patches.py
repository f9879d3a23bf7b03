"""Torch modules that compare the local features of images with those of normal images."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import is_exporting
from ._frozen_layers import FrozenLayers

# Largest number of distances that are held at once.
MAX_DISTANCES = 8 * 2**20
# Bound of the rounding error of a squared distance in float32, relative to the squared lengths.
ROUNDING = 1e-6


class PatchFeatures(nn.Module):
    """Maps of layers as one map of local features.

    Each map is averaged over neighbourhoods, brought to the height and width of the first one,
    and the channels of all are put together.

    Parameters
    ----------
    layers : FrozenLayers
        The layers; each gives a map (n, channels, height, width).
    patch_size : int
        Height and width of the neighbourhoods, odd; 1 leaves the maps as they are.
    """

    def __init__(self, layers: FrozenLayers, patch_size: int = 1):
        super().__init__()
        self.layers = layers
        self.patch_size = patch_size

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to local features (n, n_channels, height, width)."""
        maps: list[Tensor] = []
        for values in self.layers(x):
            if values.ndim != 4:
                raise ValueError(
                    "Local features are maps (n, channels, height, width), but the module"
                    f" gives an output of shape {tuple(values.shape)}. Name by layer= an"
                    " earlier layer, before the places are pooled or flattened."
                )
            if self.patch_size > 1:
                around = self.patch_size // 2
                values = F.avg_pool2d(
                    values, self.patch_size, 1, around, count_include_pad=False
                )
            if maps and values.shape[2:] != maps[0].shape[2:]:
                values = F.interpolate(
                    values, size=maps[0].shape[2:], mode="bilinear", align_corners=False
                )
            maps.append(values)
        return torch.cat(maps, dim=1)


class PatchModel(nn.Module):
    """Base of modules that measure how far each place of an image is from normal.

    Parameters
    ----------
    features : PatchFeatures
        Local features.
    image_shape : tuple of three ints
        Channels, height and width of an image.
    """

    def __init__(self, features: PatchFeatures, image_shape: tuple[int, int, int]):
        super().__init__()
        self.features = features
        self.image_shape = image_shape

    def distances(self, patches: Tensor) -> Tensor:
        """Return the distances (n_places,) of the patches (n_places, n_channels)."""
        raise NotImplementedError

    def score(self, patches: Tensor) -> Tensor:
        """Return the anomaly score of an image from its patches (n_places, n_channels)."""
        return self.distances(patches).amax(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features)."""
        features = self.features(x)
        if is_exporting():
            # A graph has no loop over images.
            return self.score(features.flatten(2).transpose(1, 2))
        return torch.stack([self.score(patches) for patches in image_patches(features)])

    def maps(self, x: Tensor) -> Tensor:
        """Return the distances at each pixel (n, height, width) of rows (n, n_features)."""
        features = self.features(x)
        distances = [self.distances(patches) for patches in image_patches(features)]
        grids = torch.stack(distances).reshape(-1, 1, *features.shape[2:])
        size = self.image_shape[1:]
        return F.interpolate(grids, size=size, mode="bilinear", align_corners=False)[:, 0]


class PatchMemory(PatchModel):
    """Distances to the nearest of some normal patches.

    Parameters
    ----------
    features : PatchFeatures
        Local features.
    image_shape : tuple of three ints
        Channels, height and width of an image.
    patches : torch.Tensor of shape (n_patches, n_channels)
        The normal patches.
    n_neighbors : int
        Number of patches, the nearest one among them, by which the score of an image is
        weighted; 1 gives no weight.
    """

    patches: Tensor
    squares: Tensor

    def __init__(
        self,
        features: PatchFeatures,
        image_shape: tuple[int, int, int],
        patches: Tensor,
        n_neighbors: int,
    ):
        super().__init__(features, image_shape)
        self.n_neighbors = n_neighbors
        self.register_buffer("patches", patches)
        self.register_buffer("squares", patches.square().sum(dim=1))

    def nearest(self, patches: Tensor, barred: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the distances (n,) to the nearest patches in memory, and their indices (n,).

        Parameters
        ----------
        patches : torch.Tensor of shape (n, n_channels)
            Patches.
        barred : torch.Tensor of shape (n_patches,), bool, or None, default=None
            Patches in memory that do not count.
        """
        step = max(1, MAX_DISTANCES // len(patches))
        best = torch.full((len(patches),), math.inf, device=patches.device)
        found = torch.zeros(len(patches), dtype=torch.long, device=patches.device)
        for start in range(0, len(self.patches), step):
            part = slice(start, start + step)
            # Squared distances without the term that all patches in memory share.
            gaps = self.squares[part] - 2 * patches @ self.patches[part].T
            if barred is not None:
                gaps = gaps.masked_fill(barred[part], math.inf)
            least, index = gaps.min(dim=1)
            found = torch.where(least < best, index + start, found)
            best = torch.minimum(least, best)
        # The product cancels digits of small distances, so the last step subtracts.
        return torch.linalg.vector_norm(patches - self.patches[found], dim=1), found

    def distances(self, patches: Tensor) -> Tensor:
        """Return the distances (n_places,) to the nearest patch in memory."""
        return self.nearest(patches)[0]

    def score(self, patches: Tensor, barred: Tensor | None = None) -> Tensor:
        """Return the largest distance, weighted by the neighbours of the patch found.

        The weight is high if these are far from the patch of the image, too: a patch in
        memory that stands alone is itself rare.
        """
        distances, found = self.nearest(patches, barred)
        worst = distances.argmax()
        n_there = len(self.patches) if barred is None else int((~barred).sum())
        n_neighbors = min(self.n_neighbors, n_there)
        if n_neighbors == 1:
            return distances[worst]
        away = torch.linalg.vector_norm(self.patches - self.patches[found[worst]], dim=1)
        if barred is not None:
            away = away.masked_fill(barred, math.inf)
        near = self.patches[away.topk(n_neighbors, largest=False).indices]
        gaps = torch.linalg.vector_norm(near - patches[worst], dim=1)
        weight = 1 - (distances[worst] - gaps.logsumexp(dim=0)).exp()
        # The nearest patch has the smallest of these distances, so that the weight has a lower
        # bound. Far from all patches rounding can choose another one, and break it.
        return distances[worst] * weight.clamp(min=1 - 1 / n_neighbors)


class PlaceGaussians(PatchModel):
    """Mahalanobis distances to a Gaussian distribution for each place.

    Parameters
    ----------
    features : PatchFeatures
        Local features.
    image_shape : tuple of three ints
        Channels, height and width of an image.
    chosen : torch.Tensor of shape (n_chosen,), int
        Indices of the channels that are used.
    means : torch.Tensor of shape (n_places, n_chosen)
        Means.
    whitening : torch.Tensor of shape (n_places, n_chosen, n_chosen)
        Inverse Cholesky factors of the covariances.
    """

    chosen: Tensor
    means: Tensor
    whitening: Tensor

    def __init__(
        self,
        features: PatchFeatures,
        image_shape: tuple[int, int, int],
        chosen: Tensor,
        means: Tensor,
        whitening: Tensor,
    ):
        super().__init__(features, image_shape)
        self.register_buffer("chosen", chosen)
        self.register_buffer("means", means)
        self.register_buffer("whitening", whitening)

    def distances(self, patches: Tensor) -> Tensor:
        """Return the Mahalanobis distances (..., n_places) of the patches of images."""
        away = patches[..., self.chosen] - self.means
        return torch.linalg.vector_norm((self.whitening @ away[..., None])[..., 0], dim=-1)


def image_patches(features: Tensor) -> list[Tensor]:
    """Return the patches (n_places, n_channels) of each image, from (n, n_channels, h, w).

    Each image has a tensor of its own, so that all that is computed of it has the same shape,
    and thus rounds in the same way, whatever the other images are.
    """
    return [image.flatten(1).T.contiguous().clone() for image in features]


def greedy_coreset(patches: Tensor, size: int, max_projected: int = 128) -> Tensor:
    """Return the indices of patches such that each patch is close to one of them.

    One after the other, the patch that is farthest from those chosen is chosen (greedy
    k-center). Distances are computed after a random projection to few dimensions, which hardly
    changes them. The global generator of torch is used.

    Parameters
    ----------
    patches : torch.Tensor of shape (n_patches, n_channels)
        Patches.
    size : int
        Largest number of patches; fewer are chosen if they hold all others.
    max_projected : int, default=128
        Number of dimensions of the projection; patches with fewer channels are not projected.

    Returns
    -------
    chosen : torch.Tensor of shape (n_chosen,), int
        Indices, in the order in which they were chosen.
    """
    n_channels = patches.shape[1]
    if n_channels > max_projected:
        projection = torch.randn(n_channels, max_projected) / max_projected**0.5
        patches = patches @ projection.to(patches.device)
    # From the median, because the products below cancel digits of what all patches share.
    patches = patches - patches.median(dim=0).values
    squares = patches.square().sum(dim=1)
    chosen = torch.empty(size, dtype=torch.long, device=patches.device)
    chosen[0] = torch.randint(len(patches), ())
    gaps = torch.full((len(patches),), math.inf, device=patches.device)
    for i in range(1, size):
        last = chosen[i - 1]
        gaps = torch.minimum(gaps, squares + squares[last] - 2 * (patches @ patches[last]))
        gaps[last] = 0
        farthest = gaps.argmax()
        # A patch that differs from one of those chosen by rounding errors alone.
        if gaps[farthest] <= ROUNDING * squares[farthest]:
            return chosen[:i]
        chosen[i] = farthest
    return chosen
