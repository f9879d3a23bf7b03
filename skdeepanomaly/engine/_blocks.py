"""Rows through a fitted network, block by block."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from skorch import NeuralNet

from ..utils.validation import spread

# Rows that are scored at once, the reference first; larger blocks only up to this number
# of values. Below 32 rows matrix products take other code paths with other rounding.
BLOCK_ROWS = (64, 1024, 8192)
BLOCK_VALUES = 8 * 2**20


def block_sizes(n_features: int) -> list[int]:
    """Return the numbers of rows that are scored at once, ascending."""
    reference, *larger = BLOCK_ROWS
    return [reference, *(size for size in larger if size * n_features <= BLOCK_VALUES)]


def map_in_blocks(
    function: Callable,
    X: np.ndarray,
    device: str,
    *,
    dtype=np.float64,
) -> np.ndarray:
    """Map rows so that the result of a row does not depend on the rows around it.

    float32 matrix products of different shapes may round differently. Rows go through
    the network in blocks of few fixed shapes, the last block filled up with zeros. The
    smallest shape is the reference. A larger one is used as long as rows from all over
    its first block get the same bits from it as from the reference.

    Parameters
    ----------
    function : callable
        Maps a tensor (n_rows, n_features) to one of shape (n_rows, ...).
    X : ndarray of shape (n_samples, n_features)
        The rows; converted to float32 block by block.
    device : str
        Where to compute.
    dtype : dtype, default=np.float64
        Type of the result.

    Returns
    -------
    mapped : ndarray of shape (n_samples, ...)

    Notes
    -----
    This function gives equal bits only if ``function`` treats all places of a block
    alike. Matrix products with few output columns do not: see
    :func:`skdeepanomaly.networks.rowwise_product`.
    """
    n_samples, n_features = X.shape
    reference, *larger = block_sizes(n_features)
    mapped = None
    start = 0
    with torch.inference_mode():
        for size in [*reversed(larger), reference]:
            proven = size == reference
            while n_samples - start >= size or (size == reference and start < n_samples):
                stop = min(start + size, n_samples)
                # A copy: a module of the user's may work in place.
                rows = torch.zeros(size, n_features)
                rows.numpy()[: stop - start] = X[start:stop]
                block = function(rows.to(device))[: stop - start].cpu().numpy()
                if not proven:
                    places = np.linspace(0, size - 1, reference).astype(int)
                    sample = torch.from_numpy(X[start + places].astype(np.float32))
                    alone = function(sample.to(device)).cpu().numpy()
                    if not np.array_equal(alone, block[places], equal_nan=True):
                        break
                    proven = True
                if mapped is None:
                    mapped = np.empty((n_samples, *block.shape[1:]), dtype=dtype)
                mapped[start:stop] = block
                start = stop
    return mapped


def iter_outputs(
    net: NeuralNet, X: np.ndarray, function: Callable | None = None, size: int | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield rows, block by block, and what the module makes of them in evaluation mode.

    For sums and centres, which need no equal rounding; scores go through
    :func:`map_in_blocks`.

    Parameters
    ----------
    net : NeuralNet
        The net whose module is evaluated.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable or None, default=None
        Maps rows (n, n_features) to a tensor, in place of the module.
    size : int or None, default=None
        Rows in a block; None takes as many as scoring does.

    Yields
    ------
    rows : torch.Tensor of shape (n, n_features)
        A block of rows, on the device of the net.
    output : object
        Output of the module, or of ``function``.
    """
    size = size or block_sizes(X.shape[1])[-1]
    net.eval()
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
    """Return the mean over rows of a function of them in evaluation mode.

    Parameters
    ----------
    net : NeuralNet
        Says where to compute.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable
        Maps rows (n, n_features) to a tensor (n, ...).
    max_rows : int, default=10_000
        Of more rows this many are used, evenly spread.
    size : int or None, default=None
        Rows that are evaluated at once; None takes as many as scoring does.

    Returns
    -------
    mean : torch.Tensor
        Of shape (...).
    """
    rows = spread(X, max_rows)
    mapped = iter_outputs(net, rows, function, size)
    return sum(values.sum(dim=0) for _, values in mapped) / len(rows)


def spread_tensor(X: np.ndarray, device: str, n_rows: int = 10_000) -> torch.Tensor:
    """Return at most ``n_rows`` rows, evenly spread over the table, as a float32 tensor.

    They suffice for means, variances and extents, whatever the size of the table.
    """
    return torch.from_numpy(np.array(spread(X, n_rows), dtype=np.float32)).to(device)
