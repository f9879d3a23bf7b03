"""Deep clustering network: an auto-encoder whose codes gather around centres."""

from numbers import Integral, Real

import torch

from ...base import BaseDeepDetector
from ...engine import DetectorNet
from ...networks import ACTIVATIONS
from ...utils._compat import Interval, StrOptions
from ._base import BaseDeepClustering
from ._losses import DeepClusteringLoss


class DeepClusteringNet(DetectorNet):
    """Moves the centres after each step of the network."""

    def train_step(self, batch, **fit_params):
        """Take one optimiser step on a batch, then one step of the centres."""
        step = super().train_step(batch, **fit_params)
        self.criterion_.update_centers(step["y_pred"][0].detach())
        return step


class DeepClustering(BaseDeepClustering):
    """Deep clustering network: codes that k-means can cluster.

    An auto-encoder learns codes that lie close to a few centres, and from which the rows
    can still be rebuilt [1]_. The score of a row is the negative squared distance of its
    code to the nearest centre.

    Parameters
    ----------
    n_clusters : int or "auto", default="auto"
        Number of clusters, at most that of different rows. ``"auto"`` is 16, or a sixteenth
        of the rows where there are fewer than 256.
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int, default=128
        Width of the code.
    activation : str, default="relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid".
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    cluster_weight : float, default=5.0
        Weight of the distances to the centres in the loss; with 0 the network only
        learns to rebuild the rows.
    pretrain_epochs : int or "auto", default="auto"
        Epochs of the auto-encoder; 0 leaves the pre-training out. ``"auto"`` makes as
        many as it takes for about 500 optimiser steps, between 10 and 100.
    pretrain_lr : float, default=2e-3
        Learning rate of the auto-encoder.
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Centres in the space of the codes.
    net_ : DetectorNet
        The trained skorch net; its ``criterion_`` has the ``centers``.
    %(common_attributes)s

    See Also
    --------
    DeepEmbeddedClustering : Assigns rows to clusters softly.
    DeepSVDD : Has one centre, and nothing to rebuild.

    Notes
    -----
    The loss of a row ([1]_, equation 5) is
    ``||x - G(E(x))||^2 + cluster_weight / 2 * ||E(x) - m||^2`` with m the centre nearest
    to the code. After the pre-training k-means sets the centres. Then each batch takes
    three steps in turn: rows are assigned to the nearest centres, the network takes a
    step on the loss, and each centre takes a step of 1 / count towards each code that is
    assigned to it, count being the number of codes that it was given so far ([1]_,
    equation 8).

    Departures from the paper: the steps of the centres use the codes of the batch from
    before the network's step, which saves a pass. Assignments are those of the current
    network and are not stored from epoch to epoch. The counts begin with the sizes of
    the clusters that k-means found, among at most 10,000 rows, in one start where
    ``n_clusters`` is "auto", else in the best of ten. The default network and
    the number of steps are chosen for tables; the code is wide, because a narrow one
    hides anomalies, and the second phase is short, because a long one draws anomalies to
    the centres, too.

    ``partial_fit`` goes on with the centres of the first fit. The pre-training uses the
    optimiser of the second phase and its nested parameters, but for the learning rate,
    and no callbacks.

    A custom ``module`` has ``encode(x)``, which maps rows (n, n_features) to codes (n, any
    width); its ``forward(x)`` returns codes and reconstructions.

    References
    ----------
    .. [1] B. Yang, X. Fu, N. D. Sidiropoulos, M. Hong, "Towards k-means-friendly spaces:
       simultaneous deep learning and clustering", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepClustering
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)) + np.repeat([[-8], [0], [8]], 100, axis=0)
    >>> X[0] = [8, -8, 8, -8]
    >>> X /= X.std(axis=0)
    >>> detector = DeepClustering(n_clusters=3, contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> clusters = detector.predict_cluster(X)
    >>> np.array_equal(clusters[1:100], np.full(99, clusters[1]))
    True
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "hidden_dims": ["array-like"],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "cluster_weight": [Interval(Real, 0, None, closed="left")],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "pretrain_lr": [Interval(Real, 0, None, closed="neither")],
    }
    _net_class = DeepClusteringNet
    _criterion_class = DeepClusteringLoss
    _n_steps = 60
    _epoch_range = (1, 20)
    _auto_n_clusters = 16

    def __init__(
        self,
        *,
        n_clusters="auto",
        hidden_dims=(128,),
        latent_dim=128,
        activation="relu",
        dropout=0.0,
        cluster_weight=5.0,
        pretrain_epochs="auto",
        pretrain_lr=2e-3,
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
        self.n_clusters = n_clusters
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.cluster_weight = cluster_weight
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _criterion_params(self):
        return {"cluster_weight": self.cluster_weight}
