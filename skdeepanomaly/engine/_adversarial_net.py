"""A net with several optimisers, for adversarial training."""

from typing import Any, Self

import torch
from skorch.callbacks import PassthroughScoring
from skorch.dataset import unpack_data

from ._net import DetectorNet
from .types import Optimizer


class AdversarialNet(DetectorNet):
    """A net whose parts are trained by different optimisers on different losses.

    On each batch, ``optimizer_d`` trains the parameters whose names start with
    ``discriminator`` on ``discriminator_loss(module, x)`` of the criterion; then
    ``optimizer`` trains all other parameters on ``generator_loss(module, x)``. The history
    records the first loss as ``discriminator_loss`` and the second as ``train_loss``. If there
    are labels, the losses get them as a third argument.

    A subclass with other steps sets ``steps``, takes the optimisers in ``__init__`` and
    overrides ``_trains``.

    Notes
    -----
    This class overrides ``train_step``, because skorch's ``train_step`` passes the same closure
    to all optimisers, so that all of them would minimise the same loss.
    """

    # Pairs of an optimiser and the loss of the criterion that it minimises, in the order of
    # the steps. The loss of ``optimizer`` is recorded as ``train_loss``.
    steps: tuple[tuple[str, str], ...] = (
        ("optimizer_d", "discriminator_loss"),
        ("optimizer", "generator_loss"),
    )

    def __init__(self, *args: Any, optimizer_d: Optimizer = torch.optim.Adam, **kwargs: Any):
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

    # Parameters that a module must have, for the error message of initialize_optimizer.
    _parameters_wanted = "some whose names start with 'discriminator', and others"

    def _trains(self, optimizer: str, parameter: str) -> bool:
        """Whether an optimiser trains a parameter; both arguments are names."""
        return (optimizer == "optimizer_d") == parameter.startswith("discriminator")

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> Self:
        """Create all optimisers, each with its own parameters."""
        # A compiled module adds the prefix to the names.
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

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take one step of each optimiser."""
        inputs = self._inputs(unpack_data(batch))
        step: dict[str, Any] = {"y_pred": None}
        for optimizer, name in self.steps:

            def compute_loss(name=name):
                return getattr(self.criterion_, name)(self.module_, *inputs)

            key = "loss" if optimizer == "optimizer" else name
            step[key] = self._minimize(getattr(self, f"{optimizer}_"), compute_loss, batch)
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the loss of ``optimizer`` on a batch."""
        compute_loss = getattr(self.criterion_, dict(self.steps)["optimizer"])
        with torch.no_grad():
            loss = compute_loss(self.module_, *self._inputs(unpack_data(batch)))
        return {"loss": loss, "y_pred": None}
