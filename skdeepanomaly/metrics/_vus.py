"""Volume under the surface: areas under curves, over buffers around the anomalies."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from ..utils.types import Bools, Ints
from ._ranges import ranges_of, read_series_scores


def vus_roc_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Return the volume under the ROC surface of a series.

    The edges of labelled ranges are seldom exact. Each range gets a buffer on both sides, in
    which labels decline; the area under the ROC curve is averaged over buffers of 0 to
    ``window`` time stamps [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_timestamps,)
        Anomaly scores, higher for more abnormal time stamps: ``-detector.score_samples(X)``.
    window : int
        Largest buffer, half of which lies before and half after a range. The usual choice is
        the period of the series.

    Returns
    -------
    score : float
        1 for a perfect ranking. Chance is near 0.5 for long series.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, a score is not finite, or window
        is not an int of 0 or more.

    See Also
    --------
    vus_pr_score : The same for precision and recall, which tells more where anomalies are rare.

    Notes
    -----
    The definition is that of the library TSB-AD. All thresholds count, and not 250 of them as
    there.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", VLDB 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import vus_roc_score
    >>> y_true = np.repeat([1, -1, 1], [80, 10, 60])
    >>> late = np.exp(-0.1 * np.abs(np.arange(150) - 89.0))
    >>> round(vus_roc_score(y_true, late, window=20), 3)
    0.991
    """
    return float(_areas(y_true, y_score, window)[:, 0].mean())


def vus_pr_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Return the volume under the precision-recall surface of a series.

    Each labelled range gets a buffer on both sides, in which labels decline; the average
    precision is averaged over buffers of 0 to ``window`` time stamps [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_score : array-like of shape (n_timestamps,)
        Anomaly scores, higher for more abnormal time stamps: ``-detector.score_samples(X)``.
    window : int
        Largest buffer, half of which lies before and half after a range. The usual choice is
        the period of the series.

    Returns
    -------
    score : float
        1 for a perfect ranking. Chance is about the share of anomalies.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, a score is not finite, or window
        is not an int of 0 or more.

    See Also
    --------
    vus_roc_score : The same for the ROC curve.

    Notes
    -----
    The definition is that of the library TSB-AD. All thresholds count, and not 250 of them as
    there.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", VLDB 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import vus_pr_score
    >>> y_true = np.repeat([1, -1, 1], [80, 10, 60])
    >>> late = np.exp(-0.1 * np.abs(np.arange(150) - 89.0))
    >>> round(vus_pr_score(y_true, late, window=20), 3)
    0.878
    """
    return float(_areas(y_true, y_score, window)[:, 1].mean())


def _areas(y_true: ArrayLike, y_score: ArrayLike, window: int) -> np.ndarray:
    """Return the areas (window + 1, 2) under both curves for each buffer."""
    if not isinstance(window, Integral) or isinstance(window, bool) or window < 0:
        raise ValueError(f"window must be an int of 0 or more, got {window!r}.")
    is_anomaly, scores = read_series_scores(y_true, y_score)
    ranges = ranges_of(is_anomaly)
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    # With each threshold, all time stamps of its score are flagged.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    parts = (is_anomaly, ranges, order, rank, last)
    return np.array([_areas_with_buffer(*parts, buffer) for buffer in range(window + 1)])


def _areas_with_buffer(
    is_anomaly: Bools, ranges: Ints, order: Ints, rank: Ints, last: Ints, window: int
) -> tuple[float, float]:
    """Return the areas under the ROC and the precision-recall curve for one buffer."""
    n = len(is_anomaly)
    labels = _with_buffer(is_anomaly, ranges, window)
    merged = _merge(ranges, window // 2, n)
    n_flagged = last + 1.0
    hits = np.cumsum(labels[order])[last]
    in_buffer = np.cumsum(np.where(is_anomaly, 0.0, labels)[order])[last]
    # Half of what is flagged in the buffer counts as there to be found.
    n_positive = is_anomaly.sum() + in_buffer / 2
    # The best rank in each range says from which threshold on the range is found.
    bounds = merged.ravel()
    best = np.minimum.reduceat(np.append(rank, n), bounds)[::2]
    found = np.searchsorted(np.sort(best), last, side="right") / len(merged)
    recall = np.minimum(hits / n_positive, 1) * found
    false_alarms = (n_flagged - hits) / (n - n_positive)
    precision = hits / n_flagged
    x = np.concatenate([[0.0], false_alarms, [1.0]])
    y = np.concatenate([[0.0], recall, [1.0]])
    roc = np.dot(np.diff(x), (y[1:] + y[:-1]) / 2)
    return float(roc), float(np.dot(np.diff(recall, prepend=0.0), precision))


def _with_buffer(is_anomaly: Bools, ranges: Ints, window: int) -> np.ndarray:
    """Return labels that decline from 1 beside each range."""
    labels = is_anomaly.astype(np.float64)
    away = np.arange(1, window // 2 + 1)
    weights = np.sqrt(1 - away / window) if window else away
    for edges, sign in ((ranges[:, 0], -1), (ranges[:, 1] - 1, 1)):
        places = edges[:, None] + sign * away
        inside = (places >= 0) & (places < len(labels))
        np.add.at(labels, places[inside], np.broadcast_to(weights, places.shape)[inside])
    return np.minimum(labels, 1)


def _merge(ranges: Ints, reach: int, n: int) -> np.ndarray:
    """Return the ranges with their buffers, those that meet as one."""
    low, high = ranges[:, 0] - reach, ranges[:, 1] + reach
    apart = high[:-1] <= low[1:]
    # Buffers that only touch are one range, as in TSB-AD.
    apart &= high[:-1] - 1 < low[1:]
    starts = np.append(True, apart)
    ends = np.append(apart, True)
    return np.column_stack([np.maximum(low[starts], 0), np.minimum(high[ends], n)])
