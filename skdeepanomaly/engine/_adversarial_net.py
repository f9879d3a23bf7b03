"""Nets of players that train against each other."""

import torch
from skorch.callbacks import PassthroughScoring
from skorch.dataset import unpack_data

from ._net import DetectorNet


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
