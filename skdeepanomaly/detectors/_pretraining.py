"""Pre-training of a detector's network as an auto-encoder."""

from collections.abc import Callable
from numbers import Integral
from typing import Literal

import numpy as np
from torch import nn

from ..base import build_net, epochs_for
from ..engine import DetectorNet
from ..utils.validation import Interval, StrOptions
from ._parameters import POSITIVE

PRETRAINING_CONSTRAINTS: dict = {
    "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    "pretrain_lr": [POSITIVE],
}

PRETRAINING_PARAMETERS = """\
pretrain_epochs : int or "auto", default="auto"
    Number of epochs in which the network is pre-trained as an auto-encoder; 0 means no
    pre-training. ``"auto"`` is the number of epochs for about {_pretrain_steps} optimiser
    steps, but at least {_pretrain_epoch_range[0]} and at most {_pretrain_epoch_range[1]}.
pretrain_lr : float, default={pretrain_lr}
    Learning rate of the pre-training."""


class PretrainingMixin:
    """Mixin of detectors with the parameters ``pretrain_epochs`` and ``pretrain_lr``."""

    net_: DetectorNet
    pretrain_epochs: int | Literal["auto"]
    pretrain_lr: float
    _nested_params: Callable[[], dict]
    _net_params: Callable[[], dict]

    # With pretrain_epochs="auto": the number of optimiser steps, and the bounds of the epochs.
    _pretrain_steps = 500
    _pretrain_epoch_range = (2, 500)

    def _make_pretraining_nets(
        self, module: nn.Module, criterion: nn.Module | type[nn.Module], X: np.ndarray
    ) -> list[DetectorNet]:
        """Return a list with the net of the pre-training; empty if ``pretrain_epochs`` is 0.

        The net has the optimiser and the batch size of ``net_``, but the learning rate
        ``pretrain_lr`` and no callbacks.

        Parameters
        ----------
        module : torch.nn.Module
            The module to pre-train; it shares its weights with the module of ``net_``.
        criterion : torch.nn.Module or type
            The loss of the pre-training, or its class.
        X : ndarray of shape (n_samples, n_features)
            Training rows.

        Returns
        -------
        nets : list of DetectorNet
            One initialised net, or none.
        """
        epochs = self.pretrain_epochs
        if epochs == "auto":
            epochs = epochs_for(self, self._pretrain_steps, len(X), self._pretrain_epoch_range)
        if epochs == 0:
            return []
        nested = {
            name: value
            for name, value in self._nested_params().items()
            if name.startswith(("optimizer__", "iterator_")) and name != "optimizer__lr"
        }
        # No compilation here: the module is the one of net_, which is compiled already if the
        # user wants it.
        params = {"lr": self.pretrain_lr, "max_epochs": epochs, "compile": False, **nested}
        loader = {n: v for n, v in self._net_params().items() if n.startswith("iterator_")}
        net = build_net(self, module, criterion, X, self.net_.device, **loader, **params)
        return [net.initialize()]
