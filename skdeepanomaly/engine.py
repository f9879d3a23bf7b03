"""How a batch is made, how a step is taken, and what a training run may touch.

Training is skorch's: :class:`DetectorNet` is a :class:`skorch.NeuralNet` whose target is
its input. It replaces the parts of skorch that cost time per batch and keeps every
epoch-level feature: callbacks, validation, history, early stopping, schedulers.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler, PassthroughScoring
from skorch.dataset import unpack_data
from skorch.utils import TeeGenerator, to_tensor

# Rows are shuffled in a buffer of this size. Data that fit are permuted as a whole; of
# larger data the buffer is filled with chunks drawn from all over the table, so that a
# memory map is read in runs of neighbouring rows and never held as a whole.
SHUFFLE_BUFFER_BYTES = 32 * 2**20
CHUNK_BYTES = 128 * 2**10

# Rows that are scored at once, the reference first; larger blocks only up to this number
# of values. Below 32 rows matrix products take other code paths with other rounding.
BLOCK_ROWS = (64, 1024, 8192)
BLOCK_VALUES = 8 * 2**20

# torch's, numpy's and Python's default generators belong to the process: two fits in
# two threads must not draw from them in turn.
_RNG_LOCK = threading.RLock()


def draw_seed(random_state, n_calls: int = 0) -> int:
    """Draw a seed; numpy's global generator is not touched.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        With None the seed is fresh entropy.
    n_calls : int, default=0
        Seeds of further calls with the same ``random_state`` differ.

    Returns
    -------
    seed : int
    """
    entropy = None
    if random_state is not None:
        entropy = [check_random_state(random_state).randint(np.iinfo(np.int32).max), n_calls]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@contextmanager
def isolated_rng(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed all global generators for the block and put their states back after it.

    Parameters
    ----------
    seed : int
        Seed of the generators inside the block, below 2**32.
    device : str
        Where the block computes; the generator of a CUDA device is isolated, too.
    """
    place = torch.device(device)
    cuda = []
    if place.type == "cuda":
        cuda = [torch.cuda.current_device() if place.index is None else place.index]
    with _RNG_LOCK, torch.random.fork_rng(devices=cuda):
        numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
        try:
            # torch.manual_seed would also seed the GPUs that fork_rng does not restore.
            torch.random.default_generator.manual_seed(seed)
            for index in cuda:
                torch.cuda.default_generators[index].manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


class StopTraining(KeyboardInterrupt):
    """Raised by a net or a callback to end training early, as planned.

    skorch ends training on ``KeyboardInterrupt``; this kind is no Ctrl-C.
    """


class TensorLoader:
    """Iterator over batches that are slices of one tensor, without per-row collation.

    A batch is a pair of rows and labels; the labels are None where the dataset has none.
    A last batch of a single row is joined to the one before it when ``shuffle`` is set,
    because batch normalisation cannot train on one row.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset or Subset of one
        Where the rows come from: a two-dimensional array ``X`` of any real dtype, which
        is read where it lies; a memory map is not copied. ``y`` holds labels, -1 for
        anomalies, or is None.
    batch_size : int
        Rows in a batch.
    shuffle : bool, default=False
        Whether to draw the rows in a new random order in each pass.
    anomaly_share : float or None, default=None
        Share of a batch that is drawn, with replacement, from the rows that are labelled
        as anomalies; a pass then goes once over all other rows. None draws all rows
        alike. Without labelled anomalies, or without other rows, it has no effect.
    """

    def __init__(
        self,
        dataset,
        batch_size: int,
        shuffle: bool = False,
        anomaly_share: float | None = None,
    ):
        if isinstance(dataset, torch.utils.data.Subset):
            # Sorted, so that a chunk of a large table is a run of neighbouring rows.
            small = np.min_scalar_type(len(dataset.dataset))
            self._indices = np.asarray(dataset.indices).astype(small)
            self._indices.sort()
            dataset = dataset.dataset
        else:
            self._indices = None
        self._X, self._y = getattr(dataset, "X", None), getattr(dataset, "y", None)
        if self._X is None:
            raise TypeError(
                f"train_split gave a {type(dataset).__name__}; expected a"
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
        n_drawn = round(share * self.batch_size)
        if is_anomaly.any() and not is_anomaly.all() and n_drawn:
            self._anomalies, self._indices = rows[is_anomaly], rows[~is_anomaly]
            self.batch_size = max(1, self.batch_size - n_drawn)
            self._n_drawn = n_drawn

    def __len__(self) -> int:
        n_full, n_left = divmod(self._n_rows(), self.batch_size)
        return max(1, n_full + (n_left > self._joins_last_row))

    def _n_rows(self) -> int:
        return len(self._X) if self._indices is None else len(self._indices)

    def _at(self, rows) -> np.ndarray:
        """Return the rows of a slice or an index array, where possible as a view."""
        return self._X[rows if self._indices is None else self._indices[rows]]

    def _read(self, rows) -> np.ndarray:
        """Copy the rows of a slice or an index array, as float32."""
        is_view = isinstance(rows, slice) and self._indices is None
        return np.array(self._at(rows), dtype=np.float32, copy=is_view or None)

    def _labels(self, rows) -> np.ndarray | None:
        """Return the labels of the rows of a slice or an index array."""
        if self._y is None:
            return None
        return self._y[rows if self._indices is None else self._indices[rows]]

    def _batch(self, X: np.ndarray, y: np.ndarray | None):
        """Make a batch of rows that are a copy, with the anomalies that it lacks."""
        if self._anomalies is not None:
            drawn = torch.randint(len(self._anomalies), (self._n_drawn,)).numpy()
            drawn = self._anomalies[drawn]
            X = np.concatenate([X, np.asarray(self._X[drawn], dtype=np.float32)])
            y = np.concatenate([y, self._y[drawn]])
        x = torch.from_numpy(X)
        return x, None if y is None else torch.from_numpy(y.astype(np.float32))

    def _cuts(self, n_rows: int) -> Iterator[slice]:
        """Cut rows into batches; a last one of a single row is joined to its neighbour."""
        start = 0
        while start < n_rows:
            stop = min(start + self.batch_size, n_rows)
            if self._joins_last_row and n_rows - stop == 1:
                stop = n_rows
            yield slice(start, stop)
            start = stop

    def __iter__(self):
        n_rows, row_bytes = self._n_rows(), 4 * self._X.shape[1]
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
        """Fill a buffer with chunks from all over the table, and shuffle its rows."""
        starts = np.arange(0, n_rows, chunk)
        starts = starts[torch.randperm(len(starts)).numpy()]
        per_buffer = max(1, SHUFFLE_BUFFER_BYTES // CHUNK_BYTES)
        # Room for the rows that were left of the buffer before.
        shape = (per_buffer * chunk + 2 * self.batch_size, self._X.shape[1])
        buffer = np.empty(shape, dtype=np.float32)
        labels = None if self._y is None else np.empty(len(buffer), dtype=np.float32)
        n_filled, n_unread = 0, n_rows
        for i in range(0, len(starts), per_buffer):
            for start in starts[i : i + per_buffer]:
                n_read = min(chunk, n_rows - start)
                # Straight into the buffer: temporary copies would fragment the heap.
                rows = slice(start, start + n_read)
                buffer[n_filled : n_filled + n_read] = self._at(rows)
                if labels is not None:
                    labels[n_filled : n_filled + n_read] = self._labels(rows)
                n_filled += n_read
                n_unread -= n_read
            order = torch.randperm(n_filled).numpy()
            n_out = n_filled - n_filled % self.batch_size if n_unread else n_filled
            if self._joins_last_row and n_unread == 1 and n_out == n_filled:
                n_out -= self.batch_size
            for cut in self._cuts(n_out):
                rows = order[cut]
                yield self._batch(buffer[rows], None if labels is None else labels[rows])
            n_filled -= n_out
            buffer[:n_filled] = buffer[order[n_out:]]
            if labels is not None:
                labels[:n_filled] = labels[order[n_out:]]


class DetectorNet(NeuralNet):
    """A skorch net that learns from rows, and from labels where there are any.

    The criterion is called as ``criterion(output, x)``, with labels as
    ``criterion(output, x, y)``, and gives a scalar. Where no
    callback listens to single batches, an epoch runs without per-batch notifications
    and leaves one summary row in the history; otherwise skorch's own loop runs.
    """

    _BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")

    interrupted_ = False
    # Epochs of this run that were trained before a restart.
    epochs_restored_ = 0

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the criterion of the output, given the input that it came from."""
        return self.criterion_(y_pred, *self._inputs((X, y_true)))

    def _inputs(self, batch) -> list[torch.Tensor]:
        """Return what a criterion gets of a batch: rows, and labels where there are any."""
        return [to_tensor(part, device=self.device) for part in batch if part is not None]

    def initialize_module(self):
        """Also make sure of float32, whatever torch's default or the instance is."""
        super().initialize_module()
        self.module_.float()
        if not any(parameter.requires_grad for parameter in self.module_.parameters()):
            raise ValueError(
                f"The module {type(self.module_).__name__} has no parameters to train."
            )
        return self

    def initialize_criterion(self):
        """Also refuse a module that lacks what the criterion calls."""
        super().initialize_criterion()
        needed = getattr(self.criterion_, "module_interface", ())
        missing = [name for name in needed if not hasattr(self.module_, name)]
        if missing:
            raise ValueError(
                f"The module {type(self.module_).__name__} has no {', '.join(missing)};"
                f" expected a module that offers {', '.join(needed)}."
            )
        return self

    def initialize_callbacks(self):
        """Also note whether any callback has to hear of single batches."""
        super().initialize_callbacks()
        self.listens_to_batches_ = any(map(self._needs_batches, dict(self.callbacks_).values()))
        return self

    def _needs_batches(self, callback) -> bool:
        if isinstance(callback, LRScheduler) and callback.step_every == "epoch":
            return False
        kind = type(callback)
        return any(getattr(kind, h) is not getattr(Callback, h) for h in self._BATCH_HOOKS)

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Set the mode once per batch; the lean loop sets it once per epoch."""
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        self._set_training(training)

    def on_batch_end(self, net, batch=None, training=False, **step):
        """Record the losses beside the first that a step reports."""
        for name in self._further_losses(step) if training else ():
            self.history.record_batch(name, step[name].item())

    @staticmethod
    def _further_losses(step) -> list[str]:
        return [name for name in step if name.endswith("_loss")]

    def train_step(self, batch, **fit_params):
        """Take one optimiser step on a batch."""
        x, *labels = self._inputs(unpack_data(batch))
        y = labels[0] if labels else None
        outputs = []

        def compute_loss():
            outputs[:] = [self.infer(x, **fit_params)]
            return self.get_loss(outputs[0], y, X=x, training=True)

        loss = self._minimize(self.optimizer_, compute_loss, batch)
        return {"loss": loss, "y_pred": outputs[0]}

    def _minimize(self, optimizer, compute_loss: Callable, batch):
        """Step ``optimizer``; LBFGS and its kin may evaluate the loss several times."""
        own = None
        if len(self._optimizers) > 1:
            # Gradients of the other players' parameters would be computed in vain.
            groups = optimizer.param_groups
            own = [p for group in groups for p in group["params"] if p.requires_grad]

        def closure():
            optimizer.zero_grad()
            loss = compute_loss()
            loss.backward(inputs=own)
            if self.listens_to_batches_:
                mine = None if own is None else set(own)
                named = (
                    (name, parameter)
                    for name, parameter in self.get_all_learnable_params()
                    if mine is None or parameter in mine
                )
                self.notify(
                    "on_grad_computed",
                    named_parameters=TeeGenerator(named),
                    batch=batch,
                    training=True,
                )
            return loss

        return optimizer.step(closure)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch, lean where no callback wants to hear of single batches."""
        if iterator is None:
            return
        if self.listens_to_batches_:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        else:
            self._run_lean_epoch(iterator, training, prefix, step_fn, **fit_params)

    def _run_lean_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        self._set_training(training)
        # On a GPU the losses are read once an epoch, not once a batch.
        read = torch.Tensor.item if torch.device(self.device).type == "cpu" else torch.clone
        losses: dict[str, list] = {}
        sizes = []
        for batch in iterator:
            step = step_fn(batch, **fit_params)
            losses.setdefault(f"{prefix}_loss", []).append(read(step["loss"].detach()))
            for name in self._further_losses(step) if training else ():
                losses.setdefault(name, []).append(read(step[name].detach()))
            sizes.append(len(unpack_data(batch)[0]))
        # One row stands for the epoch, so that callbacks that read batches still work.
        if training or not self.history[-1]["batches"]:
            self.history.new_batch()
        weights = np.asarray(sizes) / np.sum(sizes)
        for name, values in losses.items():
            mean = float(weights @ [float(value) for value in values])
            self.history.record_batch(name, mean)
        self.history.record_batch(f"{prefix}_batch_size", int(np.sum(sizes)))
        self.history.record(f"{prefix}_batch_count", len(sizes))

    def notify(self, method_name, **cb_kwargs):
        """Notify all callbacks, then do what has to see the state they leave."""
        super().notify(method_name, **cb_kwargs)
        if method_name == "on_epoch_end":
            self._close_epoch()
        if method_name in ("on_train_begin", "on_epoch_end"):
            for _, callback in self.callbacks_:
                getattr(callback, f"after_{method_name}", _do_nothing)(self)
        if method_name == "on_train_end":
            self._release()

    def _close_epoch(self):
        batches = self.history[-1]["batches"]
        for name in ("train_loss", "valid_loss"):
            values = [row[name] for row in batches if name in row]
            if not np.isfinite(values).all():
                raise ValueError(
                    f"Training diverged: {name} became {values[-1]} in epoch"
                    f" {len(self.history)}. Lower the learning rate (now {self.lr}), scale X"
                    " (for example with StandardScaler) or clip the gradients"
                    " (skorch.callbacks.GradientNormClipping)."
                )
        # The rows of single batches are most of a pickle; the epoch keeps its means.
        del batches[:-1]

    def _release(self):
        """Drop what only training needs.

        A scheduler holds a second optimiser state outside of skorch's device mapping;
        skorch makes a new scheduler when training goes on.
        """
        for _, callback in self.callbacks_:
            if isinstance(callback, LRScheduler):
                callback.lr_scheduler_ = None
        self.module_.eval()
        self.criterion_.eval()

    def fit_loop(self, X, y=None, epochs=None, **kwargs):
        """Run the epochs that are left; remember an interrupt that was not a stop.

        skorch ends training on ``KeyboardInterrupt``, from the keyboard or from early
        stopping, and does not say which it was.
        """
        epochs = self.max_epochs if epochs is None else epochs
        self.interrupted_ = False
        n_epochs_before = len(self.history)
        try:
            return super().fit_loop(X, y, epochs=epochs - self.epochs_restored_, **kwargs)
        except KeyboardInterrupt as interrupt:
            self.interrupted_ = not isinstance(interrupt, StopTraining) and not any(
                isinstance(callback, EarlyStopping) and callback.misses_ >= callback.patience
                for _, callback in self.callbacks_
            )
            if len(self.history) > n_epochs_before:
                if "train_loss" in self.history[-1]:
                    self._close_epoch()
                else:
                    del self.history[-1]
            raise


def _do_nothing(net):
    """Stand in for a hook that a callback does not have."""


class DenoisingNet(DetectorNet):
    """A net that trains on corrupted rows and compares what it makes with the clean ones.

    The criterion offers ``corrupt(x)``. Validation takes the rows as they are.
    """

    def infer(self, x, **fit_params):
        """Pass rows through the module, in training corrupted."""
        if self.module_.training:
            x = self.criterion_.corrupt(x)
        return super().infer(x, **fit_params)


class AnnealedNet(DetectorNet):
    """A net whose criterion changes in the course of training.

    The criterion offers ``begin_epoch(share)``, which is told how far training is: 0 in the
    first epoch, 1 in the last one and where training goes on.
    """

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Also note whether this is the first training of the net."""
        self.goes_on_ = len(self.history) > 0
        super().on_train_begin(net, X=X, y=y, **kwargs)

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Also tell the criterion how far training is."""
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)
        n_done, n_last = len(self.history) - 1, self.max_epochs - 1
        share = 1.0 if self.goes_on_ or n_last == 0 else min(1.0, n_done / n_last)
        self.criterion_.begin_epoch(share)


def block_sizes(n_features: int) -> list[int]:
    """Return the numbers of rows that are scored at once, ascending."""
    reference, *larger = BLOCK_ROWS
    return [reference, *(size for size in larger if size * n_features <= BLOCK_VALUES)]


def iter_outputs(
    net: NeuralNet, X: np.ndarray, function: Callable | None = None, size: int | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield rows, block by block, and what the module makes of them in evaluation mode.

    ``function`` maps rows, where it is given, in place of the module; ``size`` is the
    number of rows in a block.
    """
    size = size or block_sizes(X.shape[1])[-1]
    net._set_training(False)
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
    """Return the mean over rows of what a function makes of them in evaluation mode.

    Parameters
    ----------
    net : NeuralNet
        Where to compute.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    function : callable
        Maps rows (n, n_features) to a tensor (n, ...).
    max_rows : int, default=10_000
        Of more rows so many are used, spread evenly.
    size : int or None, default=None
        Rows that are evaluated at once; None takes as many as scoring does.

    Returns
    -------
    mean : torch.Tensor
        Of shape (...).
    """
    rows = X[:: -(-len(X) // max_rows)]
    mapped = iter_outputs(net, rows, function, size)
    return sum(values.sum(dim=0) for _, values in mapped) / len(rows)


def spread_rows(X: np.ndarray, device: str, n_rows: int = 10_000) -> torch.Tensor:
    """Return at least ``n_rows`` rows spread over the table, or all where there are fewer.

    They suffice for means, variances and extents, whatever the size of the table.
    """
    rows = X[:: max(1, len(X) // n_rows)]
    return torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)


def map_in_blocks(
    function: Callable,
    X: np.ndarray,
    device: str,
    *,
    copy: bool = False,
    dtype=np.float64,
) -> np.ndarray:
    """Map rows so that what a row gives does not depend on the rows around it.

    float32 matrix products of different shapes may round differently. Rows go through
    the network in blocks of few fixed shapes; the smallest one is the reference, and a
    larger one is used as long as it gives the same bits for the same rows.

    Parameters
    ----------
    function : callable
        Maps a tensor (n_rows, n_features) to one of shape (n_rows, ...).
    X : ndarray of shape (n_samples, n_features)
        The rows; converted to float32 block by block.
    device : str
        Where to compute.
    copy : bool, default=False
        Whether ``function`` may overwrite its argument, so that it must not see ``X``.
    dtype : dtype, default=np.float64
        Type of the result.

    Returns
    -------
    mapped : ndarray of shape (n_samples, ...)
    """
    n_samples, n_features = X.shape
    reference, *larger = block_sizes(n_features)
    # torch.from_numpy warns of arrays that cannot be written to.
    in_place = not copy and X.dtype == np.float32
    in_place = in_place and X.flags.c_contiguous and X.flags.writeable

    def compute(start: int, size: int) -> np.ndarray:
        stop = min(start + size, n_samples)
        if in_place and stop - start == size:
            rows = torch.from_numpy(X[start:stop])
        else:
            rows = torch.zeros(size, n_features, dtype=torch.float32)
            rows.numpy()[: stop - start] = X[start:stop]
        return function(rows.to(device))[: stop - start].cpu().numpy()

    mapped = None
    start = 0
    with torch.inference_mode():
        for size in [*reversed(larger), reference]:
            proven = size == reference
            while n_samples - start >= size or (size == reference and start < n_samples):
                block = compute(start, size)
                if not proven:
                    head = compute(start, reference)
                    if not np.array_equal(head, block[:reference], equal_nan=True):
                        break
                    proven = True
                if mapped is None:
                    mapped = np.empty((n_samples, *block.shape[1:]), dtype=dtype)
                mapped[start : start + size] = block
                start += size
    return mapped


class AdversarialNet(DetectorNet):
    """Players that train against each other, each with its own optimiser.

    In a game of two, ``optimizer_d`` trains the parameters whose names start with
    ``discriminator`` on the criterion's ``discriminator_loss(module, x)``; then
    ``optimizer`` trains all others on its ``generator_loss(module, x)``. The first is in
    the history as ``discriminator_loss``, the second as ``train_loss``. Where there are
    labels, the losses get them as a third argument.

    A subclass with other players sets ``steps``, takes their optimisers in ``__init__``
    and overrides ``_trains``.

    Notes
    -----
    ``train_step`` is replaced, not ``train_step_single``: skorch hands one closure to
    every optimiser, which would take each player's step on the other's gradients.
    """

    # Optimisers and the criterion's losses that they step on, in this order. The loss of
    # ``optimizer`` is the one to watch.
    steps: tuple[tuple[str, str], ...] = (
        ("optimizer_d", "discriminator_loss"),
        ("optimizer", "generator_loss"),
    )

    def __init__(self, *args, optimizer_d=torch.optim.Adam, **kwargs):
        self.optimizer_d = optimizer_d
        super().__init__(*args, **kwargs)

    @property
    def _default_callbacks(self):
        *callbacks, print_log = super()._default_callbacks
        losses = [
            (loss, PassthroughScoring(loss, on_train=True))
            for optimizer, loss in self.steps
            if optimizer != "optimizer"
        ]
        return [*callbacks, *losses, print_log]

    # What a module is asked for whose parameters leave an optimiser without any.
    _parameters_wanted = "some whose names start with 'discriminator', and others"

    def _trains(self, optimizer: str, parameter: str) -> bool:
        """Whether an optimiser trains a parameter; both are given by name."""
        return (optimizer == "optimizer_d") == parameter.startswith("discriminator")

    def initialize_optimizer(self, triggered_directly=None):
        """Make one optimiser for each player."""
        named = [
            (name.removeprefix("_orig_mod."), parameter)
            for name, parameter in self.get_all_learnable_params()
        ]
        for optimizer, _ in self.steps:
            trained = [(name, p) for name, p in named if self._trains(optimizer, name)]
            if not trained:
                raise ValueError(
                    f"The module {type(self.module_).__name__} has no parameters for"
                    f" {optimizer}; a module for {type(self).__name__} must have"
                    f" {self._parameters_wanted}; it has {[name for name, _ in named]}."
                )
            args, kwargs = self.get_params_for_optimizer(optimizer, trained)
            setattr(self, f"{optimizer}_", getattr(self, optimizer)(*args, **kwargs))
        return self

    def train_step(self, batch, **fit_params):
        """Take one step of each player."""
        inputs = self._inputs(unpack_data(batch))
        step = {"y_pred": None}
        for optimizer, name in self.steps:

            def compute_loss(name=name):
                return getattr(self.criterion_, name)(self.module_, *inputs)

            key = "loss" if optimizer == "optimizer" else name
            step[key] = self._minimize(getattr(self, f"{optimizer}_"), compute_loss, batch)
        return step

    def validation_step(self, batch, **fit_params):
        """Return the loss of ``optimizer`` on a batch."""
        compute_loss = getattr(self.criterion_, dict(self.steps)["optimizer"])
        with torch.no_grad():
            loss = compute_loss(self.module_, *self._inputs(unpack_data(batch)))
        return {"loss": loss, "y_pred": None}


class AdversarialAutoEncoderNet(AdversarialNet):
    """Three steps a batch: rebuild the rows, judge their codes, fool the judge.

    ``optimizer`` trains all but the discriminator on the reconstruction,
    ``optimizer_d`` the discriminator, and ``optimizer_g`` the parameters whose names start
    with ``encoder`` on the discriminator's verdict.
    """

    steps = (
        ("optimizer", "reconstruction_loss"),
        ("optimizer_d", "discriminator_loss"),
        ("optimizer_g", "regularization_loss"),
    )
    _parameters_wanted = "some whose names start with 'discriminator' and with 'encoder'"

    def __init__(self, *args, optimizer_g=torch.optim.Adam, **kwargs):
        self.optimizer_g = optimizer_g
        super().__init__(*args, **kwargs)

    def _trains(self, optimizer: str, parameter: str) -> bool:
        if optimizer == "optimizer_g":
            return parameter.startswith("encoder")
        return super()._trains(optimizer, parameter)
