"""What is kept of the reference: its quantiles, and the ranks of values among them."""

import numpy as np

# Values of a column are told apart by this many of its quantiles, least and largest value
# among them.
N_QUANTILES = 64


class Reference:
    """Columns of the reference, cut at their quantiles.

    A value becomes the number of its cell: below the first quantile, equal to it, between it
    and the second, and so on. All that follows depends on the order of values only, so that
    their distribution and scale play no part.

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
    return np.unique(np.linspace(0, n_samples - 1, N_QUANTILES).round().astype(int))


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
