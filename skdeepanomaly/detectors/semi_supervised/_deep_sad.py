"""Deep SAD: a sphere of normal rows that known anomalies are pushed out of."""

import torch

from .._parameters import NOT_NEGATIVE
from ..one_class._base import BaseCenterDetector
from ._base import ANOMALY_SHARE_CONSTRAINTS, AnomalyShareMixin
from ._losses import DeepSADLoss


class DeepSAD(AnomalyShareMixin, BaseCenterDetector):
    """Deep semi-supervised anomaly detection: Deep SVDD that learns from labels.

    An encoder, pre-trained as half of an auto-encoder, learns to map rows close to a fixed
    centre, and those that are labelled as anomalies far away from it [1]_. The score of a
    row is the negative squared distance of its code to the centre.

    ``fit(X, y)`` takes -1 for anomalies, +1 for normal rows, 0 for rows that nobody has
    judged; without y all rows are unlabelled.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; the decoder of the pre-training mirrors
        them.
    latent_dim : int, default=512
        Width of the code.
    %(activation_parameters)s
    eta : float, default=1.0
        Weight of a labelled row in the loss; an unlabelled one has weight 1. With 0 the
        labels count for nothing.
    anomaly_share : float or None, default=0.1
        Share of a batch that is drawn from the labelled anomalies, in [0, 1). None draws
        all rows alike.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` the
        centre.
    %(common_attributes)s

    See Also
    --------
    DeepSVDD : The same without labels, optionally with a soft boundary.
    DevNet : Learns from labelled anomalies alone what is abnormal.
    SemiSupervisedGAN : Labels are optional there, too.

    Notes
    -----
    With ``d = ||phi(x) - c||^2 / s``, the loss ([1]_, equation 7) is the mean over a batch of d
    for unlabelled rows, eta d for labelled normal rows and eta / (d + 1e-6) for labelled
    anomalies. The pre-training sees all rows and no labels.

    Departures from the paper: s is the mean squared distance of the training rows to the
    centre before the first epoch, where the paper has 1. With codes of hundreds of
    dimensions squared distances are in the hundreds, the inverse of such a number has no
    gradient to speak of, and labels have no effect. ``anomaly_share`` draws known anomalies
    more often than others; the paper draws all rows alike. There is no weight decay unless
    ``optimizer__weight_decay`` sets one. Network, steps and centre are those of
    :class:`DeepSVDD`.

    A custom ``module`` maps rows (n, n_features) to codes (n, any width).

    References
    ----------
    .. [1] L. Ruff et al., "Deep semi-supervised anomaly detection", ICLR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepSAD
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4))
    >>> X[:5] = [1, 1, -1, -1] + 0.1 * rng.normal(size=(5, 4))
    >>> y = np.zeros(300)
    >>> y[:3] = -1
    >>> detector = DeepSAD(contamination=0.02, random_state=0).fit(X, y)
    >>> detector.predict(X[3:5])
    array([-1, -1])
    """

    _parameter_constraints: dict = {
        **BaseCenterDetector._parameter_constraints,
        "eta": [NOT_NEGATIVE],
        **ANOMALY_SHARE_CONSTRAINTS,
    }
    _criterion_class = DeepSADLoss
    _labels = "optional"

    def __init__(
        self,
        *,
        hidden_dims=(128,),
        latent_dim=512,
        activation="leaky_relu",
        dropout=0.0,
        eta=1.0,
        anomaly_share=0.1,
        pretrain_epochs="auto",
        pretrain_lr=2e-3,
        module=None,
        optimizer=torch.optim.Adam,
        lr=3e-4,
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
            activation=activation,
            dropout=dropout,
            pretrain_epochs=pretrain_epochs,
            pretrain_lr=pretrain_lr,
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
        self.eta = eta
        self.anomaly_share = anomaly_share

    def _criterion_params(self):
        return {"eta": self.eta}

    def _initialize_state(self, X):
        """Also set the unit of the distances to their mean."""
        super()._initialize_state(X)
        criterion = self.net_.criterion_
        total = sum(criterion.distances(c).double().sum() for c in self._iter_codes(X))
        # Rows that are all equal may lie in the centre.
        criterion.scale.copy_((total / len(X)).clamp(min=1e-6))
