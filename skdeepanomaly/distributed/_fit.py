"""Training of a detector on chunks."""

from os import PathLike
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from ..base._building import resolve_max_epochs
from ..base._fitting import fit_from_scratch
from ..base._reservoir import Reservoir
from ..callbacks import BackupAndRestore
from ..engine import draw_seed
from ..utils.randomness import seeded_clone
from ..utils.types import RandomState
from ..utils.warn import recorded_warnings
from ._batches import ChunkBatches
from ._checks import check_detector, check_parameters, check_shared, split
from ._chunks import open_source
from ._processes import Processes
from ._rows import Rows

Detector = TypeVar("Detector", bound=BaseEstimator)


def fit_chunks(
    detector: Detector,
    chunks: Any,
    *,
    n_passes: int | Literal["auto"] = "auto",
    buffer_rows: int | Literal["auto"] = "auto",
    checkpoint: str | PathLike[str] | None = None,
    random_state: RandomState = None,
    process_group: "torch.distributed.ProcessGroup | None" = None,
) -> Detector:
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
    check_parameters(n_passes, buffer_rows, checkpoint, source.once)
    check_detector(split(detector)[1], source.once)
    rng = None if random_state is None else check_random_state(random_state)
    processes = None
    if process_group is not None:
        check_shared(detector, source.once, checkpoint)
        processes = Processes(process_group)
        own = split(detector)[1].random_state if rng is None else rng
        rng = np.random.RandomState(processes.shared(draw_seed(own)))
    work = seeded_clone(detector, rng)
    transformers, last = split(work)
    seed = draw_seed(last.random_state if rng is None else rng)
    rows = Rows(source, transformers, last, buffer_rows, seed, processes)
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
    with recorded_warnings() as texts:
        rows.differences.warn(getattr(last, "feature_names_in_", None))
    last.fit_warnings_ += texts
    return _adopt(detector, work)


def _adopt(detector: Detector, work: BaseEstimator) -> Detector:
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
