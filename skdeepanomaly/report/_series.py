"""The part of a report that depends on a series: lines, and the spans that were flagged."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..series import BaseSeriesDetector
from ..series._reading import is_list_of_series, split_time
from ..utils.frames import column_names
from ..utils.nesting import nested
from ._scores import Scores

# A line is drawn through so many pairs of the smallest and the largest value.
N_PIECES = 480
MAX_CHANNELS = 8


def is_series_detector(detector: BaseEstimator) -> bool:
    """Say whether a detector scores time stamps."""
    return any(isinstance(part, BaseSeriesDetector) for part in nested(detector))


def check_one_series(X: Any) -> None:
    """Refuse several series.

    Raises
    ------
    ValueError
        If X is a list of series.
    """
    if is_list_of_series(X):
        raise ValueError(
            f"X is a list of {len(X)} series, expected one: make a report of each of them."
        )


def describe_series(
    detectors: list[BaseEstimator],
    X: Any,
    scores: list[Scores],
    *,
    max_rows: int,
    names: Sequence[str] | None,
    hide: Sequence[Any],
) -> dict:
    """Return lines of a series and of its scores, and the flagged spans.

    Parameters
    ----------
    detectors : list
        One fitted detector of series, or two to compare.
    X : array-like of shape (n_timestamps, n_channels)
        One series.
    scores : list of Scores
        Those of each detector.
    max_rows : int
        Number of spans to show, the most unusual ones.
    names : sequence of str or None
        Names of the channels; None takes those of the frame.
    hide : sequence of labels
        Channels that must not be shown.

    Returns
    -------
    content : dict
        ``spans`` and ``lines``, and empty parts of a table.

    Raises
    ------
    ValueError
        If there are more or fewer names than channels, or one to hide is not there.
    """
    time = next((p.time for p in nested(detectors[0]) if hasattr(p, "time")), None)
    stamps, values = split_time(X, time)
    own = column_names(values)
    values = np.asarray(values, dtype=np.float64)
    values = values.reshape(len(values), -1)
    labels = list(range(values.shape[1])) if own is None else own
    if names is None:
        names = [f"x{label}" if own is None else str(label) for label in labels]
    if len(names) != len(labels):
        raise ValueError(
            f"names has {len(names)} names, expected one for each of {len(labels)} channels."
        )
    unknown = [wanted for wanted in hide if wanted not in (*labels, *names)]
    if unknown:
        raise ValueError(f"hide names the channel {unknown[0]!r}, expected some of {names}.")
    shown = [j for j in range(len(labels)) if not {labels[j], names[j]} & {*hide}]
    shown = shown[:MAX_CHANNELS]
    n = len(values)

    def texts(i: int) -> str:
        if stamps is None:
            return str(i)
        return stamps.show(i).replace("T", " ").removesuffix(".000").removesuffix(" 00:00:00")

    found = _spans(scores[0].is_flagged)
    found.sort(key=lambda span: -scores[0].values[slice(*span)].max())
    spans = [
        {
            "start": texts(start),
            "end": texts(end - 1),
            "from": start,
            "to": end,
            "length": end - start,
            "score": float(f"{scores[0].values[start:end].max():.5g}"),
        }
        for start, end in found[:max_rows]
    ]
    notes = []
    if len(found) > len(spans):
        notes.append(f"{len(found) - len(spans):,} less unusual spans are not shown.")
    if len(shown) < len(labels):
        notes.append(f"{len(labels) - len(shown)} of {len(labels)} channels are not shown.")
    lines = [{"name": str(names[j]), **_line(values[:, j])} for j in shown]
    return {
        "kind": "series",
        "columns": [],
        "rows": [],
        "spans": spans,
        "lines": lines,
        "score_line": _line(scores[0].values),
        "ends": [texts(0), texts(n - 1)],
        "explained": False,
        "exact": False,
        "understood": [],
        "notes": notes,
    }


def _spans(is_flagged: np.ndarray) -> list[tuple[int, int]]:
    """Return the ends of all runs of flagged time stamps."""
    steps = np.diff(np.concatenate([[0], is_flagged.astype(int), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _line(values: np.ndarray) -> dict:
    """Return the smallest and the largest value of each of many pieces of a line."""
    n = len(values)
    edges = np.unique(np.linspace(0, n, min(n, N_PIECES) + 1).astype(int))[:-1]
    low = np.fmin.reduceat(values, edges)
    high = np.fmax.reduceat(values, edges)
    return {
        "low": [_or_none(value) for value in low],
        "high": [_or_none(value) for value in high],
    }


def _or_none(value: Any) -> Any:
    return float(f"{value:.7g}") if np.isfinite(value) else None
