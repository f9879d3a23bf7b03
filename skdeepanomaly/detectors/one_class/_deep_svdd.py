"""Deep SVDD: normal rows lie in a small sphere of a learned space."""

from numbers import Real

import numpy as np
import torch

from ...utils._compat import Interval
from ._base import BaseCenterDetector
from ._losses import DeepSVDDLoss


class DeepSVDD(BaseCenterDetector):
    """Deep support vector data description.

    An encoder, pre-trained as half of an auto-encoder, learns to map normal rows close
    to a fixed centre [1]_. The score of a row is the negative squared distance of its
    code to the centre.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; the decoder of the pre-training mirrors
        them.
    latent_dim : int, default=512
        Width of the code.
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid". The paper advises against bounded ones, with which
        all codes can collapse to the centre.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere that may leave rows outside, in place
        of the mean distance.
    nu : float, default=0.1
        With ``soft_boundary``: upper bound of the share of training rows outside of the
        sphere, in (0, 1].
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` and
        ``criterion_.radius`` are the sphere.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Scores by the reconstruction error.
    DeepSAD : Also learns from labels.

    Notes
    -----
    Departures from the paper: the default network and the number of steps are chosen
    for tables. There is no weight decay unless ``optimizer__weight_decay`` sets one. The
    radius of the soft boundary starts as the (1 - nu) quantile of all distances to the
    centre and follows each batch, as in the authors' code after its warm-up. With a soft
    boundary the score is the distance less the squared radius, as in that code.

    Entries of the centre nearer to zero than 0.1 are set to +-0.1, as in the authors'
    code, because zero weights would map all rows to a zero centre. ``partial_fit`` goes
    on with the centre of the first fit.

    The pre-training uses the optimiser of the second phase and its nested parameters, but
    for the learning rate, and no callbacks.

    A custom ``module`` maps rows (n, n_features) to codes (n, any width).

    References
    ----------
    .. [1] L. Ruff et al., "Deep one-class classification", ICML 2018; the hard boundary
       is equation 4, the soft one equation 3.

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
        hidden_dims=(128,),
        latent_dim=512,
        activation="leaky_relu",
        dropout=0.0,
        soft_boundary=False,
        nu=0.1,
        pretrain_epochs="auto",
        pretrain_lr=2e-3,
        module=None,
        optimizer=torch.optim.Adam,
        lr=3e-4,
        max_epochs="auto",
        batch_size="auto",
        train_split=None,
        callbacks=None,
        contamination=0.1,
        warm_start=False,
        device="cpu",
        compile=False,
        verbose=0,
        random_state=None,
        **component__param,
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
        """Also set the radius to a quantile of the distances."""
        super()._initialize_state(X)
        criterion = self.net_.criterion_
        if criterion.soft_boundary:
            squared = [criterion.distances(c) for c in self._iter_codes(X)]
            distances = torch.cat(squared).sqrt().cpu().numpy()
            criterion.radius.fill_(float(np.quantile(distances, 1 - criterion.nu)))
