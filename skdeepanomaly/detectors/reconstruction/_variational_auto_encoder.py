"""Variational auto-encoder: rows that are improbable given their codes are abnormal."""

from numbers import Integral, Real

import torch

from ...base import BaseDeepDetector, DecoderMixin, EncoderMixin, GeneratorMixin
from ...engine import AnnealedNet
from ...networks import ACTIVATIONS
from ...utils._compat import Interval, StrOptions
from ...utils.validation import check_hidden_dims
from ._auto_encoder import wide_code
from ._losses import LIKELIHOODS, VariationalLoss
from ._networks import VariationalNetwork


class VariationalAutoEncoder(EncoderMixin, DecoderMixin, GeneratorMixin, BaseDeepDetector):
    """Anomaly detection by the reconstruction probability of a variational auto-encoder.

    An encoder maps a row to a distribution of codes, which is kept close to the standard
    normal one, and a decoder maps a code to a distribution of rows [1]_. The score is the
    reconstruction probability [2]_: the mean log-likelihood of the row under what its own
    codes decode to. Unlike an error it knows how exactly each feature can be rebuilt, row
    by row.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the features, at most 64.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        Distribution of a feature given the code: normal, with a mean and a variance from
        the decoder, or binary, for features in [0, 1].
    beta : float, default=1.0
        Weight of the divergence of the codes from the standard normal distribution in the
        loss [3]_.
    warmup : float, default=0.0
        Share of the epochs of a fit in which that weight rises linearly from 0 [4]_,
        in [0, 1].
    score_type : {"reconstruction_probability", "elbo", "error"}, \
default="reconstruction_probability"
        What is scored: the mean log-likelihood over codes of the row; the evidence lower
        bound, which is that less the divergence of the row's codes; or the negative mean
        squared error of the row that the mean code decodes to.
    n_draws : int, default=10
        Number of codes of a row that the first two scores average over. Their noise is
        drawn once in ``fit`` and is the same for all rows, so that scores repeat.
    activation : str, default="relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid".
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    %(common_parameters)s

    Attributes
    ----------
    net_ : AnnealedNet
        The trained skorch net; its ``module_`` is the network. ``train_loss`` in
        ``history_`` is the negative evidence lower bound of a row, in nats, the divergence
        weighted.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Codes without a distribution, errors without a scale.
    AdversarialAutoEncoder : A discriminator in place of the divergence.

    Notes
    -----
    With a code distribution :math:`q(z|x)` and a decoder :math:`p(x|z)` the loss is
    ``-E_q[log p(x|z)] + beta * KL(q(z|x) || N(0, I))``, one code drawn a row and pass by
    reparameterisation. ``beta=0`` leaves an auto-encoder with noise in its code.

    ``encode`` gives the means of the codes, ``reconstruct`` the expected row at the mean
    code; ``sample`` draws a code from the standard normal distribution, then a row from the
    decoder's distribution.

    ``explain`` is exact but for ``score_type="elbo"``, whose divergence is no sum over
    features.

    Departures from the papers: the logarithms of the variances are kept within [-6, 6] for
    features and [-10, 10] for codes. To be scored, a value outside of [0, 1] under
    ``likelihood="bernoulli"`` costs its distance to there in addition.

    A custom ``module`` has a ``latent_dim``, ``posterior(x)`` that returns means and
    log-variances of codes, ``decode(z)`` that returns means and log-variances of the
    features side by side, or logits under ``likelihood="bernoulli"``, and a ``forward(x)``
    that returns what one drawn code decodes to and both outputs of ``posterior``; for
    ``encode`` and ``reconstruct`` an ``encode(x)`` that returns the means of codes.

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
        **BaseDeepDetector._parameter_constraints,
        "hidden_dims": ["array-like"],
        "latent_dim": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "likelihood": [StrOptions(set(LIKELIHOODS))],
        "beta": [Interval(Real, 0, None, closed="left")],
        "warmup": [Interval(Real, 0, 1, closed="both")],
        "score_type": [StrOptions({"reconstruction_probability", "elbo", "error"})],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _net_class = AnnealedNet
    _module_class = VariationalNetwork
    _criterion_class = VariationalLoss
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        likelihood="gaussian",
        beta=1.0,
        warmup=0.0,
        score_type="reconstruction_probability",
        n_draws=10,
        activation="relu",
        dropout=0.0,
        module=None,
        optimizer=torch.optim.Adam,
        lr=2e-3,
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
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        self.beta = beta
        self.warmup = warmup
        self.score_type = score_type
        self.n_draws = n_draws
        self.activation = activation
        self.dropout = dropout

    def _module_params(self, n_samples, n_features):
        latent_dim = self.latent_dim
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": wide_code(n_features) if latent_dim == "auto" else latent_dim,
            "n_parameters": LIKELIHOODS[self.likelihood].n_parameters,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {"likelihood": self.likelihood, "beta": self.beta, "warmup": self.warmup}

    def _finalize_state(self, net, X):
        net.criterion_.draw_noises(self.n_draws, net.module_.latent_dim)

    def _score_rows(self, net, x):
        if self.score_type == "elbo":
            return net.criterion_.negative_bounds(net.module_, x)
        return self._explain_rows(net, x).sum(dim=1)

    def _explain_rows(self, net, x):
        if self.score_type == "elbo":
            return self._integrated_gradients(net, x)
        if self.score_type == "error":
            return net.criterion_.errors(net.module_, x)
        return net.criterion_.reconstruction_losses(net.module_, x)

    def _reconstruct_rows(self, net, x):
        return net.criterion_.likelihood.mean(net.module_.decode(self._encode_rows(net, x)))

    def _sample_rows(self, net, n_samples):
        codes = torch.randn(n_samples, net.module_.latent_dim, device=net.device)
        return net.criterion_.likelihood.draw(net.module_.decode(codes))
