"""NeuTraL: normal rows stay recognisable under transformations that a network learns."""

from numbers import Integral

import torch

from ...base import BaseDeepDetector, EncoderMixin
from ...engine import spread_tensor
from ...utils._compat import Interval, StrOptions
from ...utils.validation import check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, POSITIVE, WIDTH
from ._losses import DeterministicContrastiveLoss
from ._networks import NeuralTransformations


class NeuTraL(EncoderMixin, BaseDeepDetector):
    r"""Neural transformation learning for anomaly detection.

    Several small networks learn to transform rows, and an encoder learns codes in which
    each transformed copy is like its row but unlike the other copies [1]_. On rows
    unlike the training rows the networks fail at that. The score of a row is its negative
    training loss.

    Parameters
    ----------
    n_transformations : int, default=8
        Number of transformations, at least 2.
    transformation : str, default="bounded_residual"
        What a transformation's network gives: "residual" is added to the row,
        "bounded_residual" is added after a tanh, "multiplicative" is a mask between 0 and 1
        that multiplies it, "feed_forward" is the transformed row itself.
    transformation_dim : int, default=32
        Width of the hidden layer of each transformation's network.
    learn_transformations : bool, default=True
        Whether the transformations are trained; otherwise they stay as they are drawn,
        and only the encoder learns.
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
        What the cosines of the codes are divided by: the lower, the more the loss looks at
        the copy that is the most similar.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` holds the transformations and the encoder.
    %(common_attributes)s

    See Also
    --------
    GOAD : Fixed transformations, and a network that tells which one was made.

    Notes
    -----
    With the transformations :math:`T_1, \dots, T_K`, the encoder E and
    :math:`h(a, b) = \exp(\cos(E(a), E(b)) / \tau)`, the loss of a row is the
    deterministic contrastive one,

    .. math::

        \ell(x) = -\sum_{k=1}^K \log
        \frac{h(T_k(x), x)}{h(T_k(x), x) + \sum_{l \ne k} h(T_k(x), T_l(x))} .

    It is divided by :math:`K \log K`, as in the authors' code, so that copies that cannot be
    told apart have a loss of 1.

    Departures from the paper: the residual is bounded. A residual that grows with the row
    leaves the copies of a row far outside as distinct as those of a normal one; a bounded one
    is lost in it, and the copies fall together (on 10 tables 0.85 against 0.72 mean
    AUROC). Cosines are bounded, so that even then a row far outside scores as a
    row that is merely odd. A row farther from the mean training row than any training row
    loses :math:`\lVert x - \bar{x} \rVert^2 / r^2 - 1` more, r being the largest distance
    of a training row (of less than 20,000 of them). The encoder has biases, and the
    training is short; both were chosen on tables.

    A custom ``module`` maps rows (n, n_features) to codes (n, 1 + n_copies, any width) of
    length one, the first being the row's own. For ``encode`` it offers ``encode(x)``.

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
    _n_steps = 300
    _epoch_range = (2, 100)

    def __init__(
        self,
        *,
        n_transformations=8,
        transformation="bounded_residual",
        transformation_dim=32,
        learn_transformations=True,
        hidden_dims=(64, 64),
        latent_dim=32,
        activation="relu",
        dropout=0.0,
        temperature=0.1,
        module=None,
        optimizer=torch.optim.Adam,
        lr=3e-3,
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
        self.net_.criterion_.ball.enclose(spread_tensor(X, self.net_.device))
