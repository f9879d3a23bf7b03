"""Random changes of images in training."""

from collections.abc import Callable

import torch
from skorch.dataset import Dataset
from torch import Tensor, nn
from torch.utils.data import Subset

from ...engine import TensorLoader


class RandomShift(nn.Module):
    """Shift each image by a random number of pixels.

    Parameters
    ----------
    max_shift : int, default=1
        Largest shift in each direction, in pixels. What comes in at a border repeats the
        border.
    """

    def __init__(self, max_shift: int = 1):
        super().__init__()
        self.max_shift = max_shift

    def forward(self, images: Tensor) -> Tensor:
        """Return shifted images (n, channels, height, width).

        Parameters
        ----------
        images : torch.Tensor of shape (n, channels, height, width)
            Images.

        Returns
        -------
        images : torch.Tensor of shape (n, channels, height, width)
            The changed images.
        """
        n, _, height, width = images.shape
        shifts = torch.randint(-self.max_shift, self.max_shift + 1, (2, n, 1))
        shifts = shifts.to(images.device)
        rows = torch.arange(height, device=images.device) + shifts[0]
        columns = torch.arange(width, device=images.device) + shifts[1]
        rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
        which = torch.arange(n, device=images.device)[:, None, None]
        # The channels go to the end, because an index on both sides of an axis moves it.
        moved = images.movedim(1, -1)[which, rows[:, :, None], columns[:, None, :]]
        return moved.movedim(-1, 1)


class RandomFlip(nn.Module):
    """Flip each image with a probability.

    Parameters
    ----------
    p : float, default=0.5
        Probability of a flip.
    horizontal : bool, default=True
        Whether left and right change places; otherwise top and bottom do.
    """

    def __init__(self, p: float = 0.5, *, horizontal: bool = True):
        super().__init__()
        self.p = p
        self.horizontal = horizontal

    def forward(self, images: Tensor) -> Tensor:
        """Return images (n, channels, height, width), some of them flipped.

        Parameters
        ----------
        images : torch.Tensor of shape (n, channels, height, width)
            Images.

        Returns
        -------
        images : torch.Tensor of shape (n, channels, height, width)
            The changed images.
        """
        flipped = images.flip(-1 if self.horizontal else -2)
        chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < self.p
        return torch.where(chosen, flipped, images)


class GaussianNoise(nn.Module):
    """Add independent normal noise to each value.

    A denoising detector learns to remove noise (``noise_std``); here the noise stays in what
    is to be rebuilt.

    Parameters
    ----------
    sigma : float, default=0.1
        Standard deviation of the noise.
    """

    def __init__(self, sigma: float = 0.1):
        super().__init__()
        self.sigma = sigma

    def forward(self, images: Tensor) -> Tensor:
        """Return images (n, channels, height, width) with noise.

        Parameters
        ----------
        images : torch.Tensor of shape (n, channels, height, width)
            Images.

        Returns
        -------
        images : torch.Tensor of shape (n, channels, height, width)
            The changed images.
        """
        return images + self.sigma * torch.randn_like(images)


class AugmentingLoader(TensorLoader):
    """Iterator over batches of images, each batch changed at random.

    Parameters
    ----------
    dataset, batch_size, shuffle, anomaly_share
        As in :class:`TensorLoader`.
    augmentation : callable or None, default=None
        Maps images (n, channels, height, width) to images of the same shape. With None the
        images stay as they are.
    image_shape : tuple of three ints or None, default=None
        Channels, height and width of an image; an augmentation needs them.
    """

    def __init__(
        self,
        dataset: Dataset | Subset,
        batch_size: int,
        shuffle: bool = False,
        anomaly_share: float | None = None,
        *,
        augmentation: Callable[[Tensor], Tensor] | None = None,
        image_shape: tuple[int, int, int] | None = None,
    ):
        super().__init__(dataset, batch_size, shuffle, anomaly_share)
        self.augmentation = augmentation
        self.image_shape = image_shape

    def __iter__(self):
        for x, y in super().__iter__():
            if self.augmentation is None:
                yield x, y
                continue
            images = x.reshape(len(x), *self.image_shape)
            changed = self.augmentation(images)
            if getattr(changed, "shape", None) != images.shape:
                found = getattr(changed, "shape", type(changed).__name__)
                raise ValueError(
                    f"augmentation returned {found}; expected a tensor of the shape of its"
                    f" input, {tuple(images.shape)}."
                )
            yield changed.flatten(1).float(), y
