"""Affiliation: how near flagged time stamps and labelled ranges are to each other."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..utils.types import Floats
from ._ranges import ranges_of, read_series_labels


class AffiliationScore(NamedTuple):
    """Affiliation metrics of a series.

    Parameters
    ----------
    precision : float
        How near flagged time stamps are to a labelled range; NaN if none is flagged.
    recall : float
        How near labelled ranges are to a flagged time stamp.
    f1 : float
        Harmonic mean of both; 0 if none is flagged.
    """

    precision: float
    recall: float
    f1: float


def affiliation_score(y_true: ArrayLike, y_pred: ArrayLike) -> AffiliationScore:
    """Return precision, recall and F1 by affiliation.

    The series is divided into zones, one around each labelled range. In a zone, each distance
    is compared with the distance that a time stamp drawn at random would have [1]_: a flag
    beside a range is almost as good as one inside.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_timestamps,)
        Labels, -1 anomaly and +1 normal: ``detector.predict(X)``.

    Returns
    -------
    score : AffiliationScore
        ``precision``, ``recall`` and ``f1``, each from 0 to 1. Precision and recall of random
        flags are near 0.5, so that F1 does not start at 0: random flags on 1 % of the time
        stamps reach 0.66.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or labels are not -1 and +1.

    References
    ----------
    .. [1] A. Huet, J. M. Navarro, D. Rossi, "Local evaluation of time series anomaly detection
       algorithms", KDD 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import affiliation_score
    >>> y_true = np.repeat([1, -1, 1], [40, 10, 50])
    >>> late = np.repeat([1, -1, 1], [52, 5, 43])
    >>> round(affiliation_score(y_true, late).f1, 2)
    0.83
    """
    is_anomaly, is_flagged = read_series_labels(y_true, y_pred)
    truth, flagged = ranges_of(is_anomaly).astype(float), ranges_of(is_flagged).astype(float)
    middles = (truth[:-1, 1] + truth[1:, 0]) / 2
    zones = np.column_stack([np.append(0.0, middles), np.append(middles, len(is_anomaly))])
    precisions, recalls = [], []
    for zone, truth_range in zip(zones, truth, strict=True):
        parts = np.clip(flagged, *zone)
        parts = parts[parts[:, 0] < parts[:, 1]]
        if len(parts):
            precisions.append(_precision(parts, truth_range, zone))
        recalls.append(_recall(parts, truth_range, zone))
    precision = np.mean(precisions) if precisions else np.nan
    recall = np.mean(recalls)
    total = precision + recall
    f1 = 2 * precision * recall / total if total > 0 else 0.0
    return AffiliationScore(float(precision), float(recall), float(f1))


def _precision(parts: Floats, truth_range: Floats, zone: Floats) -> float:
    """Return the mean, over flagged parts, of the probability of a distance as large or larger.

    The distance is that to the labelled range, and its distribution that of a place which is
    drawn from the zone.
    """
    (low, high), (start, stop) = truth_range, zone

    def survival(x: Floats) -> Floats:
        away = np.maximum(np.maximum(low - x, x - high), 0)
        nearer = high - low + np.minimum(away, low - start) + np.minimum(away, stop - high)
        return np.where(away > 0, 1 - nearer / (stop - start), 1.0)

    reach = min(low - start, stop - high)
    breaks = np.array([low, high, low - reach, high + reach])
    total = sum(_integral(survival, first, last, breaks) for first, last in parts)
    return total / (parts[:, 1] - parts[:, 0]).sum()


def _recall(parts: Floats, truth_range: Floats, zone: Floats) -> float:
    """Return the mean, over the labelled range, of the probability of a distance as large.

    The distance is that to the nearest flagged part, and its distribution that to a place which
    is drawn from the zone.
    """
    if not len(parts):
        return 0.0
    (low, high), (start, stop) = truth_range, zone
    lows, highs = parts.T

    def survival(y: Floats) -> Floats:
        apart = np.maximum(np.maximum(lows - y[:, None], y[:, None] - highs), 0)
        away = apart.min(axis=1)
        nearer = np.minimum(away, y - start) + np.minimum(away, stop - y)
        return np.where(away > 0, 1 - nearer / (stop - start), 1.0)

    # Where another part becomes the nearest, or one end of the zone nearer than that.
    breaks = np.concatenate(
        [lows, highs, (highs[:-1] + lows[1:]) / 2, (highs + stop) / 2, (lows + start) / 2]
    )
    return _integral(survival, low, high, breaks) / (high - low)


def _integral(
    function: Callable[[Floats], Floats], low: float, high: float, breaks: Floats
) -> float:
    """Return the integral of a function that is linear between breaks."""
    inside = breaks[(breaks > low) & (breaks < high)]
    points = np.unique(np.concatenate([[low], inside, [high]]))
    return float(np.dot(function((points[1:] + points[:-1]) / 2), np.diff(points)))
