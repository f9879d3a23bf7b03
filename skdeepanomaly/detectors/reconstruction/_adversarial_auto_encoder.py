"""Adversarial auto-encoder: a discriminator gives the codes a known distribution."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...base import GeneratorMixin
from ...engine import AdversarialNet, mean_over_rows
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import StrOptions
from .._members import one_of_members
from ._auto_encoder import AutoEncoder
from ._losses import AdversarialAutoEncoderLoss
from ._networks import AdversarialAutoEncoderNetwork


class AdversarialAutoEncoderNet(AdversarialNet):
    """A net that takes three steps on each batch: reconstruct, discriminate, regularise.

    ``optimizer`` trains all parameters except the parameters of the discriminator on the
    reconstruction loss. ``optimizer_d`` trains the discriminator. ``optimizer_g`` trains the
    parameters whose names start with ``encoder`` against the discriminator.
    """

    steps = (
        ("optimizer", "reconstruction_loss"),
        ("optimizer_d", "discriminator_loss"),
        ("optimizer_g", "regularization_loss"),
    )
    _parameters_wanted = "some whose names start with 'discriminator' and with 'encoder'"

    def __init__(self, *args, optimizer_g=torch.optim.Adam, **kwargs):
        self.optimizer_g = optimizer_g
        super().__init__(*args, **kwargs)

    def _trains(self, optimizer: str, parameter: str) -> bool:
        if optimizer == "optimizer_g":
            return parameter.startswith("encoder")
        return super()._trains(optimizer, parameter)


class AdversarialAutoEncoder(GeneratorMixin, AutoEncoder):
    """Anomaly detection by an auto-encoder whose codes are normally distributed.

    An auto-encoder learns to reconstruct rows. At the same time a discriminator learns to
    separate the codes of rows from draws of a standard normal distribution, and the encoder
    learns to make this impossible [1]_. The codes then follow the normal distribution: a draw
    can be decoded to a new row, and a row with an improbable code may be an anomaly.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder and of the discriminator. The decoder has
        the same widths in reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the number of features, but at
        most 64.
    score_type : {"reconstruction", "discriminator", "both"}, default="reconstruction"
        The score: ``"reconstruction"`` is the negative reconstruction error;
        ``"discriminator"`` is ``log D(E(x))``, the log-probability that the discriminator D
        gives the code E(x); ``"both"`` is the sum of the two, each divided by the absolute
        value of its mean over the training rows.
    activation : str, default="relu"
        Activation of the hidden layers of encoder and decoder: one of "relu",
        "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid".
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    output_activation : str or None, default=None
        Activation of the output layer. If it is "sigmoid", scale the features to [0, 1].
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature by their mean over
        the training rows (plus 1e-4).
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator. Its learning rate is ``optimizer_d__lr``, or ``lr`` if
        this is not set.
    optimizer_g : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the encoder against the discriminator; ``optimizer`` trains encoder and
        decoder on the reconstruction. Its learning rate is ``optimizer_g__lr``, or a tenth of
        ``lr`` if this is not set; with 0 the detector is a plain auto-encoder.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch that the loss leaves out, in [0, 1): those with the
        largest losses. About the share of anomalies among the training rows, or more, keeps
        the network from learning them.
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialAutoEncoderNet
        The trained skorch net; its ``module_`` holds encoder, decoder and discriminator. In
        ``history_``, ``train_loss`` is the mean squared error of the reconstructions,
        ``discriminator_loss`` is the loss of the discriminator, and ``regularization_loss``
        is the loss of the encoder against the discriminator.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Only the reconstruction, without a discriminator.
    VariationalAutoEncoder : Uses a divergence instead of the discriminator.
    BiGAN : Its discriminator sees pairs of rows and codes.

    Notes
    -----
    Three steps are taken on each batch [1]_: ``optimizer`` minimises
    ``mean((x - G(E(x))) ** 2)`` over encoder E and decoder G; ``optimizer_d`` minimises
    ``-log D(z) - log(1 - D(E(x)))`` over the discriminator D, with z drawn from the standard
    normal distribution; ``optimizer_g`` minimises ``-log D(E(x))`` over the encoder.

    The discriminator alone ranks rows hardly better than chance, and ``"both"`` is not better
    than the reconstruction. If the training succeeds, the codes of anomalies follow the
    normal distribution, too; and the discriminator has seen no codes far from it, so that its
    output there is arbitrary. The effect of the discriminator on the reconstruction score is
    measured in the ablations in the benchmarks of the documentation.

    Departures from the paper: the loss of the encoder against the discriminator is the
    non-saturating one; the default optimiser is Adam; the paper does not score rows.

    ``explain`` returns the exact terms of the score for ``score_type="reconstruction"``.

    A custom ``module`` has an attribute ``latent_dim``; ``encode(x)``; ``generate(z)``;
    ``discriminate(z)``, which returns logits (n, 1); and ``forward(x)``, which returns
    reconstructions. The parameters of the discriminator have names that start with
    ``discriminator``, the parameters of the encoder have names that start with ``encoder``.

    References
    ----------
    .. [1] A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow, B. Frey, "Adversarial
       autoencoders", arXiv:1511.05644, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import AdversarialAutoEncoder
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [2, -2, 2, -2]
    >>> detector = AdversarialAutoEncoder(latent_dim=2, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> detector.sample(2, random_state=0).shape
    (2, 4)
    """

    _parameter_constraints: dict = {
        **AutoEncoder._parameter_constraints,
        "score_type": [StrOptions({"reconstruction", "discriminator", "both"})],
        "optimizer_d": [callable],
        "optimizer_g": [callable],
    }
    _net_class = AdversarialAutoEncoderNet
    _optimizers = ("optimizer", "optimizer_d", "optimizer_g")
    _module_class = AdversarialAutoEncoderNetwork
    _criterion_class = AdversarialAutoEncoderLoss
    # A batch takes three of them.
    _most_steps = 3000

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        score_type: Literal["reconstruction", "discriminator", "both"] = "reconstruction",
        activation: Activation = "relu",
        dropout: float = 0.0,
        tied: bool = False,
        output_activation: Activation | None = None,
        standardize_errors: bool = True,
        # NOTE[DIFF]: the optimisers are Adam; the paper uses stochastic gradient descent.
        optimizer_d: Optimizer = torch.optim.Adam,
        optimizer_g: Optimizer = torch.optim.Adam,
        # NOTE[DIFF]: the papers count all rows.
        trimmed_fraction: float = 0.0,
        n_members: int = 1,
        max_samples: int | float | None = None,
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
            hidden_dims=hidden_dims,
            latent_dim=latent_dim,
            activation=activation,
            dropout=dropout,
            tied=tied,
            output_activation=output_activation,
            standardize_errors=standardize_errors,
            trimmed_fraction=trimmed_fraction,
            n_members=n_members,
            max_samples=max_samples,
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
        self.score_type = score_type
        self.optimizer_d = optimizer_d
        self.optimizer_g = optimizer_g

    def _criterion_params(self):
        return {**super()._criterion_params(), "score_type": self.score_type}

    def _net_params(self):
        # With larger steps the codes of different rows become too similar to reconstruct
        # the rows.
        return {"optimizer_g__lr": 0.1 * self.lr}

    def _score_rows(self, x):
        return self.net_.criterion_.score_with(self.net_.module_, x)

    def _sample_rows(self, n_samples):
        return one_of_members(super()._sample_rows(n_samples))

    def _is_additive(self):
        return self.net_.criterion_.score_type == "reconstruction"

    def _finalize_state(self, X):
        super()._finalize_state(X)
        module, criterion = self.net_.module_, self.net_.criterion_
        parts = mean_over_rows(self.net_, X, lambda x: criterion.score_parts(module, x))
        criterion.scales = parts + 1e-12
