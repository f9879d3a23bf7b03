"""Batches of rows and labels, read from arrays or memory maps."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from skorch.dataset import Dataset
from torch.utils.data import Subset

# Size of the buffer in which rows are shuffled. A table that fits into the buffer is permuted
# as a whole. For a larger table the buffer is filled with random chunks from all parts of the
# table: a memory map is then read in runs of neighbouring rows, and is never in memory as a
# whole.
SHUFFLE_BUFFER_BYTES = 32 * 2**20
CHUNK_BYTES = 128 * 2**10


class TensorLoader:
    """Iterator over batches of rows and labels.

    Whole batches are indexed, which is faster than torch's DataLoader, which collects the rows
    one by one. A batch is a pair of rows and labels; the labels are None if the dataset has
    none. If ``shuffle`` is set, a last batch of a single row is joined to the batch before it,
    because batch normalisation cannot be trained on one row.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset or Subset of one
        The dataset. Its ``X`` is an array of rows of any real dtype, which is not copied; it
        may be a memory map, or any object that gives arrays for slices and index arrays. Its
        ``y`` holds labels, with -1 for anomalies, or is None.
    batch_size : int
        Number of rows in a batch.
    shuffle : bool, default=False
        Whether the rows are in a new random order in each pass.
    anomaly_share : float or None, default=None
        Share of each batch that is drawn, with replacement, from the rows that are labelled
        as anomalies; all other rows are then used once in a pass. With None all rows are used
        once. Without labelled anomalies, or without other rows, this has no effect.

    Raises
    ------
    TypeError
        If the dataset has no ``X``.
    """

    def __init__(
        self,
        dataset: Dataset | Subset,
        batch_size: int,
        shuffle: bool = False,
        anomaly_share: float | None = None,
    ):
        whole: Any = dataset
        self._indices: np.ndarray | None = None
        if isinstance(dataset, Subset):
            whole = dataset.dataset
            # Sorted indices, so that a chunk of a large table is a run of neighbouring rows.
            # The smallest integer type that fits keeps them small in memory.
            small = np.min_scalar_type(len(whole))
            self._indices = np.asarray(dataset.indices).astype(small)
            self._indices.sort()
        self._X: Any = getattr(whole, "X", None)
        self._y: Any = getattr(whole, "y", None)
        if self._X is None:
            raise TypeError(
                f"train_split gave a {type(whole).__name__}; expected a"
                " skorch.dataset.Dataset, or a Subset of the dataset that it was given."
            )
        self.batch_size = batch_size
        self.shuffle = shuffle
        self._anomalies = None
        if anomaly_share is not None and self._y is not None:
            self._set_anomalies_apart(anomaly_share)
        self._joins_last_row = shuffle and self.batch_size > 1

    def _set_anomalies_apart(self, share: float) -> None:
        rows = np.arange(len(self._X)) if self._indices is None else self._indices
        is_anomaly = self._y[rows] == -1
        # A batch is never larger than the table, however large batch_size is.
        batch_size = min(self.batch_size, len(rows))
        n_drawn = round(share * batch_size)
        if is_anomaly.any() and not is_anomaly.all() and n_drawn:
            self._anomalies, self._indices = rows[is_anomaly], rows[~is_anomaly]
            self.batch_size = max(1, batch_size - n_drawn)
            self._n_drawn = n_drawn

    def __len__(self) -> int:
        n_full, n_left = divmod(self._n_rows(), self.batch_size)
        least = 2 if self._joins_last_row else 1
        return max(1, n_full + (n_left >= least))

    def _n_rows(self) -> int:
        return len(self._X) if self._indices is None else len(self._indices)

    def _at(self, rows) -> np.ndarray:
        """Return the rows of a slice or an index array, as a view if possible."""
        return self._X[rows if self._indices is None else self._indices[rows]]

    def _read(self, rows) -> np.ndarray:
        """Return a float32 copy of the rows of a slice or an index array."""
        is_view = isinstance(rows, slice) and self._indices is None
        return np.array(self._at(rows), dtype=np.float32, copy=is_view or None)

    def _labels(self, rows) -> np.ndarray | None:
        """Return the labels of the rows of a slice or an index array."""
        if self._y is None:
            return None
        return self._y[rows if self._indices is None else self._indices[rows]]

    def _batch(self, X: np.ndarray, y: np.ndarray | None):
        """Make a batch of rows that were copied, and add labelled anomalies if needed."""
        if self._anomalies is not None:
            drawn = torch.randint(len(self._anomalies), (self._n_drawn,)).numpy()
            drawn = self._anomalies[drawn]
            X = np.concatenate([X, np.asarray(self._X[drawn], dtype=np.float32)])
            y = np.concatenate([y, self._y[drawn]])
        x = torch.from_numpy(X)
        return x, None if y is None else torch.from_numpy(y.astype(np.float32))

    def _cuts(self, n_rows: int) -> Iterator[slice]:
        """Yield the slices of the batches; a last single row joins the previous batch."""
        start = 0
        while start < n_rows:
            stop = min(start + self.batch_size, n_rows)
            if self._joins_last_row and n_rows - stop == 1:
                stop = n_rows
            yield slice(start, stop)
            start = stop

    def __iter__(self):
        n_rows, row_bytes = self._n_rows(), 4 * math.prod(self._X.shape[1:])
        buffered = SHUFFLE_BUFFER_BYTES // row_bytes
        if not self.shuffle:
            for cut in self._cuts(n_rows):
                yield self._batch(self._read(cut), self._labels(cut))
        elif n_rows <= buffered or self.batch_size >= buffered:
            order = torch.randperm(n_rows).numpy()
            for cut in self._cuts(n_rows):
                yield self._batch(self._read(order[cut]), self._labels(order[cut]))
        else:
            yield from self._iter_mixed_chunks(n_rows, max(1, CHUNK_BYTES // row_bytes))

    def _iter_mixed_chunks(self, n_rows: int, chunk: int):
        """Yield batches from a buffer of random chunks whose rows are shuffled."""
        starts = np.arange(0, n_rows, chunk)
        starts = starts[torch.randperm(len(starts)).numpy()]
        per_buffer = max(1, SHUFFLE_BUFFER_BYTES // CHUNK_BYTES)
        # The additional rows are for those that the last filling did not use up.
        shape = (per_buffer * chunk + 2 * self.batch_size, *self._X.shape[1:])
        buffer = np.empty(shape, dtype=np.float32)
        labels = None
        if self._y is not None:
            labels = np.empty((len(buffer), *self._y.shape[1:]), dtype=np.float32)
        n_filled, n_unread = 0, n_rows
        for i in range(0, len(starts), per_buffer):
            for start in starts[i : i + per_buffer]:
                n_read = min(chunk, n_rows - start)
                # Copy directly into the buffer: temporary arrays would fragment the memory.
                rows = slice(start, start + n_read)
                buffer[n_filled : n_filled + n_read] = self._at(rows)
                if labels is not None:
                    labels[n_filled : n_filled + n_read] = self._labels(rows)
                n_filled += n_read
                n_unread -= n_read
            order = torch.randperm(n_filled).numpy()
            # Yield full batches only; the rows that are left go into the next filling.
            n_out = n_filled - n_filled % self.batch_size if n_unread else n_filled
            # If a single row is unread, keep a batch, so that the row can be joined to it.
            if self._joins_last_row and n_unread == 1 and n_out == n_filled:
                n_out -= self.batch_size
            for cut in self._cuts(n_out):
                mixed = order[cut]
                yield self._batch(buffer[mixed], None if labels is None else labels[mixed])
            n_filled -= n_out
            buffer[:n_filled] = buffer[order[n_out:]]
            if labels is not None:
                labels[:n_filled] = labels[order[n_out:]]
