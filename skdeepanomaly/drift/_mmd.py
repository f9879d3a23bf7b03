"""Maximum mean discrepancy of the last window and the reference, by random features."""

import numpy as np
from scipy.special import kolmogorov

from ._null import resampled_rows
from ._reference import Reference, mid_ranks
from ._window import CellWindow, step_of, tested_sums

N_FEATURES = 128
# The width of the kernel is the median distance of this many pairs of rows.
N_PAIRS = 1000


class MeanDiscrepancy:
    """The squared distance of mean features of window and reference, for all columns together.

    Random features of a Gaussian kernel on ranks (Rahimi & Recht, 2007) make an update as
    cheap as the rows are wide, whatever the size of the reference.

    Parameters
    ----------
    reference : Reference
        The reference.
    window : int
        Number of updates in a window.
    memory : float
        Over how many updates values depend on each other.
    seed : int
        Seed of the features.
    """

    n_simulations = 500
    largest = np.inf

    def __init__(self, reference: Reference, window: int, memory: float, seed: int):
        rng = np.random.default_rng(seed)
        self._ranks = mid_ranks(reference.shares)
        self._columns = np.arange(reference.n_columns)
        rows = self._ranks[self._columns, reference.cells]
        pairs = rng.integers(len(rows), size=(2, N_PAIRS))
        distances = np.linalg.norm(rows[pairs[0]] - rows[pairs[1]], axis=1)
        width = float(np.median(distances)) or 1.0
        shape = reference.n_columns, N_FEATURES
        self._weights = rng.normal(scale=1 / width, size=shape).astype(np.float32)
        self._phases = rng.uniform(0, 2 * np.pi, size=N_FEATURES).astype(np.float32)
        self._reference_features = self._features(reference.cells)
        self._mean = self._reference_features.mean(axis=0, dtype=np.float64)
        self._shares, self._n_samples = reference.shares, reference.n_samples
        self._memory = memory
        self._cells = CellWindow(reference, window)
        self._window = np.zeros((window, N_FEATURES), dtype=np.float32)
        self._n_seen = 0

    def _features(self, cells: np.ndarray) -> np.ndarray:
        rows = self._ranks[self._columns, cells].astype(np.float32)
        return np.cos(rows @ self._weights + self._phases) * np.float32((2 / N_FEATURES) ** 0.5)

    def simulate(self, n_updates: int, block: int, seed: int) -> np.ndarray:
        """Return the largest statistic in each of many streams of rows of the reference.

        Parameters
        ----------
        n_updates : int
            Number of updates in a stream.
        block : int
            Number of rows in a block.
        seed : int
            Seed of the streams.
        """
        rng = np.random.default_rng(seed)
        features = self._reference_features
        n_samples, window, step = self._n_samples, len(self._window), step_of(len(self._window))
        n_steps = n_updates // step
        maxima = np.empty(self.n_simulations)
        for i in range(self.n_simulations):
            # How often each row is in the reference says the same as the rows.
            drawn = resampled_rows(rng, n_samples, n_samples, block)
            counts = np.bincount(drawn, minlength=n_samples).astype(np.float32)
            mean = counts @ features / n_samples
            rows = resampled_rows(rng, n_samples, n_steps * step, block)
            sums = features[rows].reshape(n_steps, step, -1).sum(axis=1)
            shifts = tested_sums(sums, window) / window - mean
            maxima[i] = np.einsum("ij,ij->i", shifts, shifts).max()
        return maxima

    def forget_reference(self) -> None:
        """Keep the mean of the features only."""
        del self._reference_features

    def update(self, cells: np.ndarray) -> np.ndarray | None:
        """Take the cells of a row; return the statistic, shape (1,), or None between tests."""
        self._window[self._n_seen % len(self._window)] = self._features(cells[None])[0]
        self._n_seen += 1
        if not self._cells.push(cells):
            return None
        shift = self._window.mean(axis=0, dtype=np.float64) - self._mean
        return np.array([shift @ shift])

    def moved_columns(self, alpha: float) -> np.ndarray:
        """Return which columns moved by themselves, by a Kolmogorov-Smirnov test of each."""
        distance = np.abs(self._cells.shares() - self._shares).max(axis=1)
        sizes = np.array([len(self._window), self._n_samples]) / self._memory
        size = sizes.prod() / sizes.sum()
        return kolmogorov(np.sqrt(size) * distance) <= alpha / len(self._columns)

    def restart(self) -> None:
        """Forget all updates."""
        self._cells.restart()
        self._n_seen = 0
