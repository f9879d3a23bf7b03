"""Deep SAD: Deep SVDD that also learns from labels."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from .._parameters import NOT_NEGATIVE
from ..one_class._base import BaseCenterDetector
from ._base import ANOMALY_SHARE_CONSTRAINTS, AnomalyShareMixin
from ._losses import DeepSADLoss


class DeepSAD(AnomalyShareMixin, BaseCenterDetector):
    """Deep semi-supervised anomaly detection: Deep SVDD that learns from labels.

    An encoder is pre-trained as a part of an auto-encoder. Then it learns to map normal and
    unlabelled rows close to a fixed centre, and rows that are labelled as anomalies far away
    from it [1]_. The score of a row is the negative squared distance of its code to the
    centre, relative to the mean of this distance before the training.

    In ``fit(X, y)`` the labels y are -1 for anomalies, +1 for normal rows, and 0 for rows
    without a label. If y is not given, all rows are without a label.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers. The decoder, which only the pre-training
        uses, has the same widths in reverse order.
    latent_dim : int, default=512
        Width of the code.
    %(activation_parameters)s
    eta : float, default=1.0
        Weight of a labelled row in the loss; an unlabelled row has weight 1. With 0,
        labelled rows do not count at all.
    anomaly_share : float or None, default=0.1
        Share of each batch that is drawn from the labelled anomalies, in [0, 1). With None
        all rows are drawn equally often.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` is the
        centre.
    %(common_attributes)s

    See Also
    --------
    DeepSVDD : The same without labels, optionally with a soft boundary.
    DevNet : Needs labelled anomalies, and learns a score from them.
    SemiSupervisedGAN : Also works with or without labels.

    Notes
    -----
    With the encoder phi, the centre c and ``d = ||phi(x) - c||^2 / s``, the loss ([1]_,
    equation 7) is the mean over the rows of a batch of

    - d for an unlabelled row,
    - eta d for a row that is labelled as normal,
    - eta / (d + 1e-6) for a row that is labelled as an anomaly.

    The pre-training uses all rows and no labels. The score of a row is -d.

    Departures from the paper:

    - The unit s is the mean squared distance of the training rows to the centre before the
      first epoch; the paper has s = 1. If codes have hundreds of dimensions, squared
      distances are in the hundreds. The gradient of their inverse is then so small that
      labels have no effect.
    - ``anomaly_share`` draws labelled anomalies more often than other rows; the paper draws
      all rows equally often.
    - There is no weight decay unless ``optimizer__weight_decay`` sets one.
    - The network, the number of steps and the centre are those of :class:`DeepSVDD`.

    A custom ``module`` maps rows (n, n_features) to codes (n, any width).

    References
    ----------
    .. [1] L. Ruff et al., "Deep semi-supervised anomaly detection", ICLR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepSAD
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4))
    >>> X[:5] = [1, 1, -1, -1] + 0.1 * rng.normal(size=(5, 4))
    >>> y = np.zeros(300)
    >>> y[:3] = -1
    >>> detector = DeepSAD(contamination=0.02, random_state=0).fit(X, y)
    >>> detector.predict(X[3:5])
    array([-1, -1])
    """

    _parameter_constraints: dict = {
        **BaseCenterDetector._parameter_constraints,
        "eta": [NOT_NEGATIVE],
        **ANOMALY_SHARE_CONSTRAINTS,
    }
    _criterion_class = DeepSADLoss
    _labels = "optional"

    def __init__(
        self,
        *,
        # NOTE[DIFF]: a network for tables; the paper has convolutional ones for images.
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 512,
        activation: Activation = "leaky_relu",
        dropout: float = 0.0,
        eta: float = 1.0,
        # NOTE[DIFF]: the paper draws all rows equally often.
        anomaly_share: float | None = 0.1,
        pretrain_epochs: int | Literal["auto"] = "auto",
        pretrain_lr: float = 2e-3,
        module: Module | None = None,
        # NOTE[DIFF]: no weight decay by default.
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 3e-4,
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
            hidden_dims=hidden_dims,
            latent_dim=latent_dim,
            activation=activation,
            dropout=dropout,
            pretrain_epochs=pretrain_epochs,
            pretrain_lr=pretrain_lr,
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
        self.eta = eta
        self.anomaly_share = anomaly_share

    def _criterion_params(self):
        return {"eta": self.eta}

    def _initialize_state(self, X):
        """Set the centre, and the mean squared distance to it as the unit of distances."""
        super()._initialize_state(X)
        criterion = self.net_.criterion_
        total = sum(criterion.distances(c).double().sum() for c in self._iter_codes(X))
        # NOTE[DIFF]: the paper has 1; large distances would make labels useless, see Notes.
        # If all rows are equal, their codes may lie at the centre, so there is a floor.
        criterion.scale.copy_((total / len(X)).clamp(min=1e-6))
