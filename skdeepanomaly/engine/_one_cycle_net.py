"""A net whose learning rate rises to a peak and falls to zero in one fit."""

from math import cos, pi
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import LRScheduler
from torch.utils.data import Dataset

from ._net import DetectorNet

# Share of the steps in which the rate rises, and the rate of the first step as a share of the
# peak, as in torch.optim.lr_scheduler.OneCycleLR.
RISING_SHARE = 0.3
FIRST_RATE = 0.04


def one_cycle(share: float) -> float:
    """Return the learning rate, as a share of its peak.

    Parameters
    ----------
    share : float
        Share of the steps that are done, in [0, 1].

    Returns
    -------
    rate : float
        The rate: it rises along a cosine from 0.04 to 1, then falls to 0.
    """
    if share < RISING_SHARE:
        return 1 - (1 - FIRST_RATE) * (1 + cos(pi * share / RISING_SHARE)) / 2
    return (1 + cos(pi * (share - RISING_SHARE) / (1 - RISING_SHARE))) / 2


class OneCycleNet(DetectorNet):
    """A net whose learning rate rises to a peak and falls to zero in one fit.

    The learning rates of the optimiser are the peaks. Every call of ``partial_fit`` is a cycle
    of its own. If a callback is a :class:`skorch.callbacks.LRScheduler`, it alone sets the
    rates.
    """

    def on_train_begin(
        self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        """Also remember the peaks of the rates, before a backup restores other rates."""
        self.has_schedule_ = any(isinstance(c, LRScheduler) for _, c in self.callbacks_)
        self.peaks_ = [group["lr"] for group in self.optimizer_.param_groups]
        self.n_epochs_before_ = len(self.history)
        super().on_train_begin(net, X=X, y=y, **kwargs)

    def on_epoch_begin(
        self,
        net: NeuralNet,
        dataset_train: Dataset | None = None,
        dataset_valid: Dataset | None = None,
        **kwargs: Any,
    ) -> None:
        """Also count the steps of the epoch."""
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)
        n_steps = len(self.get_iterator(dataset_train, training=True))
        self.steps_done_ = n_steps * (len(self.history) - 1 - self.n_epochs_before_)
        self.last_step_ = max(1, n_steps * self.max_epochs - 1)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Set the learning rate and take one step on a batch."""
        if not self.has_schedule_:
            self._set_rates(one_cycle(min(1.0, self.steps_done_ / self.last_step_)))
        self.steps_done_ += 1
        return super().train_step(batch, **fit_params)

    def on_train_end(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Also set the rates to their peaks, from which the next fit starts."""
        super().on_train_end(net, X=X, y=y, **kwargs)
        if not self.has_schedule_:
            self._set_rates(1.0)

    def _set_rates(self, share: float) -> None:
        for group, peak in zip(self.optimizer_.param_groups, self.peaks_, strict=True):
            group["lr"] = share * peak
