"""Precision and recall over the thresholds."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import precision_recall_curve
from sklearn.utils.validation import check_consistent_length

from ..metrics import read_truth
from ..utils.types import Floats
from ._common import (
    THRESHOLD_STYLE,
    Axes,
    ScoreDisplayMixin,
    open_axes,
    read_scores,
    scale_scores,
)


class ThresholdDisplay(ScoreDisplayMixin):
    """Precision, recall and F1 over all thresholds.

    Make it with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : ndarray of shape (n_thresholds,)
        Distinct scores in ascending order; the lower, the more abnormal. The other arrays
        hold what a threshold just above each score gives.
    precision : ndarray of shape (n_thresholds,)
        Share of anomalies among the rows that are flagged.
    recall : ndarray of shape (n_thresholds,)
        Share of the anomalies that are flagged.
    flagged : ndarray of shape (n_thresholds,)
        Share of the rows that are flagged.
    threshold : float or None, default=None
        The threshold to mark. None marks none.
    score_name : str, default="Score"
        Label of the axis of the scores.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    f1 : ndarray of shape (n_thresholds,)
        Harmonic mean of precision and recall.
    lines_ : list of matplotlib Line2D
        Precision, recall and F1.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ThresholdedDetector : Changes the threshold of a detector by a rule.

    Notes
    -----
    Rows that nobody has judged are left out, also from the share of flagged rows. The best
    F1 was chosen on the rows of the display; on other rows it is usually lower.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import ThresholdDisplay
    >>> display = ThresholdDisplay.from_scores([-2.0, -1.0, 1.0, 2.0], [-1, 1, -1, 1])
    >>> display.f1.round(2)
    array([0.67, 0.5 , 0.8 , 0.67])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        scores: Floats,
        precision: Floats,
        recall: Floats,
        flagged: Floats,
        threshold: float | None = None,
        score_name: str = "Score",
        name: str | None = None,
    ):
        self.scores = scores
        self.precision = precision
        self.recall = recall
        self.flagged = flagged
        self.threshold = threshold
        self.score_name = score_name
        self.name = name

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return np.divide(
            2 * self.precision * self.recall, total, out=np.zeros(len(total)), where=total > 0
        )

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        y_true: ArrayLike,
        *,
        threshold: float | None = 0.0,
        score_name: str = "Score",
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw precision, recall and F1 over all thresholds of scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Scores as ``decision_function`` or ``score_samples`` gives them: the lower, the
            more abnormal.
        y_true : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        threshold : float or None, default=0.0
            The threshold to mark: 0 for ``decision_function``, ``offset_`` for
            ``score_samples``. None marks none.
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
        display : ThresholdDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y_true`` has other labels or only one class, or scores are not finite.
        """
        check_consistent_length(scores, y_true)
        judged, is_anomaly = read_truth(y_true)
        values = read_scores(scores)[judged]
        precision, recall, cuts = precision_recall_curve(is_anomaly, -values)
        # The cuts rise with -scores; the last precision and recall have no cut.
        cuts = -cuts[::-1]
        flagged = np.searchsorted(np.sort(values), cuts, side="right") / len(values)
        display = cls(
            scores=cuts,
            precision=precision[-2::-1],
            recall=recall[-2::-1],
            flagged=flagged,
            threshold=threshold,
            score_name=score_name,
            name=name,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        x: Literal["score", "flagged"] = "score",
        scale: Literal["auto", "linear", "asinh"] = "auto",
        **kwargs: Any,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        x : {"score", "flagged"}, default="score"
            The horizontal axis: the threshold, or the share of the rows that it flags.
        scale : {"auto", "linear", "asinh"}, default="auto"
            Axis of the scores, as in :class:`ScoreDisplay`.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ThresholdDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``x`` or ``scale`` is unknown.
        """
        if x not in ("score", "flagged"):
            raise ValueError(f"x must be 'score' or 'flagged', got {x!r}.")
        self.ax_ = open_axes(ax)
        self.figure_ = self.ax_.figure
        by_score = x == "score"
        if by_score:
            scale_scores(self.ax_, self.scores, scale)
        style = {"drawstyle": "steps-post"} if by_score else {}
        at = self.scores if by_score else self.flagged
        self.lines_ = []
        for values, label, color in [
            (self.precision, "precision", "tab:blue"),
            (self.recall, "recall", "tab:orange"),
            (self.f1, f"F1 (best: {self.f1.max():.2f})", "tab:green"),
        ]:
            line = {**style, "label": label, "color": color, **kwargs}
            self.lines_ += self.ax_.plot(at, values, **line)
        best = self.f1.argmax()
        self.ax_.plot(at[best], self.f1[best], "o", color="tab:green")
        self.threshold_line_ = None
        if self.threshold is not None:
            # predict flags scores strictly below the threshold.
            n_below = np.searchsorted(self.scores, self.threshold)
            flagged, f1 = (
                (self.flagged[n_below - 1], self.f1[n_below - 1]) if n_below else (0, 0)
            )
            (self.threshold_line_,) = self.ax_.plot(
                [self.threshold if by_score else flagged] * 2,
                [0, 1],
                label=f"threshold (F1: {f1:.2f})",
                **THRESHOLD_STYLE,
            )
        self.ax_.set(
            xlabel=self.score_name if by_score else "Share of rows flagged",
            # Room for the legend above the curves.
            ylim=(-0.02, 1.32),
            yticks=np.linspace(0, 1, 6),
            title=self.name if name is None else name,
        )
        self.ax_.legend(loc="upper center", ncols=2, fontsize="small", columnspacing=1)
        return self
