"""A net whose criterion changes in the course of training."""

from ._net import DetectorNet


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
