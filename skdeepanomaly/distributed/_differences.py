"""Whether chunks differ in distribution."""

from collections.abc import Sequence

import numpy as np

from ..utils.rows import spread
from ..utils.warn import warn_user
from ._sample import Sample

# Rows of a piece, and rows of all pieces before it, that are compared; columns that are.
N_COMPARED = 2000
LEAST_COMPARED = 20
MAX_COLUMNS = 200
# Distributions differ where the share of rows below a decile does by this much, beyond five
# standard errors.
DIFFERENCE = 0.1
_DECILES = np.linspace(0.1, 0.9, 9)


class Differences:
    """The chunks whose rows are distributed otherwise than the rows before them.

    Parameters
    ----------
    seed : int
        Seed of the sample of the rows before.
    """

    def __init__(self, seed: int):
        self._before = Sample(N_COMPARED, seed)
        self._differing: set[int] = set()
        self._chunks: set[int] = set()
        self._largest: tuple = (0.0,)

    def add(self, number: int, rows: np.ndarray) -> None:
        """Compare rows (n, n_features) of a chunk with those before."""
        self._chunks.add(number)
        step = -(-rows.shape[1] // MAX_COLUMNS)
        rows = rows[:, ::step]
        some, before = spread(rows, N_COMPARED), self._before.rows()
        self._before.add(rows)
        if before is None or min(len(some), len(before)) < LEAST_COMPARED:
            return
        limits = np.quantile(before, _DECILES, axis=0)
        was, now = _shares(before, limits), _shares(some, limits)
        apart = np.abs(now - was)
        # Of shares of one half, which have the largest error.
        error = np.sqrt(0.25 / len(some) + 0.25 / len(before))
        if apart.max() <= DIFFERENCE + 5 * error:
            return
        self._differing.add(number)
        if apart.max() > self._largest[0]:
            at = np.unravel_index(apart.argmax(), apart.shape)
            column = at[1] * step
            self._largest = (apart.max(), number, column, limits[at], now[at], was[at])

    def warn(self, names: Sequence[str] | None = None) -> None:
        """Warn if there are such chunks.

        Parameters
        ----------
        names : sequence of str or None, default=None
            Names of the columns; None uses their indices.
        """
        if not self._differing:
            return
        _, number, column, limit, now, was = self._largest
        name = column if names is None else repr(names[column])
        warn_user(
            f"{len(self._differing)} of {len(self._chunks)} chunks differ in distribution from"
            f" those before them; most chunk {number}: of its rows {now:.0%} are at most"
            f" {limit:.3g} in column {name}, and {was:.0%} of the rows before. The network"
            " may forget chunks that came early: shuffle the rows when they are written, give"
            " the chunks as a list of arrays, or make buffer_rows larger. Where rows drift in"
            " time, older ones may no longer be normal: train on the latest chunks."
        )


def _shares(rows: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return the shares (n_limits, n_features) of rows that are at most the limits."""
    return np.stack([(rows <= limit).mean(axis=0) for limit in limits])
