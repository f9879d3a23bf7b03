"""A series, its scores, and what was flagged."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ..metrics import signed_labels
from ..utils.frames import column_names
from ..utils.types import Floats, Ints
from ._common import ANOMALY, THRESHOLD_STYLE, Axes, decide, import_pyplot, name_of, read_scores

# More channels than this are not told apart by colours.
MAX_NAMED_CHANNELS = 10
SPAN_STYLE = {"color": "tab:orange", "alpha": 0.25, "linewidth": 0}


class SeriesDisplay:
    """A series above its scores, with the threshold, and spans of anomalies.

    Make it with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    values : ndarray of shape (n_timestamps, n_channels)
        The series.
    scores : ndarray of shape (n_timestamps,)
        Scores, the lower, the more abnormal.
    threshold : float or None, default=None
        Scores below it are flagged. None draws none, and flags none.
    labels : ndarray of shape (n_timestamps,) or None, default=None
        Truth: -1 for anomalies, whose spans are shaded, +1 for normal time stamps, 0 for those
        that nobody has judged.
    time : ndarray of shape (n_timestamps,) or None, default=None
        Numbers or dates of the time axis; None counts the time stamps.
    channels : list of str or None, default=None
        Names of the channels.
    score_name : str, default="Score"
        Label of the axis of the scores.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The channels.
    score_line_ : matplotlib Line2D
        The scores.
    flags_ : matplotlib Line2D or None
        Marks of flagged time stamps, on the scores.
    spans_ : list of matplotlib artists
        Shaded spans of anomalies, in both axes.
    axes_ : ndarray of two matplotlib Axes
        The axes of the series and of the scores.
    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skdeepanomaly import SeriesDisplay, SlidingWindowDetector, UnivariateDetector
    >>> X = np.sin(np.arange(300) / 5)[:, None]
    >>> detector = SlidingWindowDetector(UnivariateDetector(), window=8).fit(X)
    >>> X[200:204] += 3
    >>> display = SeriesDisplay.from_estimator(detector, X)
    >>> display.axes_[0].get_title()
    'SlidingWindowDetector'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        *,
        values: Floats,
        scores: Floats,
        threshold: float | None = None,
        labels: Ints | None = None,
        time: NDArray[Any] | None = None,
        channels: list[str] | None = None,
        score_name: str = "Score",
        name: str | None = None,
    ):
        self.values = values
        self.scores = scores
        self.threshold = threshold
        self.labels = labels
        self.time = time
        self.channels = channels
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: ArrayLike,
        y_true: ArrayLike | None = None,
        *,
        time: ArrayLike | None = None,
        name: str | None = None,
        axes: Sequence[Axes] | NDArray[np.object_] | None = None,
    ) -> Self:
        """Draw a series and the decision function of a detector.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of series or of rows, or a pipeline that ends in one.
        X : array-like of shape (n_timestamps, n_channels)
            One series.
        y_true : array-like of shape (n_timestamps,) or None, default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        time : array-like of shape (n_timestamps,) or None, default=None
            Numbers or dates of the time axis. None takes the index of a pandas frame if it
            holds dates, and otherwise counts.
        name : str or None, default=None
            Title; None takes the name of the detector.
        axes : pair of matplotlib Axes or None, default=None
            Where to draw the series and the scores; None makes a figure.

        Returns
        -------
        display : SeriesDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y_true`` has other labels or only one class, X is not one series of numbers,
            or the detector is a classifier.
        """
        if isinstance(X, list) and X and np.ndim(X[0]) == 2:
            raise ValueError(
                f"X is a list of {len(X)} series, expected one: draw them one by one."
            )
        return cls.from_scores(
            X,
            decide(detector, X),
            y_true,
            time=time,
            score_name="Decision function",
            name=name_of(detector) if name is None else name,
            axes=axes,
        )

    @classmethod
    def from_scores(
        cls,
        X: ArrayLike,
        scores: ArrayLike,
        y_true: ArrayLike | None = None,
        *,
        threshold: float | None = 0.0,
        time: ArrayLike | None = None,
        score_name: str = "Score",
        name: str | None = None,
        axes: Sequence[Axes] | NDArray[np.object_] | None = None,
    ) -> Self:
        """Draw a series and scores.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            One series.
        scores : array-like of shape (n_timestamps,)
            Scores as ``decision_function`` or ``score_samples`` gives them: the lower, the
            more abnormal.
        y_true : array-like of shape (n_timestamps,) or None, default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        threshold : float or None, default=0.0
            Scores below it are flagged: 0 for ``decision_function``, ``offset_`` for
            ``score_samples``. None draws no threshold.
        time : array-like of shape (n_timestamps,) or None, default=None
            Numbers or dates of the time axis. None takes the index of a pandas frame if it
            holds dates, and otherwise counts.
        score_name : str, default="Score"
            Label of the axis of the scores.
        name : str or None, default=None
            Title.
        axes : pair of matplotlib Axes or None, default=None
            Where to draw the series and the scores; None makes a figure.

        Returns
        -------
        display : SeriesDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y_true`` has other labels or only one class, lengths differ, or X holds other
            than numbers.
        """
        import_pyplot()
        channels = column_names(X)
        index = getattr(X, "index", None)
        if time is None and type(index).__name__ == "DatetimeIndex":
            time = index
        values = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
        scores, labels = read_scores(scores), None
        check_consistent_length(values, scores)
        if y_true is not None:
            check_consistent_length(values, y_true)
            labels = signed_labels(y_true)
        stamps = None
        if time is not None:
            check_consistent_length(values, time)
            stamps = column_or_1d(np.asarray(time))
        return cls(
            values=values,
            scores=scores,
            threshold=threshold,
            labels=labels,
            time=stamps,
            channels=channels,
            score_name=score_name,
            name=name,
        ).plot(axes)

    def plot(
        self,
        axes: Sequence[Axes] | NDArray[np.object_] | None = None,
        *,
        name: str | None = None,
    ) -> Self:
        """Draw the series and the scores.

        Parameters
        ----------
        axes : pair of matplotlib Axes or None, default=None
            Where to draw the series and the scores; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.

        Returns
        -------
        display : SeriesDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If axes are not two.
        """
        plt = import_pyplot()
        if axes is None:
            _, axes = plt.subplots(2, 1, figsize=(10, 5), sharex=True, layout="constrained")
        self.axes_ = np.ravel(np.asarray(axes, dtype=object))
        if len(self.axes_) != 2:
            raise ValueError(
                f"axes must be two, for the series and for the scores, got {len(self.axes_)}."
            )
        above, below = self.axes_
        self.figure_ = above.figure
        time = np.arange(len(self.scores)) if self.time is None else self.time
        self.lines_ = above.plot(time, self.values, linewidth=0.8)
        n_channels = self.values.shape[1]
        if self.channels and 1 < n_channels <= MAX_NAMED_CHANNELS:
            above.legend(self.lines_, map(str, self.channels), fontsize="small", loc="best")
        above.set(title=self.name if name is None else name, ylabel="Value")
        (self.score_line_,) = below.plot(time, self.scores, color="0.3", linewidth=0.8)
        self.flags_ = None
        if self.threshold is not None:
            below.axhline(self.threshold, **THRESHOLD_STYLE)
            flagged = self.scores < self.threshold
            (self.flags_,) = below.plot(
                time[flagged], self.scores[flagged], ".", color=ANOMALY, label="flagged"
            )
        if time.dtype.kind == "M":
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

            # Whole dates at each tick would run into each other.
            locator = AutoDateLocator()
            below.xaxis.set_major_locator(locator)
            below.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        self.spans_ = self._draw_spans(time)
        below.set(xlabel="Time stamp" if self.time is None else "Time", ylabel=self.score_name)
        if below.get_legend_handles_labels()[1]:
            below.legend(fontsize="small", loc="best")
        return self

    def _draw_spans(self, time: NDArray[Any]) -> list:
        """Shade the spans of anomalies, from half a step before to half a step after."""
        if self.labels is None:
            return []
        edges = np.diff((self.labels == -1).astype(int), prepend=0, append=0)
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        half = (time[-1] - time[0]) / (2 * max(1, len(time) - 1))
        spans = []
        for i, (low, high) in enumerate(zip(starts, ends, strict=True)):
            for ax in self.axes_:
                label = {"label": "anomaly"} if i == 0 and ax is self.axes_[1] else {}
                spans.append(
                    ax.axvspan(time[low] - half, time[high] + half, **SPAN_STYLE, **label)
                )
        return spans
