"""Batches of rows that are read chunk by chunk and shuffled in a buffer."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import torch

from ..base._reservoir import Reservoir



class ChunkBatches:
    """The batches of a net, read chunk by chunk.

    An epoch is a pass over all chunks. Half of a buffer is filled with rows of the chunks, which
    come in a random order where the source lets them, and half with rows that are drawn from
    the sample of all chunks; the buffer is then shuffled. The last buffer is the sample.
    Without the sample, a network that has seen chunks of one kind would forget those of
    another kind.

    Parameters
    ----------
    read : callable
        Yields the rows of a pass, piece by piece, as arrays (n, n_features).
    sample : Sample
        The sample; a buffer holds as many rows. The rows of an iterator, which can be read once, are added to it as they are read.
    """

    def __init__(self, read, sample):
        self._read, self._sample = read, sample

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
        net.iterator_train = lambda dataset, **params: self._batches(load, params)
        try:
            yield
        finally:
            net.iterator_train = load
        if self._sample.n_seen > n_seen:
            seed = int(torch.randint(2**31 - 1, ()))
            kept = Reservoir(detector._reservoir_size)
            detector._reservoir = kept.add(self._sample.rows(), seed)

    def _batches(self, load, params):
        """Yield the batches of an epoch, with the loader that the net has for an array."""
        for rows in self._buffers():
            yield from load(SimpleNamespace(X=rows, y=None), **params)

    def _buffers(self):
        size = max(1, self._sample.size // 2)
        buffer, n_filled = None, 0
        for rows in self._read():
            if buffer is None:
                buffer = np.empty((2 * size, rows.shape[1]), dtype=np.float32)
            while len(rows):
                taken = rows[: size - n_filled]
                buffer[n_filled : n_filled + len(taken)] = taken
                n_filled, rows = n_filled + len(taken), rows[len(taken) :]
                if n_filled == size:
                    yield self._mixed(buffer, n_filled)
                    n_filled = 0
        if n_filled:
            yield self._mixed(buffer, n_filled)
        yield self._sample.rows()

    def _mixed(self, buffer: np.ndarray, n_new: int) -> np.ndarray:
        """Return the rows of a buffer, the new ones and those drawn from the sample."""
        sample = self._sample.rows()
        drawn = torch.randint(len(sample), (n_new,)).numpy()
        sample.take(drawn, axis=0, out=buffer[n_new : 2 * n_new])
        return buffer[: 2 * n_new]
