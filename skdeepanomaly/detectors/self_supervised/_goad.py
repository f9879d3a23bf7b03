"""GOAD: an encoder that recognises which transformation was applied to a normal row."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector
from ...engine import iter_outputs, spread_tensor
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, NOT_NEGATIVE, POSITIVE, WIDTH
from ._losses import TransformationLoss
from ._networks import AffineTransformations


class GOAD(BaseDeepDetector):
    r"""Classification-based anomaly detection for general data.

    Rows are transformed by random affine maps. An encoder learns codes of the transformed
    copies; the codes of each map lie close to a centre of this map, and far from the centres
    of the other maps [1]_. If a row is unlike the training rows, the encoder confuses the
    maps. The score of a row is the mean log-likelihood of the correct map over all maps.

    Parameters
    ----------
    n_transformations : int, default=16
        Number of affine maps, at least 2.
    spread : float, default=0.3
        Spread of the matrices of the maps: their entries have the standard deviation
        ``spread / sqrt(n_features)``.
    shift : float, default=0.5
        Standard deviation of the shift that a map adds to each feature, in units of X.
    around_identity : bool, default=True
        Whether the mean of the matrices is the identity. With False it is zero, as in the
        paper.
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers.
    latent_dim : int, default=32
        Width of the code.
    %(activation_parameters)s
    margin : float, default=1.0
        Margin of the triplet loss: the squared distance of a code to its own centre should
        be less, by at least this margin, than to any other centre.
    eps : float, default=1e-6
        Constant added to each likelihood. Because of it no map is certain for a code that
        is far from all centres.
    likelihood_weight : float, default=1.0
        Weight of the negative log-likelihood in the loss, beside the triplet loss. With 0
        the loss is that of the paper.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` holds the maps and the encoder,
        ``criterion_.centers`` are the centres.
    %(common_attributes)s

    See Also
    --------
    NeuTraL : Learns the transformations.

    Notes
    -----
    With the M maps :math:`T_m(x) = x W_m + b_m`, the encoder f and the centre :math:`c_m` of
    the codes of map m, the loss is the triplet centre loss

    .. math::

        \sum_m \max(0, \lVert f(T_m(x)) - c_m \rVert^2 + s
        - \min_{l \ne m} \lVert f(T_m(x)) - c_l \rVert^2)

    minus ``likelihood_weight`` times the log-likelihood below (with :math:`\epsilon = 0`).
    Here s is the ``margin``, and :math:`c_m` is the mean code over the batch. The score is
    the log-likelihood

    .. math::

        \frac{1}{M} \sum_m \log
        \frac{\exp(-\lVert f(T_m(x)) - c_m \rVert^2) + \epsilon}
        {\sum_l \exp(-\lVert f(T_m(x)) - c_l \rVert^2) + M \epsilon}

    where :math:`c_m` is the mean code over all training rows, and :math:`\epsilon` is ``eps``.

    Departures from the paper:

    - The matrices lie around the identity, and the shifts are short; the paper draws
      matrices around zero. Maps that differ strongly are easy to recognise for any row.
      Maps that differ little can be recognised only by an encoder that knows where the
      training rows lie. The ablations in the benchmarks of the documentation compare both.
    - A map does not change the number of features; in the paper it may.
    - Rows far from the training data get a penalty, because with ``eps`` the likelihood has a
      lower bound: without the penalty a row very far away could score like a slightly
      unusual row.
      If a row is farther from the mean training row :math:`\bar{x}` than any training
      row, its score is lowered by :math:`\lVert x - \bar{x} \rVert^2 / r^2 - 1`, where r is
      the largest distance of a training row from :math:`\bar{x}` (measured on at most
      10,000 training rows).
    - The loss contains the negative log-likelihood. It replaces the cross-entropy of a second
      head of the network in the authors' code. Without it the codes of all maps can collapse
      to one point if the maps differ little.
    - The default network and the number of steps are chosen for tables.

    A custom ``module`` maps rows (n, n_features) to codes (n, n_copies, any width), one for
    each transformed copy of a row.

    References
    ----------
    .. [1] L. Bergman, Y. Hoshen, "Classification-based anomaly detection for general data",
       ICLR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import GOAD
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[0] = [5, -5, 5, -5]
    >>> detector = GOAD(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "n_transformations": [Interval(Integral, 2, None, closed="left")],
        "spread": [NOT_NEGATIVE],
        "shift": [NOT_NEGATIVE],
        "around_identity": ["boolean"],
        **NETWORK_CONSTRAINTS,
        "latent_dim": [WIDTH],
        "margin": [POSITIVE],
        "eps": [NOT_NEGATIVE],
        "likelihood_weight": [NOT_NEGATIVE],
    }
    _module_class = AffineTransformations
    _criterion_class = TransformationLoss
    _auto_batch_size = 128
    # NOTE[DIFF]: a short training, chosen on tables.
    _n_steps = 300
    _epoch_range = (2, 100)

    def __init__(
        self,
        *,
        n_transformations: int = 16,
        # NOTE[DIFF]: maps close to the identity; the paper draws matrices around zero.
        spread: float = 0.3,
        shift: float = 0.5,
        around_identity: bool = True,
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 32,
        activation: Activation = "leaky_relu",
        dropout: float = 0.0,
        margin: float = 1.0,
        eps: float = 1e-6,
        # NOTE[DIFF]: 0 is the loss of the paper.
        likelihood_weight: float = 1.0,
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
        self.n_transformations = n_transformations
        self.spread = spread
        self.shift = shift
        self.around_identity = around_identity
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.margin = margin
        self.eps = eps
        self.likelihood_weight = likelihood_weight

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "n_transformations": self.n_transformations,
            "spread": self.spread,
            "shift": self.shift,
            "around_identity": self.around_identity,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {
            "margin": self.margin,
            "eps": self.eps,
            "likelihood_weight": self.likelihood_weight,
        }

    def _finalize_state(self, X):
        """Set the centres to the mean codes, and the ball around the training rows."""
        total = sum(codes.double().sum(dim=0) for _, codes in iter_outputs(self.net_, X))
        self.net_.criterion_.centers = (total / len(X)).float()
        self.net_.criterion_.ball.enclose(spread_tensor(X, self.net_.device))
