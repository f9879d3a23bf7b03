"""Pre-training of a network before the training of a detector."""

from numbers import Integral

import numpy as np
from torch import nn

from ..base import build_net, epochs_for
from ..engine import DetectorNet
from ..utils._compat import Interval, StrOptions
from ._parameters import POSITIVE

PRETRAINING_CONSTRAINTS: dict = {
    "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    "pretrain_lr": [POSITIVE],
}

PRETRAINING_PARAMETERS = """\
pretrain_epochs : int or "auto", default="auto"
    Epochs of the auto-encoder; 0 leaves the pre-training out. ``"auto"`` makes as many as
    it takes for about {_pretrain_steps} optimiser steps, between
    {_pretrain_epoch_range[0]} and {_pretrain_epoch_range[1]}.
pretrain_lr : float, default={pretrain_lr}
    Learning rate of the auto-encoder."""


class PretrainingMixin:
    """For detectors with the parameters ``pretrain_epochs`` and ``pretrain_lr``."""

    # What "auto" means for pretrain_epochs.
    _pretrain_steps = 500
    _pretrain_epoch_range = (2, 500)

    def _pretraining(
        self, module: nn.Module, criterion: type[nn.Module], X: np.ndarray
    ) -> list[DetectorNet]:
        """Return the net of a pre-training, in a list, or none for 0 ``pretrain_epochs``.

        It has the optimiser and the batches of ``net_``, but the learning rate
        ``pretrain_lr`` and no callbacks.
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
        # The module is that of net_, and compiled already if it is to be.
        params = {"lr": self.pretrain_lr, "max_epochs": epochs, "compile": False, **nested}
        return [build_net(self, module, criterion, X, self.net_.device, **params).initialize()]
