"""DevNet: known anomalies deviate from a Gaussian reference, all other rows do not."""

from numbers import Integral

import torch

from ...base import BaseDeepDetector
from ...utils._compat import Interval
from ...utils.validation import check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, POSITIVE
from ._base import ANOMALY_SHARE_CONSTRAINTS, AnomalyShareMixin
from ._losses import DeviationLoss
from ._networks import ScoringNetwork


class DevNet(AnomalyShareMixin, BaseDeepDetector):
    """Deviation network: learns a score from a few labelled anomalies.

    A network maps a row to one number. Numbers of normal rows shall be like the mean of a
    standard normal reference, those of labelled anomalies at least ``margin`` standard
    deviations above it [1]_. Half of each batch is drawn from the labelled anomalies. The
    score of a row is the negative absolute deviation from the reference.

    ``fit(X, y)`` needs labels: -1 for some anomalies; +1 (normal) and 0 (not judged) are
    both taken for normal rows.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the hidden layers; an empty one gives a linear score.
    %(activation_parameters)s
    margin : float, default=5.0
        Deviation that labelled anomalies shall reach, in standard deviations of the
        reference.
    n_reference_draws : int, default=5000
        Number of draws from the standard normal distribution that make the reference.
    two_sided : bool, default=True
        Whether a row that deviates downwards is abnormal, too. False gives the score of
        the paper.
    anomaly_share : float or None, default=0.5
        Share of a batch that is drawn from the labelled anomalies, in [0, 1). None draws
        all rows alike.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; ``criterion_`` holds mean and standard deviation of the
        reference.
    %(common_attributes)s

    See Also
    --------
    DeepSAD : Also works without labels.
    SemiSupervisedGAN : Labels are optional there, too.

    Notes
    -----
    With phi the network, mu and sigma mean and standard deviation of the reference, the
    deviation is ``dev(x) = (phi(x) - mu) / sigma``, and the loss ([1]_, equation 7) is the mean
    of ``|dev(x)|`` over normal and unlabelled rows and of ``max(0, margin - dev(x))`` over
    labelled anomalies.

    Departures from the paper: the score is the absolute deviation. The loss draws normal
    rows to the reference from both sides; a row that ends up far below it is unlike all of
    them, and with the signed score it would pass for the most normal one. The reference is
    drawn once, as in the authors' code. The network is wider, trained with Adam for fewer
    steps.

    What is no known anomaly counts as normal, so DevNet finds anomalies like the known
    ones best; nothing but chance makes it see other kinds.

    A custom ``module`` maps rows (n, n_features) to numbers (n, 1).

    References
    ----------
    .. [1] G. Pang, C. Shen, A. van den Hengel, "Deep anomaly detection with deviation
       networks", KDD 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DevNet
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4))
    >>> X[:5] = [1, 1, -1, -1] + 0.1 * rng.normal(size=(5, 4))
    >>> y = np.zeros(300)
    >>> y[:3] = -1
    >>> detector = DevNet(contamination=0.02, random_state=0).fit(X, y)
    >>> detector.predict(X[3:5])
    array([-1, -1])
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        "margin": [POSITIVE],
        "n_reference_draws": [Interval(Integral, 2, None, closed="left")],
        "two_sided": ["boolean"],
        **ANOMALY_SHARE_CONSTRAINTS,
    }
    _module_class = ScoringNetwork
    _criterion_class = DeviationLoss
    _labels = "required"
    _n_steps = 500
    _epoch_range = (10, 500)
    _auto_batch_size = 128

    def __init__(
        self,
        *,
        hidden_dims=(128,),
        activation="leaky_relu",
        dropout=0.0,
        margin=5.0,
        n_reference_draws=5000,
        two_sided=True,
        anomaly_share=0.5,
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
        self.activation = activation
        self.dropout = dropout
        self.margin = margin
        self.n_reference_draws = n_reference_draws
        self.two_sided = two_sided
        self.anomaly_share = anomaly_share

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {
            "margin": self.margin,
            "n_reference_draws": self.n_reference_draws,
            "two_sided": self.two_sided,
        }
