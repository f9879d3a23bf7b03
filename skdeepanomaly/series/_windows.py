"""Windows of a series, without copies, and from scores of windows to scores of time stamps."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..utils.warn import warn_user

# Windows are handed to a detector in blocks of about this many numbers.
BLOCK_NUMBERS = 2**22
# Bounds of the window that is chosen by the period of a series.
MIN_WINDOW, DEFAULT_WINDOW, MAX_WINDOW = 4, 32, 512
# The period is estimated from at most this many time stamps.
MAX_FOR_PERIOD = 20_000


def windows_of(values: np.ndarray, window: int, stride: int = 1) -> np.ndarray:
    """Return the windows of a series as flat rows, a view without a copy.

    Parameters
    ----------
    values : ndarray of shape (n_steps, n_channels), C-contiguous
        The series.
    window : int
        Number of steps in a window.
    stride : int, default=1
        Number of steps from a window to the next.

    Returns
    -------
    windows : ndarray of shape (n_windows, window * n_channels)
        All channels of the first step, then those of the second, and so on. There are none if
        the series is shorter than the window. Read-only.
    """
    n_channels = values.shape[1]
    if len(values) < window:
        return np.empty((0, window * n_channels), dtype=values.dtype)
    flat = sliding_window_view(values.reshape(-1), window * n_channels)
    return flat[:: n_channels * stride]


def warn_if_too_short(n_steps: int, window: int) -> None:
    """Warn that a series has no whole window, so that nothing can be said of it."""
    warn_user(
        f"A series of {n_steps} steps is shorter than the window of {window}: all its time"
        " stamps get the median of the training scores. Pass longer series, or fit with a"
        " shorter window."
    )


def spread_scores(
    scores: np.ndarray, ends: np.ndarray, n_steps: int, window: int, aggregate: str
) -> np.ndarray:
    """Return a score for each step from those of windows.

    Parameters
    ----------
    scores : ndarray of shape (n_windows,)
        Normality scores; NaN for windows without one.
    ends : ndarray of shape (n_windows,), int
        Last step of each window, ascending.
    n_steps : int
        Number of steps.
    window : int
        Number of steps in a window.
    aggregate : {"last", "mean", "median", "max"}
        The score of the last window that ends by then, or the mean, the median or the most
        abnormal score of the windows that cover a step.

    Returns
    -------
    spread : ndarray of shape (n_steps,)
        Scores; NaN for steps without one.
    """
    if aggregate == "last":
        latest = np.searchsorted(ends, np.arange(n_steps), side="right") - 1
        return np.concatenate([[np.nan], scores])[latest + 1]
    at_end = np.full(n_steps + window - 1, np.nan)
    at_end[ends] = scores
    covering = sliding_window_view(at_end, window)
    reduce: Any = {
        "mean": np.nanmean,
        "median": np.nanmedian,
        "max": np.nanmin,
    }[aggregate]
    spread = np.full(n_steps, np.nan)
    has_any = ~np.isnan(covering).all(axis=1)
    size = max(1, BLOCK_NUMBERS // window)
    for start in range(0, n_steps, size):
        rows = np.flatnonzero(has_any[start : start + size]) + start
        # Sums of the lowest scores overflow.
        with np.errstate(over="ignore"):
            spread[rows] = reduce(covering[rows], axis=1)
    return np.maximum(spread, np.finfo(np.float64).min)


def period_of(series: list[np.ndarray]) -> int | None:
    """Estimate the period of series from their autocorrelation.

    Parameters
    ----------
    series : list of ndarray of shape (n_steps, n_channels)
        Series, with the same channels.

    Returns
    -------
    period : int or None
        The lag of the highest autocorrelation after its first zero, in the longest series and
        the channel where that is highest. None if it is below 0.2 everywhere.
    """
    values = max(series, key=len)[:MAX_FOR_PERIOD]
    values = values[~np.isnan(values).any(axis=1)]
    best, period = 0.2, None
    longest = len(values) // 3
    for channel in values.T:
        if not np.ptp(channel) > 0 or longest <= MIN_WINDOW:
            continue
        channel = channel - channel.mean()
        spectrum = np.fft.rfft(channel, 2 * len(channel))
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:longest]
        correlation /= correlation[0]
        (negative,) = np.nonzero(correlation < 0)
        first = max(negative[0], MIN_WINDOW) if negative.size else longest
        if first < longest and (high := correlation[first:].max()) > best:
            best, period = high, int(first + correlation[first:].argmax())
    return period


def choose_window(series: list[np.ndarray]) -> int:
    """Return the window for ``window="auto"``.

    Parameters
    ----------
    series : list of ndarray of shape (n_steps, n_channels)
        Training series.

    Returns
    -------
    window : int
        The period, or 32 if there is none, at least 4 and at most 512, and at most a quarter of
        the longest series.
    """
    period = period_of(series) or DEFAULT_WINDOW
    longest = max(len(values) for values in series)
    return int(max(1, min(max(period, MIN_WINDOW), MAX_WINDOW, longest // 4)))
