"""The progress of a fit: a bar for people, and a log for programs."""

import logging
from contextlib import contextmanager

# It has no handler and no level of its own: the program that uses the package decides.
_LOGGER = logging.getLogger("skdeepanomaly")


@contextmanager
def open_progress(detector, nets: list):
    """Show one progress bar over all epochs of all nets, if ``verbose`` is 1; log epochs.

    The log does not depend on ``verbose``: it is written where the logger ``skdeepanomaly`` is
    enabled for INFO, and costs nothing elsewhere.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector, for its ``verbose`` and for its name before the bar.
    nets : list of DetectorNet
        The nets that are trained one after the other.

    Yields
    ------
    watchers : list
        Watchers of the nets: one that moves the bar, one that logs, both or none.
    """
    watchers: list = []
    if _LOGGER.isEnabledFor(logging.INFO):
        watchers.append(_EpochLog(type(detector).__name__, len(nets)))
    if detector.verbose != 1:
        yield watchers
        return
    from tqdm.auto import tqdm  # comes with skorch

    total = sum(net.max_epochs for net in nets)
    with tqdm(total=total, desc=type(detector).__name__, unit="epoch") as bar:
        yield [*watchers, _Progress(bar)]


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


class _EpochLog:
    """Watcher that logs what ``verbose=2`` prints: the losses and seconds of each epoch."""

    def __init__(self, name: str, n_phases: int):
        self.name = name
        self.n_phases = n_phases
        self.phase = 0

    def begin(self, net):
        """Log which net is trained on which device."""
        self.phase += 1
        what = self.name
        if self.n_phases > 1:
            what += f", phase {self.phase} of {self.n_phases}"
        n_epochs = net.max_epochs - net.epochs_restored_
        _LOGGER.info("%s: %d epochs on %s", what, n_epochs, net.device)

    def end_epoch(self, net):
        """Log the numbers that the history has of an epoch, but for those of its batches."""
        epoch = net.history[-1]
        numbers = [
            f"{key}={value:.4g}"
            for key, value in epoch.items()
            if isinstance(value, float) and key != "dur"
        ]
        if "dur" in epoch:
            numbers.append(f"seconds={epoch['dur']:.4f}")
        _LOGGER.info("%s: epoch %d %s", self.name, epoch["epoch"], " ".join(numbers))
