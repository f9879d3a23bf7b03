"""What statistics do on streams without drift: simulated streams, critical values, p-values."""

from functools import lru_cache
from typing import Any

import numpy as np

from ..utils.types import Floats, Ints
from ._reference import Reference, cumulated_shares, mid_ranks, quantile_places

# The tail of the statistics begins where this share of the simulated streams is.
TAIL = 0.1


class NullDistribution:
    """The largest value that a statistic takes in a stream without drift.

    Parameters
    ----------
    maxima : ndarray of shape (n_simulations,)
        The largest value in each simulated stream.

    Notes
    -----
    Beyond the upper tenth an exponential tail is taken, with the mean excess of the simulated
    values. So levels are possible that are smaller than one over the number of simulations, as
    many columns need.
    """

    def __init__(self, maxima: np.ndarray):
        self._maxima = np.sort(maxima)
        self._start = float(np.quantile(self._maxima, 1 - TAIL))
        excess = self._maxima[self._maxima > self._start] - self._start
        self._scale = float(excess.mean()) if len(excess) else 0.0

    def critical_value(self, level: float) -> float:
        """Return the value that a stream without drift exceeds with a probability."""
        if level >= TAIL:
            return float(np.quantile(self._maxima, 1 - level))
        return self._start + self._scale * float(np.log(TAIL / level))

    def pvalue(self, statistic: float) -> float:
        """Return the probability that a stream without drift exceeds a value."""
        if statistic > self._start:
            if self._scale == 0:
                return 0.0
            return TAIL * float(np.exp((self._start - statistic) / self._scale))
        below = np.searchsorted(self._maxima, statistic, "left")
        return max(TAIL, 1 - float(below) / len(self._maxima))


@lru_cache(maxsize=64)
def independent_maxima(
    method: Any, window: int, n_samples: int, n_updates: int, n_simulations: int, seed: int
) -> Floats:
    """Return the maxima of a statistic over streams of independent values.

    They do not depend on the distribution of the values, so that uniform ones serve for all.
    Each stream has a reference of its own: that a reference is not exactly as what follows is
    part of what happens by chance.

    Parameters
    ----------
    method : class
        One of the methods, with ``maximum(cells, shares, ranks, window)``.
    window : int
        Number of updates in a window.
    n_samples : int
        Number of rows of the reference.
    n_updates : int
        Number of updates in a stream.
    n_simulations : int
        Number of streams.
    seed : int
        Seed of the streams.

    Returns
    -------
    maxima : ndarray of shape (n_simulations,)
        The maxima.
    """
    rng = np.random.default_rng(seed)
    places = quantile_places(n_samples)
    # Between quantiles of uniform values lie sums of exponential gaps.
    n_gaps = np.diff(places, prepend=-1, append=n_samples)
    at = np.repeat(places, 2) + np.tile([0, 1], len(places))
    shares = np.append(at / n_samples, 1.0)
    ranks = mid_ranks(shares)
    maxima = np.empty(n_simulations)
    for i in range(n_simulations):
        quantiles = np.cumsum(rng.gamma(n_gaps))
        quantiles /= quantiles[-1]
        cells = 2 * quantiles[:-1].searchsorted(rng.random(n_updates))
        maxima[i] = method.maximum(cells, shares, ranks, window)
    maxima.flags.writeable = False
    return maxima


def resampled_rows(
    rng: np.random.Generator, n_samples: int, n_rows: int, block: int
) -> np.ndarray:
    """Draw rows of the reference in blocks, with replacement; the last row is before the first.

    Parameters
    ----------
    rng : Generator
        Draws them.
    n_samples : int
        Number of rows of the reference.
    n_rows : int
        Number of rows to draw.
    block : int
        Number of rows in a block.
    """
    starts = rng.integers(n_samples, size=-(-n_rows // block))
    rows = (starts[:, None] + np.arange(block)).ravel()[:n_rows]
    return rows % n_samples


def block_maxima(
    method: Any,
    window: int,
    source: Reference,
    columns: Ints,
    n_updates: int,
    block: int,
    n_simulations: int,
    seed: int,
) -> Floats:
    """Return the maxima of a statistic over streams that are put together of blocks.

    Parameters
    ----------
    method : class
        One of the methods, with ``maximum(cells, shares, ranks, window)``.
    window : int
        Number of updates in a window.
    source : Reference
        The reference.
    columns : ndarray of int
        Its columns.
    n_updates : int
        Number of updates in a stream.
    block : int
        Number of rows in a block.
    n_simulations : int
        Number of streams.
    seed : int
        Seed of the streams.

    Returns
    -------
    maxima : ndarray of shape (n_simulations, n_columns)
        The maxima.
    """
    rng = np.random.default_rng(seed)
    cells, n_cells = source.cells[:, columns], source.n_cells
    n_samples, n_columns = cells.shape
    maxima = np.empty((n_simulations, n_columns))
    for i in range(n_simulations):
        # A reference of its own for each stream, as above.
        reference = cells[resampled_rows(rng, n_samples, n_samples, block)]
        stream = cells[resampled_rows(rng, n_samples, n_updates, block)]
        shares = cumulated_shares(reference, n_cells)
        ranks = mid_ranks(shares)
        for j in range(n_columns):
            maxima[i, j] = method.maximum(stream[:, j], shares[j], ranks[j], window)
    return maxima
