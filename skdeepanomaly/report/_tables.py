"""The part of a report that depends on the columns of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from ..tables._input import as_table
from ..tables._values import split_columns
from ..utils._compat import take_rows
from ..utils.cells import to_cells
from ..utils.frames import column_names
from ..utils.validation import closest
from ._columns import make_column
from ._overview import notes_of, understood
from ._rows import contributions_of, nearest_rows, reasons_of
from ._scores import Scores
from ._texts import count

# Columns are compared on so many rows that are not flagged, and so many that are.
MAX_NORMAL, MAX_FLAGGED = 4000, 2000
# Of a wider table the columns that add most to the scores are shown.
MAX_COLUMNS = 60
# Longer texts are cut.
MAX_CELL = 300


def column_labels(
    X: Any, names: Sequence[str] | None, hide: Sequence[Any]
) -> tuple[list, list[str], np.ndarray]:
    """Return the labels of the columns, their names on the page, and which are hidden.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        A table.
    names : sequence of str or None
        Names for the page; None takes the labels.
    hide : sequence of labels
        Labels, names, or where the columns have no names positions.

    Returns
    -------
    labels : list
        Names of a frame, positions of an array.
    names : list of str
    is_hidden : ndarray of shape (n_columns,), bool

    Raises
    ------
    ValueError
        If there are more or fewer names than columns, or a column to hide is not there.
    """
    n_columns = X.shape[1]
    own = column_names(X)
    labels = list(range(n_columns)) if own is None else list(own)
    shown = [f"x{label}" if own is None else str(label) for label in labels]
    if names is not None:
        shown = [str(name) for name in names]
        if len(shown) != n_columns:
            raise ValueError(
                f"names has {len(shown)} names, expected one for each of {n_columns} columns."
            )
    is_hidden = np.zeros(n_columns, dtype=bool)
    index = getattr(X, "index", None)
    index_names = list(getattr(index, "names", ()))
    for wanted in hide:
        places = [j for j in range(n_columns) if wanted in (labels[j], shown[j])]
        if not places and wanted not in index_names:
            hint = closest(str(wanted), shown)
            raise ValueError(
                f"hide names the column {wanted!r}, which X does not have.{hint} Expected some"
                f" of {shown[:10]}."
            )
        is_hidden[places] = True
    return labels, shown, is_hidden


def describe_table(
    detectors: list[BaseEstimator],
    X: Any,
    scores: list[Scores],
    shown: np.ndarray,
    *,
    names: Sequence[str] | None,
    hide: Sequence[Any],
    rng: np.random.RandomState,
) -> dict:
    """Return the columns and the shown rows of a table.

    Parameters
    ----------
    detectors : list
        One fitted detector, or two to compare.
    X : array-like of shape (n_samples, n_columns)
        The table.
    scores : list of Scores
        Those of each detector.
    shown : ndarray of int
        Positions of the rows to show.
    names, hide
        As in :func:`column_labels`.
    rng : RandomState instance
        Draws the rows that the columns are compared on.

    Returns
    -------
    content : dict
        ``columns``, ``rows``, ``normal_rows``, ``understood``, ``notes``.
    """
    labels, names, is_hidden = column_labels(X, names, hide)
    is_flagged = np.any([one.is_flagged for one in scores], axis=0)
    normal = _some(np.flatnonzero(~is_flagged), MAX_NORMAL, rng)
    flagged = _some(np.flatnonzero(is_flagged), MAX_FLAGGED, rng)
    places = np.unique(np.concatenate([normal, flagged, shown]))
    rows = take_rows(X, places)
    # Rows that are only shown are unusual ones: they do not say what is usual.
    parts = (np.isin(places, normal), np.isin(places, flagged))
    at = np.searchsorted(places, shown)
    shown_rows = take_rows(X, shown)

    explained = [contributions_of(detector, shown_rows) for detector in detectors]
    contributions, note = explained[0]
    notes = [note] if note else []
    flagged_shown = is_flagged[shown] if is_flagged[shown].any() else np.ones(len(shown), bool)
    weights = _weights(contributions, flagged_shown, len(labels))
    visible = np.flatnonzero(~is_hidden)
    if len(visible) > MAX_COLUMNS:
        notes.append(
            f"{count(len(visible) - MAX_COLUMNS, 'column')} of {len(visible):,} that add least"
            " to the scores are not in this report."
        )
        most = np.argsort(-weights[visible], kind="stable")[:MAX_COLUMNS]
        visible = np.sort(visible[most])
    if is_hidden.any():
        notes.append(f"{count(int(is_hidden.sum()), 'column')} hidden by the author.")

    summaries = [s for s in understood(detectors[0]) if s.label in labels]
    by_label = {summary.label: summary for summary in summaries}
    table = as_table(rows.toarray() if issparse(rows) else rows)
    split = split_columns(table)
    columns = [
        make_column(names[j], split[j], parts, getattr(by_label.get(labels[j]), "kind", None))
        for j in visible
    ]
    near = nearest_rows(detectors[0], rows, at, np.flatnonzero(parts[0]))
    similar = sorted({j for found in near for j in found})

    cells, exact = to_cells(take_rows(rows, np.concatenate([at, similar]).astype(int)))
    cells = [cells[j] for j in visible]
    exact = exact and len(visible) == len(labels) and not _cut_long(cells)
    by_row = list(zip(*cells, strict=True)) if cells else [()] * (len(at) + len(similar))
    index = _index_labels(shown_rows, shown, hide)
    visible_contributions = None if contributions is None else contributions[:, visible]
    column_places = [column.places(at) for column in columns]
    content_rows = []
    for i, (place, sample_place) in enumerate(zip(shown, at, strict=True)):
        own = None if visible_contributions is None else visible_contributions[i]
        row = {
            "row": int(place),
            "cells": list(by_row[i]),
            "places": [part[i] for part in column_places],
            "reasons": reasons_of(sample_place, columns, own),
            "nearest": [similar.index(j) for j in near[i]],
        }
        if index is not None:
            row["index"] = index[i]
        if contributions is not None and own is not None:
            row["contributions"] = _rounded(own)
            row["others"] = _rounded([contributions[i].sum() - own.sum()])[0]
        if len(detectors) == 2 and explained[1][0] is not None:
            row["second_contributions"] = _rounded(explained[1][0][i][visible])
        content_rows.append(row)
    return {
        "columns": [
            column.describe()
            | {"label": _json_label(labels[j]), "weight": _rounded([weights[j]])[0]}
            for column, j in zip(columns, visible, strict=True)
        ],
        "kind": "table",
        "rows": content_rows,
        "normal_rows": [
            {"row": int(places[j]), "cells": list(by_row[len(at) + k])}
            for k, j in enumerate(similar)
        ],
        "explained": contributions is not None,
        "exact": exact,
        "n_compared": len(normal),
        "understood": [
            {
                "name": str(s.label),
                "kind": s.kind,
                "reason": s.reason,
                "missing": _rounded([s.missing])[0],
                "unread": _rounded([s.unread])[0],
                "unseen": _rounded([s.unseen])[0],
            }
            for s in summaries
            if not is_hidden[labels.index(s.label)]
        ],
        "notes": notes
        + [text for label, text in notes_of(summaries) if not is_hidden[labels.index(label)]],
        "container": "pandas" if hasattr(X, "iloc") else _library(X),
    }


def hidden_names(X: Any, names: Sequence[str] | None, hide: Sequence[Any]) -> list[str]:
    """Return all names of hidden columns, which no text of the report may hold."""
    if len(np.shape(X)) != 2:
        return []
    labels, shown, is_hidden = column_labels(X, names, hide)
    hidden = np.flatnonzero(is_hidden)
    return [str(labels[j]) for j in hidden] + [shown[j] for j in hidden]


def _some(rows: np.ndarray, n: int, rng: np.random.RandomState) -> np.ndarray:
    return rows if len(rows) <= n else np.sort(rng.choice(rows, n, replace=False))


def _weights(
    contributions: np.ndarray | None, is_flagged: np.ndarray, n_columns: int
) -> np.ndarray:
    """Return the share of each column in the contributions that speak for an anomaly."""
    if contributions is None:
        return np.zeros(n_columns)
    # A row must not count more because its score is larger: a row on which a network
    # overflows would hide all others.
    positive = np.maximum(contributions[is_flagged], 0)
    largest = positive.max(axis=1, keepdims=True)
    scaled = positive / np.where(largest > 0, largest, 1)
    total = scaled.sum(axis=1, keepdims=True)
    return np.mean(scaled / np.where(total > 0, total, 1), axis=0)


def _cut_long(cells: list[list]) -> bool:
    """Cut long texts, in place, and say whether there were any."""
    found = False
    for column in cells:
        for i, value in enumerate(column):
            if isinstance(value, str) and len(value) > MAX_CELL:
                column[i], found = value[: MAX_CELL - 1] + "…", True
    return found


def _index_labels(rows: Any, shown: np.ndarray, hide: Sequence[Any]) -> list[str] | None:
    index: Any = getattr(rows, "index", None)
    if not hasattr(rows, "iloc") or any(
        name is not None and name in hide for name in index.names
    ):
        return None
    labels = index.tolist()
    return None if labels == shown.tolist() else [str(label)[:MAX_CELL] for label in labels]


def _json_label(label: Any) -> Any:
    return label if isinstance(label, str | int | float) else str(label)


def _library(X: Any) -> str:
    return type(X).__module__.partition(".")[0] if column_names(X) is not None else "numpy"


def _rounded(values: Any) -> list[float]:
    """Return numbers with four digits, which is all that a page shows."""
    return [float(f"{value:.4g}") for value in np.asarray(values, dtype=np.float64).tolist()]
