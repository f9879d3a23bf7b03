"""Rows through a network, block by block."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from skorch import NeuralNet

# Rows that are scored at once, the reference first; larger blocks only up to this number
# of values. Below 32 rows matrix products take other code paths with other rounding.
BLOCK_ROWS = (64, 1024, 8192)
BLOCK_VALUES = 8 * 2**20


def block_sizes(n_features: int) -> list[int]:
    """Return the numbers of rows that are scored at once, ascending."""
    reference, *larger = BLOCK_ROWS
    return [reference, *(size for size in larger if size * n_features <= BLOCK_VALUES)]


def iter_outputs(
    net: NeuralNet, X: np.ndarray, function: Callable | None = None, size: int | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield rows, block by block, and what the module makes of them in evaluation mode.

    ``function`` maps rows, where it is given, in place of the module; ``size`` is the
    number of rows in a block.
    """
    size = size or block_sizes(X.shape[1])[-1]
    net._set_training(False)
    with torch.no_grad():
        for start in range(0, len(X), size):
            rows = torch.from_numpy(np.array(X[start : start + size], dtype=np.float32))
            rows = rows.to(net.device)
            yield rows, (function or net.module_)(rows)


def mean_over_rows(
    net: NeuralNet,
    X: np.ndarray,
    function: Callable,
    *,
    max_rows: int = 10_000,
    size: int | None = None,
) -> torch.Tensor:
    """Return the mean over rows of what a function makes of them in evaluation mode.

    Parameters
    ----------
    net : NeuralNet
        Where to compute.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable
        Maps rows (n, n_features) to a tensor (n, ...).
    max_rows : int, default=10_000
        Of more rows so many are used, spread evenly.
    size : int or None, default=None
        Rows that are evaluated at once; None takes as many as scoring does.

    Returns
    -------
    mean : torch.Tensor
        Of shape (...).
    """
    rows = X[:: -(-len(X) // max_rows)]
    mapped = iter_outputs(net, rows, function, size)
    return sum(values.sum(dim=0) for _, values in mapped) / len(rows)


def spread_rows(X: np.ndarray, device: str, n_rows: int = 10_000) -> torch.Tensor:
    """Return at least ``n_rows`` rows spread over the table, or all where there are fewer.

    They suffice for means, variances and extents, whatever the size of the table.
    """
    rows = X[:: max(1, len(X) // n_rows)]
    return torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)


def map_in_blocks(
    function: Callable,
    X: np.ndarray,
    device: str,
    *,
    copy: bool = False,
    dtype=np.float64,
) -> np.ndarray:
    """Map rows so that what a row gives does not depend on the rows around it.

    float32 matrix products of different shapes may round differently. Rows go through
    the network in blocks of few fixed shapes; the smallest one is the reference, and a
    larger one is used as long as it gives the same bits for the same rows.

    Parameters
    ----------
    function : callable
        Maps a tensor (n_rows, n_features) to one of shape (n_rows, ...).
    X : ndarray of shape (n_samples, n_features)
        The rows; converted to float32 block by block.
    device : str
        Where to compute.
    copy : bool, default=False
        Whether ``function`` may overwrite its argument, so that it must not see ``X``.
    dtype : dtype, default=np.float64
        Type of the result.

    Returns
    -------
    mapped : ndarray of shape (n_samples, ...)
    """
    n_samples, n_features = X.shape
    reference, *larger = block_sizes(n_features)
    # torch.from_numpy warns of arrays that cannot be written to.
    in_place = not copy and X.dtype == np.float32
    in_place = in_place and X.flags.c_contiguous and X.flags.writeable

    def compute(start: int, size: int) -> np.ndarray:
        stop = min(start + size, n_samples)
        if in_place and stop - start == size:
            rows = torch.from_numpy(X[start:stop])
        else:
            rows = torch.zeros(size, n_features, dtype=torch.float32)
            rows.numpy()[: stop - start] = X[start:stop]
        return function(rows.to(device))[: stop - start].cpu().numpy()

    mapped = None
    start = 0
    with torch.inference_mode():
        for size in [*reversed(larger), reference]:
            proven = size == reference
            while n_samples - start >= size or (size == reference and start < n_samples):
                block = compute(start, size)
                if not proven:
                    head = compute(start, reference)
                    if not np.array_equal(head, block[:reference], equal_nan=True):
                        break
                    proven = True
                if mapped is None:
                    mapped = np.empty((n_samples, *block.shape[1:]), dtype=dtype)
                mapped[start : start + size] = block
                start += size
    return mapped
