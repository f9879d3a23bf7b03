"""A net whose criterion changes during training."""

from typing import Any

from skorch import NeuralNet
from torch.utils.data import Dataset

from ._net import DetectorNet


class AnnealedNet(DetectorNet):
    """A net whose criterion changes during training.

    The net calls ``begin_epoch(share)`` of the criterion at the start of each epoch. The share
    of the training that is done is 0 in the first epoch and 1 in the last epoch. It is 1 in
    all epochs if a fitted net is trained further.
    """

    def on_train_begin(
        self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        """Also remember whether the net was trained before."""
        self.goes_on_ = len(self.history) > 0
        super().on_train_begin(net, X=X, y=y, **kwargs)

    def on_epoch_begin(
        self,
        net: NeuralNet,
        dataset_train: Dataset | None = None,
        dataset_valid: Dataset | None = None,
        **kwargs: Any,
    ) -> None:
        """Also pass the share of the training that is done to the criterion."""
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)
        n_done, n_last = len(self.history) - 1, self.max_epochs - 1
        share = 1.0 if self.goes_on_ or n_last == 0 else min(1.0, n_done / n_last)
        self.criterion_.begin_epoch(share)
