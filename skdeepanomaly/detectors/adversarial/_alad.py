"""ALAD: a bidirectional GAN with discriminators of its reconstructions."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...base import DecoderMixin, EncoderMixin
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ...utils.validation import StrOptions
from ._base import BaseAdversarialDetector
from ._losses import ALADLoss
from ._networks import ALADNetwork


class ALAD(EncoderMixin, DecoderMixin, BaseAdversarialDetector):
    """Adversarially learned anomaly detection.

    In a bidirectional GAN an encoder and a generator are trained against a discriminator of
    pairs (row, code). ALAD adds two discriminators [1]_: one separates pairs (row, same row)
    from pairs (row, its reconstruction); the other separates pairs (code, same code) from
    pairs (code, its reconstruction). Encoder and generator are trained against these two as
    well, so that each becomes the inverse of the other. The score is the reconstruction error
    of a row, measured in the features of the discriminator of pairs of rows.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder and of each discriminator. The generator
        has the same widths in reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the number of features, but at least 2.
    dropout : float, default=0.0
        Share of the hidden units of the discriminators that is dropped in training,
        in [0, 1).
    score_type : {"features", "l1", "l2", "logits"}, default="features"
        How a row x is compared with its reconstruction y: ``"features"`` is the L1 distance
        between the pairs (x, x) and (x, y) in the last hidden layer of the discriminator of
        pairs of rows; ``"l1"`` is the L1 distance between x and y; ``"l2"`` is their squared
        L2 distance; ``"logits"`` is the negative log-probability, by this discriminator, that
        y is x.
    cycle_consistency : bool, default=True
        Whether encoder and generator are trained against the two discriminators of
        reconstructions. With False the training is that of a BiGAN.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminators are divided by their largest
        singular values.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminators; ``optimizer`` trains generator and encoder. Its
        learning rate is ``optimizer_d__lr``, or ``lr`` if this is not set.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds encoder, generator and
        discriminators. In ``history_``, ``train_loss`` is the loss of generator and encoder,
        and ``discriminator_loss`` is the loss of the discriminators.
    %(common_attributes)s

    See Also
    --------
    BiGAN : One discriminator, and a reconstruction error in the loss.
    GAN : No encoder; the code of a row is found by a search.

    Notes
    -----
    The discriminators minimise the sum of three cross-entropies: of pairs (x, E(x)) against
    (G(z), z), of pairs (x, x) against (x, G(E(x))), and of pairs (z, z) against (z, E(G(z))),
    where z is a random code. Encoder E and generator G minimise the sum of the three
    non-saturating losses. The score for each ``score_type`` is ([1]_, section 4.2)

    - ``"features"``: ``-||f(x, x) - f(x, G(E(x)))||_1``, with f the last hidden layer of
      the discriminator of pairs of rows, D;
    - ``"l1"``, ``"l2"``: ``-||x - G(E(x))||_1``, ``-||x - G(E(x))||_2 ** 2``;
    - ``"logits"``: ``log D(x, G(E(x)))``. This score is only for comparison: like the
      discriminator of a plain :class:`GAN`, D is not reliable far from the training rows.

    Departures from the paper: the networks are plain multilayer perceptrons for all tables;
    the code has half as many values as there are features; spectral normalisation is off by
    default; training does not stop early, but after a fixed number of steps. If an optimiser
    has a parameter ``betas``, its default here is (0.5, 0.999).

    A custom ``module`` has the methods of a module for :class:`BiGAN`, and
    ``discriminate_rows(x, other)`` and ``discriminate_codes(z, other)``, which return
    logits (n, 1). Its ``forward(x)`` returns the reconstructions, the features of the pairs
    (x, x), and the features and the logits of the pairs (x, reconstruction).

    References
    ----------
    .. [1] H. Zenati, M. Romain, C. S. Foo, B. Lecouat, V. R. Chandrasekhar,
       "Adversarially learned anomaly detection", ICDM 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ALAD
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [3, -3, 3, -3]
    >>> detector = ALAD(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseAdversarialDetector._parameter_constraints,
        "score_type": [StrOptions({"features", "l1", "l2", "logits"})],
        "cycle_consistency": ["boolean"],
        "spectral_norm": ["boolean"],
    }
    # NOTE[DIFF]: multilayer perceptrons; the code has half as many values as features.
    _module_class = ALADNetwork
    _criterion_class = ALADLoss
    # NOTE[DIFF]: a fixed number of steps; the paper stops early by a validation score.
    _n_steps = 600
    _most_steps = 2500
    _auto_batch_size = 128
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        dropout: float = 0.0,
        score_type: Literal["features", "l1", "l2", "logits"] = "features",
        cycle_consistency: bool = True,
        # NOTE[DIFF]: the paper uses spectral normalisation.
        spectral_norm: bool = False,
        optimizer_d: Optimizer = torch.optim.Adam,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 5e-4,
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
            dropout=dropout,
            optimizer_d=optimizer_d,
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
        self.cycle_consistency = cycle_consistency
        self.spectral_norm = spectral_norm

    def _module_params(self, n_features):
        return {**super()._module_params(n_features), "spectral_norm": self.spectral_norm}

    def _criterion_params(self):
        return {
            "score_type": self.score_type,
            "cycle_consistency": self.cycle_consistency,
        }

    def _reconstruct_rows(self, x):
        return self.net_.module_(x)[0]

    def _is_additive(self):
        return self.net_.criterion_.score_type in ("l1", "l2")

    def _feature_scores(self, x):
        return self.net_.criterion_.residuals(self.net_.module_(x), x)
