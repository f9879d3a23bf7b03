"""A skorch net whose target is its input, and whose epochs cost no more than a plain loop."""

from collections.abc import Callable

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.dataset import unpack_data
from skorch.utils import TeeGenerator, to_tensor


class StopTraining(KeyboardInterrupt):
    """Raised by a net or a callback to end training early, as planned.

    skorch ends training on ``KeyboardInterrupt``; this kind is no Ctrl-C.
    """


class DetectorNet(NeuralNet):
    """A skorch net that learns from rows, and from labels where there are any.

    The criterion is called as ``criterion(output, x)``, with labels as
    ``criterion(output, x, y)``, and returns a scalar. Where no callback listens to single
    batches, an epoch runs without per-batch notifications and leaves one summary row in the
    history; otherwise skorch's own loop runs.

    ``watchers`` is a list of objects with the methods ``begin(net)`` and ``end_epoch(net)``.
    They are called after all callbacks, when training begins and after each epoch.
    """

    _BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")

    interrupted_ = False
    watchers = ()
    # Epochs of this run that were trained before a restart.
    epochs_restored_ = 0

    def eval(self):
        """Put module and criterion into evaluation mode."""
        self.module_.eval()
        self.criterion_.eval()

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
        """Notify all callbacks, then the watchers, which see the state that callbacks leave."""
        super().notify(method_name, **cb_kwargs)
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
        return {k: v for k, v in super().__getstate__().items() if k != "watchers"}

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
        self.eval()

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
