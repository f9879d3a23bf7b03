"""The last rows of a stream, and how often values fell into each cell."""

import numpy as np

from ._reference import Reference

# A window is tested as often as this while all of its rows are replaced.
TESTS_PER_WINDOW = 10


def step_of(window: int) -> int:
    """Return the number of updates between tests."""
    return max(1, window // TESTS_PER_WINDOW)


class CellWindow:
    """The cells of the last rows.

    Parameters
    ----------
    reference : Reference
        The reference.
    window : int
        Number of rows.
    """

    def __init__(self, reference: Reference, window: int):
        self._columns = np.arange(reference.n_columns)
        self._rows = np.zeros((window, reference.n_columns), dtype=np.int16)
        self._counts = np.zeros((reference.n_columns, reference.n_cells), dtype=np.int64)
        self._step = step_of(window)
        self._n_seen = 0

    def push(self, cells: np.ndarray) -> bool:
        """Add a row of cells; return whether it is time for a test."""
        window = len(self._rows)
        place = self._n_seen % window
        if self._n_seen >= window:
            self._counts[self._columns, self._rows[place]] -= 1
        self._rows[place] = cells
        self._counts[self._columns, cells] += 1
        self._n_seen += 1
        return self._n_seen >= window and (self._n_seen - window) % self._step == 0

    def shares(self) -> np.ndarray:
        """Return which share of the rows lies up to each cell, (n_columns, n_cells)."""
        return np.cumsum(self._counts, axis=1) / len(self._rows)

    def restart(self) -> None:
        """Forget all rows."""
        self._counts[:] = 0
        self._n_seen = 0


def tested_counts(cells: np.ndarray, n_cells: int, window: int) -> np.ndarray:
    """Return how many values lie up to each cell, for each window that is tested.

    Parameters
    ----------
    cells : ndarray of shape (n_updates,)
        A stream of one column.
    n_cells : int
        Number of cells.
    window : int
        Number of updates in a window.

    Returns
    -------
    counts : ndarray of shape (n_tests, n_cells)
        Cumulated counts.
    """
    step = step_of(window)
    n_steps = len(cells) // step
    flat = np.arange(n_steps * step) // step * n_cells + cells[: n_steps * step]
    counts = np.bincount(flat, minlength=n_steps * n_cells).reshape(n_steps, n_cells)
    return tested_sums(np.cumsum(counts, axis=1), window)


def tested_sums(step_sums: np.ndarray, window: int) -> np.ndarray:
    """Return sums over the windows that are tested, of sums over steps, (n_steps, n)."""
    n_inside = window // step_of(window)
    sums = np.cumsum(step_sums, axis=0)
    tested = sums[n_inside - 1 :].copy()
    tested[1:] -= sums[:-n_inside]
    return tested
