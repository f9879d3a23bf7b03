"""A skorch net whose target is its input, with a fast training loop."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler, PrintLog
from skorch.dataset import unpack_data
from skorch.exceptions import SkorchException
from skorch.history import History
from skorch.utils import TeeGenerator, get_map_location, to_tensor

from ._defaults import torch_defaults
from ._plain_state import pack, unpack


class StopTraining(KeyboardInterrupt):
    """Raised by a net or a callback to end training before the last epoch.

    It is a ``KeyboardInterrupt`` because skorch ends training on this exception. As a class of
    its own it can be distinguished from Ctrl-C.
    """


class QuietPrintLog(PrintLog):
    """A ``PrintLog`` that makes no table if it would print nothing.

    On a few hundred rows the table takes a twentieth of an epoch.
    """

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Print the last row of the history if the net is verbose."""
        if net.verbose or self.sink is not print:
            super().on_epoch_end(net, **kwargs)


class DetectorNet(NeuralNet):
    """A skorch net that learns from rows, and from labels if there are any.

    The criterion is called as ``criterion(output, x)``, or with labels as
    ``criterion(output, x, y)``, and returns a scalar. If no callback uses single batches, an
    epoch runs without notifications of batches, which is faster, and records one summary row in
    the history. Otherwise the loop of skorch runs.

    ``watchers`` is a list of objects with the methods ``begin(net)`` and ``end_epoch(net)``.
    These are called after all callbacks, when training begins and after each epoch.
    """

    _BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")

    verbose: int
    interrupted_ = False
    watchers: Sequence[Any] = ()
    # Largest number of values that the module holds for a row; None is the number of features.
    width: int | None = None
    # Number of epochs of this fit that were restored from a backup.
    epochs_restored_ = 0

    @property
    def _default_callbacks(self):
        *callbacks, (name, _) = super()._default_callbacks
        return [*callbacks, (name, QuietPrintLog())]

    def eval(self) -> None:
        """Put the module and the criterion into evaluation mode."""
        self.module_.eval()
        self.criterion_.eval()

    def get_loss(
        self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False
    ) -> torch.Tensor:
        """Return the loss of an output of the module, given its input."""
        return self.criterion_(y_pred, *self._inputs((X, y_true)))

    def _inputs(self, batch) -> list[torch.Tensor]:
        """Return the tensors of a batch on the device: rows, and labels if there are any."""
        return [to_tensor(part, device=self.device) for part in batch if part is not None]

    def initialize_module(self) -> Self:
        """Also convert the weights to float32, and check that there are weights to train.

        A custom module may have another type.
        """
        super().initialize_module()
        self.module_.float()
        if not any(parameter.requires_grad for parameter in self.module_.parameters()):
            raise ValueError(
                f"The module {type(self.module_).__name__} has no parameters to train."
            )
        return self

    def initialize_criterion(self) -> Self:
        """Also raise a ValueError if the module lacks attributes that the criterion uses."""
        super().initialize_criterion()
        needed = getattr(self.criterion_, "module_interface", ())
        missing = [name for name in needed if not hasattr(self.module_, name)]
        if missing:
            raise ValueError(
                f"The module {type(self.module_).__name__} has no {', '.join(missing)};"
                f" expected a module that offers {', '.join(needed)}."
            )
        return self

    def initialize_callbacks(self) -> Self:
        """Also remember whether a callback needs notifications of single batches."""
        super().initialize_callbacks()
        self.listens_to_batches_ = any(map(self._needs_batches, dict(self.callbacks_).values()))
        return self

    def _needs_batches(self, callback) -> bool:
        if isinstance(callback, LRScheduler) and callback.step_every == "epoch":
            return False
        kind = type(callback)
        return any(getattr(kind, h) is not getattr(Callback, h) for h in self._BATCH_HOOKS)

    def on_batch_begin(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Set training or evaluation mode; the fast loop does this once in an epoch."""
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        self._set_training(training)

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **step: Any
    ) -> None:
        """Record the further losses of a training step, besides ``train_loss``."""
        for name in self._further_losses(step) if training else ():
            self.history.record_batch(name, step[name].item())

    @staticmethod
    def _further_losses(step) -> list[str]:
        return [name for name in step if name.endswith("_loss")]

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take one optimiser step on a batch."""
        x, *labels = self._inputs(unpack_data(batch))
        y = labels[0] if labels else None
        outputs: list[Any] = []

        def compute_loss():
            outputs[:] = [self.infer(x, **fit_params)]
            return self.get_loss(outputs[0], y, X=x, training=True)

        loss = self._minimize(self.optimizer_, compute_loss, batch)
        return {"loss": loss, "y_pred": outputs[0]}

    def _minimize(self, optimizer, compute_loss: Callable, batch):
        """Take one step of an optimiser; some, like LBFGS, evaluate the loss several times."""
        own = None
        if len(self._optimizers) > 1:
            # Compute gradients only of the parameters that this optimiser trains.
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

    def run_single_epoch(
        self,
        iterator: Iterable[Any] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Any]],
        **fit_params: Any,
    ) -> None:
        """Run an epoch, with the fast loop if no callback needs single batches."""
        if iterator is None:
            return
        if self.listens_to_batches_:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        else:
            self._run_lean_epoch(iterator, training, prefix, step_fn, **fit_params)

    def _run_lean_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        self._set_training(training)
        # On a GPU ``item`` waits for the computation, so the losses are read at the end of the
        # epoch. They are cloned because the next step may overwrite them.
        read = torch.Tensor.item if torch.device(self.device).type == "cpu" else torch.clone
        losses: dict[str, list] = {}
        sizes = []
        for batch in iterator:
            step = step_fn(batch, **fit_params)
            losses.setdefault(f"{prefix}_loss", []).append(read(step["loss"].detach()))
            for name in self._further_losses(step) if training else ():
                losses.setdefault(name, []).append(read(step[name].detach()))
            sizes.append(len(unpack_data(batch)[0]))
        # One batch row for the whole epoch, because some callbacks read the last batch row.
        if training or not self.history[-1]["batches"]:
            self.history.new_batch()
        weights = np.asarray(sizes) / np.sum(sizes)
        for name, values in losses.items():
            mean = float(weights @ [float(value) for value in values])
            self.history.record_batch(name, mean)
        self.history.record_batch(f"{prefix}_batch_size", int(np.sum(sizes)))
        self.history.record(f"{prefix}_batch_count", len(sizes))

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Notify all callbacks, then the watchers.

        The watchers come last, so that they see the state that the callbacks have set.

        Raises
        ------
        ValueError
            If a callback asks the history for a value that is not there.
        """
        try:
            super().notify(method_name, **cb_kwargs)
        except (KeyError, SkorchException, ValueError) as error:
            # What EarlyStopping, Checkpoint, LRScheduler and callbacks of the user's own say.
            if "not found in history" not in str(error):
                raise
            raise ValueError(
                f"A callback reads what this training does not record: {error.args[0]} Losses"
                " of validation rows need a train_split, for example train_split=0.2; without"
                " one there is 'train_loss', as in EarlyStopping(monitor='train_loss')."
            ) from error
        if method_name == "on_train_begin":
            for watcher in self.watchers:
                watcher.begin(self)
        elif method_name == "on_epoch_end":
            self._close_epoch()
            for watcher in self.watchers:
                watcher.end_epoch(self)
        elif method_name == "on_train_end":
            self._release()

    def __getstate__(self):
        """Return the state as dicts, numpy arrays, classes and callbacks.

        skorch pickles all that torch made into opaque bytes, which hide what is in a file.
        """
        state = vars(self).copy()
        for name in ("watchers", "virtual_params_", "init_context_"):
            state.pop(name, None)
        state["history_"] = None if self.history_ is None else list(self.history_)
        # Optimisers are made again; their own pickles lose what some of them need.
        state["optimizers"] = {
            name: state.pop(f"{name}_").state_dict()
            for name in self._optimizers
            if f"{name}_" in state
        }
        if not state.pop("keeps_moments", True):
            for optimizer in state["optimizers"].values():
                optimizer["state"] = {}
        with torch_defaults():
            return pack(state)

    def __setstate__(self, state):
        state = dict(state)
        optimizers = state.pop("optimizers")
        place = get_map_location(state["device"])
        state["device"] = self._check_device(state["device"], place)
        # Tensors that are loaded in inference mode could not be trained further.
        with torch_defaults():
            state = unpack(state, place)
            history = state["history_"]
            state["history_"] = None if history is None else History(history)
            vars(self).update(state, init_context_=None, virtual_params_={})
            for name in (*self._modules, *self._criteria):
                part = getattr(self, f"{name}_")
                if isinstance(part, torch.nn.Module):
                    setattr(self, f"{name}_", self.torch_compile(part, name=name))
            if optimizers:
                self._restore_optimizers(unpack(optimizers, place))

    def _restore_optimizers(self, states: dict) -> None:
        # skorch would print that it makes optimisers of a net that is initialised.
        verbose, self.verbose = self.verbose, 0
        try:
            self._initialize_optimizer()
        finally:
            self.verbose = verbose
        for name, state in states.items():
            getattr(self, f"{name}_").load_state_dict(state)

    def without_moments(self) -> Self:
        """Return a net that shares all with this one, but is pickled without moments.

        The optimisers keep their learning rates and other arguments. The moments, which are
        the larger part of a pickle, start anew when training goes on.
        """
        light = type(self).__new__(type(self))
        light.__dict__.update(vars(self), keeps_moments=False)
        return light

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
        # Keep only the last batch row: the rows of all batches would be most of a pickle, and
        # the epoch has their means.
        del batches[:-1]

    def _release(self):
        """Drop the state that only training needs, and switch to evaluation mode.

        A learning-rate scheduler holds a second copy of the optimiser state, which skorch does
        not move to the right device on loading. If training goes on, skorch makes a new
        scheduler.
        """
        for _, callback in self.callbacks_:
            if isinstance(callback, LRScheduler):
                callback.lr_scheduler_ = None
        self.eval()

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any) -> Self:
        """Run the remaining epochs, and remember whether Ctrl-C ended them.

        skorch ends training on ``KeyboardInterrupt``, which comes from the keyboard or from
        early stopping, and does not record which of the two it was.
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
            # The last epoch may be incomplete: drop it if it has no mean loss yet.
            if len(self.history) > n_epochs_before:
                if "train_loss" in self.history[-1]:
                    self._close_epoch()
                else:
                    del self.history[-1]
            raise
