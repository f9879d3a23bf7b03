"""Adaptive windows (ADWIN) of river on ranks."""

from typing import Any

import numpy as np

from ._reference import Reference, mid_ranks

# The strength is minus the logarithm of delta; smaller numbers than this have no logarithm.
MAX_STRENGTH = 700.0
# How precisely the strength is found at which a simulated stream is just quiet: to this share
# of itself, or of 1.
PRECISION = 0.05


class AdaptiveWindows:
    """A window for each column that drops its older part once that has another mean.

    Parameters
    ----------
    reference : Reference
        The reference, whose ranks bring values between 0 and 1.
    window : int
        Not used: windows adapt their length.
    """

    # Streams are watched by river several times each.
    n_simulations = 200
    largest = np.inf

    def __init__(self, reference: Reference, window: int):
        self._ranks = mid_ranks(reference.shares)
        self._columns = np.arange(reference.n_columns)
        self._strengths: list[float] = []
        self._windows: list[Any] = []

    def set_critical_values(self, strengths: np.ndarray) -> None:
        """Set minus the logarithm of delta of each column."""
        self._strengths = strengths.tolist()
        self.restart()

    def update(self, cells: np.ndarray) -> np.ndarray:
        """Take the cells of a row; return infinity for columns that moved, 0 for others."""
        ranks = self._ranks[self._columns, cells].tolist()
        moved = []
        for window, rank in zip(self._windows, ranks, strict=True):
            window.update(rank)
            moved.append(np.inf if window.drift_detected else 0.0)
        return np.array(moved)

    def restart(self) -> None:
        """Forget all updates."""
        self._windows = [new_window(strength) for strength in self._strengths]

    @staticmethod
    def maximum(cells: np.ndarray, shares: np.ndarray, ranks: np.ndarray, window: int) -> float:
        """Return the smallest strength at which a stream of one column raises no alarm.

        A window is the same for all values of delta until its first alarm, so that a stream
        which is quiet at some strength is quiet at all larger ones.
        """
        values = ranks[cells].tolist()
        low, high = 0.0, 1.0
        while high < MAX_STRENGTH and raises_alarm(values, high):
            low, high = high, 2 * high
        while high - low > PRECISION * max(high, 1.0):
            middle = (low + high) / 2
            if raises_alarm(values, middle):
                low = middle
            else:
                high = middle
        return high


def raises_alarm(values: list[float], strength: float) -> bool:
    """Whether a window raises an alarm in a stream."""
    window = new_window(strength)
    for value in values:
        window.update(value)
        if window.drift_detected:
            return True
    return False


def new_window(strength: float) -> Any:
    """Return a window of river.

    Parameters
    ----------
    strength : float
        Minus the logarithm of delta.

    Raises
    ------
    ImportError
        If river is not installed.
    """
    try:
        from river.drift import ADWIN
    except ImportError as error:
        raise ImportError(
            'method="adwin" needs river: pip install "skdeepanomaly[stream]". The methods'
            ' "ks", "mmd" and "page_hinkley" need nothing more.'
        ) from error
    return ADWIN(delta=float(np.exp(-min(strength, MAX_STRENGTH))))
