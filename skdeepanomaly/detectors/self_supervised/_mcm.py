"""MCM: an auto-encoder that rebuilds rows from versions under learned masks."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector
from ...engine import mean_over_rows
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, NOT_NEGATIVE, POSITIVE, WIDTH
from ._losses import MaskedCellLoss
from ._networks import MaskingNetwork


class MCM(BaseDeepDetector):
    r"""Masked cell modelling.

    Several small networks learn to mask a row softly, each in its own way, and one
    auto-encoder rebuilds the row from each masked version [1]_. Masks that are alike cost:
    each then hides other cells, and the auto-encoder has to infer these from the cells that
    are left. For a row whose features do not depend on each other as those of the training
    rows do it cannot. The score of a row is its negative mean error over all masks.

    Parameters
    ----------
    n_masks : int, default=15
        Number of masks, at least 2.
    mask_dim : int, default=64
        Width of the two hidden layers of the network of each mask.
    learn_masks : bool, default=True
        Whether the networks of the masks are trained. With False they keep their random
        initial weights.
    diversity_weight : float, default=0.03
        Weight of the diversity loss of the masks, the lambda of the paper, beside the mean
        squared error of the features. With 0 the masks become alike.
    temperature : float, default=0.1
        Divisor of the cosine similarities of the masks in the diversity loss.
    hidden_dims : sequence of int, default=(64, 64)
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int, default=32
        Width of the code, the output of the encoder.
    %(activation_parameters)s
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature under each mask by their
        mean over the training rows (plus 1e-4). Otherwise cells that are hard to infer in all
        rows decide the score alone.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` holds the networks of the masks and the
        auto-encoder.
    %(common_attributes)s

    See Also
    --------
    DenoisingAutoEncoder : Hides cells at random, with ``masking_rate``.
    RegressionResidual : Predicts each feature from all others.

    Notes
    -----
    The mask :math:`M_k(x) = \sigma(G_k(x))` has a share in (0, 1) for each feature, and
    :math:`\hat{x}^{(k)}` is the row that the auto-encoder makes of :math:`M_k(x) \odot x`. With
    K masks and d features the loss of a row is

    .. math::

        \frac{1}{K d} \sum_k \lVert \hat{x}^{(k)} - x \rVert^2
        + \lambda \frac{1}{(K - 1) \log (K - 1)} \sum_i \log \sum_{j \ne i}
        \exp\big(\cos(M_i(x), M_j(x)) / \tau\big)

    where :math:`\lambda` is ``diversity_weight`` and :math:`\tau` the ``temperature``.
    ``explain`` returns the mean error of each feature.

    Departures from the paper:

    - Errors are standardised in the score, as in :class:`AutoEncoder`.
    - The squared error is a mean over the features, so that one ``diversity_weight`` serves
      tables of any width. The paper adds it up and chooses :math:`\lambda` for each table.
    - The hidden layers of the masks have a fixed width, where those of the paper are as wide
      as the row. With 1,000 features they alone would take most of the time.
    - The auto-encoder is smaller and has biases, and the training is short. Both were chosen
      on tables.

    A custom ``module`` maps rows (n, n_features) to a pair: the rows that were rebuilt from
    each masked version, and the masks, both of shape (n, n_masks, n_features).

    References
    ----------
    .. [1] J. Yin, Y. Qiao, Z. Zhou, X. Wang, J. Yang, "MCM: Masked cell modeling for anomaly
       detection in tabular data", ICLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import MCM
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> detector = MCM(contamination=0.01, random_state=0).fit(X)
    >>> off_the_plane = [[2, -2, 2, -2]]
    >>> bool(detector.score_samples(off_the_plane)[0] < detector.score_samples(X).min())
    True
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "n_masks": [Interval(Integral, 2, None, closed="left")],
        "mask_dim": [WIDTH],
        "learn_masks": ["boolean"],
        "diversity_weight": [NOT_NEGATIVE],
        "temperature": [POSITIVE],
        **NETWORK_CONSTRAINTS,
        "latent_dim": [WIDTH],
        "standardize_errors": ["boolean"],
    }
    _module_class = MaskingNetwork
    _criterion_class = MaskedCellLoss
    # NOTE[DIFF]: a short training, chosen on tables.
    _n_steps = 300
    _epoch_range = (2, 200)

    def __init__(
        self,
        *,
        n_masks: int = 15,
        # NOTE[DIFF]: in the paper as wide as the row.
        mask_dim: int = 64,
        learn_masks: bool = True,
        diversity_weight: float = 0.03,
        temperature: float = 0.1,
        # NOTE[DIFF]: the authors' auto-encoder has layers of 256 and a code of 128.
        hidden_dims: Sequence[int] = (64, 64),
        latent_dim: int = 32,
        activation: Activation = "leaky_relu",
        dropout: float = 0.0,
        # NOTE[DIFF]: the paper adds up the errors of all features as they are.
        standardize_errors: bool = True,
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
        self.n_masks = n_masks
        self.mask_dim = mask_dim
        self.learn_masks = learn_masks
        self.diversity_weight = diversity_weight
        self.temperature = temperature
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.standardize_errors = standardize_errors

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "n_masks": self.n_masks,
            "mask_dim": self.mask_dim,
            "learn_masks": self.learn_masks,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {"diversity_weight": self.diversity_weight, "temperature": self.temperature}

    def _row_width(self, net, n_features):
        return self.n_masks * max(n_features, self.mask_dim, *self.hidden_dims)

    def _errors(self, x):
        """Return the squared errors (n, n_masks, n_features) of the rebuilt rows."""
        return self.net_.criterion_.squared_errors(self.net_.module_(x), x)

    def _finalize_state(self, X):
        criterion = self.net_.criterion_
        criterion.variances = torch.empty(0, device=self.net_.device)
        if self.standardize_errors:
            # As in AutoEncoder: features that are hard to rebuild in all rows would decide.
            criterion.variances = mean_over_rows(self.net_, X, self._errors) + 1e-4
