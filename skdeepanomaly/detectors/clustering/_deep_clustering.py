"""Deep clustering network: an auto-encoder whose codes gather around centres."""

import torch

from ...engine import DetectorNet
from .._parameters import NOT_NEGATIVE
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
    %(clustering_parameters)s
    latent_dim : int, default=128
        Width of the code.
    %(activation_parameters)s
    cluster_weight : float, default=5.0
        Weight of the distances to the centres in the loss; with 0 the network only
        learns to rebuild the rows.
    %(pretraining_parameters)s
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
        **BaseDeepClustering._parameter_constraints,
        "cluster_weight": [NOT_NEGATIVE],
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
            n_clusters=n_clusters,
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
        self.cluster_weight = cluster_weight

    def _criterion_params(self):
        return {"cluster_weight": self.cluster_weight}
