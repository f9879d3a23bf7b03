"""ALAD: a bidirectional GAN whose cycles are judged, too."""

import torch

from ...base import DecoderMixin, EncoderMixin
from ...utils._compat import StrOptions
from ._base import BaseAdversarialDetector
from ._losses import ALADLoss
from ._networks import ALADNetwork


class ALAD(EncoderMixin, DecoderMixin, BaseAdversarialDetector):
    """Adversarially learned anomaly detection.

    A bidirectional GAN, an encoder and a generator against a discriminator of pairs (row,
    code), with two more discriminators [1]_: one tells a row beside itself from a row
    beside its reconstruction, the other a code beside itself from a code beside the code
    of the row that is made of it. Playing against those, too, encoder and generator become
    inverse to each other. The score is the error of the reconstruction, as the
    discriminator of pairs of rows sees it.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder and of each discriminator; the
        generator mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the features, at least 2.
    dropout : float, default=0.0
        Share of the discriminators' hidden units that is dropped in training, in [0, 1).
    score_type : {"features", "l1", "l2", "logits"}, default="features"
        What is measured between a row x and its reconstruction y: the L1 distance in the
        last hidden layer of the discriminator of pairs of rows, between the pairs (x, x)
        and (x, y); the L1 or the squared L2 distance of x and y; or how little that
        discriminator takes y for x.
    cycle_consistency : bool, default=True
        Whether encoder and generator play against the two discriminators of cycles;
        without, they are those of a plain BiGAN.
    spectral_norm : bool, default=False
        Whether the weights of the discriminators are divided by their largest singular
        values.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminators; ``optimizer`` is that of generator and encoder.
        ``optimizer_d__lr`` sets its own learning rate, which else is ``lr``.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds encoder, generator and
        discriminators. ``train_loss`` in ``history_`` is that of generator and encoder,
        ``discriminator_loss`` that of the discriminators.
    %(common_attributes)s

    See Also
    --------
    BiGAN : One discriminator, and a reconstruction error in the loss.
    GAN : No encoder: codes are searched for.

    Notes
    -----
    The discriminators minimise the sum of the cross-entropies of three games: pairs
    (x, E(x)) against (G(z), z), pairs (x, x) against (x, G(E(x))), and pairs (z, z)
    against (z, E(G(z))). Encoder E and generator G minimise the sum of the non-saturating
    losses. The score is, by ``score_type`` ([1]_, section 4.2),

    - ``"features"``: ``-||f(x, x) - f(x, G(E(x)))||_1``, with f the last hidden layer of
      the discriminator of pairs of rows, D;
    - ``"l1"``, ``"l2"``: ``-||x - G(E(x))||_1``, ``-||x - G(E(x))||_2 ** 2``;
    - ``"logits"``: ``log D(x, G(E(x)))``, which extrapolates as the discriminator
      of a :class:`GAN` does; it is there to compare.

    Departures from the paper: plain multilayer perceptrons for all tables, a code of half
    the features, spectral normalisation as an option, and the weights at the end of
    training in place of an early stop. The optimisers' ``betas`` are (0.5, 0.999) where
    they have such a parameter, unless set.

    A custom ``module`` has what one for :class:`BiGAN` has and
    ``discriminate_rows(x, other)`` and ``discriminate_codes(z, other)`` that return
    logits; its ``forward(x)`` returns reconstructions, the features of the pairs (x, x),
    and the features and logits of the pairs (x, reconstruction).

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
    _module_class = ALADNetwork
    _criterion_class = ALADLoss
    _n_steps = 600
    _auto_batch_size = 128
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        dropout=0.0,
        score_type="features",
        cycle_consistency=True,
        spectral_norm=False,
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
