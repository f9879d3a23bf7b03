"""Semi-supervised GAN: a discriminator of normal, abnormal and generated rows."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...engine import iter_outputs
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.rows import spread
from ...utils.types import Contamination, RandomState
from .._parameters import NOT_NEGATIVE
from ..adversarial._base import BaseAdversarialDetector
from ._base import ANOMALY_SHARE_CONSTRAINTS, AnomalyShareMixin
from ._losses import SemiSupervisedGANLoss
from ._networks import ClassifyingGANNetwork

# This many rows are enough for the mean and the covariance of the features.
MAX_ROWS_FOR_COVARIANCE = 10_000


class SemiSupervisedGAN(AnomalyShareMixin, BaseAdversarialDetector):
    """Semi-supervised generative adversarial network with feature matching.

    The discriminator has three classes: normal rows, anomalies and generated rows. The
    generator learns to make rows whose mean features equal those of real rows [1]_. The score
    of a row is low if its features are rare among the training rows, or if the discriminator
    classifies it as an anomaly.

    In ``fit(X, y)`` the labels y are -1 for anomalies, +1 for normal rows, and 0 for rows
    without a label. If y is not given, all rows are without a label.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator. The generator has the same widths
        in reverse order.
    latent_dim : int or "auto", default="auto"
        Width of the generator's input. ``"auto"`` is the number of features, at least 2.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training, in [0, 1).
    feature_matching : bool, default=True
        Whether the generator is trained to match the mean of the discriminator's features.
        With False it has the usual non-saturating loss of a GAN.
    background_weight : float, default=1.0
        Weight of noisy rows in the loss of the discriminator. Noisy rows are training rows
        plus strong noise, and the discriminator should recognise them as not real. With 0
        there are none, as in the paper.
    unlabelled_weight : float, default=1.0
        Weight of the term in the loss of the discriminator that treats rows without a label
        as normal. With 0 these rows have no class, as in the paper.
    alpha : float, default=1.0
        Weight of the class probability in the score.
    anomaly_share : float or None, default=0.1
        Share of each batch that is drawn from the labelled anomalies, in [0, 1). With None
        all rows are drawn equally often.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` is the optimiser of the generator.
        ``optimizer_d__lr`` sets the learning rate of the discriminator. If it is not set,
        the learning rate is ``lr``.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds the generator and the discriminator.
        In ``history_``, ``train_loss`` is the loss of the generator, and
        ``discriminator_loss`` the loss of the discriminator.
    %(common_attributes)s

    See Also
    --------
    DeepSAD : Also works with or without labels, and needs no generator.
    DevNet : Needs labelled anomalies.
    BiGAN : An adversarial detector without labels.

    Notes
    -----
    The discriminator has the logits l1 (normal) and l2 (anomaly); the logit of generated rows
    is fixed at 0. With ``Z = exp(l1) + exp(l2)``, a row is real with the probability
    ``Z / (Z + 1)`` ([1]_, section 5). Given that it is real, it is an anomaly with the
    probability ``exp(l2) / Z``. The loss of the discriminator is the sum of the cross-entropies
    of these two decisions. The generator minimises ``||mean f(x) - mean f(G(z))||^2``, where f
    is the last hidden layer of the discriminator, and the first mean is over rows that are
    not labelled as anomalies ([1]_, section 3.1).

    The score is ``-log(m + 1e-3) + alpha * log P(normal | x, real)``. Here m is the squared
    Mahalanobis distance between f(x) and the mean feature vector of those training rows that
    the discriminator does not classify as anomalies. It is divided by its mean over these
    rows.

    Departures from the paper:

    - The score is not from the paper, which classifies and does not detect anomalies. The
      probability that a row is real is not used, because rows far from the data can look
      more real to the discriminator than the data.
    - ``background_weight`` and ``unlabelled_weight`` add terms to the loss of the
      discriminator.
    - ``anomaly_share`` fixes the share of labelled anomalies in a batch.
    - There is no minibatch discrimination, historical averaging, label smoothing or virtual
      batch normalisation.
    - If an optimiser has the parameter ``betas``, its default here is (0.5, 0.999).

    A custom ``module`` has an attribute ``latent_dim``, a method ``generate(z)`` that maps
    codes (n, latent_dim) to rows, and a ``forward(x)`` that returns features (n, any width)
    and logits (n, 2). The parameters whose names start with ``discriminator`` belong to the
    discriminator.

    References
    ----------
    .. [1] T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen, "Improved
       techniques for training GANs", NeurIPS 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import SemiSupervisedGAN
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4))
    >>> X[:5] = [1, 1, -1, -1] + 0.1 * rng.normal(size=(5, 4))
    >>> y = np.zeros(300)
    >>> y[:3] = -1
    >>> detector = SemiSupervisedGAN(contamination=0.02, random_state=0).fit(X, y)
    >>> detector.predict(X[3:5])
    array([-1, -1])
    """

    _parameter_constraints: dict = {
        **BaseAdversarialDetector._parameter_constraints,
        **ANOMALY_SHARE_CONSTRAINTS,
        "feature_matching": ["boolean"],
        "background_weight": [NOT_NEGATIVE],
        "unlabelled_weight": [NOT_NEGATIVE],
        "alpha": [NOT_NEGATIVE],
    }
    # NOTE[DIFF]: no minibatch discrimination, historical averaging, label smoothing or
    # virtual batch normalisation.
    _module_class = ClassifyingGANNetwork
    _criterion_class = SemiSupervisedGANLoss
    _labels = "optional"
    _n_steps = 400
    _epoch_range = (5, 400)
    _auto_batch_size = 128

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        dropout: float = 0.0,
        feature_matching: bool = True,
        # NOTE[DIFF]: with 0 both terms of the loss are left out, as in the paper.
        background_weight: float = 1.0,
        unlabelled_weight: float = 1.0,
        alpha: float = 1.0,
        # NOTE[DIFF]: a fixed share of each batch is labelled anomalies.
        anomaly_share: float | None = 0.1,
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
        self.feature_matching = feature_matching
        self.background_weight = background_weight
        self.unlabelled_weight = unlabelled_weight
        self.alpha = alpha
        self.anomaly_share = anomaly_share

    def _auto_latent_dim(self, n_features):
        return max(2, n_features)

    def _criterion_params(self):
        return {
            "feature_matching": self.feature_matching,
            "background_weight": self.background_weight,
            "unlabelled_weight": self.unlabelled_weight,
            "alpha": self.alpha,
        }

    def _finalize_state(self, X):
        """Set the mean and the whitening matrix of the features of normal rows."""
        criterion = self.net_.criterion_
        rows = spread(X, MAX_ROWS_FOR_COVARIANCE)
        outputs = [criterion.check_output(o, x) for x, o in iter_outputs(self.net_, rows)]
        features, logits = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        criterion.follow(features, logits)
