"""Training of a detector on chunks."""

from contextlib import contextmanager
from itertools import chain
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from ..base import BaseDeepDetector
from ..base._building import resolve_max_epochs
from ..base._fitting import fit_from_scratch
from ..base._reservoir import Reservoir
from ..callbacks import BackupAndRestore
from ..engine import SHUFFLE_BUFFER_BYTES, OneCycleNet, draw_seed
from ..utils.randomness import seeded_clone
from ._batches import ChunkBatches
from ._chunks import Source, open_source
from ._differences import Differences
from ._processes import Processes
from ._sample import Sample

# Rows that are kept as they are, for transformers that cannot be fitted chunk by chunk.
RAW_SAMPLE = 100_000


def fit_chunks(
    detector,
    chunks,
    *,
    n_passes="auto",
    buffer_rows="auto",
    checkpoint=None,
    random_state=None,
    process_group=None,
):
    """Train a detector on rows that come in chunks and need not fit into memory.

    It does what ``fit`` does with all rows shuffled, in passes over the chunks: at any time a
    chunk, a buffer in which rows of several chunks are shuffled, and a sample of all chunks
    are in memory. If all rows fit into the buffer, it is ``fit``, but for the threshold, which
    is that of ``partial_fit``.

    Parameters
    ----------
    detector : estimator
        A deep detector of this package with gradient steps, or a pipeline of transformers and
        such a detector. It is fitted from scratch.
    chunks : object
        The rows. One of these:

        - a path of a Parquet file or a folder of such files, a list of paths, or a dataset of
          pyarrow, read by row groups;
        - a Dask frame or array, computed partition by partition;
        - a list of arrays, memory maps or data frames;
        - a callable without arguments that returns a new iterator of arrays or data frames in
          each pass, such as ``lambda: pandas.read_csv("rows.csv", chunksize=50_000)``, or any
          other object that can be iterated several times;
        - an iterator, with ``n_passes=1`` only.

        A chunk is anything with rows that ``fit`` takes. A list is read in short runs of rows
        from random places. Row groups and partitions come in a new random order in each pass,
        all others in their own order.
    n_passes : int or "auto", default="auto"
        Number of passes of the training. ``"auto"`` takes about as many steps as ``fit`` with
        the ``max_epochs`` of the detector. The chunks are read once more before the training,
        and once more for each transformer.
    buffer_rows : int or "auto", default="auto"
        Number of rows in the buffer, and in the sample. ``"auto"`` is as many as 32 MiB hold.
    checkpoint : str, path or None, default=None
        Folder of a backup, written after each pass. If the program is killed, call this again
        with equal arguments and the same chunks: the training goes on, and gives the same
        scores, bit for bit. This is a :class:`~skdeepanomaly.BackupAndRestore`, whose warning
        about folders that others can write to holds here, too.
    random_state : int, RandomState instance or None, default=None
        Seed of the sample, and of the detector and the transformers if they have none. With
        None the seed of the detector is used.

    process_group : torch.distributed.ProcessGroup or None, default=None
        Processes that train one network together, such as ``torch.distributed.group.WORLD``
        in a program that ``torchrun`` starts. Each of them calls this function with an equal
        detector and with chunks of its own, and has the same fitted detector in the end.

    Returns
    -------
    detector : estimator
        The detector that was passed, fitted. If there is an error, it is as it was before.

    Raises
    ------
    TypeError
        If the detector or the chunks are none of these.
    ValueError
        If a parameter or the rows of a chunk are not valid, if the detector or a parameter of
        it needs all rows at once, if an iterator is to be read several times, or if the
        training diverges.
    ImportError
        If pyarrow or pandas is needed and not installed.
    KeyboardInterrupt
        As in ``fit``: the training ends, and the threshold is set.

    Warns
    -----
    UserWarning
        If chunks differ in distribution from those before them, as they do if the rows are
        sorted, or drift in time.

    See Also
    --------
    BackupAndRestore : The backup.

    Notes
    -----
    Chunks may be sorted, by time or by kind, and a network forgets what it no longer sees.
    Therefore half of the rows of a batch are new ones, and half are drawn from a uniform sample
    of all chunks, and each pass ends with all rows of this sample. A pass then has twice the
    steps of an epoch of ``fit``. A list needs none of this, and has as many. Where a source
    other than a list is sorted and the buffer holds a small share of it, methods such as
    ``VariationalAutoEncoder`` and ``DeepSVDD`` rank worse than after ``fit`` all the same: the
    user guide has figures. Shuffle the rows when they are written, or make the buffer larger.

    From the same sample come a pre-training, centres and all other state that a method sets
    before its training, and the threshold, which uses at most 10,000 of its rows. These are
    then kept in the detector, as after ``partial_fit``, which may go on with it. Of an
    iterator, the sample is that of the rows read so far.

    A transformer with ``partial_fit``, such as :class:`~sklearn.preprocessing.StandardScaler`,
    is fitted to all chunks, in a pass of its own. Other transformers, such as
    :class:`~sklearn.compose.ColumnTransformer`, are fitted to a uniform sample of 100,000 rows
    of all chunks. Of an iterator, both see the first chunks only, as many as fill the buffer.
    Transformers are not changed while the network is trained.

    Labels are not read: all rows are unlabelled.

    Processes of a group average their gradients in each step, so that a step learns from as
    many batches as there are processes. The transformers, the sample, and all that is computed
    from it are those of the rows of all processes. A pass ends where the first process has no
    batch left: give all of them about as many rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdeepanomaly import AutoEncoder
    >>> from skdeepanomaly.distributed import fit_chunks
    >>> rng = np.random.default_rng(0)
    >>> chunks = [rng.normal(5, 2, size=(1000, 4)) for _ in range(10)]
    >>> pipeline = make_pipeline(StandardScaler(), AutoEncoder(random_state=0))
    >>> pipeline = fit_chunks(pipeline, chunks, n_passes=3, buffer_rows=2000)
    >>> pipeline.predict([[5, 5, 5, 5], [50, 5, 5, 5]])
    array([ 1, -1])
    """
    source = open_source(chunks)
    _check_parameters(n_passes, buffer_rows, checkpoint, source.once)
    _check_detector(_split(detector)[1], source.once)
    rng = None if random_state is None else check_random_state(random_state)
    processes = None
    if process_group is not None:
        _check_shared(detector, source.once, checkpoint)
        processes = Processes(process_group)
        own = _split(detector)[1].random_state if rng is None else rng
        rng = np.random.RandomState(processes.shared(draw_seed(own)))
    work = seeded_clone(detector, rng)
    transformers, last = _split(work)
    seed = draw_seed(last.random_state if rng is None else rng)
    rows = _Rows(source, transformers, last, buffer_rows, seed, processes)
    X = rows.prepare()
    if n_passes == "auto":
        n_passes = resolve_max_epochs(last, rows.n_in_pass, None)
        if not rows.complete and not source.is_mixed:
            # A pass has twice the steps of an epoch.
            n_passes = -(-n_passes // 2)
    backups = [] if checkpoint is None else [BackupAndRestore(checkpoint)]
    last.set_params(max_epochs=n_passes, callbacks=[*(last.callbacks or ()), *backups])
    batches = None
    if not rows.complete:
        batches = ChunkBatches(rows.read, rows.sample, source.is_mixed, processes)
    try:
        fit_from_scratch(last, X, None, Reservoir(last._reservoir_size), batches)
    except KeyboardInterrupt:
        if hasattr(last, "net_"):
            _adopt(detector, work)
        raise
    rows.differences.warn(getattr(last, "feature_names_in_", None))
    return _adopt(detector, work)


class _Rows:
    """The rows of all chunks as the network gets them, and a sample of them.

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

    def __init__(
        self, source: Source, transformers: list, last, buffer_rows, seed: int, processes
    ):
        self._processes = processes
        self._source, self._transformers, self._last = source, transformers, last
        self._buffer_rows = buffer_rows
        self._seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._head: list = []
        self._rest = iter(())

    def prepare(self):
        """Fit the transformers, and draw the sample; return it in the container of a chunk."""
        if self._source.once:
            self._read_head()
        for i, transformer in enumerate(self._transformers):
            self._fit_transformer(transformer, self._transformers[:i])
        self.sample = None
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

    def read(self):
        """Yield the rows (n, n_features) of a pass, piece by piece."""
        if self._source.once:
            pieces = chain(self._head, self._rest)
        else:
            pieces = self._source.read(self.sample.size)
        for i, (number, piece) in enumerate(self._pieces(pieces, self._transformers)):
            rows = self._validate(number, piece, False)
            if self._source.once and i >= len(self._head):
                self._see(number, rows)
            yield rows

    _goes_on = False

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
        if self._goes_on:
            self._rest = chain([further], pieces)

    def _again(self):
        return self._head if self._source.once else self._source.read()

    def _fit_transformer(self, transformer, before: list) -> None:
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

    def _pieces(self, pieces, transformers: list):
        for number, piece in pieces:
            with _in_chunk(number):
                transformed = _transform(piece, transformers)
            yield number, transformed

    def _validate(self, number: int, piece, first: bool) -> np.ndarray:
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


def _transform(rows, transformers: list):
    for transformer in transformers:
        rows = transformer.transform(rows)
    return rows


@contextmanager
def _in_chunk(number: int):
    """Add to an error which chunk it is about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"This is about chunk {number}; the first one has the number 0.")
        raise


def _like(piece, rows: np.ndarray):
    """Return flat rows in the shape or the container of a piece, with its column names."""
    if hasattr(piece, "iloc"):  # pandas
        return type(piece)(rows, columns=piece.columns)
    if hasattr(piece, "get_columns"):  # polars
        return type(piece)(rows, schema=piece.columns, orient="row")
    return rows.reshape(len(rows), *piece.shape[1:])


def _check_parameters(n_passes, buffer_rows, checkpoint, once: bool) -> None:
    for name, value, least in [("n_passes", n_passes, 1), ("buffer_rows", buffer_rows, 2)]:
        is_number = isinstance(value, Integral) and not isinstance(value, bool)
        if value != "auto" if not is_number else value < least:
            raise ValueError(
                f"{name} must be 'auto' or an integer of at least {least}, got {value!r}."
            )
    if once and n_passes != 1:
        raise ValueError(
            f"n_passes={n_passes!r}, but chunks is an iterator, which can be read once. Pass a"
            " callable that returns a new iterator in each pass, such as lambda:"
            " pandas.read_csv(path, chunksize=50_000), or n_passes=1."
        )
    if once and checkpoint is not None:
        raise ValueError(
            "checkpoint needs chunks that can be read again, but chunks is an iterator. Pass a"
            " callable that returns a new iterator in each pass, or checkpoint=None."
        )


def _check_shared(detector, once: bool, checkpoint) -> None:
    for is_so, what, why in [
        (once, "chunks is an iterator", "chunks that can be read again"),
        (checkpoint is not None, f"checkpoint={checkpoint!r}", "checkpoint=None"),
        (
            bool(_split(detector)[1].get_params().get("callbacks")),
            "the detector has callbacks, which see the losses of one process",
            "callbacks=None",
        ),
    ]:
        if is_so:
            raise ValueError(f"With a process_group expected {why}, but {what}.")


def _split(detector) -> tuple[list, object]:
    """Return the transformers of a pipeline, those of pipelines in it too, and its detector."""
    transformers = []
    while isinstance(detector, Pipeline):
        transformers += [step for _, step in detector.steps[:-1]]
        detector = detector.steps[-1][1]
    return [t for t in transformers if t is not None and t != "passthrough"], detector


def _check_detector(detector, once: bool) -> None:
    name = type(detector).__name__
    if not isinstance(detector, BaseDeepDetector):
        hint = "Fit it to a sample of the rows"
        if hasattr(detector, "partial_fit"):
            hint = "Call its partial_fit with each chunk"
        raise TypeError(
            "fit_chunks trains the deep detectors of this package that learn by gradient"
            f" steps, and pipelines that end in one, got {name}. {hint}."
        )
    detector._validate_params()
    if detector._labels == "required":
        raise ValueError(
            f"{name} learns from labels, which chunks do not have. Fit it to the labelled rows"
            " and a sample of the others."
        )
    if type(detector)._training_rows is not BaseDeepDetector._training_rows:
        raise ValueError(
            f"{name} learns from the neighbours that each row has among all rows, so that it"
            " cannot be trained by chunks. Fit it to a sample of the rows."
        )
    if once and issubclass(detector._net_class, OneCycleNet):
        raise ValueError(
            f"{name} plans its learning rate over all steps, but chunks is an iterator, whose"
            " length is not known. Pass a callable that returns a new iterator in each pass."
        )
    if detector.train_split is not None:
        raise ValueError(
            f"train_split={detector.train_split!r} of {name}, but all rows of the chunks are"
            " trained on. Leave it None, keep a chunk back, and compare its scores."
        )


def _adopt(detector, work):
    """Give a detector the fitted state of its clone, as fit would have made it."""
    if isinstance(detector, Pipeline):
        for i, ((name, before), (_, fitted)) in enumerate(
            zip(detector.steps[:-1], work.steps[:-1], strict=True)
        ):
            if hasattr(before, "get_params"):
                seeds = {n: v for n, v in before.get_params().items() if "random_state" in n}
                detector.steps[i] = (name, fitted.set_params(**seeds))
        _adopt(detector.steps[-1][1], work.steps[-1][1])
        return detector
    params = detector.get_params(deep=False)
    state = {name: value for name, value in vars(work).items() if name not in params}
    given = {name: value for name, value in vars(detector).items() if name in params}
    vars(detector).clear()
    vars(detector).update(given | state)
    return detector
