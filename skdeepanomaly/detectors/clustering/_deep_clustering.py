"""Deep clustering network: an auto-encoder with codes that k-means can cluster."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...engine import DetectorNet
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from .._parameters import NOT_NEGATIVE
from ._base import BaseDeepClustering
from ._losses import DeepClusteringLoss


class DeepClusteringNet(DetectorNet):
    """Net that updates the centres of the clusters after each optimiser step."""

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take one optimiser step on a batch, then update the centres."""
        # NOTE[DIFF]: the centres are updated with the codes from before the optimiser step,
        # which saves a second pass through the encoder.
        step = super().train_step(batch, **fit_params)
        self.criterion_.update_centers(step["y_pred"][0].detach())
        return step


class DeepClustering(BaseDeepClustering):
    """Deep clustering network (DCN): an auto-encoder with codes that k-means can cluster.

    An auto-encoder learns codes that lie close to the centres of clusters, and from which
    the rows can still be reconstructed [1]_. The score of a row is the negative squared
    distance of its code to the nearest centre.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int, default=128
        Width of the code.
    %(activation_parameters)s
    cluster_weight : float, default=5.0
        Weight of the squared distances to the centres in the loss. With 0 the network is
        trained by the reconstruction error only.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Centres in the space of the codes.
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the auto-encoder, ``criterion_.centers`` are
        the centres.
    %(common_attributes)s

    See Also
    --------
    DeepEmbeddedClustering : Assigns rows to clusters softly.
    DeepSVDD : Has one centre, and no reconstruction error.

    Notes
    -----
    With the encoder E and the decoder G, the loss of a row ([1]_, equation 5) is
    ``||x - G(E(x))||^2 + cluster_weight / 2 * ||E(x) - m||^2``, where m is the centre nearest
    to the code. After the pre-training k-means sets the centres. Then each batch takes three
    steps. First, its rows are assigned to the nearest centres. Second, the optimiser takes a
    step on the loss. Third, each centre moves towards each of its codes by 1 / count of the
    way, where count is the number of codes that this centre was assigned so far ([1]_,
    equation 8).

    Departures from the paper:

    - The centres are updated with the codes of the batch from before the optimiser step.
      This saves a second pass through the encoder.
    - Rows are assigned with the current network. The paper stores the assignments from epoch
      to epoch.
    - The counts start with the sizes of the clusters that k-means found.
    - k-means uses at most 10,000 rows. It starts once if ``n_clusters`` is "auto"; otherwise
      it takes the best of ten starts.
    - The default network and the number of steps are chosen for tables. The code is wide,
      because a narrow code loses the information that distinguishes anomalies. The training
      after the pre-training is short, because a long one moves anomalies to the centres, too.

    ``partial_fit`` continues with the centres of the first fit. The pre-training uses the
    same optimiser and the same ``optimizer__`` parameters as the training after it, except
    for the learning rate, and no callbacks.

    A custom ``module`` has a method ``encode(x)`` that maps rows (n, n_features) to codes
    (n, any width). Its ``forward(x)`` returns a pair of codes and reconstructions.

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
    # NOTE[DIFF]: few steps; more of them move anomalies to the centres, too.
    _n_steps = 60
    _epoch_range = (1, 20)
    _auto_n_clusters = 16

    def __init__(
        self,
        *,
        n_clusters: int | Literal["auto"] = "auto",
        # NOTE[DIFF]: a network for tables, with a wide code.
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 128,
        activation: Activation = "relu",
        dropout: float = 0.0,
        cluster_weight: float = 5.0,
        pretrain_epochs: int | Literal["auto"] = "auto",
        pretrain_lr: float = 2e-3,
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
