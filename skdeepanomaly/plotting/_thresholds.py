"""What each threshold would give."""

import numpy as np
from sklearn.metrics import precision_recall_curve
from sklearn.utils.validation import check_consistent_length

from ..metrics._ranking import read_truth
from ._common import (
    THRESHOLD_STYLE,
    decide,
    import_pyplot,
    name_of,
    open_axes,
    read_scores,
    scale_scores,
)


class ThresholdDisplay:
    """Precision, recall and F1 over all thresholds.

    Make it with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : ndarray of shape (n_thresholds,)
        Scores, the lower, the more abnormal; distinct and ascending. The other arrays say
        what a threshold just above each gives.
    precision : ndarray of shape (n_thresholds,)
        Share of anomalies among the rows that are flagged.
    recall : ndarray of shape (n_thresholds,)
        Share of the anomalies that are flagged.
    flagged : ndarray of shape (n_thresholds,)
        Share of the rows that are flagged.
    threshold : float or None, default=None
        The threshold to mark.
    score_name : str, default="Score"
        What the scores are called.
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
    Rows that nobody has judged are left out, of the share that is flagged, too. The best F1
    is that of these very rows; on others the same threshold gives less.

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
        scores,
        precision,
        recall,
        flagged,
        threshold=None,
        score_name="Score",
        name=None,
    ):
        self.scores = scores
        self.precision = precision
        self.recall = recall
        self.flagged = flagged
        self.threshold = threshold
        self.score_name = score_name
        self.name = name

    @property
    def f1(self):
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return np.divide(
            2 * self.precision * self.recall, total, out=np.zeros(len(total)), where=total > 0
        )

    @classmethod
    def from_estimator(cls, detector, X, y, *, name=None, ax=None, **kwargs):
        """Draw what thresholds of ``decision_function`` give; the detector's own is 0.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ThresholdDisplay
            What was drawn.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        return cls.from_scores(
            decide(detector, X),
            y,
            score_name="Decision function",
            name=name_of(detector) if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_scores(
        cls,
        scores,
        y_true,
        *,
        threshold=0.0,
        score_name="Score",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw what thresholds of scores give.

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
            What was drawn.

        Raises
        ------
        ValueError
            If ``y_true`` holds other labels, or only one class.
        """
        import_pyplot(f"{cls.__name__}.from_scores")
        check_consistent_length(scores, y_true)
        judged, is_anomaly = read_truth(y_true)
        scores = read_scores(scores)[judged]
        precision, recall, cuts = precision_recall_curve(is_anomaly, -scores)
        # In the order of the scores; the last point of the curve flags nothing.
        cuts = -cuts[::-1]
        flagged = np.searchsorted(np.sort(scores), cuts, side="right") / len(scores)
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

    def plot(self, ax=None, *, name=None, x="score", scale="auto", **kwargs):
        """Draw.

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
        ValueError
            If ``x`` or ``scale`` is unknown.
        """
        if x not in ("score", "flagged"):
            raise ValueError(f"x must be 'score' or 'flagged', got {x!r}.")
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot")
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
            # The distinct scores below the threshold are those that it flags.
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
            # The legend has room above the curves.
            ylim=(-0.02, 1.32),
            yticks=np.linspace(0, 1, 6),
            title=self.name if name is None else name,
        )
        self.ax_.legend(loc="upper center", ncols=2, fontsize="small", columnspacing=1)
        return self
