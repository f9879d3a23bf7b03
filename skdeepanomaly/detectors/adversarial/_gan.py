"""GAN: a generator of rows, and a judge of what is real."""

from numbers import Integral, Real

import torch

from ...engine import map_in_blocks
from ...utils._compat import Interval, StrOptions
from ...utils.validation import check_scales, spread
from .._parameters import NOT_NEGATIVE, POSITIVE, SHARE, WIDTH
from ._base import BaseAdversarialDetector
from ._losses import GANLoss
from ._networks import GANNetwork

# More rows would not make the means of the score's parts more exact.
MAX_ROWS_FOR_MEANS = 2000


class GAN(BaseAdversarialDetector):
    """Anomaly detection with a generative adversarial network.

    A generator learns to make rows from random codes, and a discriminator to tell real
    rows from made ones [1]_. A row is abnormal if the discriminator takes it for made, or
    if the generator, searched for the code that comes closest [2]_, cannot make it; by
    default the score is the sum of both.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator; the generator mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the features, at least 2.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training, in [0, 1).
    score_type : {"mix", "discriminator", "query"}, default="mix"
        What the score is made of: the discriminator's ``-log D(x)``, which ranks rows as
        ``1 - D(x)`` does; the error of the ``"query"``, the search for a code; or
        the mix of both, each divided by its mean over the training rows.
    alpha : float, default=0.5
        Weight of the query in the mix, in [0, 1].
    feature_weight : float, default=0.1
        Weight, in the error of the query, of the difference in the discriminator's last
        hidden layer, in [0, 1]; the rest is the residual's.
    n_starts : int, default=256
        Codes, drawn once, among which each search starts at the best.
    query_steps : int, default=10
        Steps of each search.
    query_lr : float, default=0.1
        Learning rate of the search.
    background : float, default=0.75
        Share of the background, rows moved away at random, among what the discriminator
        learns to call made, in [0, 1]; the rest is the generator's. 0 gives the plain GAN,
        which is no detector: see Notes.
    background_scales : tuple of two floats, default=(0.3, 5.0)
        How near and how far the background lies, in units of standardised features.
    label_smoothing : float, default=0.0
        By how much the discriminator's target for real rows is less than one, in [0, 1).
    r1_weight : float, default=0.0
        Weight of the gradient penalty R1 [3]_: half the squared gradient of the
        discriminator's logit at real rows.
    spectral_norm : bool, default=False
        Whether the weights of the discriminator are divided by their largest singular
        values [4]_.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` is that of the generator.
        ``optimizer_d__lr`` sets its own learning rate, which else is ``lr``.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds generator and discriminator.
        ``train_loss`` in ``history_`` is that of the generator, ``discriminator_loss``
        that of the discriminator.
    %(common_attributes)s

    See Also
    --------
    ConditionalGAN : Judges some columns given the others.
    BiGAN : Learns the search for the code, too.

    Notes
    -----
    The generator G plays the non-saturating game, ``min -log D(G(z))``, against
    ``min -log D(x) - (1 - b) log(1 - D(G(z))) - b log(1 - D(x'))`` with the share b of
    background rows x'. The score is
    ``-((1 - alpha) * -log D(x) / m1 + alpha * Q(x) / m2)``, where m1 and m2 are means over
    training rows and Q is AnoGAN's error
    ``(1 - w) * ||x - G(z)||_1 + w * ||f(x) - f(G(z))||_1`` of the z that is found; f is
    the last hidden layer of the discriminator, w the ``feature_weight``.

    **The trap.** The discriminator of a plain GAN is no detector. It learns what lies
    between the data and what the generator makes. Where the generator stays inside of the
    data, that is "further out is more real", and the network extrapolates it: anomalies
    look more real than the data do, and the ranking is upside down on many tables.
    Spectral normalisation, R1, or averages over training do not help, because none of
    them shows the discriminator anything that lies outside. So it is shown some: with
    the background, rows of the batch that are moved by a random amount, half of them
    along differences of rows and half by independent noise, it estimates how dense the
    data are against wide surroundings, near and far. And ``-log D(x)`` is bounded below,
    while the error of the query grows with the distance to all that the generator makes.
    So under the mix a row that is far enough out never passes for normal, whatever the
    discriminator says.

    Departures from the papers: the background. AnoGAN starts at one random code and takes
    500 steps; here each search starts at the best of ``n_starts`` codes, which needs few
    steps. The codes are the same for every row, and each row is searched by itself, so
    scores repeat and do not depend on the rows around. The optimisers' ``betas`` are
    (0.5, 0.999) where they have such a parameter, unless set.

    A custom ``module`` has a ``latent_dim``, ``generate(z)``, ``discriminate(x)`` that
    returns logits (n, 1), and ``discriminator_features(x)``; the parameters whose names
    start with ``discriminator`` are the discriminator's.

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
    _module_class = GANNetwork
    _criterion_class = GANLoss
    _n_steps = 500
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        dropout=0.0,
        score_type="mix",
        alpha=0.5,
        feature_weight=0.1,
        n_starts=256,
        query_steps=10,
        query_lr=0.1,
        background=0.75,
        background_scales=(0.3, 5.0),
        label_smoothing=0.0,
        r1_weight=0.0,
        spectral_norm=False,
        optimizer_d=torch.optim.Adam,
        module=None,
        optimizer=torch.optim.Adam,
        lr=1e-3,
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
        # Every search starts at one of these: scores repeat.
        shape = (self.n_starts, self.net_.module_.latent_dim)
        self.net_.criterion_.codes = torch.randn(shape, device=self.net_.device)

    def _finalize_state(self, X):
        """Set the means by which both parts of the mix are divided."""
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
