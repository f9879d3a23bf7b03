"""The test of Page and Hinkley on ranks: cumulated differences from the mean."""

import numpy as np

from ._reference import Reference, mid_ranks

# Shifts of the mean rank up to this size are let pass. The error of the mean of a reference
# is smaller from some 100 rows on; else it would add up to an alarm in the end.
TOLERANCE = 0.05


class PageHinkley:
    """The larger of two cumulated sums, of shifts up and of shifts down, by column.

    Parameters
    ----------
    reference : Reference
        The reference.
    window : int
        Not used: the sums know themselves where a shift begins.
    """

    n_simulations = 1000
    largest = np.inf

    def __init__(self, reference: Reference, window: int):
        self._ranks = mid_ranks(reference.shares)
        self._columns = np.arange(reference.n_columns)
        self._sums = np.zeros((2, reference.n_columns))

    def update(self, cells: np.ndarray) -> np.ndarray:
        """Take the cells of a row; return the statistic of each column."""
        shift = self._ranks[self._columns, cells] - 0.5
        self._sums[0] += shift
        self._sums[1] -= shift
        self._sums -= TOLERANCE
        np.maximum(self._sums, 0.0, out=self._sums)
        return self._sums.max(axis=0)

    def restart(self) -> None:
        """Forget all updates."""
        self._sums[:] = 0

    @staticmethod
    def maximum(cells: np.ndarray, shares: np.ndarray, ranks: np.ndarray, window: int) -> float:
        """Return the largest statistic in a stream of one column."""
        shift = ranks[cells] - 0.5
        largest = 0.0
        for sign in (1, -1):
            sums = np.cumsum(sign * shift - TOLERANCE)
            lowest = np.minimum(np.minimum.accumulate(sums), 0.0)
            largest = max(largest, float((sums - lowest).max()))
        return largest
