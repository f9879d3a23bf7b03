"""Convolutional forecaster: steps that were not to be expected are anomalies."""

from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ._base import BaseWindowDetector, ForecastingMixin
from ._networks import ConvForecasterNetwork


class ConvForecaster(ForecastingMixin, BaseWindowDetector):
    """Anomaly detection in windows of series by convolutions that predict each step.

    Causal convolutions see the steps before a step and none after it. Each layer has twice the
    dilation of the one before, so that few layers see a long window [1]_. The residuals of
    training windows have a mean and a covariance; the score of a window is the negative squared
    Mahalanobis distance of its residuals, averaged over steps.

    Parameters
    ----------
    %(n_channels_parameter)s
    hidden_dim : int, default=32
        Channels of the convolutions.
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
    RecurrentForecaster : The same with a recurrent network.
    SlidingWindowDetector : Cuts a series into windows, and gives each time stamp a score.

    Notes
    -----
    Scale each channel before windows are cut, as :class:`SlidingWindowDetector` does. There are
    as many layers as it takes to see the whole window.

    ``explain`` has one term for each step and channel; their sum is the anomaly score. A term
    is negative where a residual makes that of another channel less surprising.

    Departures from the paper: a block has one convolution, and neither weight normalisation nor
    dropout. The score is not of the paper, which is about networks for sequences.

    A custom ``module`` maps flat rows (n, n_features) to the predictions of all their steps,
    each from the steps before it. A class is called with ``window_shape`` and ``hidden_dim``,
    as far as its constructor takes them.

    References
    ----------
    .. [1] S. Bai, J. Z. Kolter, V. Koltun, "An empirical evaluation of generic convolutional
       and recurrent networks for sequence modeling", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ConvForecaster
    >>> t = np.random.default_rng(0).uniform(0, 100, size=(300, 1)) + np.arange(20)
    >>> windows = np.sin(t / 3)[:, :, None]
    >>> detector = ConvForecaster(n_last_steps=10, max_epochs=20, random_state=0)
    >>> detector = detector.fit(windows)
    >>> jumps = windows[:5].copy()
    >>> jumps[:, 15] *= -1
    >>> bool(detector.score_samples(jumps).max() < detector.offset_)
    True
    """

    _module_class = ConvForecasterNetwork
    _values_per_step = 1

    def __init__(
        self,
        *,
        n_channels: int | None = None,
        hidden_dim: int = 32,
        n_last_steps: int | None = None,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 2e-3,
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
