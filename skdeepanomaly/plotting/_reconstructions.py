"""Images, what a detector rebuilds of them, and where they are abnormal."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length

from ..utils._compat import take_rows
from ..utils.types import Rows
from ._common import ANOMALY, Axes, decide, innermost, name_of, open_axes, read_scores
from ._tiles import Tiles, as_images, color_limits, tiles_size, with_channels

DIVERGING, SEQUENTIAL = "RdBu_r", "magma"


class ReconstructionDisplay:
    """Images, their reconstructions, the errors and heat maps, side by side, worst first.

    Make it with :meth:`from_estimator` or :meth:`from_images`.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width) or (n_images, height, width, 3)
        Images to draw, from the top to the bottom.
    rebuilt : array-like of the shape of ``images`` or None, default=None
        Their reconstructions, which are drawn with their errors. None leaves both out.
    heat_maps : array-like of shape (n_images, height, width) or None, default=None
        What each pixel adds to the anomaly score. None leaves them out.
    scores : array-like of shape (n_images,) or None, default=None
        Values of the decision function. Labels of images that are flagged, whose values are
        negative, are red.
    positions : array-like of shape (n_images,) or None, default=None
        Numbers of the images; None counts them from 0.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    images_ : dict of str to list of matplotlib AxesImage
        The images by the title of their column: "input", "rebuilt", "error" and "heat map",
        from the top to the bottom.
    colorbars_ : list of matplotlib Colorbar
        Scales of the errors and of the heat maps.
    ax_ : matplotlib Axes
        Axes with the images.
    figure_ : matplotlib Figure
        Figure with the axes.

    Notes
    -----
    All images of a column have one colour scale, and inputs and reconstructions share it. The
    error is the reconstruction minus the input: red where the detector put something that is
    not there. Of several channels, the one with the largest error counts at each pixel, and a
    heat map is the sum of the channels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvAutoEncoder, ReconstructionDisplay
    >>> X = load_digits().images[:200] / 16
    >>> detector = ConvAutoEncoder(max_epochs=5, random_state=0).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(detector, X, n_images=3)
    >>> list(display.images_)
    ['input', 'rebuilt', 'error', 'heat map']
    >>> bool(display.positions[0] == detector.score_samples(X).argmin())
    True
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        images: ArrayLike,
        rebuilt: ArrayLike | None = None,
        heat_maps: ArrayLike | None = None,
        scores: ArrayLike | None = None,
        positions: ArrayLike | None = None,
        name: str | None = None,
    ):
        self.images = images
        self.rebuilt = rebuilt
        self.heat_maps = heat_maps
        self.scores = scores
        self.positions = positions
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: Rows,
        *,
        n_images: int = 5,
        image_shape: tuple[int, ...] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the images with the lowest scores.

        Parameters
        ----------
        detector : object
            A fitted detector with ``explain``, ``reconstruct`` or both, or a pipeline, search
            or meta-estimator around one.
        X : array-like of shape (n_samples, ...)
            Images. Those that transformers change are drawn as the detector sees them.
        n_images : int, default=5
            Number of images.
        image_shape : tuple of ints or None, default=None
            Shape of an image, (height, width) or (channels, height, width). None takes that
            of the detector; a detector of tables has none.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ReconstructionDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector can neither explain nor reconstruct, ``n_images`` is less than 1,
            or the rows are no images.
        """
        scores = decide(detector, X)
        worst = _worst(scores, n_images)
        inside, seen = innermost(detector, take_rows(X, worst), "explain", "reconstruct")
        if image_shape is None:
            image_shape = getattr(inside, "image_shape_", None)
        parts = {}
        if hasattr(inside, "reconstruct"):
            parts["rebuilt"] = as_images(inside.reconstruct(seen), image_shape)
        if hasattr(inside, "explain"):
            parts["heat_maps"] = with_channels(inside.explain(seen), image_shape).sum(axis=1)
        return cls(
            images=as_images(seen, image_shape),
            **parts,
            scores=scores[worst],
            positions=worst,
            name=name_of(inside) if name is None else name,
        ).plot(ax, **kwargs)

    @classmethod
    def from_images(
        cls,
        images: ArrayLike,
        rebuilt: ArrayLike | None = None,
        heat_maps: ArrayLike | None = None,
        *,
        scores: ArrayLike | None = None,
        n_images: int = 5,
        image_shape: tuple[int, ...] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw reconstructions and heat maps that have been computed before.

        Parameters
        ----------
        images : array-like of shape (n_samples, ...)
            Images (n_samples, height, width) or (n_samples, channels, height, width), or flat
            rows with ``image_shape``.
        rebuilt : array-like of the shape of ``images`` or None, default=None
            Their reconstructions.
        heat_maps : array-like of the shape of ``images`` or None, default=None
            What each value adds to the anomaly score, as ``explain`` gives it.
        scores : array-like of shape (n_samples,) or None, default=None
            Values of the decision function, the lower the more abnormal. None draws the first
            images.
        n_images : int, default=5
            Number of images.
        image_shape : tuple of ints or None, default=None
            Shape of an image, (height, width) or (channels, height, width).
        name : str or None, default=None
            Title.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ReconstructionDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the arrays have different shapes, ``n_images`` is less than 1, or the rows are
            no images.
        """
        shapes = [np.shape(part) for part in (images, rebuilt, heat_maps) if part is not None]
        if len(set(shapes)) > 1:
            raise ValueError(
                "images, rebuilt and heat_maps must have one shape, got"
                f" {', '.join(map(str, shapes))}."
            )
        check_consistent_length(images, scores)
        order = np.arange(np.shape(images)[0]) if scores is None else read_scores(scores)
        worst = _worst(order, n_images)

        def chosen(part: ArrayLike) -> NDArray[Any]:
            return np.asarray(part)[worst]

        if heat_maps is not None:
            heat_maps = with_channels(chosen(heat_maps), image_shape).sum(axis=1)
        return cls(
            images=as_images(chosen(images), image_shape),
            rebuilt=None if rebuilt is None else as_images(chosen(rebuilt), image_shape),
            heat_maps=heat_maps,
            scores=None if scores is None else order[worst],
            positions=worst,
            name=name,
        ).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.imshow` for inputs and reconstructions.

        Returns
        -------
        display : ReconstructionDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        columns = self._columns(kwargs)
        images = np.asarray(self.images)
        shape, n_images = images.shape[1:3], len(images)
        self.ax_ = open_axes(ax, tiles_size(shape, n_images, len(columns)))
        self.figure_ = self.ax_.figure
        self.images_, self.colorbars_ = {}, []
        tiles = Tiles(self.ax_, shape)
        for column, (title, (values, limits, style)) in enumerate(columns.items()):
            self.images_[title] = [
                tiles.draw(value, row, column, limits, **style)
                for row, value in enumerate(values)
            ]
        positions = np.arange(n_images) if self.positions is None else self.positions
        labels = [f"image {position}" for position in np.asarray(positions)]
        scores = None if self.scores is None else np.asarray(self.scores)
        if scores is not None:
            labels = [
                f"{label}\ndecision {score:.3g}"
                for label, score in zip(labels, scores, strict=True)
            ]
        tiles.finish(labels, list(columns))
        if scores is not None:
            for label, score in zip(self.ax_.get_yticklabels(), scores, strict=True):
                label.set_color(ANOMALY if score < 0 else "black")
        for column, title in enumerate(columns):
            if title in ("error", "heat map"):
                bar = tiles.add_scale(self.images_[title][0], n_images, column)
                self.colorbars_.append(bar)
        self.ax_.set_title(self.name if name is None else name)
        return self

    def _columns(
        self, style: dict[str, Any]
    ) -> dict[str, tuple[NDArray[Any], tuple[float, float], dict[str, Any]]]:
        """Return values, limits of the colours and style by the title of the column."""
        images = np.asarray(self.images)
        limits = color_limits(images)
        style = {"cmap": "gray", **style}
        columns = {"input": (images, limits, style)}
        if self.rebuilt is not None:
            rebuilt = np.asarray(self.rebuilt)
            errors = _largest_errors(rebuilt - images)
            columns["rebuilt"] = (rebuilt, limits, style)
            columns["error"] = (errors, *_signed_scale(errors))
        if self.heat_maps is not None:
            maps = np.asarray(self.heat_maps)
            # Shares of a sum of errors have no sign, integrated gradients do.
            scale = (0, maps.max()), {"cmap": SEQUENTIAL}
            columns["heat map"] = (maps, *(_signed_scale(maps) if maps.min() < 0 else scale))
        return columns


def _worst(scores: ArrayLike, n_images: int) -> np.ndarray:
    """Return the positions of the lowest scores, the lowest first."""
    if n_images < 1:
        raise ValueError(f"n_images must be at least 1, got {n_images}.")
    return np.argsort(scores, kind="stable")[:n_images]


def _largest_errors(differences: np.ndarray) -> np.ndarray:
    """Return the difference (n, height, width) of the channel where it is largest."""
    if differences.ndim == 3:
        return differences
    largest = np.abs(differences).argmax(axis=-1)[..., None]
    return np.take_along_axis(differences, largest, axis=-1)[..., 0]


def _signed_scale(values: np.ndarray) -> tuple[tuple[float, float], dict[str, Any]]:
    """Return limits and style of values around zero."""
    end = np.abs(values).max()
    return (-end, end), {"cmap": DIVERGING}
