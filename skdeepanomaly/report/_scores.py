"""Scores of all rows: which are flagged, a histogram, and what another threshold would do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import column_or_1d

from ..metrics._truth import signed_labels
from ..utils.nesting import nested
from ..utils.scores import check_label_convention, has_size

N_BINS = 48
# Each number of flagged rows up to this can be chosen, and about as many larger ones.
MAX_EXACT = 200
# The axis is logarithmic far from the median if it is at least so many times as long as the
# half of the normal rows that is near to it.
LONG = 30


@dataclass(frozen=True)
class Scores:
    """Anomaly scores of all rows, the higher, the more unusual.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), float64
        ``-score_samples``, or minus the decision function where the detector has no scores
        whose threshold is known.
    threshold : float
        Rows above it are flagged.
    is_flagged : ndarray of shape (n_samples,), bool
        Which rows the detector flags.
    order : ndarray of shape (n_samples,), int
        The rows, the most unusual one first.
    """

    values: np.ndarray
    threshold: float
    is_flagged: np.ndarray
    order: np.ndarray

    @property
    def n_flagged(self) -> int:
        """Number of flagged rows."""
        return int(self.is_flagged.sum())


def score(detector: Any, X: Any) -> Scores:
    """Score rows once.

    Parameters
    ----------
    detector : object
        A fitted outlier detector.
    X : array-like of shape (n_samples, ...)
        Rows.

    Returns
    -------
    scores : Scores

    Raises
    ------
    ValueError
        If the detector is a classifier, gives other labels than -1 and +1, has no
        ``decision_function``, or a score is NaN.
    """
    name = type(detector).__name__
    if is_classifier(detector):
        raise ValueError(f"{name} is a classifier. Pass the outlier detector inside it.")
    if not hasattr(detector, "decision_function"):
        raise ValueError(
            f"{name} has no decision_function(X): expected an outlier detector of"
            " scikit-learn's kind that scores new rows. LocalOutlierFactor does with"
            " novelty=True."
        )
    check_label_convention(detector, X)
    decision = column_or_1d(np.array(detector.decision_function(X), dtype=np.float64))
    if np.isnan(decision).any():
        raise ValueError(
            f"The decision function of {name} is NaN for {np.isnan(decision).sum()} rows, such"
            f" as row {np.argmax(np.isnan(decision))}. Leave them out."
        )
    offset = _offset(detector)
    with np.errstate(over="ignore"):
        values = np.nan_to_num(-(decision + offset))
    order = np.argsort(decision, kind="stable")
    return Scores(values, -offset, decision < 0, order)


def _offset(detector: BaseEstimator) -> float:
    """Return the number that a detector takes off its scores, as far as it is known."""
    offset = next((p.offset_ for p in nested(detector) if hasattr(p, "offset_")), 0.0)
    # Other detectors have one offset a cluster, or none that is a number.
    return float(offset) if np.ndim(offset) == 0 and np.isfinite(offset) else 0.0


def describe_scores(scores: Scores, labels: np.ndarray | None = None) -> dict:
    """Return a histogram, and the thresholds that can be chosen, with what they flag.

    Parameters
    ----------
    scores : Scores
        Scores of all rows.
    labels : ndarray of shape (n_samples,), int, or None
        -1 anomaly, +1 normal, 0 not judged.

    Returns
    -------
    content : dict
        ``grid`` has for each threshold the number of flagged rows, and with labels that of
        the anomalies and of the normal rows among them.
    """
    values = scores.values
    sized = values[has_size(values)] if has_size(values).any() else np.zeros(1)
    middle, low = np.quantile(sized, [0.5, 0.1])
    width = float(middle - low)
    is_long = width > 0 and np.ptp(sized) > LONG * width
    ends = np.array([sized.min(), max(sized.max(), min(scores.threshold, sized.max() * 1.05))])
    if ends[0] == ends[1]:
        ends = ends + np.array([-0.5, 0.5])
    scale = {"center": float(middle), "width": width if is_long else None}
    first, last = _to_axis(ends, scale)
    edges = _from_axis(np.linspace(first, last, N_BINS + 1), scale)
    # Rounding must not leave the outermost rows outside.
    edges[0], edges[-1] = ends
    clipped = np.clip(values, *ends)
    content = {
        "scale": scale,
        "edges": [_round(edge) for edge in edges],
        "counts": np.histogram(clipped, edges)[0].tolist(),
        "threshold": _round(scores.threshold),
        "n": len(values),
        "n_flagged": scores.n_flagged,
    }
    if labels is not None:
        content["anomalies"] = np.histogram(clipped[labels == -1], edges)[0].tolist()
        content["n_anomalies"] = int((labels == -1).sum())
        content["n_normal"] = int((labels == 1).sum())
    return content | {"grid": _grid(scores, labels)}


def _grid(scores: Scores, labels: np.ndarray | None) -> list[list]:
    ordered = scores.values[scores.order]
    n, n_flagged = len(ordered), scores.n_flagged
    far = np.geomspace(MAX_EXACT, max(n, MAX_EXACT), 120).astype(int)
    numbers = np.unique(np.concatenate([np.arange(MAX_EXACT + 1), far, [n_flagged]]))
    numbers = numbers[numbers <= n]
    found = None
    if labels is not None:
        found = [np.append(0, np.cumsum(labels[scores.order] == side)) for side in (-1, 1)]
    grid = []
    for k in numbers.tolist():
        if k == n_flagged:
            threshold = scores.threshold
        elif k in (0, n):
            threshold = ordered[0] if k == 0 else np.nextafter(ordered[-1], -np.inf)
        elif ordered[k - 1] == ordered[k]:
            # No threshold is between two equal scores.
            continue
        else:
            threshold = ordered[k - 1] / 2 + ordered[k] / 2
        grid.append([k, float(threshold)])
        if found is not None:
            grid[-1] += [int(found[0][k]), int(found[1][k])]
    return grid


def _to_axis(values: Any, scale: dict[str, Any]) -> Any:
    width = scale["width"]
    return values if width is None else np.arcsinh((values - scale["center"]) / width)


def _from_axis(places: Any, scale: dict[str, Any]) -> Any:
    width = scale["width"]
    return places if width is None else np.sinh(places) * width + scale["center"]


def _round(value: float) -> float:
    return float(f"{value:.7g}")


def read_labels(y: ArrayLike | None, n_samples: int) -> np.ndarray | None:
    """Return labels as -1, 0 and +1, or None.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
    n_samples : int
        Number of rows.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int, or None

    Raises
    ------
    ValueError
        If they cannot be read, or are more or fewer than the rows.
    """
    if y is None:
        return None
    labels = signed_labels(y)
    if len(labels) != n_samples:
        raise ValueError(
            f"y has {len(labels)} labels, expected one for each of {n_samples} rows."
        )
    return labels
