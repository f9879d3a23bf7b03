"""Codes of rows in two dimensions."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_array, check_consistent_length

from ..metrics import read_truth
from ..utils.types import Bools, Floats, Rows
from ._common import (
    NOT_JUDGED,
    Axes,
    decide,
    innermost,
    linear_width,
    name_of,
    open_axes,
    read_scores,
)


class LatentDisplay:
    """Codes of rows in two dimensions, coloured by the score.

    Make it with :meth:`from_estimator` or :meth:`from_codes`.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Places of the rows.
    scores : ndarray of shape (n_samples,)
        Scores of the rows: the lower, the more abnormal.
    is_anomaly : ndarray of bool of shape (n_samples,) or None, default=None
        Truth.
    axis_names : tuple of two str, default=("Code 1", "Code 2")
        Labels of the axes.
    score_name : str, default="Score"
        Label of the colours.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    points_ : list of matplotlib PathCollection
        The points: all of them, or the normal rows and the anomalies.
    colorbar_ : matplotlib Colorbar
        The scale of the colours.
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure with the axes.

    Notes
    -----
    Codes of more than two values are shown by the first two principal components of the codes
    that are drawn. Rows may differ in the others: points that lie close together need not have
    similar codes. A single value is drawn against the score.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skdeepanomaly import AutoEncoder, LatentDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> detector = AutoEncoder(latent_dim=3, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentDisplay.from_estimator(detector, X)
    >>> display.points.shape
    (200, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        points: Floats,
        scores: Floats,
        is_anomaly: Bools | None = None,
        axis_names: tuple[str, str] = ("Code 1", "Code 2"),
        score_name: str = "Score",
        name: str | None = None,
    ):
        self.points = points
        self.scores = scores
        self.is_anomaly = is_anomaly
        self.axis_names = axis_names
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: Rows,
        y: ArrayLike | None = None,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the codes that a detector gives rows.

        Parameters
        ----------
        detector : object
            A fitted detector with ``encode``, or a pipeline, search or meta-estimator around
            one.
        X : array-like of shape (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,) or None, default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. Rows that
            nobody has judged are left out.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LatentDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector has no ``encode``, or ``y`` has other labels or only one class.
        """
        inside, seen = innermost(detector, X, "encode")
        return cls.from_codes(
            inside.encode(seen),
            decide(detector, X),
            y,
            score_name="Decision function",
            name=name_of(inside) if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_codes(
        cls,
        codes: ArrayLike,
        scores: ArrayLike,
        y_true: ArrayLike | None = None,
        *,
        score_name: str = "Score",
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw codes that have been computed before.

        Parameters
        ----------
        codes : array-like of shape (n_samples, latent_dim)
            Codes.
        scores : array-like of shape (n_samples,)
            Scores as ``decision_function`` or ``score_samples`` gives them: the lower, the
            more abnormal.
        y_true : array-like of shape (n_samples,) or None, default=None
            Truth, as in :meth:`from_estimator`.
        score_name : str, default="Score"
            Label of the colours.
        name : str or None, default=None
            Title.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LatentDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If codes or scores are not finite or differ in number, there are codes of more
            than two values for one row only, or ``y_true`` has other labels or only one class.
        """
        rows = check_array(codes, dtype=np.float64, input_name="codes")
        values = read_scores(scores)
        check_consistent_length(rows, values, y_true)
        is_anomaly = None
        if y_true is not None:
            judged, is_anomaly = read_truth(y_true)
            rows, values = rows[judged], values[judged]
        points, axis_names = _in_two_dimensions(rows, values, score_name)
        return cls(
            points=points,
            scores=values,
            is_anomaly=is_anomaly,
            axis_names=axis_names,
            score_name=score_name,
            name=name,
        ).plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        scale: Literal["auto", "linear", "asinh"] = "auto",
        **kwargs: Any,
    ) -> Self:
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        scale : {"auto", "linear", "asinh"}, default="auto"
            Scale of the colours, as that of the axis in :class:`ScoreDisplay`.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        display : LatentDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``scale`` is unknown.
        """
        scores = np.asarray(self.scores)
        width = linear_width(scores, scale)
        self.ax_ = open_axes(ax)
        self.figure_ = self.ax_.figure
        from matplotlib.colors import AsinhNorm, Normalize

        low, high = scores.min(), scores.max()
        norm = Normalize(low, high) if width is None else AsinhNorm(width, low, high)
        style = {"cmap": "RdYlBu", "norm": norm, "s": 18, "linewidths": 0.4, **kwargs}
        classes: list[tuple[Bools, str | None, str]]
        classes = [(np.ones(len(scores), dtype=bool), None, "o")]
        if self.is_anomaly is not None:
            classes = [(~self.is_anomaly, "normal", "o"), (self.is_anomaly, "anomaly", "^")]
        # The most abnormal rows lie on top.
        order = np.argsort(-scores, kind="stable")
        self.points_ = []
        for chosen, label, marker in classes:
            rows = order[chosen[order]]
            if label is not None:
                label = f"{label}: {len(rows)}"
            drawn = self.ax_.scatter(
                *self.points[rows].T,
                c=scores[rows],
                **{"label": label, "marker": marker, "edgecolors": "0.3", **style},
            )
            self.points_.append(drawn)
        self.colorbar_ = self.figure_.colorbar(drawn, ax=self.ax_, label=self.score_name)
        self.ax_.set(
            xlabel=self.axis_names[0],
            ylabel=self.axis_names[1],
            title=self.name if name is None else name,
        )
        if self.is_anomaly is not None:
            for handle in self.ax_.legend(fontsize="small").legend_handles:
                handle.set(facecolor=NOT_JUDGED, array=None)
        return self


def _in_two_dimensions(
    codes: np.ndarray, scores: np.ndarray, score_name: str
) -> tuple[Floats, tuple[str, str]]:
    """Return points (n_samples, 2) and the labels of both axes."""
    n_rows, width = codes.shape
    if width == 1:
        return np.column_stack([codes, scores]), ("Code", score_name)
    if width == 2:
        return codes, ("Code 1", "Code 2")
    if n_rows < 2:
        raise ValueError(
            f"Codes of {width} values need at least 2 rows to be drawn in two dimensions, got"
            f" {n_rows}."
        )
    pca = PCA(2, random_state=0)
    # Codes that are all equal have no variance to share.
    with np.errstate(invalid="ignore"):
        points = pca.fit_transform(codes)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    first, second = (
        f"Principal component {i} ({share:.0%} of the variance)"
        for i, share in enumerate(shares, start=1)
    )
    return points, (first, second)
