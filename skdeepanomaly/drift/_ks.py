"""Kolmogorov-Smirnov tests of the last window against the reference."""

import numpy as np

from ._reference import Reference
from ._window import CellWindow, tested_counts


class KolmogorovSmirnov:
    """The largest squared difference of the distributions of window and reference, by column.

    Parameters
    ----------
    reference : Reference
        The reference.
    window : int
        Number of updates in a window.
    """

    n_simulations = 1000
    # The statistic is never larger.
    largest = 1.0

    def __init__(self, reference: Reference, window: int):
        self._shares = reference.shares
        self._cells = CellWindow(reference, window)

    def update(self, cells: np.ndarray) -> np.ndarray | None:
        """Take the cells of a row; return the statistics of columns, or None between tests."""
        if not self._cells.push(cells):
            return None
        return (np.abs(self._cells.shares() - self._shares).max(axis=1)) ** 2

    def restart(self) -> None:
        """Forget all updates."""
        self._cells.restart()

    @staticmethod
    def maximum(cells: np.ndarray, shares: np.ndarray, ranks: np.ndarray, window: int) -> float:
        """Return the largest statistic in a stream of one column."""
        counts = tested_counts(cells, len(shares), window)
        return float(np.abs(counts / window - shares).max()) ** 2
