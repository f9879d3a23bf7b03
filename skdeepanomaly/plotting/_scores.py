"""Histograms of scores."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

from ..metrics import signed_labels
from ..utils.types import Floats, Ints
from ._common import (
    ANOMALY,
    NORMAL,
    NOT_JUDGED,
    THRESHOLD_STYLE,
    Axes,
    ScoreDisplayMixin,
    open_axes,
    read_scores,
    scale_scores,
)

# In the order of drawing: anomalies are rare, so they are drawn over the others.
_CLASSES = [(1, "normal", NORMAL), (0, "not judged", NOT_JUDGED), (-1, "anomaly", ANOMALY)]


class ScoreDisplay(ScoreDisplayMixin):
    """Histogram of scores, with the threshold.

    Make it with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, the lower, the more abnormal.
    threshold : float or None, default=None
        Scores below it are flagged. None draws none.
    labels : ndarray of shape (n_samples,) or None, default=None
        -1 for anomalies, +1 for normal rows, 0 for rows that nobody has judged. With labels
        each class has a histogram of its own.
    score_name : str, default="Score"
        Label of the axis of the scores.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    bars_ : list of matplotlib artists
        Histograms, one per class.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    ax_ : matplotlib Axes
        Axes with the histograms.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ThresholdDisplay : Precision and recall over all thresholds.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import ScoreDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> display = ScoreDisplay.from_estimator(detector, X, bins=20)
    >>> display.ax_.get_title()
    'IsolationForest'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        scores: Floats,
        threshold: float | None = None,
        labels: Ints | None = None,
        score_name: str = "Score",
        name: str | None = None,
    ):
        self.scores = scores
        self.threshold = threshold
        self.labels = labels
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        y_true: ArrayLike | None = None,
        *,
        threshold: float | None = 0.0,
        score_name: str = "Score",
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a histogram of scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Scores as ``decision_function`` or ``score_samples`` gives them: the lower, the
            more abnormal.
        y_true : array-like of shape (n_samples,) or None, default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        threshold : float or None, default=0.0
            Scores below it are flagged: 0 for ``decision_function``, ``offset_`` for
            ``score_samples``. None draws no threshold.
        score_name : str, default="Score"
            Label of the axis.
        name : str or None, default=None
            Title.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ScoreDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y_true`` has other labels or only one class, or scores are not finite.
        """
        scores, labels = read_scores(scores), None
        if y_true is not None:
            check_consistent_length(scores, y_true)
            labels = signed_labels(y_true)
        display = cls(
            scores=scores, threshold=threshold, labels=labels, score_name=score_name, name=name
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        bins: int = 50,
        log: bool = False,
        scale: Literal["auto", "linear", "asinh"] = "auto",
        **kwargs: Any,
    ) -> Self:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        bins : int, default=50
            Number of bars over the range of all scores; the classes share their edges.
        log : bool, default=False
            Whether the axis of the counts is logarithmic, which shows a few anomalies beside
            many normal rows.
        scale : {"auto", "linear", "asinh"}, default="auto"
            Axis of the scores. "asinh" is linear around 0 and logarithmic far from it;
            "auto" takes "asinh" if a few scores lie very far out, else "linear".
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.hist`.

        Returns
        -------
        display : ScoreDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``scale`` is unknown.
        """
        self.ax_ = open_axes(ax)
        self.figure_ = self.ax_.figure
        edges = self._scale_axis(bins, scale)
        labels = np.zeros(len(self.scores)) if self.labels is None else self.labels
        self.bars_ = []
        for label, text, color in _CLASSES:
            scores = self.scores[labels == label]
            if len(scores):
                style = {"color": color, "alpha": 0.6, "histtype": "stepfilled"}
                if self.labels is None:
                    style["color"] = NORMAL
                else:
                    style["label"] = f"{text}: {len(scores):,}"
                self.bars_.append(
                    self.ax_.hist(scores, edges, log=log, **{**style, **kwargs})[2]
                )
        self.threshold_line_ = (
            None if self.threshold is None else self._draw_threshold(self.threshold)
        )
        self.ax_.set(
            xlabel=self.score_name,
            ylabel="Density" if kwargs.get("density") else "Rows",
            title=self.name if name is None else name,
        )
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend(loc="upper left", fontsize="small")
        return self

    def _scale_axis(self, bins: int, scale: str) -> Floats:
        """Set the scale of the axis; return edges of bars that are evenly spaced on it."""
        width = scale_scores(self.ax_, self.scores, scale)
        if width is None:
            return np.histogram_bin_edges(self.scores, bins)
        edges = np.sinh(np.histogram_bin_edges(np.arcsinh(self.scores / width), bins)) * width
        # Rounding could leave the lowest and the highest score outside of the edges.
        edges[[0, -1]] = self.scores.min(), self.scores.max()
        return edges

    def _draw_threshold(self, threshold: float) -> Any:
        """Shade the rows that are flagged; draw and return the line of the threshold."""
        left = min(self.ax_.get_xlim()[0], threshold)
        right = self.ax_.get_xlim()[1]
        n_flagged = int((self.scores < threshold).sum())
        share = n_flagged / len(self.scores)
        self.ax_.axvspan(
            left,
            threshold,
            color=ANOMALY,
            alpha=0.08,
            linewidth=0,
            label=f"flagged: {n_flagged:,} ({share:.1%})",
        )
        self.ax_.set_xlim(left, max(right, threshold))
        return self.ax_.axvline(threshold, **THRESHOLD_STYLE)
