"""Diffusion time estimation: how many steps of noise a row seems to have taken."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, check_hidden_dims
from .._members import MembersMixin
from .._parameters import NETWORK_CONSTRAINTS
from ._losses import DiffusionTimeLoss
from ._net import NoiseNet
from ._networks import NoiseNetwork


class DTE(MembersMixin, BaseDeepDetector):
    r"""Diffusion time estimation.

    Training rows get Gaussian noise of a random time of a diffusion process, between hardly
    any noise at the first time step and much at the last. A network learns the time from the
    noised row, as a classifier of intervals of time [1]_. A row that was not noised but looks
    as if it were, because it is not where the training rows are, is an anomaly: the score of
    a row is its negative expected interval.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(256, 512, 256)
        Widths of the hidden layers.
    n_bins : int, default=7
        Number of intervals into which the time is divided, at least 2.
    n_timesteps : int, default=300
        Number of time steps of the diffusion, at least ``n_bins``.
    %(activation_parameters)s
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : NoiseNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    NeighborDistance : The analytic form: without a network, the diffusion time that is most
        probable grows with the distance to the training rows ([1]_, section 3), which the
        authors estimate by the mean distance to the five nearest ones.
    DenoisingScoreMatching : Predicts the noise itself, of one level.

    Notes
    -----
    The noised row at time t is :math:`x + \sqrt{1 - \bar\alpha_t}\,\varepsilon` with
    :math:`\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)`, where :math:`\beta` rises linearly
    from 0.0001 to 0.01. Times are uniform. The noise is in units of X, so that features should
    have a standard deviation of about one. The loss is the cross-entropy of the interval
    :math:`\lfloor t \cdot n_{bins} / T \rfloor`; the score is the negative mean of the
    intervals' numbers under the predicted probabilities.

    Departures from the paper:

    - About 1,000 steps with a learning rate that rises and falls, instead of 400 epochs with
      a low one, and no dropout and no weight decay.
    - Rows far from the training data get a penalty, because the score is bounded, as in all
      detectors whose score is no sum over the features.

    A custom ``module`` maps rows (n, n_features) to logits (n, n_bins).

    References
    ----------
    .. [1] V. Livernoche, V. Jain, Y. Hezaveh, S. Ravanbakhsh, "On diffusion modeling for
       anomaly detection", ICLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DTE
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> detector = DTE(contamination=0.01, max_epochs=50, random_state=0).fit(X)
    >>> detector.predict([[0, 0], [0, 6]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        **MembersMixin._parameter_constraints,
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "n_timesteps": [Interval(Integral, 2, None, closed="left")],
    }
    _net_class = NoiseNet
    _module_class = NoiseNetwork
    _criterion_class = DiffusionTimeLoss
    # NOTE[DIFF]: steps at a high rate; the paper takes 400 epochs at 0.0001.
    _n_steps = 1000
    # Its layers are wide.
    _most_steps = 2500

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (256, 512, 256),
        n_bins: int = 7,
        n_timesteps: int = 300,
        activation: Activation = "relu",
        # NOTE[DIFF]: the authors drop half of the units.
        dropout: float = 0.0,
        n_members: int = 1,
        max_samples: int | float | None = None,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 1e-3,
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
        self.hidden_dims = hidden_dims
        self.n_bins = n_bins
        self.n_timesteps = n_timesteps
        self.activation = activation
        self.dropout = dropout
        self.n_members = n_members
        self.max_samples = max_samples

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "n_outputs": self.n_bins,
            "activation": self.activation,
            "dropout": self.dropout,
            **self._member_params(),
        }

    def _criterion_params(self):
        if self.n_timesteps < self.n_bins:
            raise ValueError(
                f"n_timesteps={self.n_timesteps} is less than n_bins={self.n_bins}: some"
                " intervals would have no time step. Give at least as many time steps."
            )
        return {
            "n_bins": self.n_bins,
            "n_timesteps": self.n_timesteps,
            **self._member_params(),
        }
