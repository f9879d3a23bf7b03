"""A detector of rows on the windows of a series."""

from datetime import timedelta
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags

from ..meta._wrapper import fit_detector
from ..utils.scores import normality_scores
from ..utils.types import Contamination, Floats
from ..utils.validation import HasMethods, Interval, StrOptions
from ._base import BaseSeriesDetector, Series
from ._windows import (
    BLOCK_NUMBERS,
    choose_window,
    spread_scores,
    warn_if_too_short,
    windows_of,
)


class SlidingWindowDetector(MetaEstimatorMixin, BaseSeriesDetector):
    """Any detector of rows, on the windows of a series.

    A window is a row: all channels of its first step, then those of the second, and so on. Each
    time stamp gets a score from the windows that end at it, or that cover it.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; a clone is
        fitted to the windows. If it has a parameter ``n_channels`` that is None, as the
        detectors of windows have, the clone gets the number of channels.
    window : int or "auto", default="auto"
        Number of steps in a window. ``"auto"`` is the period of the training series by its
        autocorrelation, or 32 if there is none, and at most a quarter of the series.
    stride : int, default=1
        Number of steps from one window to the next, at most ``window``. A larger stride takes
        less time. Time stamps between have the score of the last window.
    aggregate : {"last", "mean", "median", "max"}, default="last"
        ``"last"`` gives a time stamp the score of the window that ends there: it is causal,
        which means that no later value changes it. The others take the mean, the median or the
        most abnormal score of all windows that cover the time stamp, before and after it.
    stateful : bool, default=False
        Whether a recurrent network, once trained on windows, reads a series from its start to
        its end and carries its state from step to step. Otherwise it starts anew in each
        window, which takes ``window`` times as long. Needs :class:`RecurrentForecaster`,
        ``aggregate="last"``, ``stride=1`` and ``missing="refuse"``.
    scale : {"standard", "robust"} or None, default="standard"
        How each channel is scaled before windows are cut, by all training time stamps: by mean
        and standard deviation, or by median and interquartile range.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of the training time stamps that are outliers; it determines ``offset_``. With
        ``"auto"`` a time stamp is an outlier if its score is more than three robust standard
        deviations below the median of the training scores.
    time : str or None, default=None
        Name of the column of a frame that holds the time stamps: dates, or numbers. With None
        the index of a pandas frame counts if it holds times; without it, rows are evenly
        spaced.
    resample : str, timedelta or number, default=None
        Step to which a series with time stamps is brought by means, such as ``"5min"``; an
        empty step gets the value of the one before. Each row then has the score of its step,
        to which later rows of the same step contribute. With None, uneven stamps, duplicates
        and gaps are errors.
    missing : {"refuse", "mask"}, default="refuse"
        What is done about NaN. ``"mask"`` leaves out windows that hold one: a time stamp that
        only such windows cover gets the median of the training scores.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector.
    window_ : int
        Number of steps in a window.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    scaler_ : estimator or None
        The fitted scaler.
    step_ : float or None
        Step of the time stamps, in nanoseconds if these are dates.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (n_channels,)
        Names of the channels, if all of them are strings.

    Notes
    -----
    Before a whole window has passed there is nothing to say. With ``aggregate="last"`` the
    first ``window - 1`` time stamps have the median of the training scores, and raise no alarm.
    So have all of a series that is shorter than the window, with a warning. Windows that are
    filled up with made-up values would look abnormal.

    The score of a time stamp depends on others, as it must. Tests that score single rows, such
    as those of scikit-learn for subsets and for the order of rows, do not hold for a detector
    of series.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import SlidingWindowDetector
    >>> t = np.arange(1000)
    >>> X = np.sin(2 * np.pi * t / 25)[:, None]
    >>> detector = SlidingWindowDetector(
    ...     IsolationForest(random_state=0), contamination=0.001
    ... ).fit(X)
    >>> detector.window_
    25
    >>> X[500:510] = X[500]  # the sine stands still
    >>> bool((detector.predict(X)[505:515] == -1).any())
    True
    """

    _parameter_constraints: dict = {
        **BaseSeriesDetector._parameter_constraints,
        "detector": [HasMethods("fit")],
        "window": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "aggregate": [StrOptions({"last", "mean", "median", "max"})],
        "stateful": ["boolean"],
    }

    def __init__(
        self,
        detector: BaseEstimator,
        *,
        window: int | Literal["auto"] = "auto",
        stride: int = 1,
        aggregate: Literal["last", "mean", "median", "max"] = "last",
        stateful: bool = False,
        scale: Literal["standard", "robust"] | None = "standard",
        contamination: Contamination = 0.1,
        time: str | None = None,
        resample: str | timedelta | np.timedelta64 | float | None = None,
        missing: Literal["refuse", "mask"] = "refuse",
    ):
        self.detector = detector
        self.window = window
        self.stride = stride
        self.aggregate = aggregate
        self.stateful = stateful
        self.scale = scale
        self.contamination = contamination
        self.time = time
        self.resample = resample
        self.missing = missing

    def _fit_series(self, series: list[Series], y: list[NDArray[Any]] | None) -> None:
        values = [one.values for one in series]
        longest = max(map(len, values))
        self.window_ = choose_window(values) if self.window == "auto" else int(self.window)
        if self.window_ > longest:
            raise ValueError(
                f"window={self.window_} is longer than the longest training series, which has"
                f" {longest} steps. Take a shorter window or longer series."
            )
        if self.stride > self.window_:
            raise ValueError(
                f"stride={self.stride} is more than the window of {self.window_} steps, so that"
                " some time stamps would lie in no window. Take a stride of at most that."
            )
        self._stride, self._aggregate = int(self.stride), self.aggregate
        self._stateful = bool(self.stateful)
        if self._stateful:
            self._check_stateful()
        windows = [windows_of(one, self.window_, self._stride) for one in values]
        labels = None if y is None else [self._window_labels(one) for one in y]
        if self.missing == "mask":
            whole = [~np.isnan(rows).any(axis=1) for rows in windows]
            n_whole = sum(int(rows.sum()) for rows in whole)
            if n_whole < 2:
                raise ValueError(
                    f"{n_whole} of {sum(map(len, windows))} windows of {self.window_} steps are"
                    " without NaN, expected at least 2. Take a shorter window, or fill gaps."
                )
            windows = [rows[keep] for rows, keep in zip(windows, whole, strict=True)]
            if labels is not None:
                labels = [one[keep] for one, keep in zip(labels, whole, strict=True)]
        # One series needs no copy.
        rows = windows[0] if len(windows) == 1 else np.concatenate(windows)
        detector = with_channels(self.detector, values[0].shape[1])
        joined = None if labels is None else np.concatenate(labels)
        self.detector_ = fit_detector(detector, rows, joined)

    def _check_stateful(self) -> None:
        if not hasattr(self.detector, "_series_scores"):
            raise TypeError(
                f"stateful=True needs a RecurrentForecaster, got {self.detector!r}: others do"
                " not carry a state. Fit with stateful=False."
            )
        others = {"aggregate": "last", "stride": 1, "missing": "refuse"}
        for name, value in others.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"stateful=True needs {name}={value!r}, got {getattr(self, name)!r}: the"
                    " state goes through the series once, step by step."
                )

    def _window_labels(self, y: np.ndarray) -> np.ndarray:
        """Return the label of each whole window: that of its worst step."""
        return windows_of(y[:, None], self.window_, self._stride).min(axis=1)

    def _score_values(self, values: Floats) -> Floats:
        n_steps, window = len(values), self.window_
        if n_steps < window:
            warn_if_too_short(n_steps, window)
            return np.full(n_steps, np.nan)
        if self._stateful:
            scores = self.detector_._series_scores(values)
            scores[: window - 1] = np.nan
            return scores
        ends = np.arange(window - 1, n_steps, self._stride)
        if self._aggregate != "last":
            # The last time stamp is covered by a window, whatever the stride. A causal score
            # must not depend on where the series ends.
            ends = np.union1d(ends, [n_steps - 1])
        scores = self._score_windows(windows_of(values, window), ends - window + 1)
        return spread_scores(scores, ends, n_steps, window, self._aggregate)

    def _score_windows(self, windows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the scores of some windows, block by block; NaN for those that hold NaN."""
        scores = np.full(len(places), np.nan)
        size = max(1, BLOCK_NUMBERS // max(1, windows.shape[1]))
        for start in range(0, len(places), size):
            rows = places[start : start + size]
            is_run = len(rows) == rows[-1] - rows[0] + 1
            block = windows[rows[0] : rows[-1] + 1] if is_run else windows[rows]
            whole = ~np.isnan(block).any(axis=1)
            if whole.all():
                scores[start : start + size] = normality_scores(self.detector_, block)
            elif whole.any():
                scores[start : start + size][whole] = normality_scores(
                    self.detector_, block[whole]
                )
        return scores

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        wrapped = get_tags(self.detector)
        tags.target_tags = wrapped.target_tags
        tags.non_deterministic = wrapped.non_deterministic
        return tags


def with_channels(detector: BaseEstimator, n_channels: int) -> BaseEstimator:
    """Return a clone of a detector of windows that knows the number of channels.

    Parameters
    ----------
    detector : estimator
        Not changed.
    n_channels : int
        Number of channels of the series.

    Returns
    -------
    detector : estimator
        A clone, in which each parameter ``n_channels`` that was None is set.
    """
    detector = clone(detector)
    unset = [
        name
        for name, value in detector.get_params().items()
        if value is None and (name == "n_channels" or name.endswith("__n_channels"))
    ]
    return detector.set_params(**dict.fromkeys(unset, n_channels)) if unset else detector
