"""What is kept of the reference: the ranks of its values, and how long they remember."""

import numpy as np

# Values of a column are told apart by this many of its quantiles.
N_QUANTILES = 64
# An autocorrelation below this many standard errors counts as none.
N_ERRORS = 2.0


class Reference:
    """Columns of the reference, cut at their quantiles.

    A value becomes the number of its cell: below the first quantile, equal to it, between it and
    the second, and so on. All that follows depends on the order of values only, so that their
    distribution and scale play no part.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Rows of the reference.
    """

    def __init__(self, X: np.ndarray):
        self.n_samples, self.n_columns = X.shape
        ordered = np.sort(X, axis=0)
        places = quantile_places(self.n_samples)
        self.edges = [np.unique(column[places]) for column in ordered.T]
        self.n_cells = 2 * max(map(len, self.edges)) + 1
        self.cells = self.encode(X)
        self.shares = cumulated_shares(self.cells, self.n_cells)

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return the cells of values, shape (n_samples, n_columns)."""
        cells = np.empty(X.shape, dtype=np.int16)
        for column, edges in enumerate(self.edges):
            values = X[:, column]
            cells[:, column] = edges.searchsorted(values, "left")
            cells[:, column] += edges.searchsorted(values, "right").astype(np.int16)
        return cells


def quantile_places(n_samples: int) -> np.ndarray:
    """Return the places of the quantiles among the sorted values of a column."""
    return np.unique(np.linspace(0, n_samples - 1, N_QUANTILES + 2).round().astype(int))[1:-1]


def cumulated_shares(cells: np.ndarray, n_cells: int) -> np.ndarray:
    """Return which share of values lies up to each cell, shape (n_columns, n_cells)."""
    counts = [np.bincount(column, minlength=n_cells) for column in cells.T]
    return np.cumsum(counts, axis=1) / len(cells)


def mid_ranks(shares: np.ndarray) -> np.ndarray:
    """Return the mean rank of a value in each cell, from 0 to 1.

    Parameters
    ----------
    shares : ndarray of shape (..., n_cells)
        As ``cumulated_shares`` returns it.
    """
    ranks = shares.copy()
    ranks[..., 1:] += shares[..., :-1]
    return ranks / 2


def memory_of(ranks: np.ndarray) -> float:
    """Return over how many updates values of a column depend on each other.

    This is the integrated autocorrelation time: the variance of the mean of many values is this
    many times as large as if they were independent. Its sum ends as in Sokal (1997), at five
    times its own value. Absolute values are summed, so that a rhythm, whose autocorrelations
    cancel out, counts as a long memory.

    Parameters
    ----------
    ranks : ndarray of shape (n_samples, n_columns)
        Ranks of the reference, in the order of time.

    Returns
    -------
    memory : float
        The largest of all columns; 1.0 if no value depends on others.
    """
    n_samples = len(ranks)
    centered = ranks - ranks.mean(axis=0)
    size = 1 << (2 * n_samples - 1).bit_length()
    worst = 1.0
    for column in centered.T:
        if not column.any():
            continue
        power = np.abs(np.fft.rfft(column, size)) ** 2
        products = np.fft.irfft(power, size)[:n_samples]
        correlations = np.abs(products / products[0])
        excess = np.maximum(correlations[1:] - N_ERRORS / np.sqrt(n_samples), 0)
        times = 1 + 2 * np.cumsum(excess)
        ends = np.flatnonzero(np.arange(1, n_samples) >= 5 * times)
        worst = max(worst, times[ends[0] if len(ends) else -1])
    # Chance makes a little.
    return worst if worst > 1 + 6 / np.sqrt(n_samples) else 1.0
