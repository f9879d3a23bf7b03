"""BiGAN: a generator, an encoder, and a discriminator of pairs of rows and codes."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...base import DecoderMixin, EncoderMixin
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ...utils.validation import Interval
from .._parameters import NOT_NEGATIVE
from ._base import BaseAdversarialDetector
from ._losses import BiGANLoss
from ._networks import BiGANNetwork


class BiGAN(EncoderMixin, DecoderMixin, BaseAdversarialDetector):
    """Anomaly detection with a bidirectional generative adversarial network.

    A generator learns to generate rows from random codes, and an encoder learns to find the
    code of a row. A discriminator learns to separate pairs (row, its code) from pairs
    (generated row, its code), and generator and encoder are trained to make this
    impossible [1]_. The score is the one of efficient GAN-based anomaly detection [2]_: a
    weighted sum of the reconstruction error of the row and of the error of the reconstruction
    in the features of the discriminator.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder and of the discriminator. The generator has
        the same widths in reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the number of features, but at least 2.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training,
        in [0, 1).
    cycle_weight : float, default=1.0
        Weight of the squared reconstruction error in the loss of encoder and generator;
        0 gives the BiGAN of the paper.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score, in [0, 1]. The weight of the error in
        the features of the discriminator is ``1 - alpha``.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` trains generator and encoder. Its
        learning rate is ``optimizer_d__lr``, or ``lr`` if this is not set.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds encoder, generator and
        discriminator. In ``history_``, ``train_loss`` is the loss of generator and encoder,
        and ``discriminator_loss`` is the loss of the discriminator.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Only the reconstruction error, without a discriminator.
    ALAD : Two more discriminators instead of a reconstruction error in the loss.

    Notes
    -----
    The score ([2]_, section 3, feature-matching variant) is
    ``-(alpha * ||x - G(E(x))||_1 + (1 - alpha) * ||f(x, E(x)) - f(G(E(x)), E(x))||_1)``
    where E is the encoder, G is the generator, and f is the last hidden layer of the
    discriminator. The output of the discriminator is not in the score, because it can be
    higher for rows far from the training rows than for the training rows.

    Departures from the papers: ``cycle_weight`` adds a reconstruction error to the loss
    of encoder and generator, as in ALICE [3]_. On small tables the encoder is otherwise not
    accurate enough as an inverse of the generator to rank rows (see the ablations in the
    benchmarks of the documentation). If an optimiser has a parameter ``betas``, its default
    here is (0.5, 0.999).

    A custom ``module`` has an attribute ``latent_dim``; ``encode(x)``; ``generate(z)``;
    ``discriminate(x, z)``, which returns logits (n, 1); and ``forward(x)``, which returns the
    reconstructions y of x and the features of the pairs (x, E(x)) and (y, E(x)). The names of
    the parameters of the discriminator start with ``discriminator``.

    References
    ----------
    .. [1] J. Donahue, P. Krähenbühl, T. Darrell, "Adversarial feature learning",
       ICLR 2017.
    .. [2] H. Zenati, C. S. Foo, B. Lecouat, G. Manek, V. R. Chandrasekhar, "Efficient
       GAN-based anomaly detection", ICLR 2018 workshop.
    .. [3] C. Li et al., "ALICE: Towards understanding adversarial learning for joint
       distribution matching", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import BiGAN
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [3, -3, 3, -3]
    >>> detector = BiGAN(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseAdversarialDetector._parameter_constraints,
        "cycle_weight": [NOT_NEGATIVE],
        "alpha": [Interval(Real, 0, 1, closed="both")],
    }
    _module_class: type[torch.nn.Module] = BiGANNetwork
    _criterion_class: type[torch.nn.Module] = BiGANLoss
    _auto_batch_size = 128
    _epoch_range = (10, 200)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        dropout: float = 0.0,
        # NOTE[DIFF]: the BiGAN of the papers has no reconstruction error in its loss.
        cycle_weight: float = 1.0,
        alpha: float = 0.9,
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
        self.cycle_weight = cycle_weight
        self.alpha = alpha

    def _criterion_params(self):
        return {"cycle_weight": self.cycle_weight, "alpha": self.alpha}

    def _reconstruct_rows(self, x):
        return self.net_.module_(x)[0]
