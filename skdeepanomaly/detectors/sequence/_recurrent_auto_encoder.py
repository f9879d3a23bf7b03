"""Recurrent auto-encoder: windows that are rebuilt badly are anomalies."""

from typing import Any, Literal

import torch

from ...base import DecoderMixin, EncoderMixin
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ...utils.validation import StrOptions
from .._parameters import WIDTH
from ._base import BaseWindowDetector
from ._networks import CELLS, RecurrentAutoEncoderNetwork


class RecurrentAutoEncoder(EncoderMixin, DecoderMixin, BaseWindowDetector):
    """Anomaly detection in windows of series by a recurrent auto-encoder.

    A recurrent network reads a window step by step, and its last state becomes a short code. A
    second one learns to rebuild the window from the code [1]_. What is rebuilt badly did not
    move as the training windows do. The score of a window is the negative mean squared error.

    Parameters
    ----------
    %(n_channels_parameter)s
    %(recurrent_parameters)s
    latent_dim : int, default=16
        Width of the code.
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
    RecurrentForecaster : Predicts each step, and weighs errors by their covariance.
    SlidingWindowDetector : Cuts a series into windows, and gives each time stamp a score.
    AutoEncoder : For rows without an order of time; quicker, and often as good on windows.

    Notes
    -----
    Scale each channel before windows are cut, as :class:`SlidingWindowDetector` does.

    Departures from the paper: the decoder gets the code at each step and not the value of the
    step before, so that errors do not pile up; the score is the mean squared error, and not
    the Mahalanobis distance of the errors, which takes a covariance for each pair of steps.

    A custom ``module`` maps flat rows (n, n_features) to what is rebuilt, of the same shape. A
    class is called with ``window_shape``, ``cell``, ``hidden_dim`` and ``latent_dim``, as far
    as its constructor takes them.

    References
    ----------
    .. [1] P. Malhotra et al., "LSTM-based encoder-decoder for multi-sensor anomaly detection",
       ICML 2016 anomaly detection workshop.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import RecurrentAutoEncoder
    >>> t = np.random.default_rng(0).uniform(0, 100, size=(300, 1)) + np.arange(20)
    >>> windows = np.sin(t / 3)[:, :, None]
    >>> detector = RecurrentAutoEncoder(max_epochs=20, random_state=0).fit(windows)
    >>> backwards = np.concatenate([windows[:5, :10], windows[:5, :10][:, ::-1]], axis=1)
    >>> bool(detector.score_samples(backwards).max() < detector.offset_)
    True
    """

    _parameter_constraints: dict = {
        **BaseWindowDetector._parameter_constraints,
        "cell": [StrOptions(set(CELLS))],
        "latent_dim": [WIDTH],
    }
    _module_class = RecurrentAutoEncoderNetwork

    def __init__(
        self,
        *,
        n_channels: int | None = None,
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_dim: int = 64,
        latent_dim: int = 16,
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
        self.latent_dim = latent_dim

    def _module_params(self, n_features):
        params = super()._module_params(n_features)
        return {**params, "cell": self.cell, "latent_dim": self.latent_dim}
