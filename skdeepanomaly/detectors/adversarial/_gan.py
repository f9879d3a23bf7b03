"""GAN: a generator of rows and a discriminator of real and generated rows."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import torch

from ...engine import map_in_blocks
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.rows import spread
from ...utils.types import Contamination, RandomState
from ...utils.validation import Interval, StrOptions, check_scales
from .._parameters import NOT_NEGATIVE, POSITIVE, SHARE, WIDTH
from ._base import BaseAdversarialDetector
from ._losses import GANLoss
from ._networks import GANNetwork

# The means that scale the two parts of the score need no more rows to be accurate, and the
# search for the codes is slow.
MAX_ROWS_FOR_MEANS = 2000


class GAN(BaseAdversarialDetector):
    """Anomaly detection with a generative adversarial network.

    A generator learns to generate rows from random codes, and a discriminator learns to
    separate real rows from generated rows [1]_. The score has two parts: the output of the
    discriminator for the row, and the error of the "query", a search for the code from which
    the generator makes the most similar row [2]_. By default the score is the mean of both.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator. The generator has the same widths in
        reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the number of features, but at least 2.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training,
        in [0, 1).
    score_type : {"mix", "discriminator", "query"}, default="mix"
        Parts of the anomaly score: ``"discriminator"`` is ``-log D(x)``, which ranks rows
        like ``1 - D(x)``; ``"query"`` is the error of the query; ``"mix"`` is the weighted
        mean of both, each divided by its mean over the training rows.
    alpha : float, default=0.5
        Weight of the query in the mix, in [0, 1].
    feature_weight : float, default=0.1
        Weight, in the error of the query, of the difference in the last hidden layer of the
        discriminator, in [0, 1]. The weight of the difference in the features of X is
        ``1 - feature_weight``.
    n_starts : int, default=64
        Number of codes that are drawn once. Each query starts at the best of these codes.
    query_steps : int, default=4
        Number of gradient steps of each query.
    query_lr : float, default=0.2
        Learning rate of the query.
    background : float, default=0.75
        Share of background rows, which are training rows moved by random amounts, among the
        rows that the discriminator learns to separate from real rows, in [0, 1]. The others
        are generated rows. With 0 the network is a plain GAN, whose discriminator ranks rows
        badly: see Notes.
    background_scales : tuple of two floats, default=(0.3, 5.0)
        Smallest and largest distance by which background rows are moved, in standard
        deviations of standardised features.
    label_smoothing : float, default=0.0
        The target of the discriminator for real rows is ``1 - label_smoothing``, in [0, 1).
    r1_weight : float, default=0.0
        Weight of the gradient penalty R1 [3]_: half of the squared gradient norm of the
        discriminator's logit at real rows.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminator are divided by their largest singular
        values [4]_.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` trains the generator. Its learning rate
        is ``optimizer_d__lr``, or ``lr`` if this is not set.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds generator and discriminator. In
        ``history_``, ``train_loss`` is the loss of the generator, and
        ``discriminator_loss`` is the loss of the discriminator.
    %(common_attributes)s

    See Also
    --------
    ConditionalGAN : Scores some columns given the others.
    BiGAN : Learns an encoder, so that no search for the code is needed.

    Notes
    -----
    The discriminator D minimises
    ``-log D(x) - (1 - b) log(1 - D(G(z))) - b log(1 - D(x'))``, where b is ``background`` and
    x' are background rows. The generator G minimises the non-saturating loss
    ``-log D(G(z))``. The score is ``-((1 - alpha) * -log D(x) / m1 + alpha * Q(x) / m2)``,
    where m1 and m2 are the means of the two parts over training rows. Q is the error of
    AnoGAN [2]_, ``(1 - w) * ||x - G(z)||_1 + w * ||f(x) - f(G(z))||_1``, of the code z that
    the query finds; f is the last hidden layer of the discriminator, and w is
    ``feature_weight``.

    **Why background rows.** The discriminator of a plain GAN is not a detector. It only
    learns to separate the training rows from the generated rows. If the generated rows lie
    inside of the region of the training rows, the discriminator learns that rows further
    outside are more likely to be real. It then gives anomalies, which lie even further
    outside, a higher probability to be real than normal rows, so that the ranking is reversed
    on many tables.
    Spectral normalisation, R1, or averages over training do not help, because the
    discriminator still sees no rows outside. Therefore background rows are added: rows of the
    batch that are moved by random amounts, half of them along the difference of two rows and
    half of them by independent noise. The discriminator then estimates how dense the training
    rows are, compared with their near and far surroundings. The effect is measured in the
    ablations in the benchmarks of the documentation. Still, ``-log D(x)`` cannot be less than
    zero, while the error of the query grows with the distance of a row to all generated rows.
    Therefore, with ``score_type="mix"``, a row that is far enough away always has a low
    score, whatever the discriminator returns.

    Departures from the papers: the discriminator learns from background rows. AnoGAN starts
    the query at one random code and takes 500 steps; here each query starts at the best of
    ``n_starts`` codes, and needs few steps. These codes are the same for all rows, and the
    query of each row is independent of the others, so that the score of a row is equal in
    each call and does not depend on the other rows. If an optimiser has a parameter
    ``betas``, its default here is (0.5, 0.999).

    A custom ``module`` has an attribute ``latent_dim``; ``generate(z)``; ``discriminate(x)``,
    which returns logits (n, 1); and ``discriminator_features(x)``. The names of the
    parameters of the discriminator start with ``discriminator``. The query runs a copy of the
    module after ``.to(torch.float64)``: tensors that it creates must follow its input.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.
    .. [2] T. Schlegl, P. Seeböck, S. M. Waldstein, U. Schmidt-Erfurth, G. Langs,
       "Unsupervised anomaly detection with generative adversarial networks to guide
       marker discovery", IPMI 2017.
    .. [3] L. Mescheder, A. Geiger, S. Nowozin, "Which training methods for GANs do
       actually converge?", ICML 2018.
    .. [4] T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, "Spectral normalization for
       generative adversarial networks", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import GAN
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [3, -3, 3, -3]
    >>> detector = GAN(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> detector.sample(5, random_state=0).shape
    (5, 4)
    """

    _parameter_constraints: dict = {
        **BaseAdversarialDetector._parameter_constraints,
        "score_type": [StrOptions({"mix", "discriminator", "query"})],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "feature_weight": [Interval(Real, 0, 1, closed="both")],
        "n_starts": [WIDTH],
        "query_steps": [Interval(Integral, 0, None, closed="left")],
        "query_lr": [POSITIVE],
        "background": [Interval(Real, 0, 1, closed="both")],
        "background_scales": ["array-like"],
        "label_smoothing": [SHARE],
        "r1_weight": [NOT_NEGATIVE],
        "spectral_norm": ["boolean"],
    }
    _module_class: type[torch.nn.Module] = GANNetwork
    _criterion_class: type[torch.nn.Module] = GANLoss
    _n_steps = 500
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        dropout: float = 0.0,
        score_type: Literal["mix", "discriminator", "query"] = "mix",
        alpha: float = 0.5,
        feature_weight: float = 0.1,
        # NOTE[DIFF]: AnoGAN starts at one random code and takes 500 steps.
        n_starts: int = 64,
        query_steps: int = 4,
        query_lr: float = 0.2,
        # NOTE[DIFF]: the discriminator of the papers sees no background rows.
        background: float = 0.75,
        background_scales: Sequence[float] = (0.3, 5.0),
        label_smoothing: float = 0.0,
        r1_weight: float = 0.0,
        spectral_norm: bool = False,
        optimizer_d: Optimizer = torch.optim.Adam,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 1e-3,
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
        self.alpha = alpha
        self.feature_weight = feature_weight
        self.n_starts = n_starts
        self.query_steps = query_steps
        self.query_lr = query_lr
        self.background = background
        self.background_scales = background_scales
        self.label_smoothing = label_smoothing
        self.r1_weight = r1_weight
        self.spectral_norm = spectral_norm

    def _module_params(self, n_features):
        return {**super()._module_params(n_features), "spectral_norm": self.spectral_norm}

    def _criterion_params(self):
        same = ("score_type", "alpha", "feature_weight", "n_starts", "query_steps", "query_lr")
        same += ("background", "label_smoothing", "r1_weight")
        return {
            **{name: getattr(self, name) for name in same},
            "background_scales": check_scales(self.background_scales),
        }

    def _initialize_state(self, X):
        # NOTE[DIFF]: AnoGAN draws a new code for each row. Here the queries of all rows start
        # from the same codes, so that the score of a row is equal in each call.
        shape = (self.n_starts, self.net_.module_.latent_dim)
        self.net_.criterion_.codes = torch.randn(shape, device=self.net_.device)

    def _finalize_state(self, X):
        """Set the means by which the two parts of the score are divided."""
        criterion = self.net_.criterion_
        if criterion.score_type == "mix":
            parts = map_in_blocks(
                lambda x: criterion.score_parts(self.net_.module_, x),
                spread(X, MAX_ROWS_FOR_MEANS),
                self.net_.device,
            )
            means = torch.from_numpy(parts.mean(axis=0)).clamp_min(1e-6)
            criterion.score_means.copy_(means)

    def _score_rows(self, x):
        return self.net_.criterion_.score_with(self.net_.module_, x)
