"""Variational auto-encoder: anomalies are improbable given their codes."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...base import GeneratorMixin
from ...engine import AnnealedNet
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions
from .._members import one_of_members
from .._parameters import NOT_NEGATIVE, WIDTH
from ._base import BaseAutoEncoder
from ._losses import LIKELIHOODS, VariationalLoss
from ._networks import VariationalNetwork


class VariationalAutoEncoder(GeneratorMixin, BaseAutoEncoder):
    """Anomaly detection by the reconstruction probability of a variational auto-encoder.

    An encoder maps a row to a distribution of codes, which is kept close to the standard
    normal distribution, and a decoder maps a code to a distribution of rows [1]_. The score
    of a row is the reconstruction probability [2]_: several codes are drawn for the row, and
    the log-likelihood of the row under the decoded distributions is averaged. The decoder
    returns a variance for each feature of each row, so that the score takes into account how
    exactly the feature can be predicted; a plain reconstruction error does not.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the number of features, but at
        most 64.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        Distribution of a feature given the code: ``"gaussian"`` is normal, with a mean and a
        variance from the decoder; ``"bernoulli"`` is binary, for features in [0, 1].
    beta : float, default=1.0
        Weight, in the loss, of the divergence of the codes from the standard normal
        distribution [3]_.
    warmup : float, default=0.0
        Share of the epochs of a fit during which the weight of the divergence rises linearly
        from 0 to ``beta`` [4]_, in [0, 1].
    score_type : {"reconstruction_probability", "elbo", "error"}, \
default="reconstruction_probability"
        The score: ``"reconstruction_probability"`` is the mean log-likelihood of the row over
        several codes; ``"elbo"`` is the evidence lower bound, the mean log-likelihood minus
        the divergence of the codes of the row; ``"error"`` is the negative mean squared error
        of the row that is decoded from the mean code.
    n_draws : int, default=10
        Number of codes of a row that the first two scores average over. ``fit`` draws the
        noise of the codes once, and the noise is the same for all rows, so that the scores of
        a row are equal in each call.
    %(activation_parameters)s
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch that the loss leaves out, in [0, 1): those with the
        largest losses. About the share of anomalies among the training rows, or more, keeps
        the network from learning them.
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : AnnealedNet
        The trained skorch net; its ``module_`` is the network. ``train_loss`` in
        ``history_`` is the mean negative evidence lower bound of a row, in nats, with the
        divergence weighted by ``beta`` and the warm-up.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Each row has one code, and the score is a reconstruction error.
    AdversarialAutoEncoder : Uses a discriminator instead of the divergence.

    Notes
    -----
    With a code distribution :math:`q(z|x)` and a decoder :math:`p(x|z)` the loss is
    ``-E_q[log p(x|z)] + beta * KL(q(z|x) || N(0, I))`` ([1]_, with the ``beta`` of [3]_). In
    each epoch one code is drawn for each row by the reparameterisation trick. With ``beta=0``
    the network is an auto-encoder with noise on its code.

    ``encode`` returns the means of the codes. ``reconstruct`` returns the expected row given
    the mean code. ``sample`` draws a code from the standard normal distribution, then a row
    from the distribution that is decoded from it.

    ``explain`` returns the exact terms of the score, except for ``score_type="elbo"``,
    because the divergence is not a sum over features.

    Departures from the papers: the logarithms of the variances are clipped to [-6, 6] for
    features and to [-10, 10] for codes. With ``likelihood="bernoulli"`` a value outside of
    [0, 1] has no likelihood; it is scored as the nearest value in [0, 1], and its distance
    to this value is added to the negative log-likelihood.

    A custom ``module`` has

    - an attribute ``latent_dim``;
    - ``posterior(x)``, which returns the means and the log-variances of the codes, each of
      shape (n, latent_dim);
    - ``decode(z)``, which returns the means and log-variances of the features in one tensor
      of shape (n, 2 * n_features), or with ``likelihood="bernoulli"`` logits of shape
      (n, n_features);
    - ``forward(x)``, which returns the decoded parameters for one drawn code, and both
      outputs of ``posterior``;
    - ``encode(x)``, which returns the means of the codes; only the methods ``encode`` and
      ``reconstruct`` of the detector need it.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] J. An, S. Cho, "Variational autoencoder based anomaly detection using
       reconstruction probability", SNU Data Mining Center, 2015.
    .. [3] I. Higgins et al., "beta-VAE: Learning basic visual concepts with a constrained
       variational framework", ICLR 2017.
    .. [4] S. R. Bowman et al., "Generating sentences from a continuous space", CoNLL 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import VariationalAutoEncoder
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [2, -2, 2, -2]
    >>> detector = VariationalAutoEncoder(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> detector.sample(2, random_state=0).shape
    (2, 4)
    """

    _parameter_constraints: dict = {
        **BaseAutoEncoder._parameter_constraints,
        "likelihood": [StrOptions(set(LIKELIHOODS))],
        "beta": [NOT_NEGATIVE],
        "warmup": [Interval(Real, 0, 1, closed="both")],
        "score_type": [StrOptions({"reconstruction_probability", "elbo", "error"})],
        "n_draws": [WIDTH],
    }
    _net_class = AnnealedNet
    _module_class: type[torch.nn.Module] = VariationalNetwork
    _criterion_class: type[torch.nn.Module] = VariationalLoss

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        likelihood: Literal["gaussian", "bernoulli"] = "gaussian",
        beta: float = 1.0,
        warmup: float = 0.0,
        score_type: Literal[
            "reconstruction_probability", "elbo", "error"
        ] = "reconstruction_probability",
        n_draws: int = 10,
        activation: Activation = "relu",
        dropout: float = 0.0,
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
        self.likelihood: str = likelihood
        self.beta = beta
        self.warmup = warmup
        self.score_type = score_type
        self.n_draws = n_draws

    def _module_params(self, n_features):
        n_parameters = LIKELIHOODS[self.likelihood].n_parameters
        return {**super()._module_params(n_features), "n_parameters": n_parameters}

    def _criterion_params(self):
        names = ("likelihood", "beta", "warmup", "score_type")
        own = {name: getattr(self, name) for name in names}
        return {**super()._criterion_params(), **own}

    def _finalize_state(self, X):
        self.net_.criterion_.draw_noises(self.n_draws, self.net_.module_.latent_dim)

    def _score_rows(self, x):
        return self.net_.criterion_.score_with(self.net_.module_, x)

    def _is_additive(self):
        return self.net_.criterion_.score_type != "elbo"

    def _feature_scores(self, x):
        return self.net_.criterion_.feature_scores_with(self.net_.module_, x)

    def _reconstruct_rows(self, x):
        criterion, module = self.net_.criterion_, self.net_.module_
        means = criterion.likelihood.mean(module.decode(module.posterior(x)[0]))
        return criterion.mean_of_members(means)

    def _sample_rows(self, n_samples):
        module = self.net_.module_
        codes = torch.randn(n_samples, module.latent_dim, device=self.net_.device)
        rows = self.net_.criterion_.likelihood.draw(module.decode(codes))
        return one_of_members(rows)
