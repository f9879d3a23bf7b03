"""A uniform sample of all rows that were passed to ``partial_fit``."""

import numpy as np


class Reservoir:
    """A uniform sample of rows that arrive in several calls.

    A random key is drawn for each row, and the rows with the smallest keys are kept.

    Parameters
    ----------
    size : int
        Largest number of rows in the sample.

    Attributes
    ----------
    rows : ndarray of shape (n_kept, n_features) or None
        The sample, in float32; None before the first call of :meth:`add`.
    keys : ndarray of shape (n_kept,)
        The keys of these rows.
    """

    rows: np.ndarray | None = None

    def __init__(self, size: int):
        self.size = size
        self.keys = np.empty(0)

    def add(self, X: np.ndarray, seed: int) -> "Reservoir":
        """Return a new reservoir that has seen more rows; this reservoir is not changed.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The new rows.
        seed : int
            Seed of the keys of the new rows.

        Returns
        -------
        reservoir : Reservoir
            A sample of the rows of this reservoir and the new ones.
        """
        n_old = len(self.keys)
        keys = np.concatenate([self.keys, np.random.default_rng(seed).random(len(X))])
        kept = np.arange(len(keys))
        if len(keys) > self.size:
            kept = smallest(keys, self.size)
        added = Reservoir(self.size)
        added.keys = keys[kept]
        added.rows = np.asarray(X[kept[kept >= n_old] - n_old], dtype=np.float32)
        if self.rows is not None:
            added.rows = np.concatenate([self.rows[kept[kept < n_old]], added.rows])
        return added


def smallest(keys: np.ndarray, n: int) -> np.ndarray:
    """Return the places of the n smallest of more than n keys, in ascending order."""
    return np.sort(np.argpartition(keys, n)[:n])
