"""Rows around the training data, and the distances to its nearest rows, to learn from."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

# Bounds of the lengths of the moves: shares of the difference of two rows, and multiples of
# the standard deviations of the columns.
SHORTEST_MOVE, LONGEST_MOVE = 0.05, 3.0
# Share of the columns that a move along few columns changes.
FEW_COLUMNS = 0.2
# Added to all distances, in units of the median distance of training rows: the logarithm of
# the distance between equal rows is not finite.
FLOOR = 0.01


class ReferenceRows:
    """Training rows to which distances are measured.

    All is computed in a unit in which the standard deviation of a column is about 1, and from
    the mean row, so that the squares of extreme values do not overflow.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, at least two.
    n_neighbors : int
        Number of nearest rows over which distances are averaged, below the number of rows.
    """

    def __init__(self, X: np.ndarray, n_neighbors: int):
        X = X.astype(np.float64)
        self._mean = X.mean(axis=0)
        spreads = X.std(axis=0)
        # The computed deviation of a column of equal values is some rounding error, and its
        # differences from the mean are, too.
        constant = X.max(axis=0) == X.min(axis=0)
        self._mean[constant] = X[0, constant]
        spreads[constant] = 0
        varying = spreads[spreads > 0]
        self._unit = np.sqrt(np.mean(varying**2)) if len(varying) else 0.0
        # Where all rows are equal, their values are the only scale there is.
        self._unit = self._unit or np.abs(X).max() or 1.0
        # A column that is constant may vary in new rows.
        self._spreads = np.where(spreads > 0, spreads / self._unit, 1).astype(np.float32)
        self._rows = ((X - self._mean) / self._unit).astype(np.float32)
        self._search = NearestNeighbors(n_neighbors=n_neighbors).fit(self._rows)

    def own_distances(self, indices: np.ndarray) -> np.ndarray:
        """Return the mean distances of reference rows to their nearest other rows.

        Parameters
        ----------
        indices : ndarray of shape (n,)
            Indices of the reference rows.

        Returns
        -------
        distances : ndarray of shape (n,)
            The distances, in the unit.
        """
        n_neighbors = self._search.n_neighbors
        distances, found = self._search.kneighbors(self._rows[indices], n_neighbors + 1)
        others = found != indices[:, None]
        # Of more equal rows than there are neighbours, the row itself may not be found.
        others[others.all(axis=1), -1] = False
        return (distances * others).sum(axis=1) / n_neighbors

    def draw_moved(
        self, n_rows: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows that are moved away from the reference rows.

        The first half is moved along the differences of two rows, which keeps to the
        directions in which the data vary. The second half is moved by noise, every second row
        of it on few columns only.

        Parameters
        ----------
        n_rows : int
            Number of rows.
        rng : numpy.random.Generator
            Source of the moves.

        Returns
        -------
        moved : ndarray of shape (n_rows, n_features), float32
            The rows.
        distances : ndarray of shape (n_rows,)
            Their mean distances to their nearest reference rows, in the unit.
        """
        n_samples, n_features = self._rows.shape
        if n_rows == 0:
            return np.empty((0, n_features), dtype=np.float32), np.empty(0)
        start, one, other = rng.integers(n_samples, size=(3, n_rows))
        n_along = n_rows // 2
        n_noisy = n_rows - n_along
        noise = rng.standard_normal((n_noisy, n_features), dtype=np.float32) * self._spreads
        few = rng.random((n_noisy // 2, n_features), dtype=np.float32) < FEW_COLUMNS
        few[np.arange(len(few)), rng.integers(n_features, size=len(few))] = True
        noise[: len(few)] *= few
        moved = np.empty((n_rows, n_features), dtype=np.float32)
        moved[:n_along] = self._rows[one[:n_along]] - self._rows[other[:n_along]]
        moved[n_along:] = noise
        lengths = SHORTEST_MOVE * (LONGEST_MOVE / SHORTEST_MOVE) ** rng.random((n_rows, 1))
        moved *= lengths.astype(np.float32)
        moved += self._rows[start]
        distances = self._search.kneighbors(moved)[0].mean(axis=1)
        limit = np.finfo(np.float32).max
        # Block by block, because the products are float64.
        for block in gen_batches(n_rows, 8192):
            moved[block] = np.clip(moved[block] * self._unit + self._mean, -limit, limit)
        return moved, distances

    def logarithms(self, *distances: np.ndarray) -> list[np.ndarray]:
        """Return the logarithms of distances in the unit, as those of distances in X.

        Parameters
        ----------
        *distances : ndarray of shape (n,)
            Distances of reference rows first, then of other rows.

        Returns
        -------
        logarithms : list of ndarray of shape (n,)
            Their logarithms, all finite.
        """
        known = [values[values > 0] for values in distances if (values > 0).any()]
        floor = FLOOR * (np.median(known[0]) if known else 1.0)
        return [np.log(values + floor) + np.log(self._unit) for values in distances]
