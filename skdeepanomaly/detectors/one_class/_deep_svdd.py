"""Deep SVDD: an encoder that maps normal rows into a small sphere."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from ._base import BaseCenterDetector
from ._losses import DeepSVDDLoss


class DeepSVDD(BaseCenterDetector):
    """Deep support vector data description.

    An encoder is pre-trained as a part of an auto-encoder, and then learns to map normal
    rows close to a fixed centre [1]_. The score of a row is the negative squared distance
    of its code to the centre.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers. The decoder, which only the pre-training
        uses, has the same widths in reverse order.
    latent_dim : int, default=512
        Width of the code.
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid". The paper advises against bounded activations ("tanh"
        and "sigmoid"), because with them all codes can collapse to the centre. Rows far
        away then have codes like those of normal rows; the penalty of ``score_samples``
        alone tells them apart.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere around the centre; some training rows may
        lie outside of it. With False the mean squared distance to the centre is minimised.
    nu : float, default=0.1
        Upper bound of the share of training rows outside of the sphere, in (0, 1]. It is
        used only if ``soft_boundary`` is True.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` and
        ``criterion_.radius`` describe the sphere.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Scores rows by the reconstruction error.
    DeepSAD : Also learns from labels.
    DeepOneClassSVM : Separates the codes by a hyperplane in the feature space of a kernel.

    Notes
    -----
    Departures from the paper:

    - The default network and the number of steps are chosen for tables.
    - There is no weight decay unless ``optimizer__weight_decay`` sets one.
    - The radius of the soft boundary is set to the (1 - nu) quantile of the distances to
      the centre: of all training rows before the first epoch, and of the rows of the batch
      after each step. The authors' code does so after its warm-up.
    - With a soft boundary the score is the squared radius minus the squared distance, as in
      the authors' code.
    - Entries of the centre between -0.1 and 0.1 are set to -0.1 or 0.1, as in the authors'
      code. With a centre of zero, weights that are all zero would be a perfect solution.

    ``partial_fit`` keeps the centre of the first fit. The pre-training uses the same
    optimiser and the same ``optimizer__`` parameters as the training after it, except for
    the learning rate, and no callbacks.

    A custom ``module`` maps rows (n, n_features) to codes (n, any width).

    References
    ----------
    .. [1] L. Ruff et al., "Deep one-class classification", ICML 2018. The default loss is
       equation 4, the loss with a soft boundary is equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepSVDD
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[0] = [5, -5, 5, -5]
    >>> detector = DeepSVDD(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseCenterDetector._parameter_constraints,
        "soft_boundary": ["boolean"],
        "nu": [Interval(Real, 0, 1, closed="right")],
    }
    _criterion_class = DeepSVDDLoss

    def __init__(
        self,
        *,
        # NOTE[DIFF]: a network for tables; the paper has convolutional ones for images.
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 512,
        activation: Activation = "leaky_relu",
        dropout: float = 0.0,
        soft_boundary: bool = False,
        nu: float = 0.1,
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
        self.soft_boundary = soft_boundary
        self.nu = nu

    def _criterion_params(self):
        return {"soft_boundary": self.soft_boundary, "nu": self.nu}

    def _initialize_state(self, X):
        """Set the centre, and for a soft boundary the radius."""
        super()._initialize_state(X)
        criterion = self.net_.criterion_
        if criterion.soft_boundary:
            # NOTE[DIFF]: the radius starts as a quantile of the distances of all rows.
            squared = [criterion.distances(c) for c in self._iter_codes(X)]
            distances = torch.cat(squared).sqrt().cpu().numpy()
            criterion.radius.fill_(float(np.quantile(distances, 1 - criterion.nu)))
