"""Conditional GAN: what is abnormal in its context."""

import torch
from sklearn.utils.validation import check_is_fitted

from ...engine import draw_seed, isolated_rng
from ...utils.validation import check_columns, spread
from .._parameters import half_latent_dim
from ._gan import GAN
from ._losses import ConditionalGANLoss
from ._networks import ConditionalGANNetwork

# As many contexts of training rows are kept to sample from.
MAX_CONTEXTS = 1000


class ConditionalGAN(GAN):
    """Anomaly detection in context, with a conditional generative adversarial network.

    Some columns are the context: they are given, and not judged. A generator learns to
    make the other columns from the context and a random code, and a discriminator, which
    sees the context, too, to tell real rows from made ones [1]_. The score is high for a
    row whose other columns do not go with its context, even if each value by itself is
    usual, and low for a row that is usual for its context, even if the context is rare.

    Parameters
    ----------
    condition_features : sequence of str or int, default=None
        Names or indices of the columns that are context; at least one column must be
        left. None is no context, which makes the detector a :class:`GAN`.
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator; the generator mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the features that are not
        context, at least 2.
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
    n_starts : int, default=32
        Codes, drawn once, among which each search starts at the best.
    query_steps : int, default=10
        Steps of each search.
    query_lr : float, default=0.1
        Learning rate of the search.
    background : float, default=0.75
        Share of the background, rows moved away at random, among what the discriminator
        learns to call made, in [0, 1]; the rest is the generator's. 0 gives the plain GAN,
        which is no detector: see :class:`GAN`.
    background_scales : tuple of two floats, default=(0.3, 5.0)
        How near and how far the background lies, in units of standardised features.
    label_smoothing : float, default=0.0
        By how much the discriminator's target for real rows is less than one, in [0, 1).
    r1_weight : float, default=0.0
        Weight of the gradient penalty R1 [2]_: half the squared gradient of the
        discriminator's logit at real rows.
    spectral_norm : bool, default=False
        Whether the weights of the discriminator are divided by their largest singular
        values [3]_.
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
    GAN : Judges whole rows; its Notes tell what the score is and why.

    Notes
    -----
    The game and the score are those of :class:`GAN`, with G(z, c) in place of G(z): a
    made row is the context c beside what the generator makes of z and c, and
    background rows keep their context, too. The background moves the columns that are
    left along their own spread, past what goes with the context, so the discriminator
    learns what goes with it. The residual of the query runs over the columns that are left.

    A context that is far from all training rows gives a score that means little:
    nothing was learned there.

    Departures from the paper: those of :class:`GAN`. Each search starts at the best of
    ``n_starts`` codes for the context of its row.

    A custom ``module`` is as for :class:`GAN`, but for ``generate(z, x)``, which returns
    rows with the context of the rows x; its constructor may take ``condition``, the
    indices of the context.

    References
    ----------
    .. [1] M. Mirza, S. Osindero, "Conditional generative adversarial nets",
       arXiv:1411.1784, 2014.
    .. [2] L. Mescheder, A. Geiger, S. Nowozin, "Which training methods for GANs do
       actually converge?", ICML 2018.
    .. [3] T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, "Spectral normalization for
       generative adversarial networks", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ConditionalGAN
    >>> rng = np.random.default_rng(0)
    >>> season = rng.uniform(-1.7, 1.7, size=400)
    >>> warmth = season + 0.2 * rng.normal(size=400)
    >>> season[0], warmth[0] = -1.2, 1.2
    >>> X = np.column_stack([season, warmth])
    >>> detector = ConditionalGAN(condition_features=[0], random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **GAN._parameter_constraints,
        "condition_features": ["array-like", None],
    }
    _module_class = ConditionalGANNetwork
    _criterion_class = ConditionalGANLoss

    def __init__(
        self,
        *,
        condition_features=None,
        hidden_dims=(128, 128),
        latent_dim="auto",
        dropout=0.0,
        score_type="mix",
        alpha=0.5,
        feature_weight=0.1,
        n_starts=32,
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
            score_type=score_type,
            alpha=alpha,
            feature_weight=feature_weight,
            n_starts=n_starts,
            query_steps=query_steps,
            query_lr=query_lr,
            background=background,
            background_scales=background_scales,
            label_smoothing=label_smoothing,
            r1_weight=r1_weight,
            spectral_norm=spectral_norm,
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
        self.condition_features = condition_features

    def sample_given(self, X, random_state=None):
        """Draw rows anew, given their context.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; only the columns of the context are read.
        random_state : int, RandomState instance or None, default=None
            Seed of the codes. With None every call draws other rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows with the same context and other columns made for it, in float32.

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        with isolated_rng(draw_seed(random_state), self.net_.device), torch.inference_mode():
            x = torch.tensor(X, dtype=torch.float32, device=self.net_.device)
            codes = torch.randn(len(x), self.net_.module_.latent_dim, device=self.net_.device)
            return self.net_.module_.generate(codes, x).cpu().numpy()

    def _condition(self) -> list[int]:
        names = getattr(self, "feature_names_in_", None)
        columns = check_columns(self.condition_features, self.n_features_in_, names)
        if len(columns) == self.n_features_in_:
            raise ValueError(
                f"condition_features={self.condition_features!r} names all"
                f" {self.n_features_in_} columns of X; at least one must be left to judge."
            )
        return columns

    def _auto_latent_dim(self, n_features):
        return half_latent_dim(n_features - len(self._condition()))

    def _module_params(self, n_features):
        return {**super()._module_params(n_features), "condition": self._condition()}

    def _criterion_params(self):
        return {**super()._criterion_params(), "condition": self._condition()}

    def _finalize_state(self, X):
        """Also keep contexts to sample from."""
        super()._finalize_state(X)
        criterion = self.net_.criterion_
        rows = spread(X, MAX_CONTEXTS)[:, criterion.condition.tolist()]
        criterion.contexts = torch.tensor(rows, dtype=torch.float32, device=self.net_.device)

    def _sample_rows(self, n_samples):
        criterion = self.net_.criterion_
        drawn = torch.randint(len(criterion.contexts), (n_samples,))
        rows = torch.zeros(n_samples, self.n_features_in_, device=self.net_.device)
        rows[:, criterion.condition] = criterion.contexts[drawn]
        codes = torch.randn(n_samples, self.net_.module_.latent_dim, device=self.net_.device)
        return self.net_.module_.generate(codes, rows)
