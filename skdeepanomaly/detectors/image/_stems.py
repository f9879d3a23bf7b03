"""What a network sees of an image: its pixels, or its oriented gradients."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Shape = tuple[int, int, int]

# Images with a shorter side than this have too few cells of gradients, and their pixels are
# large parts of what they show.
MIN_SIDE = 16


class PixelStem(nn.Module):
    """The pixels themselves.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of an image.

    Attributes
    ----------
    output_shape : tuple of three ints
        Shape of the output before it is flattened.
    """

    # Whether errors are compared with the mean square of the image.
    relative = True

    def __init__(self, image_shape: Shape):
        super().__init__()
        self.output_shape = image_shape

    def forward(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features)."""
        return x

    def smooth(self, differences: Tensor) -> Tensor:
        """Return the means of differences (n, n_features) over 3 x 3 pixels.

        A line that is rebuilt at a slightly other place is then hardly an error. In small
        images a pixel is too large for that, and they stay as they are.
        """
        if min(self.output_shape[1:]) < MIN_SIDE:
            return differences
        images = differences.reshape(-1, *self.output_shape)
        return F.avg_pool2d(images, 3, 1, 1).flatten(1)

    def spread(self, values: Tensor) -> Tensor:
        """Return values (n, n_features) of pixels."""
        return values


class GradientStem(nn.Module):
    """Contrast-normalised histograms of oriented gradients, in a grid of cells.

    The gradient of each pixel goes to the directions near its own, and each cell has the mean
    of its pixels for each direction. The cells of an image are divided by their root mean
    square length, so that the contrast of the image does not matter. This is a simple,
    differentiable form of HOG (Dalal and Triggs, "Histograms of oriented gradients for human
    detection", CVPR 2005).

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of an image. Each channel has gradients of its own.
    n_directions : int, default=8
        Number of directions in the whole circle.
    cell_size : int, default=4
        Height and width of a cell in pixels. If the image is no multiple of it, some cells are
        smaller by a pixel.

    Attributes
    ----------
    output_shape : tuple of three ints
        Channels times directions, and the height and width of the grid of cells.
    """

    relative = False
    # Root mean square length of the cells below which an image counts as flat.
    floor = 1e-2
    directions: Tensor

    def __init__(self, image_shape: Shape, *, n_directions: int = 8, cell_size: int = 4):
        super().__init__()
        n_channels, height, width = image_shape
        self.image_shape = image_shape
        self.grid = (-(-height // cell_size), -(-width // cell_size))
        self.output_shape = (n_channels * n_directions, *self.grid)
        angles = torch.arange(n_directions) * (2 * torch.pi / n_directions)
        self.register_buffer("directions", torch.stack([angles.cos(), angles.sin()]))

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to cells (n, n_outputs), channel by channel."""
        _, height, width = self.image_shape
        images = x.reshape(-1, 1, height, width)
        # A little smoothing, and borders without a step.
        smooth = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        padded = F.pad(smooth, (1, 1, 1, 1), mode="replicate")
        across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
        down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
        lengths = (across.square() + down.square() + 1e-12).sqrt()
        across, down = across / lengths, down / lengths
        grids = []
        # One direction after the other, so that few arrays as large as the images are held.
        for cosine, sine in self.directions.T:
            # The fourth power of the cosine leaves a share to the nearest two directions only.
            shares = (across * cosine + down * sine).relu().square().square()
            grids.append(F.adaptive_avg_pool2d(shares * lengths, self.grid))
        cells = torch.cat(grids, dim=1).reshape(x.shape[0], -1)
        n_cells = self.grid[0] * self.grid[1]
        mean_square = cells.square().sum(dim=1, keepdim=True) / n_cells
        return cells / (mean_square + self.floor**2).sqrt()

    def smooth(self, differences: Tensor) -> Tensor:
        """Return differences (n, n_outputs) as they are; cells are smooth already."""
        return differences

    def spread(self, values: Tensor) -> Tensor:
        """Return values (n, n_outputs) of cells, spread evenly over the pixels of the cells.

        The sum of each image stays the same.
        """
        n_channels, height, width = self.image_shape
        grids = values.reshape(len(values), n_channels, -1, *self.grid).sum(dim=2)
        with torch.inference_mode(False), torch.enable_grad():
            # The derivative of the means of the cells spreads values over the pixels.
            pixels = torch.zeros(
                len(values), n_channels, height, width, device=values.device, requires_grad=True
            )
            means = F.adaptive_avg_pool2d(pixels, self.grid)
            (shares,) = torch.autograd.grad(means, pixels, grids.clone())
        return shares.flatten(1)


STEMS = {"pixels": PixelStem, "gradients": GradientStem}
