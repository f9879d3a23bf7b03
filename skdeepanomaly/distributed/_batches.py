"""Batches of rows that are read chunk by chunk and shuffled in a buffer."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import torch

from ..base._reservoir import Reservoir


class ChunkBatches:
    """The batches of a net, read chunk by chunk.

    An epoch is a pass over all chunks, whose rows are shuffled in a buffer. If neighbouring
    chunks fill it, only half of it is for their rows, and half for rows that are drawn from
    the sample of all chunks; the last buffer is the sample. Otherwise a network that has seen
    chunks of one kind would forget those of another kind.

    Parameters
    ----------
    read : callable
        Yields the rows of a pass, piece by piece, as arrays (n, n_features).
    sample : Sample
        The sample; a buffer holds as many rows. The rows of an iterator, which can be read
        once, are added to it as they are read.
    is_mixed : bool
        Whether the rows come in short runs from random places, so that they need no more.
    """

    def __init__(self, read, sample, is_mixed: bool):
        self._read, self._sample, self._is_mixed = read, sample, is_mixed

    @contextmanager
    def feeding(self, detector):
        """Train the net of a detector on these batches, for a block.

        Parameters
        ----------
        detector : BaseDeepDetector
            The detector; its reservoir takes what the sample has in the end.
        """
        net, n_seen = detector.net_, self._sample.n_seen
        load = net.iterator_train
        net.iterator_train = lambda dataset, **params: _Epochs(
            self._buffers, dataset.y is not None, load, params
        )
        try:
            yield
        finally:
            net.iterator_train = load
        if self._sample.n_seen > n_seen:
            seed = int(torch.randint(2**31 - 1, ()))
            kept = Reservoir(detector._reservoir_size)
            detector._reservoir = kept.add(self._sample.rows(), seed)

    def _buffers(self):
        size = self._sample.size if self._is_mixed else max(1, self._sample.size // 2)
        n_rows = size if self._is_mixed else 2 * size
        buffer, n_filled = None, 0
        for rows in self._read():
            if buffer is None:
                buffer = np.empty((n_rows, rows.shape[1]), dtype=np.float32)
            while len(rows):
                taken = rows[: size - n_filled]
                buffer[n_filled : n_filled + len(taken)] = taken
                n_filled, rows = n_filled + len(taken), rows[len(taken) :]
                if n_filled == size:
                    yield self._filled_up(buffer, n_filled)
                    n_filled = 0
        if n_filled:
            yield self._filled_up(buffer, n_filled)
        if not self._is_mixed:
            yield self._sample.rows()

    def _filled_up(self, buffer: np.ndarray, n_new: int) -> np.ndarray:
        """Return the new rows of a buffer, and as many of the sample if they need them."""
        # A single row is not enough for batch normalisation.
        if self._is_mixed and n_new > 1:
            return buffer[:n_new]
        sample = self._sample.rows()
        drawn = torch.randint(len(sample), (n_new,)).numpy()
        sample.take(drawn, axis=0, out=buffer[n_new : 2 * n_new])
        return buffer[: 2 * n_new]


class _Epochs:
    """An iterable over the batches of an epoch; each iteration is another epoch."""

    def __init__(self, read_buffers, has_labels: bool, load, params: dict):
        self._read_buffers, self._has_labels = read_buffers, has_labels
        self._load, self._params = load, params

    def __iter__(self):
        for rows in self._read_buffers():
            labels = np.zeros(len(rows), dtype=np.int8) if self._has_labels else None
            yield from self._load(SimpleNamespace(X=rows, y=labels), **self._params)
