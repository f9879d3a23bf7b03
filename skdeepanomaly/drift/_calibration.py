"""Thresholds of a method, so that false alarms have the stated probability."""

from typing import Any, Literal

import numpy as np

from ..utils.warn import warn_user
from ._adwin import AdaptiveWindows
from ._ks import KolmogorovSmirnov
from ._memory import Memory
from ._mmd import MeanDiscrepancy
from ._null import NullDistribution, block_maxima, independent_maxima
from ._page_hinkley import PageHinkley
from ._reference import Reference, mid_ranks

METHODS: dict[str, Any] = {
    "ks": KolmogorovSmirnov,
    "mmd": MeanDiscrepancy,
    "page_hinkley": PageHinkley,
    "adwin": AdaptiveWindows,
}
# A block is this many times as long as values depend on each other.
BLOCK_PER_MEMORY = 2
# With fewer blocks than this the reference says little about chance.
MIN_BLOCKS = 20
# What "auto" takes: a window of so many updates, or of so many blocks.
WINDOW = 200
BLOCKS_PER_WINDOW = 20
# Streams of many columns take long: all columns together have this many times the simulations.
MAX_COLUMN_FACTOR = 4
MIN_SIMULATIONS = 200


def block_length(block: int | Literal["auto"], memory: Memory, n_samples: int) -> int:
    """Return the number of rows in a block.

    Parameters
    ----------
    block : int or "auto"
        The parameter.
    memory : Memory
        That of the reference.
    n_samples : int
        Number of rows of the reference.

    Raises
    ------
    ValueError
        If the reference has less than two blocks.
    """
    if block != "auto":
        length = int(block)
        if 2 * length > n_samples:
            raise ValueError(
                f"block={length} needs a reference of {2 * length} rows or more, got"
                f" {n_samples}."
            )
    else:
        longest = memory.times.max()
        length = 1 if longest == 1 else int(np.ceil(BLOCK_PER_MEMORY * longest))
    if length > 1 and n_samples < MIN_BLOCKS * length:
        warn_user(
            f"The reference has {n_samples} rows, and blocks of {length} are less than"
            f" {MIN_BLOCKS} of them: false alarms may be more than alpha says. Take a longer"
            " reference, or fewer updates from the stream: each tenth, for example."
        )
    return min(length, max(1, n_samples // 2))


def window_length(window: int | Literal["auto"], block: int, per: int) -> int:
    """Return the number of rows in a window.

    Parameters
    ----------
    window : int or "auto"
        The parameter.
    block : int
        Number of rows in a block.
    per : int
        Number of updates that the level is for.
    """
    if window != "auto":
        return int(window)
    longest = max(20, per // 10 * 10)
    return min(max(WINDOW, BLOCKS_PER_WINDOW * block), longest)


def make_monitor(
    name: str,
    reference: Reference,
    memory: Memory,
    *,
    block: int,
    window: int,
    per: int,
    alpha: float,
    seed: int,
) -> tuple[Any, list[NullDistribution], np.ndarray]:
    """Make what takes the updates, and the thresholds of its statistics.

    Parameters
    ----------
    name : str
        The method.
    reference : Reference
        The reference.
    memory : Memory
        Its memory.
    block, window, per : int
        Numbers of updates: in a block, in a window, and those that the level is for.
    alpha : float
        The level.
    seed : int
        Seed of the simulations.

    Returns
    -------
    monitor : object
        Has ``update(cells)``, which returns statistics or None, and ``restart()``.
    nulls : list of NullDistribution
        What each statistic does without drift.
    thresholds : ndarray of shape (n_statistics,)
        Their values that raise an alarm when they are exceeded.
    """
    method, n_columns = METHODS[name], reference.n_columns
    if name == "mmd":
        longest = float(memory.times.max()) if block > 1 else 1.0
        monitor = method(reference, window, longest, seed)
        maxima = monitor.simulate(per, block, seed)
        factors = _dependence_factors(memory, block, len(maxima), seed)
        nulls = [NullDistribution(factors.max(axis=1) * maxima)]
        monitor.forget_reference()
    elif block == 1:
        monitor = method(reference, window)
        settings = (window, reference.n_samples, per, method.n_simulations, seed)
        nulls = [NullDistribution(independent_maxima(method, *settings))] * n_columns
    else:
        monitor = method(reference, window)
        n_all = MAX_COLUMN_FACTOR * method.n_simulations
        n_simulations = min(method.n_simulations, max(n_all // n_columns, MIN_SIMULATIONS))
        columns = np.arange(n_columns)
        if name == "adwin" and n_columns > MAX_COLUMN_FACTOR:
            columns = _hardest_columns(reference, memory)
        maxima = block_maxima(
            method, window, reference, columns, per, block, n_simulations, seed
        )
        maxima *= _dependence_factors(memory, block, n_simulations, seed)[:, columns]
        if len(columns) < n_columns:
            nulls = [NullDistribution(maxima.max(axis=1))] * n_columns
        else:
            nulls = [NullDistribution(one) for one in maxima.T]
    thresholds = np.array([null.critical_value(alpha / len(nulls)) for null in nulls])
    if name == "adwin":
        monitor.set_critical_values(thresholds)
    if n_mute := np.count_nonzero(thresholds >= method.largest):
        warn_user(
            f"No change can raise an alarm in {n_mute} of {n_columns} columns: at alpha={alpha}"
            f" a window of {window} updates says too little. Take a longer window, a longer"
            " reference, or fewer columns."
        )
    return monitor, nulls, thresholds


def _hardest_columns(reference: Reference, memory: Memory) -> np.ndarray:
    """Return the columns with the longest memory, among those that vary as others do."""
    ranks = mid_ranks(reference.shares)[np.arange(reference.n_columns), reference.cells]
    variances = ranks.var(axis=0)
    times = np.where(variances >= variances.max() / 2, memory.times, 0)
    return np.sort(np.argsort(times)[-MAX_COLUMN_FACTOR:])


def _dependence_factors(
    memory: Memory, block: int, n_simulations: int, seed: int
) -> np.ndarray:
    """Return what the maxima in streams of blocks are multiplied by, for each column.

    All statistics grow as variances of means do. Blocks lose a part of these, which is known as
    well as the memory is: each stream has an error of it.
    """
    if block == 1:
        return np.ones((n_simulations, 1))
    errors = np.random.default_rng([seed, 1]).normal(size=(n_simulations, 1))
    return memory.lost_by_blocks(block) * np.exp(memory.errors * errors)
