"""A progress bar over a whole fit."""

from contextlib import contextmanager


@contextmanager
def open_progress(detector, nets: list):
    """Show one bar over all epochs of all nets, with ``verbose=1``.

    Parameters
    ----------
    detector : BaseDeepDetector
        Its ``verbose`` counts, and its name stands before the bar.
    nets : list of DetectorNet
        The nets that are trained one after the other.

    Yields
    ------
    watchers : list
        What to tell of epochs: the bar, or nothing.
    """
    if detector.verbose != 1:
        yield []
        return
    from tqdm.auto import tqdm  # comes with skorch

    total = sum(net.max_epochs for net in nets)
    with tqdm(total=total, desc=type(detector).__name__, unit="epoch") as bar:
        yield [_Progress(bar)]


class _Progress:
    """Moves a bar as a net is trained."""

    def __init__(self, bar):
        self.bar = bar

    def begin(self, net):
        """Count the epochs that a restored run need not repeat."""
        self.bar.update(net.epochs_restored_)

    def end_epoch(self, net):
        """Move the bar by one epoch and show its loss."""
        loss = net.history[-1]["batches"][-1].get("train_loss", float("nan"))
        self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        self.bar.update()
