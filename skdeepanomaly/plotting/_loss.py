"""Losses of the training."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ..utils.nesting import nested
from ._common import Axes, name_of, open_axes

_LABELS = {"train_loss": "training", "valid_loss": "validation"}


class LossDisplay:
    """Losses of a deep detector by epoch.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    losses : dict of str to array-like of shape (n_epochs,)
        Values by name: ``train_loss``, ``valid_loss`` and further losses of the detector,
        such as ``discriminator_loss``. NaN for epochs without a value.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The curves, in the order of ``losses``.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skdeepanomaly import AutoEncoder, LossDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> detector = AutoEncoder(max_epochs=5, train_split=0.2, random_state=0).fit(X)
    >>> display = LossDisplay.from_estimator(detector)
    >>> sorted(display.losses)
    ['train_loss', 'valid_loss']
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, losses: Mapping[str, ArrayLike], name: str | None = None):
        self.losses = losses
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the losses in the history of a deep detector.

        Parameters
        ----------
        detector : object
            A fitted deep detector, or a pipeline, search or meta-estimator around one. The
            history is that of the outermost part that has one.
        name : str or None, default=None
            Title; None takes the name of the deep detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LossDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If no part of the detector has a history.
        sklearn.exceptions.NotFittedError
            If the detector is not fitted.
        """
        deep, history = _find_history(detector)
        names = {key: None for epoch in history for key in epoch if key.endswith("_loss")}
        losses = {
            key: np.array([epoch.get(key, np.nan) for epoch in history], dtype=np.float64)
            for key in names
        }
        return cls(losses=losses, name=name_of(deep) if name is None else name).plot(
            ax, **kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        log: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        log : bool, default=False
            Whether the axis of the losses is logarithmic.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LossDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = open_axes(ax)
        from matplotlib.ticker import MaxNLocator

        self.figure_ = self.ax_.figure
        self.lines_ = []
        for key, losses in self.losses.items():
            values = np.asarray(losses)
            label = _LABELS.get(key, key.removesuffix("_loss"))
            # A line through a single epoch would be invisible.
            style = {"label": label, "marker": "o" if len(values) == 1 else None}
            epochs = np.arange(1, len(values) + 1)
            self.lines_ += self.ax_.plot(epochs, values, **{**style, **kwargs})
        self.ax_.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
        self.ax_.set(
            xlabel="Epoch",
            ylabel="Loss",
            yscale="log" if log else "linear",
            title=self.name if name is None else name,
        )
        self.ax_.legend()
        return self


def _find_history(detector: BaseEstimator) -> tuple[BaseEstimator, list[dict[str, Any]]]:
    """Return the outermost part of a detector that has a history, and the history."""
    for part in nested(detector):
        if hasattr(part, "history_"):
            return part, part.history_
    raise ValueError(
        f"{name_of(detector)} has no history_: expected a deep detector, or a pipeline, search"
        " or meta-estimator around one."
    )
