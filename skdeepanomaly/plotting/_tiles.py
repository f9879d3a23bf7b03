"""Images as tiles of one picture."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import Axes

# Tiles of images that are longer than this, such as strips, are stretched.
MAX_RATIO = 4.0
GAP = 0.06


def as_images(rows: ArrayLike, image_shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return rows as images that matplotlib shows.

    Parameters
    ----------
    rows : array-like of shape (n_samples, ...)
        Rows, as in :func:`with_channels`.
    image_shape : tuple of ints or None, default=None
        As in :func:`with_channels`.

    Returns
    -------
    images : ndarray of shape (n_samples, height, width) or (n_samples, height, width, 3)
        Images in grey or, if there are three channels, in colours. Of any other number of
        channels the mean is shown.
    """
    images = with_channels(rows, image_shape)
    return np.moveaxis(images, 1, -1) if images.shape[1] == 3 else images.mean(axis=1)


def with_channels(rows: ArrayLike, image_shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return rows as images with channels.

    Parameters
    ----------
    rows : array-like of shape (n_samples, ...)
        Images (n_samples, height, width) or (n_samples, channels, height, width), or flat
        rows. Those of dtype uint8 are scaled to [0, 1].
    image_shape : tuple of ints or None, default=None
        Shape of an image, (height, width) or (channels, height, width). None takes that of
        ``rows``.

    Returns
    -------
    images : ndarray of shape (n_samples, channels, height, width), float64

    Raises
    ------
    ValueError
        If the rows are no images of that shape.
    """
    rows = np.asarray(rows)
    shape = tuple(rows.shape[1:] if image_shape is None else image_shape)
    if len(shape) not in (2, 3) or prod(shape) != prod(rows.shape[1:]):
        raise ValueError(
            f"Rows of shape {rows.shape[1:]} are no images of shape {shape}: expected"
            " (height, width) or (channels, height, width). For flat rows pass image_shape."
        )
    scale = 255 if rows.dtype == np.uint8 else 1
    full = (*(1,) * (3 - len(shape)), *shape)
    return rows.reshape(len(rows), *full).astype(np.float64) / scale


def color_limits(images: np.ndarray, share: float = 0.0) -> tuple[float, float]:
    """Return the values that are shown as black and as white.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width) or (n_images, height, width, 3)
        Images.
    share : float, default=0.0
        Share of the values that may lie beyond each limit.

    Returns
    -------
    low, high : float
        Quantiles of grey values. Colours between 0 and 1 are shown as they are.
    """
    low, high = (float(limit) for limit in np.quantile(images, [share, 1 - share]))
    return (0.0, 1.0) if images.ndim == 4 and -0.1 <= low and high <= 1.1 else (low, high)


class Tiles:
    """A grid of images in one axes; the rows are counted from the top.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    shape : tuple of two ints
        Height and width of an image.
    """

    def __init__(self, ax: Axes, shape: tuple[int, ...]):
        self.ax = ax
        self.width = _tile_width(shape)

    def draw(
        self,
        image: NDArray[Any],
        row: int,
        column: int,
        limits: tuple[float, float],
        **style: Any,
    ) -> Any:
        """Draw an image; ``limits`` are the values at both ends of the colours."""
        low, high = limits
        if image.ndim == 3:
            image = np.clip((image - low) / (high - low or 1), 0, 1)
        left = column * (self.width + GAP)
        top = row * (1 + GAP)
        extent = (left, left + self.width, top + 1, top)
        style = {"vmin": low, "vmax": high, "interpolation": "nearest", **style}
        return self.ax.imshow(image, extent=extent, **style)

    def add_scale(self, image: Any, row: int, column: int) -> Any:
        """Draw the colour scale of an image as a bar below a column of so many rows."""
        left = column * (self.width + GAP) + 0.05 * self.width
        place = (left, row * (1 + GAP) + 0.1, 0.9 * self.width, 0.08)
        bar = self.ax.inset_axes(place, transform=self.ax.transData)
        colorbar = self.ax.figure.colorbar(image, cax=bar, orientation="horizontal")
        low, high = image.get_clim()
        colorbar.set_ticks([low, high] if low < high else [low])
        colorbar.ax.set_xticklabels([f"{tick:.2g}" for tick in colorbar.get_ticks()])
        # The numbers at both ends stay within the column.
        for tick, side in zip(colorbar.ax.get_xticklabels(), ("left", "right"), strict=False):
            tick.set(horizontalalignment=side, fontsize="small")
        colorbar.ax.tick_params(length=0)
        colorbar.outline.set_visible(False)
        return colorbar

    def finish(self, row_labels: list[str], column_labels: list[str]) -> None:
        """Write the labels of rows and columns, and hide the frame."""
        n_rows, n_columns = len(row_labels), len(column_labels)
        self.ax.set(
            xlim=(-GAP, n_columns * (self.width + GAP)),
            ylim=(n_rows * (1 + GAP), -GAP),
            aspect="equal",
        )
        middles = np.arange(n_columns) * (self.width + GAP) + self.width / 2
        self.ax.set_xticks(middles, column_labels)
        self.ax.set_yticks(np.arange(n_rows) * (1 + GAP) + 0.5, row_labels)
        self.ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
        self.ax.spines[:].set_visible(False)


def tiles_size(shape: tuple[int, ...], n_rows: int, n_columns: int) -> tuple[float, float]:
    """Return width and height, in inches, of a figure with so many tiles."""
    side = float(np.clip(8 / max(n_rows, n_columns), 0.6, 1.5))
    return side * n_columns * _tile_width(shape) + 1.2, side * n_rows + 1.2


def _tile_width(shape: tuple[int, ...]) -> float:
    height, width = shape
    return float(np.clip(width / height, 1 / MAX_RATIO, MAX_RATIO))
