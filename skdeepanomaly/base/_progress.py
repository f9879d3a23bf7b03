"""The progress bar of a fit."""

from contextlib import contextmanager


@contextmanager
def open_progress(detector, nets: list):
    """Show one progress bar over all epochs of all nets, if ``verbose`` is 1.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector, for its ``verbose`` and for its name before the bar.
    nets : list of DetectorNet
        The nets that are trained one after the other.

    Yields
    ------
    watchers : list
        Watchers of the nets: one that moves the bar, or none.
    """
    if detector.verbose != 1:
        yield []
        return
    from tqdm.auto import tqdm  # comes with skorch

    total = sum(net.max_epochs for net in nets)
    with tqdm(total=total, desc=type(detector).__name__, unit="epoch") as bar:
        yield [_Progress(bar)]


class _Progress:
    """Watcher that moves a progress bar while a net is trained."""

    def __init__(self, bar):
        self.bar = bar

    def begin(self, net):
        """Move the bar by the epochs that a restored fit does not repeat."""
        self.bar.update(net.epochs_restored_)

    def end_epoch(self, net):
        """Move the bar by one epoch and show the loss of the epoch."""
        loss = net.history[-1]["batches"][-1].get("train_loss", float("nan"))
        self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        self.bar.update()
