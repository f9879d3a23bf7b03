"""The distribution of scores."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from ..metrics import signed_labels
from ._common import (
    ANOMALY,
    NORMAL,
    NOT_JUDGED,
    THRESHOLD_STYLE,
    decide,
    import_pyplot,
    name_of,
    open_axes,
    read_scores,
    scale_scores,
)

# In the order in which they are drawn, the rare ones in front.
_CLASSES = [(1, "normal", NORMAL), (0, "not judged", NOT_JUDGED), (-1, "anomaly", ANOMALY)]


class ScoreDisplay:
    """Histogram of scores, with the threshold.

    Make it with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, the lower, the more abnormal.
    threshold : float or None, default=None
        Scores below it are flagged.
    labels : ndarray of shape (n_samples,) or None, default=None
        -1 for anomalies, +1 for normal rows, 0 for rows that nobody has judged.
    score_name : str, default="Score"
        What the scores are called.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    bars_ : list of matplotlib artists
        Histograms, one a class.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    ax_ : matplotlib Axes
        Axes with the histograms.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ThresholdDisplay : What another threshold would give.

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

    def __init__(self, *, scores, threshold=None, labels=None, score_name="Score", name=None):
        self.scores = scores
        self.threshold = threshold
        self.labels = labels
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(cls, detector, X, y=None, *, name=None, ax=None, **kwargs):
        """Draw what ``decision_function`` gives for rows; the threshold is 0.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or None, default=None
            Truth, which tells the classes apart: -1 anomaly, +1 normal, 0 not judged; or 1
            anomaly, 0 normal.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ScoreDisplay
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
        y_true=None,
        *,
        threshold=0.0,
        score_name="Score",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw scores.

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
            What was drawn.

        Raises
        ------
        ValueError
            If ``y_true`` holds other labels, or only one class.
        """
        import_pyplot(f"{cls.__name__}.from_scores")
        scores, labels = read_scores(scores), None
        if y_true is not None:
            check_consistent_length(scores, y_true)
            labels = signed_labels(y_true)
        display = cls(
            scores=scores, threshold=threshold, labels=labels, score_name=score_name, name=name
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, bins=50, log=False, scale="auto", **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        bins : int, default=50
            Number of bars, which all classes share.
        log : bool, default=False
            Whether counts are drawn on a logarithmic axis, on which a few anomalies beside
            many normal rows can be seen.
        scale : {"auto", "linear", "asinh"}, default="auto"
            Axis of the scores. "asinh" is linear around 0 and logarithmic far from it;
            "auto" takes it where a few scores lie very far out.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.hist`.

        Returns
        -------
        display : ScoreDisplay
            The display.
        """
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot")
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
        self.threshold_line_ = None if self.threshold is None else self._draw_threshold()
        self.ax_.set(
            xlabel=self.score_name,
            ylabel="Density" if kwargs.get("density") else "Rows",
            title=self.name if name is None else name,
        )
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend(loc="upper left", fontsize="small")
        return self

    def _scale_axis(self, bins, scale):
        """Set the scale of the axis; return edges that are evenly spaced on it."""
        width = scale_scores(self.ax_, self.scores, scale)
        if width is None:
            return np.histogram_bin_edges(self.scores, bins)
        edges = np.sinh(np.histogram_bin_edges(np.arcsinh(self.scores / width), bins)) * width
        # Rounding must not leave the outermost scores outside.
        edges[[0, -1]] = self.scores.min(), self.scores.max()
        return edges

    def _draw_threshold(self):
        left = min(self.ax_.get_xlim()[0], self.threshold)
        right = self.ax_.get_xlim()[1]
        n_flagged = int((self.scores < self.threshold).sum())
        share = n_flagged / len(self.scores)
        self.ax_.axvspan(
            left,
            self.threshold,
            color=ANOMALY,
            alpha=0.08,
            linewidth=0,
            label=f"flagged: {n_flagged:,} ({share:.1%})",
        )
        self.ax_.set_xlim(left, max(right, self.threshold))
        return self.ax_.axvline(self.threshold, **THRESHOLD_STYLE)
