"""Deep embedded clustering: self-training of soft assignments to clusters."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import torch
from skorch import NeuralNet
from torch.utils.data import Dataset

from ...engine import DetectorNet, StopTraining
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from .._parameters import NOT_NEGATIVE, POSITIVE
from ._base import BaseDeepClustering, codes_of, sample_rows
from ._losses import DeepEmbeddedClusteringLoss


class DeepEmbeddedClusteringNet(DetectorNet):
    """Net that updates the target at intervals, and stops when the clusters are stable.

    Parameters
    ----------
    update_interval : int, default=20
        Optimiser steps between two updates of the target.
    tol : float, default=1e-3
        Training continues only if at least this share of the rows changed their cluster
        between two updates.
    """

    def __init__(self, *args: Any, update_interval: int = 20, tol: float = 1e-3, **kwargs: Any):
        self.update_interval = update_interval
        self.tol = tol
        super().__init__(*args, **kwargs)

    def on_train_begin(
        self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        """Take a sample of the training rows, and set the first target."""
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self.rows_ = sample_rows(X)
        self.criterion_.converged.fill_(False)
        self._renew_target()

    def _renew_target(self):
        """Update the target; return the share of rows that changed their cluster."""
        codes = codes_of(self, self.rows_)
        return self.criterion_.renew_target(self.module_, codes)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take one optimiser step on a batch; update the target before it if it is due."""
        n_steps = int(self.criterion_.n_steps)
        due = n_steps and n_steps % self.update_interval == 0
        if due and not self.criterion_.converged:
            self.criterion_.converged.fill_(self._renew_target() < self.tol)
            # The update of the target left the module in evaluation mode.
            self._set_training(True)
        self.criterion_.n_steps += 1
        return super().train_step(batch, **fit_params)

    def on_epoch_begin(
        self,
        net: NeuralNet,
        dataset_train: Dataset | None = None,
        dataset_valid: Dataset | None = None,
        **kwargs: Any,
    ) -> None:
        """Stop training if the clusters are stable.

        Training stops between two epochs, so that the last epoch is in the history.
        """
        if self.criterion_.converged:
            raise StopTraining
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)

    def _release(self):
        super()._release()
        self.criterion_.forget_target()
        self.rows_ = None


class DeepEmbeddedClustering(BaseDeepClustering):
    """Deep embedded clustering (DEC), with a reconstruction error (IDEC).

    The codes of a pre-trained auto-encoder are assigned to centres with soft assignments,
    which are probabilities. Then the encoder and the centres are trained to make these
    assignments more certain: the target is a sharpened version of the current assignments
    [1]_. A reconstruction error prevents a distortion of the codes [2]_. The score of a row is
    the negative squared distance of its code to the nearest centre.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int, default=128
        Width of the code.
    %(activation_parameters)s
    reconstruction_weight : float, default=0.1
        Weight of the reconstruction error in the loss. With 0 the method is DEC [1]_,
        otherwise it is IDEC [2]_.
    degrees_of_freedom : float, default=1.0
        Degrees of freedom of the Student's t kernel between codes and centres.
    update_interval : int, default=20
        Optimiser steps between two updates of the target.
    tol : float, default=1e-3
        Training stops at the end of an epoch if less than this share of the rows changed
        their cluster between two updates of the target. With 0 it never stops early.
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
    DeepClustering : Assigns each row to one cluster only.

    Notes
    -----
    With the code z of a row, the centres m_j and the degrees of freedom a, the soft
    assignment ([1]_, equation 1), the target (equation 3) and the loss ([2]_, equation 7,
    divided by its gamma) are ::

        q_j = (1 + ||z - m_j||^2 / a)^(-(a + 1) / 2), divided by the sum over j
        p_j = q_j^2 / f_j, divided by the sum over j,   f_j the sum of q_j over all rows
        KL(p || q) + reconstruction_weight * ||x - G(z)||^2

    where G is the decoder.

    Departures from the papers:

    - The papers store p for each training row. Here a copy of the encoder, the centres and f
      is kept from the last update of the target, and p is computed for the rows of each
      batch. The numbers are the same, and rows need no index.
    - f and the share of rows that changed their cluster are computed on at most 10,000
      evenly spaced rows.
    - k-means uses at most 10,000 rows. It starts once if ``n_clusters`` is "auto"; otherwise
      it takes the best of ten starts.
    - The optimiser is Adam.
    - The default network and the number of steps are chosen for tables. The training after
      the pre-training is short, because a long one moves anomalies to the centres, too. The
      defaults are many clusters and a wide code, which ranked anomalies best in our
      experiments.

    ``partial_fit`` continues with the centres of the first fit. The pre-training uses the
    same optimiser and the same ``optimizer__`` parameters as the training after it, except
    for the learning rate, and no callbacks.

    A custom ``module`` has a method ``encode(x)`` that maps rows (n, n_features) to codes
    (n, any width). Its ``forward(x)`` returns a pair of codes and reconstructions.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi, "Unsupervised deep embedding for clustering
       analysis", ICML 2016.
    .. [2] X. Guo, L. Gao, X. Liu, J. Yin, "Improved deep embedded clustering with local
       structure preservation", IJCAI 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepEmbeddedClustering
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)) + np.repeat([[-8], [0], [8]], 100, axis=0)
    >>> X[0] = [8, -8, 8, -8]
    >>> X /= X.std(axis=0)
    >>> detector = DeepEmbeddedClustering(
    ...     n_clusters=3, contamination=0.01, random_state=0
    ... ).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepClustering._parameter_constraints,
        "reconstruction_weight": [NOT_NEGATIVE],
        "degrees_of_freedom": [POSITIVE],
        "update_interval": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="both")],
    }
    _net_class = DeepEmbeddedClusteringNet
    _criterion_class = DeepEmbeddedClusteringLoss
    # NOTE[DIFF]: few steps; more of them move anomalies to the centres, too.
    _n_steps = 100
    _epoch_range = (1, 30)
    _auto_n_clusters = 64

    def __init__(
        self,
        *,
        n_clusters: int | Literal["auto"] = "auto",
        # NOTE[DIFF]: a network for tables, with a wide code.
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 128,
        activation: Activation = "relu",
        dropout: float = 0.0,
        reconstruction_weight: float = 0.1,
        degrees_of_freedom: float = 1.0,
        update_interval: int = 20,
        tol: float = 1e-3,
        pretrain_epochs: int | Literal["auto"] = "auto",
        pretrain_lr: float = 2e-3,
        module: Module | None = None,
        # NOTE[DIFF]: DEC has stochastic gradient descent.
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 3e-4,
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
        self.reconstruction_weight = reconstruction_weight
        self.degrees_of_freedom = degrees_of_freedom
        self.update_interval = update_interval
        self.tol = tol

    def _criterion_params(self):
        return {
            "reconstruction_weight": self.reconstruction_weight,
            "degrees_of_freedom": self.degrees_of_freedom,
        }

    def _net_params(self):
        return {"update_interval": self.update_interval, "tol": self.tol}

    def _initialize_state(self, X):
        """Set the centres by k-means, and let the optimiser train them."""
        super()._initialize_state(X)
        # The optimiser was made before the centres, which are parameters, and does not know
        # them.
        self.net_.initialize_optimizer()
