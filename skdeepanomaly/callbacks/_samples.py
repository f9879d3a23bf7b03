"""What a detector generates as training goes on."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

from skorch.callbacks import Callback

from ..engine import DetectorNet


class SampleRecorder(Callback):
    """Record what a detector generates as training goes on, always from the same codes.

    Put it into the ``callbacks`` of a detector with ``sample``, such as ``ConvGAN``, and draw
    the records by ``SampleDisplay.from_training``.

    Parameters
    ----------
    epochs : sequence of int
        The epochs after which rows are generated, counted from 1; 0 is before the training.
        Epochs that are not reached are not recorded.
    n_samples : int, default=8
        Number of rows.
    random_state : int, default=0
        Seed of the codes. If the last epoch is recorded, its rows are those of
        ``detector.sample(n_samples, random_state)`` after the fit.

    Attributes
    ----------
    epochs_ : list of int
        The epochs that were recorded.
    samples_ : list of ndarray of shape (n_samples, ...)
        Rows that were generated after each of them, in the shape of the training rows.

    Raises
    ------
    ValueError
        In ``fit``: if a parameter is not valid, or the detector generates no rows.

    Notes
    -----
    The training does not notice the callback: its weights are the same, bit for bit. The
    records are in ``detector.net_.callbacks_``. They are not saved with a detector and not
    copied with it, and a further fit begins with no records.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvGAN, SampleRecorder
    >>> X = load_digits().images[:200] / 16
    >>> recorder = SampleRecorder([0, 2, 4], n_samples=3)
    >>> detector = ConvGAN(max_epochs=4, callbacks=[recorder], random_state=0).fit(X)
    >>> recorded = dict(detector.net_.callbacks_)["SampleRecorder"]
    >>> recorded.epochs_, recorded.samples_[0].shape
    ([0, 2, 4], (3, 8, 8))
    """

    # The detector, during a fit only.
    _detector = None

    def __init__(self, epochs: Sequence[int], n_samples: int = 8, random_state: int = 0):
        self.epochs = epochs
        self.n_samples = n_samples
        self.random_state = random_state

    def open(self, detector: Any) -> None:
        """Begin a fit, with no records.

        Parameters
        ----------
        detector : object
            The detector that is fitted.

        Raises
        ------
        ValueError
            If a parameter is not valid, or the detector has no ``sample``.
        """
        epochs = list(self.epochs) if isinstance(self.epochs, Iterable) else [self.epochs]
        if not isinstance(self.epochs, Iterable) or not all(
            isinstance(epoch, Integral) and epoch >= 0 for epoch in epochs
        ):
            raise ValueError(
                f"epochs must hold integers of at least 0, such as [1, 5, 20], got"
                f" {self.epochs!r}."
            )
        for name, least in (("n_samples", 1), ("random_state", 0)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ValueError(
                    f"{name} must be an integer of at least {least}, got {value!r}."
                )
        if not hasattr(detector, "sample"):
            raise ValueError(
                f"SampleRecorder needs a detector with sample, such as ConvGAN, and"
                f" {type(detector).__name__} has none. Leave it out of the callbacks."
            )
        self._detector = detector
        self._wanted = {int(epoch) for epoch in epochs}
        self.epochs_: list[int] = []
        self.samples_: list[Any] = []

    def on_train_begin(self, net: DetectorNet, **kwargs: Any) -> None:
        """Record rows if the training has not begun and epoch 0 is asked for.

        Parameters
        ----------
        net : DetectorNet
            The net that is trained.
        **kwargs : dict
            Ignored.
        """
        self._record(net)

    def on_epoch_end(self, net: DetectorNet, **kwargs: Any) -> None:
        """Record rows if the epoch is asked for.

        Parameters
        ----------
        net : DetectorNet
            The net that is trained.
        **kwargs : dict
            Ignored.
        """
        self._record(net)

    def on_train_end(self, net: DetectorNet, **kwargs: Any) -> None:
        """Let go of the detector.

        Parameters
        ----------
        net : DetectorNet
            The net that is trained.
        **kwargs : dict
            Ignored.
        """
        self._detector = None

    def _record(self, net: DetectorNet) -> None:
        epoch = len(net.history)
        if self._detector is None or epoch not in self._wanted:
            return
        # The next epoch sets the mode of training. ``sample`` restores the random generators.
        net.eval()
        rows = self._detector.sample(self.n_samples, random_state=self.random_state)
        self.epochs_.append(epoch)
        self.samples_.append(rows)

    def state_dict(self) -> dict:
        """Return the records, for a backup.

        Returns
        -------
        state : dict
            The records.
        """
        return {"epochs": list(self.epochs_), "samples": list(self.samples_)}

    def load_state_dict(self, state: dict) -> None:
        """Take the records of a backup.

        Parameters
        ----------
        state : dict
            What ``state_dict`` returned.
        """
        self.epochs_, self.samples_ = list(state["epochs"]), list(state["samples"])

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("epochs", "n_samples", "random_state")}
