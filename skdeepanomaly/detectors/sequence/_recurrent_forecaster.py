"""Recurrent forecaster: steps that were not to be expected are anomalies."""

from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ...utils.validation import StrOptions
from ._base import BaseWindowDetector, ForecastingMixin
from ._carried_state import CarriedStateMixin
from ._networks import CELLS, RecurrentForecasterNetwork


class RecurrentForecaster(CarriedStateMixin, ForecastingMixin, BaseWindowDetector):
    """Anomaly detection in windows of series by predicting each step from those before it.

    A recurrent network reads a window step by step, and learns to predict the next one [1]_.
    The residuals of training windows have a mean and a covariance; the score of a window is the
    negative squared Mahalanobis distance of its residuals, averaged over steps. Where the
    errors of channels go together as a rule, one that goes alone counts more.

    Parameters
    ----------
    %(n_channels_parameter)s
    %(recurrent_parameters)s
    %(n_last_steps_parameter)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(window_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    ConvForecaster : The same with causal convolutions; quicker on long windows.
    RecurrentAutoEncoder : Rebuilds whole windows.
    SlidingWindowDetector : Cuts a series into windows, and gives each time stamp a score.
    RegressionResidual : Predicts features from each other, for rows without an order of time.

    Notes
    -----
    Scale each channel before windows are cut, as :class:`SlidingWindowDetector` does. The first
    step is predicted from a learned value, and hardly tells anything: let windows be longer
    than the memory that a prediction needs, or let ``n_last_steps`` leave out the first ones.

    ``explain`` has one term for each step and channel; their sum is the anomaly score. A term
    is negative where a residual makes that of another channel less surprising.

    Departures from the paper: one step is predicted, and not several; the distance is scored
    as it is, in place of the density of a normal distribution; a thousandth of the mean
    variance is added to the variances.

    A custom ``module`` maps flat rows (n, n_features) to the predictions of all their steps,
    each from the steps before it. For ``SlidingWindowDetector(..., stateful=True)`` it also has
    a method ``read_on(x, state)``, like the network of this detector. A class is called with
    ``window_shape``, ``cell`` and ``hidden_dim``, as far as its constructor takes them.

    References
    ----------
    .. [1] P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for
       anomaly detection in time series", ESANN 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import RecurrentForecaster
    >>> t = np.random.default_rng(0).uniform(0, 100, size=(300, 1)) + np.arange(20)
    >>> windows = np.sin(t / 3)[:, :, None]
    >>> detector = RecurrentForecaster(n_last_steps=10, max_epochs=20, random_state=0)
    >>> detector = detector.fit(windows)
    >>> jumps = windows[:5].copy()
    >>> jumps[:, 15] *= -1
    >>> bool(detector.score_samples(jumps).max() < detector.offset_)
    True
    """

    _parameter_constraints: dict = {
        **BaseWindowDetector._parameter_constraints,
        "cell": [StrOptions(set(CELLS))],
    }
    _module_class = RecurrentForecasterNetwork

    def __init__(
        self,
        *,
        n_channels: int | None = None,
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_dim: int = 64,
        n_last_steps: int | None = None,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 5e-3,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        train_split: TrainSplit | None = None,
        callbacks: Callbacks | None = None,
        contamination: Contamination = 0.1,
        warm_start: bool = False,
        device: Device = "cpu",
        compile: bool = False,
        verbose: int = 0,
        random_state: RandomState = None,
        **component__param: Any,
    ):
        super().__init__(
            n_channels=n_channels,
            hidden_dim=hidden_dim,
            n_last_steps=n_last_steps,
            module=module,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            train_split=train_split,
            callbacks=callbacks,
            contamination=contamination,
            warm_start=warm_start,
            device=device,
            compile=compile,
            verbose=verbose,
            random_state=random_state,
            **component__param,
        )
        self.cell = cell

    def _module_params(self, n_features):
        return {**super()._module_params(n_features), "cell": self.cell}
