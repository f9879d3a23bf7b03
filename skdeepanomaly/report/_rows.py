"""The rows that a report shows: contributions, reasons, and the nearest normal rows."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.neighbors import NearestNeighbors

from ..explain import explain_columns
from ..utils._compat import take_rows
from ..utils.nesting import nested_rows
from ._columns import Column

N_NEAREST = 3
N_REASONS = 3
# A column that adds a smaller part than this of what the first one adds is no reason.
SMALLEST_PART = 0.05
# Values this many scales away are as far as any others.
LIMIT = 20.0


def contributions_of(detector: Any, rows: Any) -> tuple[np.ndarray | None, str | None]:
    """Return what each column adds to the scores of rows, or None and why not.

    Parameters
    ----------
    detector : object
        A fitted detector.
    rows : array-like of shape (n_shown, n_columns)
        Rows.

    Returns
    -------
    contributions : ndarray of shape (n_shown, n_columns) or None
    note : str or None
    """
    try:
        found = explain_columns(detector, rows)
    except TypeError:
        return None, (
            f"{type(detector).__name__} cannot say what each column adds to a score. Reasons"
            " are values outside of the range of the normal rows."
        )
    except ValueError as error:
        return None, f"What the columns add to a score is not known: {error}"
    found = found.to_numpy() if hasattr(found, "to_numpy") else np.asarray(found)
    return found.astype(np.float64), None


def reasons_of(
    i: int, columns: list[Column], contributions: np.ndarray | None
) -> list[list[str]]:
    """Return in words why a row may be flagged, the strongest reason first.

    Parameters
    ----------
    i : int
        The row, among those that the columns were made of.
    columns : list of Column
        The columns.
    contributions : ndarray of shape (n_columns,) or None
        What the columns add to the score of the row.

    Returns
    -------
    reasons : list of [name, text]
    """
    if contributions is not None:
        order = np.argsort(-contributions, kind="stable")[:N_REASONS]
        least = SMALLEST_PART * contributions[order[0]] if len(order) else 0.0
        told = [j for j in order if contributions[j] > max(least, 0)]
        return [[columns[j].name, columns[j].reason(i)[0]] for j in told]
    told = [(column, *column.reason(i)) for column in columns]
    odd = [[column.name, text] for column, text, is_odd in told if is_odd]
    return odd[:N_REASONS]


def nearest_rows(
    detector: Any, rows: Any, shown: np.ndarray, normal: np.ndarray
) -> list[list[int]]:
    """Return for each shown row the most similar rows that are not flagged.

    Parameters
    ----------
    detector : object
        A fitted detector; rows are compared as the detector inside of it gets them.
    rows : array-like of shape (n_samples, ...)
        Rows.
    shown, normal : ndarray of int
        Positions in rows.

    Returns
    -------
    nearest : list of list of int
        Positions in rows; empty lists where nothing can be compared.
    """
    if len(normal) == 0:
        return [[] for _ in shown]
    *_, (_, seen) = nested_rows(detector, take_rows(rows, np.concatenate([shown, normal])))
    n = len(shown)
    try:
        seen = seen.tocsr().astype(np.float64) if issparse(seen) else _scaled(seen, n)
    except (TypeError, ValueError):
        return [[] for _ in shown]
    # One more than needed: the row itself may be among them.
    k = min(N_NEAREST + 1, len(normal))
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(seen[n:])
    nearest = normal[found.kneighbors(seen[:n], return_distance=False)]
    return [
        [int(j) for j in others if j != i][:N_NEAREST]
        for i, others in zip(shown, nearest, strict=True)
    ]


def _scaled(seen: Any, n_shown: int) -> np.ndarray:
    """Return all rows, in units of the spread of those after the first ones."""
    values = np.asarray(seen, dtype=np.float64)
    values = np.nan_to_num(values.reshape(len(values), -1), nan=0.0)
    normal = values[n_shown:]
    middle = np.median(normal, axis=0)
    spread = np.mean(np.abs(normal - middle), axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values - middle) / np.where(spread > 0, spread, 1.0)
    return np.clip(np.nan_to_num(scaled), -LIMIT, LIMIT)
