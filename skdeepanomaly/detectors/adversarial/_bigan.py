"""BiGAN: a generator, its inverse, and a judge of pairs."""

from numbers import Real

import torch

from ...base import DecoderMixin, EncoderMixin
from ...utils._compat import Interval
from .._parameters import NOT_NEGATIVE
from ._base import BaseAdversarialDetector
from ._losses import BiGANLoss
from ._networks import BiGANNetwork


class BiGAN(EncoderMixin, DecoderMixin, BaseAdversarialDetector):
    """Anomaly detection with a bidirectional generative adversarial network.

    A generator learns to make rows from codes, an encoder to find the code of a row, and
    a discriminator to tell pairs (row, its code) from pairs (made row, its code) [1]_.
    The anomaly score is that of efficient GAN-based anomaly detection [2]_: the error of
    the row's reconstruction, mixed with its error in the discriminator's features.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder and of the discriminator; the
        generator mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the features, at least 2.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training, in [0, 1).
    cycle_weight : float, default=1.0
        Weight of the squared reconstruction error in the loss of encoder and generator;
        0 gives the plain BiGAN.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score, in [0, 1]; the rest is the
        discriminator-feature error.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` is that of generator and encoder.
        ``optimizer_d__lr`` sets its own learning rate, which else is ``lr``.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds encoder, generator and
        discriminator. ``train_loss`` in ``history_`` is that of generator and encoder,
        ``discriminator_loss`` that of the discriminator.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : The reconstruction error alone, without a game.

    Notes
    -----
    The score ([2]_, section 3, feature-matching variant) is
    ``-(alpha * ||x - G(E(x))||_1 + (1 - alpha) * ||f(x, E(x)) - f(G(E(x)), E(x))||_1)``
    with f the last hidden layer of the discriminator. What the discriminator itself says
    is not used: rows far from the data can look more real to it than the data do.

    Departures from the papers: ``cycle_weight`` adds a reconstruction error to the loss
    of encoder and generator, as ALICE [3]_ does, because the inverse that the game alone
    finds is too loose to rank rows on small tables. The optimisers' ``betas`` are
    (0.5, 0.999) where they have such a parameter, unless set.

    A custom ``module`` has a ``latent_dim``, ``encode(x)``, ``generate(z)``,
    ``discriminate(x, z)`` that returns logits, and a ``forward(x)`` that returns
    reconstructions and two feature tensors; the parameters whose names start with
    ``discriminator`` are the discriminator's.

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
    _module_class = BiGANNetwork
    _criterion_class = BiGANLoss
    _auto_batch_size = 128
    _epoch_range = (10, 200)

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        dropout=0.0,
        cycle_weight=1.0,
        alpha=0.9,
        optimizer_d=torch.optim.Adam,
        module=None,
        optimizer=torch.optim.Adam,
        lr=5e-4,
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
