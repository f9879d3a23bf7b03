"""Conditional GAN: anomalies in some columns given the others."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ...engine import draw_seed, isolated_rng
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.rows import spread
from ...utils.types import Contamination, RandomState
from ...utils.validation import check_columns
from .._parameters import half_latent_dim
from ._gan import GAN
from ._losses import ConditionalGANLoss
from ._networks import ConditionalGANNetwork

# ``sample`` draws from the contexts of at most this many training rows.
MAX_CONTEXTS = 1000


class ConditionalGAN(GAN):
    """Anomaly detection in context, with a conditional generative adversarial network.

    Some columns are the context. They are given, and their own values are not scored. A
    generator learns to generate the other columns from the context and a random code, and a
    discriminator, which sees the context as well, learns to separate real rows from generated
    rows [1]_. A row is an anomaly if its other columns are unusual for its context, even if
    each value alone is usual. A row that is usual for its context is normal, even if the
    context is rare.

    Parameters
    ----------
    condition_features : sequence of str or int, default=None
        Names or indices of the columns of the context; at least one column must not be in
        the context. With None there is no context, and the detector is a :class:`GAN`.
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator. The generator has the same widths in
        reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is half of the number of features that are not in the
        context, but at least 2.
    dropout : float, default=0.0
        Share of the hidden units of the discriminator that is dropped in training,
        in [0, 1).
    score_type : {"mix", "discriminator", "query"}, default="mix"
        Parts of the anomaly score: ``"discriminator"`` is ``-log D(x)``, which ranks rows
        like ``1 - D(x)``; ``"query"`` is the error of the query, a search for the code from
        which the generator makes the most similar row; ``"mix"`` is the weighted mean of
        both, each divided by its mean over the training rows.
    alpha : float, default=0.5
        Weight of the query in the mix, in [0, 1].
    feature_weight : float, default=0.1
        Weight, in the error of the query, of the difference in the last hidden layer of the
        discriminator, in [0, 1]. The weight of the difference in the features of X is
        ``1 - feature_weight``.
    n_starts : int, default=16
        Number of codes that are drawn once. Each query starts at the best of these codes.
    query_steps : int, default=4
        Number of gradient steps of each query.
    query_lr : float, default=0.2
        Learning rate of the query.
    background : float, default=0.75
        Share of background rows, which are training rows moved by random amounts, among the
        rows that the discriminator learns to separate from real rows, in [0, 1]. The others
        are generated rows. With 0 the network is a plain GAN, whose discriminator ranks rows
        badly: see the Notes of :class:`GAN`.
    background_scales : tuple of two floats, default=(0.3, 5.0)
        Smallest and largest distance by which background rows are moved, in standard
        deviations of standardised features.
    label_smoothing : float, default=0.0
        The target of the discriminator for real rows is ``1 - label_smoothing``, in [0, 1).
    r1_weight : float, default=0.0
        Weight of the gradient penalty R1 [2]_: half of the squared gradient norm of the
        discriminator's logit at real rows.
    spectral_norm : bool, default=False
        Whether the weight matrices of the discriminator are divided by their largest singular
        values [3]_.
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
    GAN : Scores whole rows; its Notes explain the score.

    Notes
    -----
    The losses and the score are those of :class:`GAN`, with G(z, c) instead of G(z). A
    generated row consists of the context c of a real row and of the columns that the
    generator makes from z and c. Background rows keep their context; only their other columns
    are moved, to values that are usual in other contexts, too. From them the discriminator
    learns which values are usual in which context. In the error of the query the context adds
    nothing to the difference in the features of X, because a generated row has the context of
    its real row.

    The fitted detector holds the values of the context columns of up to 1,000 training rows
    verbatim, from which ``sample`` draws. A file of it gives them away.

    If a context is far from the contexts of all training rows, the score means little,
    because the networks have learned nothing about such contexts.

    Departures from the papers: the same as in :class:`GAN`. Each query starts at the best of
    ``n_starts`` codes for the context of its row.

    A custom ``module`` has the methods of a module for :class:`GAN`, but ``generate(z, x)``
    takes rows x as well and returns rows with the context of x. Its constructor may take
    ``condition``, the indices of the columns of the context.

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
        condition_features: Sequence[str | int] | None = None,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        dropout: float = 0.0,
        score_type: Literal["mix", "discriminator", "query"] = "mix",
        alpha: float = 0.5,
        feature_weight: float = 0.1,
        # NOTE[DIFF]: AnoGAN starts at one random code and takes 500 steps. There are fewer
        # codes than in GAN, because each of them must be decoded anew for each row.
        n_starts: int = 16,
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

    def sample_given(
        self, X: ArrayLike, random_state: RandomState = None
    ) -> NDArray[np.float32]:
        """Draw a new row for the context of each given row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; only the columns of the context are used.
        random_state : int, RandomState instance or None, default=None
            Seed of the random codes. With None each call draws different rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float32
            New rows. The columns of the context are copied from the given rows, and the other
            columns are generated.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
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

    def _initialize_state(self, X):
        super()._initialize_state(X)
        self._keep_contexts(X)

    def _finalize_state(self, X):
        super()._finalize_state(X)
        self._keep_contexts(X)

    def _keep_contexts(self, X):
        """Keep contexts of training rows for ``sample``, which callbacks use in training."""
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
