"""The distance of each window of a series to the nearest one before it."""

from datetime import timedelta
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..utils.types import Contamination, Floats, Ints, SeriesLike
from ..utils.validation import Interval, StrOptions
from ._base import BaseSeriesDetector, Series
from ._windows import BLOCK_NUMBERS, choose_window, warn_if_too_short, windows_of

# At least this many windows are compared with those before them at once.
MIN_BLOCK = 256


class MatrixProfileDetector(BaseSeriesDetector):
    """Distance of each window to the nearest window of the past: the left matrix profile.

    What a series has never done before is abnormal, whatever the window looks like [1]_. A time
    stamp has the distance of the window that ends there to the nearest of the training windows
    and of the windows before it that it does not overlap [2]_. It is causal, and learns without
    being told to: the second time, a pattern is known.

    Parameters
    ----------
    window : int or "auto", default="auto"
        Number of steps in a window. ``"auto"`` is the period of the training series by its
        autocorrelation, or 32 if there is none, and at most a quarter of the series.
    normalize : bool, default=False
        Whether each channel of a window is brought to mean 0 and standard deviation 1, as is
        usual for matrix profiles. Then only shapes count: levels and sizes are not seen, and
        the noise of a flat part is as loud as a pattern.
    max_history : int, default=20_000
        Largest number of training windows that are kept, the last ones. Memory and the time to
        score a step grow with it.
    scale : {"standard", "robust"} or None, default="standard"
        How each channel is scaled before anything else, by all training time stamps: by mean
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
    window_ : int
        Number of steps in a window.
    history_ : ndarray of shape (n_windows, window * n_channels)
        Training windows.
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
    ``fit_predict`` labels the training series by the windows before each. ``predict`` on the
    same series finds all of them among the training windows, and nothing abnormal.

    The first ``window - 1`` time stamps have the median of the training scores.

    Each window is compared with all before it, so that the time to score a series grows with
    the square of its length.

    References
    ----------
    .. [1] C.-C. M. Yeh et al., "Matrix profile I: all pairs similarity joins for time series",
       ICDM 2016.
    .. [2] Y. Lu et al., "Matrix profile XXIV: scaling time series anomaly detection to
       trillions of datapoints and ultra-fast arriving data streams", KDD 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import MatrixProfileDetector
    >>> X = np.sin(2 * np.pi * np.arange(1000) / 25)[:, None]
    >>> detector = MatrixProfileDetector(contamination=0.001).fit(X[:500])
    >>> new = X[500:].copy()
    >>> new[200:210] = new[200]  # the sine stands still
    >>> int(detector.score_samples(new).argmin()) in range(200, 236)
    True
    """

    _parameter_constraints: dict = {
        **BaseSeriesDetector._parameter_constraints,
        "window": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "normalize": ["boolean"],
        "max_history": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        window: int | Literal["auto"] = "auto",
        normalize: bool = False,
        max_history: int = 20_000,
        scale: Literal["standard", "robust"] | None = "standard",
        contamination: Contamination = 0.1,
        time: str | None = None,
        resample: str | timedelta | np.timedelta64 | float | None = None,
        missing: Literal["refuse", "mask"] = "refuse",
    ):
        self.window = window
        self.normalize = normalize
        self.max_history = max_history
        self.scale = scale
        self.contamination = contamination
        self.time = time
        self.resample = resample
        self.missing = missing

    # As in ``SeriesOffsetMixin``; fit takes no further parameters.
    def fit_predict(  # type: ignore[override]
        self, X: SeriesLike, y: None = None
    ) -> Ints | list[Ints]:
        """Fit to a series and label it by the windows before each.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            A series, or several.
        y : None
            Ignored.

        Returns
        -------
        labels : ndarray of shape (n_timestamps,), or list of such
            -1 for outliers, +1 for inliers.

        Raises
        ------
        ValueError
            As in ``fit``.
        """
        series, is_list = self.fit(X)._read(X, reset=False)
        scores = [self._training_scores(one) for one in series]
        labels = [np.where(one < self.offset_, -1, 1) for one in scores]
        return labels if is_list else labels[0]

    def _fit_series(self, series: list[Series], y: list[NDArray[Any]] | None) -> None:
        values = [one.values for one in series]
        longest = max(map(len, values))
        self.window_ = choose_window(values) if self.window == "auto" else int(self.window)
        if longest <= self.window_:
            raise ValueError(
                f"window={self.window_}, but the longest training series has {longest} steps:"
                " it takes at least two windows to compare. Take a shorter window."
            )
        self._normalize = bool(self.normalize)
        # From the end, so that only the windows that are kept are copied.
        kept: list[Floats] = []
        n_left = int(self.max_history)
        for one in reversed(values):
            windows = windows_of(one, self.window_)
            whole = np.flatnonzero(~np.isnan(windows).any(axis=1))[-n_left:]
            kept.insert(0, self._windows(windows[whole]))
            n_left -= len(whole)
            if not n_left:
                break
        self.history_ = np.concatenate(kept)
        if not len(self.history_):
            raise ValueError(
                f"All windows of {self.window_} steps hold NaN. Take a shorter window, or fill"
                " gaps."
            )

    def _training_scores(self, series: Series) -> Floats:
        """Return the scores by the windows before each, without the training windows."""
        scores = -self._left_profile(series.values, None)
        if np.isnan(scores).all():
            # Windows that all overlap: the nearest one of the series has to do.
            scores = np.zeros_like(scores)
        return scores if series.places is None else scores[series.places]

    def _score_values(self, values: Floats) -> Floats:
        if len(values) < self.window_:
            warn_if_too_short(len(values), self.window_)
        return -self._left_profile(values, self.history_)

    def _windows(self, windows: np.ndarray) -> np.ndarray:
        """Return windows, normalised if this is asked for."""
        if not self._normalize:
            return windows
        n_channels = windows.shape[1] // self.window_
        shaped = windows.reshape(len(windows), self.window_, n_channels)
        shaped = shaped - shaped.mean(axis=1, keepdims=True)
        spread = shaped.std(axis=1, keepdims=True)
        # A flat window has no shape.
        shaped /= np.where(spread > 1e-9, spread, np.inf)
        return shaped.reshape(windows.shape)

    def _left_profile(self, values: np.ndarray, history: np.ndarray | None) -> np.ndarray:
        """Return the distance (n_steps,) of the window that ends at each step to the nearest.

        NaN where there is no window to compare with.
        """
        window = self.window_
        windows = self._windows(windows_of(values, window))
        distances = np.full(len(windows), np.inf)
        if history is not None:
            distances = nearest_distances(windows, history, distances)
        size = max(window, MIN_BLOCK)
        for start in range(window, len(windows), size):
            rows = slice(start, min(start + size, len(windows)))
            distances[rows] = nearest_distances(
                windows[rows],
                windows[: rows.stop - window],
                distances[rows],
                last=np.arange(rows.start, rows.stop) - window,
            )
        distances[np.isnan(windows).any(axis=1) | np.isinf(distances)] = np.nan
        return np.concatenate([np.full(min(window - 1, len(values)), np.nan), distances])


def nearest_distances(
    windows: np.ndarray, others: np.ndarray, so_far: np.ndarray, last: np.ndarray | None = None
) -> np.ndarray:
    """Return the Euclidean distances of windows to the nearest of others.

    Parameters
    ----------
    windows : ndarray of shape (n, n_features)
        Windows.
    others : ndarray of shape (n_others, n_features)
        What they are compared with; those that hold NaN do not count.
    so_far : ndarray of shape (n,)
        Distances to what they were compared with before, inf if to nothing.
    last : ndarray of shape (n,), int, or None
        Index of the last of the others that counts for each window; None if all count.

    Returns
    -------
    distances : ndarray of shape (n,)
        The smaller of the distance to the nearest one and ``so_far``.
    """
    n = len(windows)
    if not n or not len(others):
        return so_far
    best, found = np.full(n, np.inf), np.zeros(n, dtype=int)
    size = max(1, BLOCK_NUMBERS // n)
    for start in range(0, len(others), size):
        part = others[start : start + size]
        # Squared distances without the term that is the same for all others.
        gaps = np.einsum("ij,ij->i", part, part) - 2 * windows @ part.T
        gaps[np.isnan(gaps)] = np.inf
        if last is not None:
            gaps[start + np.arange(len(part)) > last[:, None]] = np.inf
        index = gaps.argmin(axis=1)
        least = gaps[np.arange(n), index]
        found = np.where(least < best, index + start, found)
        best = np.minimum(least, best)
    # The product cancels digits of small distances, so the last step subtracts.
    distances = np.linalg.norm(windows - others[found], axis=1)
    return np.fmin(np.where(np.isinf(best), np.inf, distances), so_far)
