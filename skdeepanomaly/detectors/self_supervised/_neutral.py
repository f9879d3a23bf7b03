"""NeuTraL: learned transformations that keep the transformed copies recognisable."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector, EncoderMixin
from ...engine import spread_tensor
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions, check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, POSITIVE, WIDTH
from ._losses import DeterministicContrastiveLoss
from ._networks import NeuralTransformations


class NeuTraL(EncoderMixin, BaseDeepDetector):
    r"""Neural transformation learning for anomaly detection.

    Several small networks learn to transform rows, and an encoder learns codes of the rows
    and their transformed copies. The code of each copy should be similar to the code of its
    row, but different from the codes of the other copies [1]_. For rows unlike the training
    rows the networks do not reach this goal. The score of a row is its negative training
    loss.

    Parameters
    ----------
    n_transformations : int, default=8
        Number of transformations, at least 2.
    transformation : str, default="bounded_residual"
        How the output of a transformation's network is used. With "residual" it is added to
        the row; with "bounded_residual" its tanh is added to the row; with "multiplicative"
        the row is multiplied by its sigmoid; with "feed_forward" the output is the
        transformed row itself.
    transformation_dim : int, default=32
        Width of the hidden layer of each transformation's network.
    learn_transformations : bool, default=True
        Whether the transformations are trained. With False they keep their random initial
        weights, and only the encoder is trained.
    hidden_dims : sequence of int, default=(64, 64)
        Widths of the encoder's hidden layers.
    latent_dim : int, default=32
        Width of the code.
    activation : str, default="relu"
        Activation of the encoder's hidden layers: one of "relu", "leaky_relu", "elu",
        "gelu", "silu", "tanh", "sigmoid".
    dropout : float, default=0.0
        Share of the encoder's hidden units that is dropped in training, in [0, 1).
    temperature : float, default=0.1
        Divisor of the cosine similarities of the codes. The lower it is, the more the loss
        depends on the most similar of the other copies.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` holds the transformations and the encoder.
    %(common_attributes)s

    See Also
    --------
    GOAD : Draws fixed transformations, and recognises which one was applied.

    Notes
    -----
    With the transformations :math:`T_1, \dots, T_K`, the encoder E and
    :math:`h(a, b) = \exp(\cos(E(a), E(b)) / \tau)`, where :math:`\tau` is the
    ``temperature``, the loss of a row is the deterministic contrastive loss

    .. math::

        \ell(x) = -\sum_{k=1}^K \log
        \frac{h(T_k(x), x)}{h(T_k(x), x) + \sum_{l \ne k} h(T_k(x), T_l(x))} .

    It is divided by :math:`K \log K`, as in the authors' code. The loss is then 1 if all
    codes are equal.

    Departures from the paper:

    - The residual is bounded by default. An unbounded residual grows with the row, and the
      copies of a row far from the data differ from each other as much as the copies of a
      normal row. A bounded residual is small compared with such a row; its copies become
      almost equal, and the loss is high. The ablations in the benchmarks of the documentation
      compare both.
    - Rows far from the training data get a penalty, because the cosines are bounded: without
      the penalty a row very far away could score like a slightly unusual row.
      If a row is farther from the mean training row :math:`\bar{x}` than any training
      row, its score is lowered by :math:`\lVert x - \bar{x} \rVert^2 / r^2 - 1`, where r is
      the largest distance of a training row from :math:`\bar{x}` (measured on at most
      10,000 training rows).
    - The encoder has biases, and the training is short. Both were chosen on tables.

    A custom ``module`` maps rows (n, n_features) to codes (n, 1 + n_copies, any width) of
    length one. The first code is that of the row, the others are those of its copies. The
    method ``encode`` also needs a method ``encode(x)`` of the module.

    References
    ----------
    .. [1] C. Qiu, T. Pfrommer, M. Kloft, S. Mandt, M. Rudolph, "Neural transformation
       learning for deep anomaly detection beyond images", ICML 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import NeuTraL
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [3, -3, 3, -3]
    >>> detector = NeuTraL(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "n_transformations": [Interval(Integral, 2, None, closed="left")],
        "transformation": [
            StrOptions({"bounded_residual", "residual", "multiplicative", "feed_forward"})
        ],
        "transformation_dim": [WIDTH],
        "learn_transformations": ["boolean"],
        **NETWORK_CONSTRAINTS,
        "latent_dim": [WIDTH],
        "temperature": [POSITIVE],
    }
    _module_class = NeuralTransformations
    _criterion_class = DeterministicContrastiveLoss
    _auto_batch_size = 128
    # NOTE[DIFF]: a short training, chosen on tables.
    _n_steps = 300
    _epoch_range = (2, 100)

    def __init__(
        self,
        *,
        n_transformations: int = 8,
        # NOTE[DIFF]: the paper has no bounded residuals.
        transformation: Literal[
            "bounded_residual", "feed_forward", "multiplicative", "residual"
        ] = "bounded_residual",
        transformation_dim: int = 32,
        learn_transformations: bool = True,
        hidden_dims: Sequence[int] = (64, 64),
        latent_dim: int = 32,
        activation: Activation = "relu",
        dropout: float = 0.0,
        temperature: float = 0.1,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 3e-3,
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
        self.transformation = transformation
        self.transformation_dim = transformation_dim
        self.learn_transformations = learn_transformations
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.temperature = temperature

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "n_transformations": self.n_transformations,
            "transformation": self.transformation,
            "transformation_dim": self.transformation_dim,
            "learn_transformations": self.learn_transformations,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {"temperature": self.temperature}

    def _finalize_state(self, X):
        """Set the ball around the training rows."""
        self.net_.criterion_.ball.enclose(spread_tensor(X, self.net_.device))
