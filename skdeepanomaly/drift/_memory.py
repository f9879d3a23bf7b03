"""For how long values of a stream depend on each other."""

import numpy as np
from scipy.stats import norm

# Probability that independent columns are taken for dependent ones.
CHANCE = 0.01
# So many lags at least have no autocorrelation where a memory ends.
N_QUIET_LAGS = 10
# Lags are summed up to this many times the last one that has an autocorrelation beyond doubt.
LAGS_MORE = 3


class Memory:
    """Autocorrelations of the ranks of a reference.

    Parameters
    ----------
    ranks : ndarray of shape (n_samples, n_columns)
        Ranks, in the order of time.

    Notes
    -----
    The memory of a column is its integrated autocorrelation time: the variance of the mean of
    many values is so many times as large as that of independent values. Lags count up to three
    times the last one with an autocorrelation that is no chance. Their absolute values are
    summed, so that a rhythm, whose autocorrelations cancel out, counts as a long memory. The
    sum is corrected for the error of the mean (Wolff, "Monte Carlo errors with less errors",
    2004).
    """

    def __init__(self, ranks: np.ndarray):
        n_samples, n_columns = ranks.shape
        limit = norm.isf(CHANCE / (2 * N_QUIET_LAGS * n_columns)) / np.sqrt(n_samples)
        self._correlations = [_correlations(column, limit) for column in ranks.T]
        corrections = [1 + (2 * len(one) + 1) / n_samples for one in self._correlations]
        sums = [1 + 2 * one.sum() for one in self._correlations]
        self.times = np.array(
            [
                total * correction if len(one) else 1.0
                for one, total, correction in zip(
                    self._correlations, sums, corrections, strict=True
                )
            ]
        )

        n_lags = np.array([len(one) for one in self._correlations])
        # Relative standard errors of the times, after Wolff.
        self.errors = np.where(n_lags > 0, np.sqrt((4 * n_lags + 2) / n_samples), 0.0)

    def lost_by_blocks(self, block: int) -> np.ndarray:
        """Return how many times as large variances of means are as those of blocks say.

        Parameters
        ----------
        block : int
            Number of rows in a block. Rows before and after a join do not depend on each
            other; those of a stream do.

        Returns
        -------
        factors : ndarray of shape (n_columns,)
            1 or more.
        """
        kept = []
        for one in self._correlations:
            share = np.maximum(1 - np.arange(1, len(one) + 1) / block, 0)
            kept.append(1 + 2 * (share * one).sum())
        return np.maximum(self.times / np.array(kept), 1.0)


def _correlations(column: np.ndarray, limit: float) -> np.ndarray:
    """Return the absolute autocorrelations from lag 1 on, none if all are below the limit."""
    n_samples = len(column)
    column = column - column.mean()
    if not column.any():
        return np.empty(0)
    size = 1 << (2 * n_samples - 1).bit_length()
    products = np.fft.irfft(np.abs(np.fft.rfft(column, size)) ** 2, size)[: n_samples // 2]
    found = np.abs(products[1:] / products[0])
    # The error of an autocorrelation grows with those of smaller lags (Bartlett's formula).
    errors = np.sqrt(1 + 2 * np.cumsum(found**2) - 2 * found**2)
    last = 0
    for lag in np.flatnonzero(found > limit * errors) + 1:
        if lag > LAGS_MORE * last + N_QUIET_LAGS:
            break
        last = int(lag)
    return found[: LAGS_MORE * last]
