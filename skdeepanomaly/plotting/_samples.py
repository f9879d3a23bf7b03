"""Images that a detector generates."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..utils.nesting import nested
from ..utils.types import RandomState
from ._common import Axes, import_pyplot, name_of, open_axes
from ._tiles import Tiles, as_images, color_limits, tiles_size


class SampleDisplay:
    """Generated images, at one moment or as training goes on.

    Make it with :meth:`from_estimator` or :meth:`from_training`.

    Parameters
    ----------
    samples : sequence of ndarray of shape (n_samples, height, width[, 3])
        Images, of one moment or of several.
    epochs : sequence of int or None, default=None
        The epoch of each moment. With None there is one moment.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    images_ : list of list of matplotlib AxesImage
        The images, row by row from the top.
    ax_ : matplotlib Axes
        Axes with the images.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    SampleRecorder : Callback that records images as training goes on.

    Notes
    -----
    All images have one colour scale, that of the last moment. The darkest and the brightest 2 %
    of its grey pixels are black and white.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvGAN, SampleDisplay, SampleRecorder
    >>> X = load_digits().images[:200] / 16
    >>> recorder = SampleRecorder([1, 2, 4], n_samples=6)
    >>> detector = ConvGAN(max_epochs=4, callbacks=[recorder], random_state=0).fit(X)
    >>> display = SampleDisplay.from_training(detector)
    >>> len(display.images_), len(display.images_[0])
    (3, 6)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        samples: Sequence[NDArray[Any]],
        epochs: Sequence[int] | None = None,
        name: str | None = None,
    ):
        self.samples = samples
        self.epochs = epochs
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        *,
        n_samples: int = 16,
        random_state: RandomState = None,
        image_shape: tuple[int, ...] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw images that a fitted detector generates.

        Parameters
        ----------
        detector : object
            A fitted detector with ``sample``, or a pipeline, search or meta-estimator around
            one, whose transformers are not undone.
        n_samples : int, default=16
            Number of images.
        random_state : int, RandomState instance or None, default=None
            Seed of the random codes.
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
        display : SampleDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector has no ``sample``, or its rows are no images.
        """
        inside = _inside(detector)
        samples = inside.sample(n_samples, random_state=random_state)
        return cls(
            samples=[as_images(samples, image_shape or _shape_of(inside))],
            name=name_of(inside) if name is None else name,
        ).plot(ax, **kwargs)

    @classmethod
    def from_training(
        cls,
        detector: BaseEstimator,
        *,
        image_shape: tuple[int, ...] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the images that a SampleRecorder among the callbacks has recorded.

        Parameters
        ----------
        detector : object
            A detector that was fitted with a :class:`SampleRecorder`, or a pipeline, search
            or meta-estimator around one.
        image_shape : tuple of ints or None, default=None
            Shape of an image, (height, width) or (channels, height, width). None takes that
            of the detector.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : SampleDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If no images were recorded, or the rows are no images.
        """
        inside = _inside(detector)
        recorded = [
            callback
            for _, callback in getattr(getattr(inside, "net_", None), "callbacks_", ())
            if getattr(callback, "samples_", None)
        ]
        if not recorded:
            raise ValueError(
                f"{name_of(inside)} has no recorded samples: put a SampleRecorder, with epochs"
                " that are reached, into its callbacks before fit. A saved or copied detector"
                " keeps none."
            )
        shape = image_shape or _shape_of(inside)
        return cls(
            samples=[as_images(samples, shape) for samples in recorded[0].samples_],
            epochs=recorded[0].epochs_,
            name=name_of(inside) if name is None else name,
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
            Passed on to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : SampleDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        rows = [np.asarray(samples) for samples in self.samples]
        limits = color_limits(rows[-1], share=0.02)
        labels = [f"epoch {epoch}" for epoch in self.epochs or ()]
        if self.epochs is None:
            n_columns = ceil(sqrt(len(rows[0])))
            rows = [rows[0][i : i + n_columns] for i in range(0, len(rows[0]), n_columns)]
            labels = [""] * len(rows)
        n_columns, shape = len(rows[0]), rows[0].shape[1:3]
        self.ax_ = open_axes(ax, tiles_size(shape, len(rows), n_columns))
        self.figure_ = self.ax_.figure
        tiles = Tiles(self.ax_, shape)
        style = {"cmap": "gray", **kwargs}
        self.images_ = [
            [tiles.draw(image, row, i, limits, **style) for i, image in enumerate(images)]
            for row, images in enumerate(rows)
        ]
        tiles.finish(labels, [""] * n_columns)
        self.ax_.set_title(self.name if name is None else name)
        return self


def _inside(detector: BaseEstimator) -> Any:
    import_pyplot()
    inside = nested(detector)[-1]
    if not hasattr(inside, "sample"):
        raise ValueError(
            f"{name_of(inside)} has no sample: expected a detector that generates rows, such"
            " as ConvGAN, or a pipeline, search or meta-estimator around one."
        )
    return inside


def _shape_of(detector: Any) -> tuple[int, ...] | None:
    return getattr(detector, "image_shape_", None)
