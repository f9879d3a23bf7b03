"""A uniform sample of the rows of all chunks, in one of the containers that these come in."""

from typing import Any

import numpy as np

from ..base._reservoir import smallest
from ..utils._compat import take_rows
from ..utils.containers import stack


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

    def add(self, rows: Any) -> None:
        """Add the rows of an array or a data frame."""
        keys = self._rng.random(rows.shape[0])
        self.n_seen += len(keys)
        small = np.flatnonzero(keys < self._largest)
        if len(small):
            # A copy: a view would hold all of the chunk in memory.
            self._parts.append((keys[small], take_rows(rows, small)))
            self._n_waiting += len(small)
        if self._n_waiting > max(self.size // 2, 1):
            self._join()

    def rows(self) -> Any:
        """Return the sample; None if no rows were added."""
        if not self._parts:
            return None
        if len(self._parts) > 1 or self._n_waiting:
            self._join()
        return self._parts[0][1]

    def _join(self) -> None:
        keys = np.concatenate([part[0] for part in self._parts])
        rows = stack([part[1] for part in self._parts])
        if len(keys) > self.size:
            kept = smallest(keys, self.size)
            keys, rows = keys[kept], take_rows(rows, kept)
            self._largest = keys.max()
        self._parts, self._n_waiting = [(keys, rows)], 0
