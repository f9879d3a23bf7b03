"""A uniform sample of the rows of all chunks, in one of the containers that these come in."""

import numpy as np

from ._chunks import rows_at


class Sample:
    """A uniform sample of rows that arrive in pieces.

    As in ``partial_fit``, a random key is drawn for each row, and the rows with the smallest
    keys are kept. They stay in their order. New rows are collected before they are joined to
    the others, because each joining copies all of them.

    Parameters
    ----------
    size : int
        Largest number of rows in the sample.
    seed : int
        Seed of the keys.

    Attributes
    ----------
    n_seen : int
        Number of rows that were added.
    """

    def __init__(self, size: int, seed: int):
        self.size = size
        self._rng = np.random.default_rng(seed)
        self._parts: list = []
        self._largest, self._n_waiting = np.inf, 0
        self.n_seen = 0

    def add(self, rows) -> None:
        """Add the rows of an array or a data frame."""
        keys = self._rng.random(rows.shape[0])
        self.n_seen += len(keys)
        small = np.flatnonzero(keys < self._largest)
        if len(small):
            # A copy: a view would hold all of the chunk in memory.
            self._parts.append((keys[small], rows_at(rows, small)))
            self._n_waiting += len(small)
        if self._n_waiting > max(self.size // 2, 1):
            self._join()

    def rows(self):
        """Return the sample; None if no rows were added."""
        if not self._parts:
            return None
        if len(self._parts) > 1 or self._n_waiting:
            self._join()
        return self._parts[0][1]

    def _join(self) -> None:
        keys = np.concatenate([part[0] for part in self._parts])
        rows = concatenate([part[1] for part in self._parts])
        if len(keys) > self.size:
            kept = np.sort(np.argpartition(keys, self.size)[: self.size])
            keys, rows = keys[kept], rows_at(rows, kept)
            self._largest = keys.max()
        self._parts, self._n_waiting = [(keys, rows)], 0


def concatenate(parts: list):
    """Return arrays or data frames of equal columns as one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if hasattr(first, "iloc"):
        import pandas

        return pandas.concat(parts, ignore_index=True)
    if hasattr(first, "get_columns"):
        import polars

        return polars.concat(parts)
    return np.concatenate(parts)
