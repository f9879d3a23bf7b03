"""Sources of chunks: Parquet files, Dask, lists, callables, iterators."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch

from ..utils._compat import take_rows

# Chunks are cut into pieces of at most this many rows, so that transformed copies stay small.
PIECE_ROWS = 65_536
# Arrays are read in runs, which come in a random order: at least so many fill a buffer, but
# for small buffers, and runs have at most and at least so many rows.
N_RUNS = 64
RUN_ROWS = (32, 1024)

EXPECTED = (
    "expected a path of Parquet files, a pyarrow dataset, a Dask frame or array, a list of"
    " arrays or data frames, or a callable that returns a new iterator of these"
)


class Source:
    """Chunks that are read in passes.

    Parameters
    ----------
    open_pass : callable
        Returns a new iterator of pairs, of the number of a chunk and some or all of its rows,
        in their own order.
    parts : callable or None, default=None
        If the chunks can be read in any order: takes the number of rows in a buffer, and
        returns a list of callables. Each of these returns an iterable of such pairs.
    once : bool, default=False
        Whether there can be only one pass.
    is_mixed : bool, default=False
        Whether the parts are so small that their random order mixes all chunks.
    """

    def __init__(
        self,
        open_pass: Callable[[], Iterable],
        parts: Callable[[int], list[Callable[[], Iterable]]] | None = None,
        once: bool = False,
        is_mixed: bool = False,
    ):
        self._open_pass, self._parts = open_pass, parts
        self.once, self.is_mixed = once, is_mixed
        self._n_passes = 0

    def read(self, buffer_rows: int | None = None) -> Iterator[tuple[int, Any]]:
        """Yield the pieces of all chunks, each with the number of its chunk.

        Parameters
        ----------
        buffer_rows : int or None, default=None
            Number of rows in the buffer that shuffles them further: torch's generator draws
            the order, where it is free. With None it is their own.

        Yields
        ------
        number : int
            The number of the chunk, from 0.
        piece : array or data frame
            Some of its rows, at least one.
        """
        pairs = self._open_pass()
        if buffer_rows is not None and self._parts is not None:
            parts = self._parts(buffer_rows)
            order = torch.randperm(len(parts)).tolist()
            pairs = (pair for i in order for pair in parts[i]())
        is_empty = True
        for number, chunk in pairs:
            for piece in _pieces(_as_rows(chunk)):
                is_empty = False
                yield number, piece
        self._n_passes += 1
        if is_empty:
            why = ""
            if self._n_passes > 1:
                why = f" in pass {self._n_passes}: a callable must return new iterators"
            raise ValueError(f"chunks holds no rows{why}.")


def open_source(chunks: Any) -> Source:
    """Return the source that some chunks stand for.

    Parameters
    ----------
    chunks : object
        As in :func:`fit_chunks`.

    Returns
    -------
    source : Source
        The source.

    Raises
    ------
    TypeError
        If they are nothing that can be read in chunks.
    ValueError
        If they are a Dask array whose chunks hold some of the columns only.
    ImportError
        If pyarrow is needed and not installed.
    """
    if isinstance(chunks, list | tuple) and chunks and all(map(_is_path, chunks)):
        return _of_dataset(_open_parquet([os.fspath(path) for path in chunks]))
    if _is_path(chunks):
        return _of_dataset(_open_parquet(os.fspath(chunks)))
    if hasattr(chunks, "get_fragments"):  # a dataset of pyarrow
        return _of_dataset(chunks)
    if hasattr(chunks, "to_delayed"):  # Dask
        return _of_dask(chunks)
    if isinstance(chunks, list | tuple):
        return _of_list([_as_rows(chunk) for chunk in chunks])
    if hasattr(chunks, "__next__"):
        return Source(lambda: enumerate(chunks), once=True)
    is_table = hasattr(chunks, "shape") or hasattr(chunks, "columns")
    if is_table or isinstance(chunks, dict | bytes):
        hint = " One table in memory, or a memory map, is trained by fit." if is_table else ""
        raise TypeError(f"chunks is a {type(chunks).__name__}; {EXPECTED}.{hint}")
    if callable(chunks):
        return Source(lambda: enumerate(chunks()))
    if hasattr(chunks, "__iter__"):
        return Source(lambda: enumerate(chunks))
    raise TypeError(f"chunks is a {type(chunks).__name__}; {EXPECTED}.")


def _of_list(chunks: list) -> Source:
    def run(number: int, start: int, n_rows: int) -> Callable[[], Iterable]:
        return lambda: [(number, take_rows(chunks[number], slice(start, start + n_rows)))]

    def runs(buffer_rows: int) -> list[Callable[[], Iterable]]:
        n_rows = int(np.clip(buffer_rows // N_RUNS, *RUN_ROWS))
        return [
            run(number, start, n_rows)
            for number, chunk in enumerate(chunks)
            for start in range(0, chunk.shape[0], n_rows)
        ]

    return Source(lambda: enumerate(chunks), runs, is_mixed=True)


def _of_parts(parts: list) -> Source:
    """Return the source of callables, each of which returns an iterable of rows."""

    def numbered(number: int) -> Callable[[], Iterable]:
        return lambda: ((number, rows) for rows in parts[number]())

    pairs = [numbered(number) for number in range(len(parts))]
    return Source(lambda: (pair for part in pairs for pair in part()), lambda _: pairs)


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _open_parquet(path: str | list[str]) -> Any:
    try:
        from pyarrow.dataset import dataset
    except ImportError as error:
        raise ImportError(
            'Parquet files need pyarrow and pandas: pip install "skdeepanomaly[dask]".'
        ) from error
    return dataset(path, format="parquet")


def _of_dataset(dataset: Any) -> Source:
    parts: list[Any] = []
    for fragment in dataset.get_fragments():
        split = getattr(fragment, "split_by_row_group", None)  # Parquet only
        parts += [fragment] if split is None else split()
    schema = dataset.schema

    def reader(part: Any) -> Callable[[], Iterable]:
        # Without readahead: the batches that wait would be in memory, too.
        return lambda: part.to_batches(
            schema=schema, batch_size=PIECE_ROWS, batch_readahead=0, fragment_readahead=0
        )

    return _of_parts([reader(part) for part in parts])


def _of_dask(collection: Any) -> Source:
    parts = np.asarray(collection.to_delayed())
    if parts.ndim > 1 and parts.size > len(parts):
        raise ValueError(
            f"The chunks of the Dask array are {collection.chunks}: expected chunks that hold"
            " whole rows. Use array.rechunk({1: -1})."
        )
    return _of_parts([lambda part=part: [part.compute()] for part in parts.ravel()])


def _as_rows(chunk: Any) -> Any:
    """Return a chunk as an array or a data frame."""
    if hasattr(chunk, "to_pandas") and not hasattr(chunk, "get_columns"):  # pyarrow
        return chunk.to_pandas()
    if torch.is_tensor(chunk):
        return chunk.numpy(force=True)
    return chunk if hasattr(chunk, "shape") else np.asarray(chunk)


def _pieces(chunk: Any) -> Iterator:
    if not chunk.shape:
        raise TypeError(f"A chunk is {chunk!r}, expected rows. Of chunks, {EXPECTED}.")
    for start in range(0, chunk.shape[0], PIECE_ROWS):
        yield take_rows(chunk, slice(start, start + PIECE_ROWS))
