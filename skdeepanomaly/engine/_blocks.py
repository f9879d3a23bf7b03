"""Evaluation of a fitted network on rows, block by block."""

from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np
import torch
from numpy.typing import DTypeLike
from skorch import NeuralNet
from torch import nn

from ..utils.rows import spread
from ._defaults import evaluation_defaults
from ._rowwise import RowwiseLinear

# Numbers of rows in a block, the reference first. The larger blocks are used only if they have
# at most BLOCK_VALUES values. The reference has more than 32 rows, because matrix products of
# fewer rows use other code with other rounding.
BLOCK_ROWS = (64, 256, 1024, 8192)
BLOCK_VALUES = 8 * 2**20
# A larger block is used for so many rows as fill it to this share.
LEAST_FILLED = 0.75


def block_sizes(width: int) -> list[int]:
    """Return the numbers of rows in a block that may be used, in ascending order.

    Parameters
    ----------
    width : int
        Largest number of values that are held for a row at once: of its features, or of the
        output of a layer for it.

    Returns
    -------
    sizes : list of int
        Numbers of rows.
    """
    reference, *larger = BLOCK_ROWS
    return [reference, *(size for size in larger if size * width <= BLOCK_VALUES)]


def map_in_blocks(
    function: Callable,
    X: np.ndarray,
    device: str,
    *,
    dtype: DTypeLike = np.float64,
    width: int | None = None,
) -> np.ndarray:
    """Map rows so that the result of a row does not depend on the other rows.

    float32 matrix products of different shapes can round differently. Therefore the rows are
    evaluated in blocks of a few fixed shapes, and the last blocks are filled up with zeros. The
    smallest shape is the reference. A larger shape is used only if rows from all parts of its
    first block get results that are equal, bit for bit, to those of the reference.

    Parameters
    ----------
    function : callable
        Maps a tensor of shape (n_rows, n_features) to a tensor of shape (n_rows, ...).
    X : ndarray of shape (n_samples, n_features)
        The rows; they are converted to float32 block by block.
    device : str
        Device on which the function is evaluated.
    dtype : dtype, default=np.float64
        Type of the result.
    width : int or None, default=None
        Largest number of values that are held for a row, as in :func:`block_sizes`. None is
        the number of features.

    Returns
    -------
    mapped : ndarray of shape (n_samples, ...)
        The results.

    Notes
    -----
    The result of a row is independent of its position only if ``function`` rounds all rows of
    a block alike. Linear layers do so here. Other matrix products with few output columns do
    not: see :func:`skdeepanomaly.networks.rowwise_product`.
    """
    n_samples, n_features = X.shape
    reference, *larger = block_sizes(width or n_features)
    start = 0
    with evaluation_defaults(), RowwiseLinear():
        for size in [*reversed(larger), reference]:
            proven = size == reference
            least = 1 if proven else LEAST_FILLED * size
            if n_samples - start < least:
                continue
            # Rows are copied, because a custom module may change its input in place; into one
            # buffer, because new memory for each block would cost more than the copy.
            rows = torch.empty(size, n_features, dtype=torch.float32)
            while n_samples - start >= least:
                stop = min(start + size, n_samples)
                rows.numpy()[: stop - start] = X[start:stop]
                rows[stop - start :] = 0
                block = function(rows.to(device))[: stop - start].cpu().numpy()
                if not proven:
                    places = np.linspace(0, stop - start - 1, reference).astype(int)
                    sample = torch.from_numpy(X[start + places].astype(np.float32))
                    alone = function(sample.to(device)).cpu().numpy()
                    # If the results differ, go on with the next smaller size.
                    if not np.array_equal(alone, block[places], equal_nan=True):
                        break
                    proven = True
                if start == 0:
                    mapped = np.empty((n_samples, *block.shape[1:]), dtype=dtype)
                mapped[start:stop] = block
                start = stop
    return mapped


def iter_outputs(
    net: NeuralNet, X: np.ndarray, function: Callable | None = None, size: int | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield blocks of rows, and the output of the module for them in evaluation mode.

    This is for means and centres, where the rounding of single rows does not matter. Scores
    need :func:`map_in_blocks`.

    Parameters
    ----------
    net : NeuralNet
        The net whose module is evaluated.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable or None, default=None
        Maps rows (n, n_features) to a tensor. If given, it is evaluated instead of the module.
    size : int or None, default=None
        Number of rows in a block. None is the largest block of :func:`block_sizes`.

    Yields
    ------
    rows : torch.Tensor of shape (n, n_features)
        A block of rows, on the device of the net.
    output : object
        Output of the module, or of ``function``.
    """
    size = size or block_sizes(net.width or X.shape[1])[-1]
    net.eval()
    with torch.no_grad():
        for start in range(0, len(X), size):
            rows = torch.from_numpy(
                np.array(X[start : start + size], dtype=np.float32, order="C")
            )
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
    """Return the mean over rows of a function that is evaluated in evaluation mode.

    Parameters
    ----------
    net : NeuralNet
        The net; its modules are put into evaluation mode, and its device is used.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable
        Maps rows (n, n_features) to a tensor of shape (n, ...).
    max_rows : int, default=10_000
        If there are more rows, at most this many, evenly spread, are used.
    size : int or None, default=None
        Number of rows in a block. None is the largest block of :func:`block_sizes`.

    Returns
    -------
    mean : torch.Tensor of shape (...)
        The mean.
    """
    rows = spread(X, max_rows)
    mapped = iter_outputs(net, rows, function, size)
    return reduce(torch.add, (values.sum(dim=0) for _, values in mapped)) / len(rows)


def spread_tensor(X: np.ndarray, device: str, n_rows: int = 10_000) -> torch.Tensor:
    """Return at most ``n_rows`` rows, evenly spread over the table, as a float32 tensor.

    So many rows are enough for means, variances and ranges of tables of any size.
    """
    return torch.from_numpy(np.array(spread(X, n_rows), dtype=np.float32, order="C")).to(device)


def widest_output(module: nn.Module, n_features: int, device: str) -> int:
    """Return the largest number of values that a layer of a module gives for one row.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    n_features : int
        Number of features of a row.
    device : str
        Device of the module.

    Returns
    -------
    width : int
        The largest number of values, at least ``n_features``.
    """
    rows = torch.zeros(2, n_features, device=device)
    widths = [n_features]

    def note(layer, inputs, output):
        if torch.is_tensor(output) and len(output) == len(rows):
            widths.append(output.numel() // len(rows))

    hooks = [layer.register_forward_hook(note) for layer in module.modules()]
    was_training = module.training
    try:
        with torch.no_grad():
            module.eval()(rows)
    finally:
        module.train(was_training)
        for hook in hooks:
            hook.remove()
    return max(widths)
