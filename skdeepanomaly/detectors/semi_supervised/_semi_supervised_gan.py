"""Semi-supervised GAN: a discriminator that knows normal, abnormal and generated rows."""

import torch

from ...engine import iter_outputs
from ...utils.validation import spread
from .._parameters import NOT_NEGATIVE
from ..adversarial._base import BaseAdversarialDetector
from ._base import ANOMALY_SHARE_CONSTRAINTS, AnomalyShareMixin
from ._losses import SemiSupervisedGANLoss
from ._networks import ClassifyingGANNetwork

# More rows would not make mean and covariance of the features more exact.
MAX_ROWS_FOR_COVARIANCE = 10_000


class SemiSupervisedGAN(AnomalyShareMixin, BaseAdversarialDetector):
    """Semi-supervised generative adversarial network with feature matching.

    The discriminator tells real rows from generated ones and, of the real ones, normal
    rows from anomalies; the generator makes rows that have the same mean features [1]_.
    The score of a row is low where its features are rare among the training rows, and
    where the discriminator takes it for an anomaly.

    ``fit(X, y)`` takes -1 for anomalies, +1 for normal rows, 0 for rows that nobody has
    judged; without y all rows are unlabelled.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the discriminator; the generator mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the generator's input. ``"auto"`` is the number of features, at least 2.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that is dropped in training, in [0, 1).
    feature_matching : bool, default=True
        Whether the generator matches the mean of the discriminator's features. False has
        it play the non-saturating game.
    background_weight : float, default=1.0
        Weight in the loss of rows with strong noise, which stand for fakes beside the
        generated ones. 0 leaves them out, as the paper does.
    unlabelled_weight : float, default=1.0
        Weight in the loss of the assumption that a row without a label is normal.
    alpha : float, default=1.0
        Weight of the class probability in the score.
    anomaly_share : float or None, default=0.1
        Share of a batch that is drawn from the labelled anomalies, in [0, 1). None draws
        all rows alike.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` is that of the generator.
        ``optimizer_d__lr`` sets its own learning rate, which else is ``lr``.
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds generator and discriminator.
        ``train_loss`` in ``history_`` is that of the generator, ``discriminator_loss`` that
        of the discriminator.
    %(common_attributes)s

    See Also
    --------
    DeepSAD : Labels move rows to and from a centre.
    BiGAN : A game without labels.

    Notes
    -----
    The discriminator has the logits l1 (normal) and l2 (anomaly); that of generated rows is
    0. With ``Z = exp(l1) + exp(l2)`` a row is real with probability ``Z / (Z + 1)`` ([1]_,
    section 5), and if real, an anomaly with probability ``exp(l2) / Z``. The loss of the
    discriminator is the cross-entropy of both. The generator minimises
    ``||mean f(x) - mean f(G(z))||^2`` over rows that are not labelled as anomalies, with f the
    last hidden layer of the discriminator ([1]_, section 3.1).

    The paper classifies and has no anomaly score. Here it is
    ``-log(m + 1e-3) + alpha * log P(normal | x, real)``. m is the squared Mahalanobis distance
    of f(x) to the features of those training rows that the discriminator does not call
    anomalies, divided by its mean over them. The probability that a row is real is not
    used: rows far from the data can look more real to the discriminator than the data do.

    Departures from the paper: ``background_weight`` and ``unlabelled_weight`` add terms to the
    loss of the discriminator. There is no minibatch discrimination, historical averaging,
    label smoothing or virtual batch normalisation. The optimisers' ``betas`` are (0.5, 0.999)
    where they have such a parameter, unless set.

    A custom ``module`` has a ``latent_dim``, a ``generate(z)``, and a ``forward(x)`` that
    returns features (n, any width) and logits (n, 2); the parameters whose names start
    with ``discriminator`` are the discriminator's.

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
    _module_class = ClassifyingGANNetwork
    _criterion_class = SemiSupervisedGANLoss
    _labels = "optional"
    _n_steps = 400
    _epoch_range = (5, 400)
    _auto_batch_size = 128

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        dropout=0.0,
        feature_matching=True,
        background_weight=1.0,
        unlabelled_weight=1.0,
        alpha=1.0,
        anomaly_share=0.1,
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
        criterion = self.net_.criterion_
        rows = spread(X, MAX_ROWS_FOR_COVARIANCE)
        outputs = [criterion.check_output(o, x) for x, o in iter_outputs(self.net_, rows)]
        features, logits = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        criterion.follow(features, logits)
