"""Batches of rows that are read chunk by chunk and shuffled in a buffer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from ..base import BaseDeepDetector
from ..base._reservoir import Reservoir
from ..engine import DetectorNet
from ._processes import Processes
from ._sample import Sample


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
    processes : Processes or None, default=None
        The processes that train the network together, each on chunks of its own.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[np.ndarray]],
        sample: Sample,
        is_mixed: bool,
        processes: Processes | None = None,
    ):
        self._read, self._sample, self._is_mixed = read, sample, is_mixed
        self._processes = processes

    @contextmanager
    def feeding(self, detector: BaseDeepDetector) -> Iterator[None]:
        """Train the net of a detector on these batches, for a block.

        Parameters
        ----------
        detector : BaseDeepDetector
            The detector; its reservoir takes what the sample has in the end.
        """
        net, n_seen = detector.net_, self._sample.n_seen
        load = net.iterator_train

        def make_epochs(dataset: Any, **params: Any) -> Any:
            epochs = _Epochs(self, dataset.y is not None, load, params)
            if self._processes is None:
                return epochs
            return _SharedEpochs(epochs, net, self._processes)

        net.iterator_train = make_epochs
        with nullcontext() if self._processes is None else self._processes.together(net):
            try:
                yield
            finally:
                net.iterator_train = load
        if self._sample.n_seen > n_seen:
            seed = int(torch.randint(2**31 - 1, ()))
            kept = Reservoir(detector._reservoir_size)
            detector._reservoir = kept.add(self._sample.rows(), seed)

    def sizes(self) -> list[int]:
        """Return the numbers of rows that the buffers of a pass give."""
        n_full, n_left = divmod(self._sample.n_seen, self._n_new())
        sizes = n_full * [self._n_new()] + [n_left] * (n_left > 0)
        if self._is_mixed:
            return sizes
        return [*(2 * size for size in sizes), len(self._sample.rows())]

    def _n_new(self) -> int:
        return self._sample.size if self._is_mixed else max(1, self._sample.size // 2)

    def buffers(self) -> Iterator[np.ndarray]:
        """Yield the rows of a pass, a buffer at a time; each is overwritten by the next."""
        size = self._n_new()
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
        if buffer is not None and n_filled:
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

    def __init__(
        self,
        source: ChunkBatches,
        has_labels: bool,
        load: Callable[..., Iterable[Any]],
        params: dict,
    ):
        self._source, self._has_labels = source, has_labels
        self._load, self._params = load, params

    def __len__(self) -> int:
        # Plans of the learning rate ask for it; a single row that joins a batch may make it
        # one too large.
        return sum(-(-size // self._params["batch_size"]) for size in self._source.sizes())

    def __iter__(self) -> Iterator[Any]:
        for rows in self._source.buffers():
            labels = np.zeros(len(rows), dtype=np.int8) if self._has_labels else None
            yield from self._load(SimpleNamespace(X=rows, y=labels), **self._params)


class _SharedEpochs:
    """Epochs of a process that trains with others: all take the same number of steps."""

    def __init__(self, epochs: _Epochs, net: DetectorNet, processes: Processes):
        self._epochs, self._net, self._processes = epochs, net, processes

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[Any]:
        self._processes.begin_epoch(self._net)
        for batch in self._epochs:
            if not self._processes.all_have(True, self._net.device):
                return
            yield batch
        self._processes.all_have(False, self._net.device)
