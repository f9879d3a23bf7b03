"""The rows of all chunks, as the network gets them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator

from ..base import BaseDeepDetector
from ..engine import SHUFFLE_BUFFER_BYTES
from ._chunks import Source
from ._differences import Differences
from ._processes import Processes
from ._sample import Sample

# Rows that are kept as they are, for transformers that cannot be fitted chunk by chunk.
RAW_SAMPLE = 100_000


class Rows:
    """The rows of all chunks as the network gets them, and a sample of them.

    :meth:`prepare` comes first.

    Parameters
    ----------
    source : Source
        The chunks.
    transformers : list of estimators
        What the rows go through; not fitted.
    last : BaseDeepDetector
        The detector, which checks the rows.
    buffer_rows : int or "auto"
        Size of the sample.
    seed : int
        Seed of the sample.
    processes : Processes or None
        The processes that train together.
    """

    sample: Sample

    def __init__(
        self,
        source: Source,
        transformers: list,
        last: BaseDeepDetector,
        buffer_rows: int | Literal["auto"],
        seed: int,
        processes: Processes | None,
    ):
        self._processes = processes
        self._source, self._transformers, self._last = source, transformers, last
        self._buffer_rows = buffer_rows
        self._seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._head: list[tuple[int, Any]] = []
        self._rest: Iterator[tuple[int, Any]] = iter(())
        self._goes_on = False

    def prepare(self) -> Any:
        """Fit the transformers, and draw the sample; return it in the container of a chunk."""
        if self._source.once:
            self._read_head()
        for i, transformer in enumerate(self._transformers):
            self._fit_transformer(transformer, self._transformers[:i])
        self.differences = Differences(self._seeds[1])
        first = None
        for number, piece in self._pieces(self._again(), self._transformers):
            rows = self._validate(number, piece, first is None)
            if first is None:
                first = piece
                self.sample = Sample(self._n_buffered(rows.shape[1]), self._seeds[0])
            self._see(number, rows)
        self.n_in_pass = self.sample.n_seen
        self.complete = self.sample.n_seen <= self.sample.size and not self._goes_on
        if self._processes is not None:
            self.sample, n_seen = self._processes.joined(self.sample, self._seeds[0])
            self.n_in_pass, self.complete = min(n_seen), False
        return _like(first, self.sample.rows())

    def read(self) -> Iterator[np.ndarray]:
        """Yield the rows (n, n_features) of a pass, piece by piece."""
        pieces: Iterable[tuple[int, Any]]
        if self._source.once:
            pieces = chain(self._head, self._rest)
        else:
            pieces = self._source.read(self.sample.size)
        for i, (number, piece) in enumerate(self._pieces(pieces, self._transformers)):
            rows = self._validate(number, piece, False)
            if self._source.once and i >= len(self._head):
                self._see(number, rows)
            yield rows

    def _read_head(self) -> None:
        """Read the first pieces of an iterator, as many as fill the buffer."""
        pieces, n_rows = self._source.read(), 0
        for number, piece in pieces:
            self._head.append((number, piece))
            n_rows += piece.shape[0]
            if n_rows >= self._n_buffered(int(np.prod(piece.shape[1:]))):
                break
        further = next(pieces, None)
        self._goes_on = further is not None
        if further is not None:
            self._rest = chain([further], pieces)

    def _again(self) -> Iterable[tuple[int, Any]]:
        return self._head if self._source.once else self._source.read()

    def _fit_transformer(self, transformer: BaseEstimator, before: list) -> None:
        if hasattr(transformer, "partial_fit") and self._processes is None:
            for number, piece in self._pieces(self._again(), before):
                with _in_chunk(number):
                    transformer.partial_fit(piece)
            return
        raw = Sample(RAW_SAMPLE, self._seeds[2])
        for _, piece in self._again():
            raw.add(piece)
        if self._processes is not None:
            raw, _ = self._processes.joined(raw, self._seeds[2])
        transformer.fit(_transform(raw.rows(), before))

    def _pieces(
        self, pieces: Iterable[tuple[int, Any]], transformers: list
    ) -> Iterator[tuple[int, Any]]:
        for number, piece in pieces:
            with _in_chunk(number):
                transformed = _transform(piece, transformers)
            yield number, transformed

    def _validate(self, number: int, piece: Any, first: bool) -> np.ndarray:
        with _in_chunk(number):
            return self._last._validate_X(piece, reset=first, min_samples=1)

    def _see(self, number: int, rows: np.ndarray) -> None:
        rows = rows.astype(np.float32, copy=False)
        self.differences.add(number, rows)
        self.sample.add(rows)

    def _n_buffered(self, n_features: int) -> int:
        if self._buffer_rows != "auto":
            return int(self._buffer_rows)
        return max(2, SHUFFLE_BUFFER_BYTES // (4 * n_features))


def _transform(rows: Any, transformers: list) -> Any:
    for transformer in transformers:
        rows = transformer.transform(rows)
    return rows


@contextmanager
def _in_chunk(number: int) -> Iterator[None]:
    """Add to an error which chunk it is about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"This is about chunk {number}; the first one has the number 0.")
        raise


def _like(piece: Any, rows: np.ndarray) -> Any:
    """Return flat rows in the shape or the container of a piece, with its column names."""
    if hasattr(piece, "iloc"):  # pandas
        return type(piece)(rows, columns=piece.columns)
    if hasattr(piece, "get_columns"):  # polars
        return type(piece)(rows, schema=piece.columns, orient="row")
    return rows.reshape(len(rows), *piece.shape[1:])
