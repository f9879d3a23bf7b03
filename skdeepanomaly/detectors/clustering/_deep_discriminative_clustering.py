"""Deep discriminative clustering: clusters that are learned from pairs of rows."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...engine import AnnealedNet
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from .._parameters import NOT_NEGATIVE
from ._base import BaseDeepClustering, codes_of, sample_rows
from ._losses import DeepDiscriminativeClusteringLoss


class DeepDiscriminativeClustering(BaseDeepClustering):
    """Deep discriminative clustering (DDC): clusters that are learned from pairs of rows.

    A network gives each row a label feature: a non-negative vector of length one. The dot
    product of the label features of two rows is their similarity. Training increases high
    similarities and decreases low ones. Pairs with a similarity between the two thresholds
    do not count yet; the thresholds move towards each other in the course of training
    [1]_ [2]_. The score of a row is the negative squared Mahalanobis distance of its code to
    the nearest cluster.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int, default=128
        Width of the code. A linear layer computes the label features from the code.
    %(activation_parameters)s
    upper_threshold : float, default=0.95
        In the first epoch, two rows with at least this similarity are taken to be in the
        same cluster. In (0, 1).
    lower_threshold : float, default=0.455
        In the first epoch, two rows with less than this similarity are taken to be in
        different clusters. In (0, 1), and not above ``upper_threshold``.
    relation_weight : float, default=0.1
        Weight of the cross-entropy of the pairs in the loss; with 0 the loss does not
        contain it.
    balance_weight : float, default=0.1
        Weight of the negative entropy of the mean label probabilities in the loss. This term
        prevents one cluster from taking all rows; with 0 the loss does not contain it.
    reconstruction_weight : float, default=1.0
        Weight of the mean squared error of the reconstruction in the loss. With 0 the loss
        does not contain it, and the decoder used by ``reconstruct`` is that of the
        pre-training.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Mean codes of the clusters.
    net_ : AnnealedNet
        The trained skorch net: ``module_`` is the auto-encoder, ``criterion_`` holds the
        label layer and the clusters.
    %(common_attributes)s

    See Also
    --------
    DeepEmbeddedClustering : Compares rows with centres, not with each other.
    DeepSubspaceClustering : Expresses rows by each other.

    Notes
    -----
    With the code z of a row and its label probabilities ``p = softmax(W z + b)``, the label
    feature is ``l = p / ||p||``. The similarity of two rows is ``s = l_i . l_j``. With the
    upper threshold u and the lower threshold v, the loss is the mean of ``-log s`` over the
    pairs of a batch with ``s >= u``, and of ``-log(1 - s)`` over the pairs with ``s < v``;
    other pairs do not count ([2]_, equations 3 to 6).

    [1]_ has two constraints. The local constraint is that label features are non-negative and
    of length one. The global constraint is that relations are estimated from the similarities
    of the network itself; here this estimate has the form of the two thresholds of [2]_. In
    the course of ``max_epochs`` epochs u falls and v rises, at constant rates, u ten times as
    fast as v. In the last epoch they are equal: 0.5 with the default parameters.
    ``partial_fit`` continues with equal thresholds.

    The score describes the clusters of the label layer in the space of the codes: by their
    means and one common covariance [3]_, with a ridge of a hundredth of the mean variance.

    Departures from the papers:

    - The score is not from the papers, which do not detect anomalies. Similarities and label
      probabilities are no useful scores: far from the data the network is most certain.
    - An auto-encoder is trained first, and k-means on its codes initialises the label layer.
      The papers start from random weights.
    - The reconstruction error stays in the loss. Thus codes keep the information that
      distinguishes anomalies.
    - Rows are not augmented; the papers augment images.
    - The entropy of the mean label probabilities is added to the loss. It prevents one
      cluster from taking all rows.

    The ablations in the benchmarks of the documentation show that the clusters improve the
    ranking of anomalies, but that training on pairs does not improve it further. Use this
    detector if you also need the clusters themselves.

    A custom ``module`` has a method ``encode(x)`` that maps rows (n, n_features) to codes
    (n, any width). Its ``forward(x)`` returns a pair of codes and reconstructions.

    References
    ----------
    .. [1] J. Chang et al., "Deep discriminative clustering analysis", arXiv 1905.01681,
       2019.
    .. [2] J. Chang et al., "Deep adaptive image clustering", ICCV 2017.
    .. [3] K. Lee et al., "A simple unified framework for detecting out-of-distribution
       samples and adversarial attacks", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepDiscriminativeClustering
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 4)) + np.repeat([[-8], [0], [8]], 100, axis=0)
    >>> X[0] = [8, -8, 8, -8]
    >>> X /= X.std(axis=0)
    >>> detector = DeepDiscriminativeClustering(n_clusters=3, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> sorted(np.bincount(detector.predict_cluster(X[1:])))
    [np.int64(99), np.int64(100), np.int64(100)]
    """

    _parameter_constraints: dict = {
        **BaseDeepClustering._parameter_constraints,
        "upper_threshold": [Interval(Real, 0, 1, closed="neither")],
        "lower_threshold": [Interval(Real, 0, 1, closed="neither")],
        "relation_weight": [NOT_NEGATIVE],
        "balance_weight": [NOT_NEGATIVE],
        "reconstruction_weight": [NOT_NEGATIVE],
    }
    _net_class = AnnealedNet
    _criterion_class = DeepDiscriminativeClusteringLoss
    _n_steps = 100
    _epoch_range = (5, 100)
    _auto_n_clusters = 10

    def __init__(
        self,
        *,
        n_clusters: int | Literal["auto"] = "auto",
        hidden_dims: Sequence[int] = (128,),
        latent_dim: int = 128,
        activation: Activation = "leaky_relu",
        dropout: float = 0.0,
        upper_threshold: float = 0.95,
        lower_threshold: float = 0.455,
        relation_weight: float = 0.1,
        # NOTE[DIFF]: the papers have neither of these two terms in the loss.
        balance_weight: float = 0.1,
        reconstruction_weight: float = 1.0,
        # NOTE[DIFF]: the papers have no pre-training; 0 leaves it out.
        pretrain_epochs: int | Literal["auto"] = "auto",
        pretrain_lr: float = 2e-3,
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
        self.upper_threshold = upper_threshold
        self.lower_threshold = lower_threshold
        self.relation_weight = relation_weight
        self.balance_weight = balance_weight
        self.reconstruction_weight = reconstruction_weight

    def _criterion_params(self):
        if self.lower_threshold > self.upper_threshold:
            raise ValueError(
                f"lower_threshold={self.lower_threshold} is above"
                f" upper_threshold={self.upper_threshold}; a pair cannot be both alike and"
                " different. Swap them."
            )
        if not (self.relation_weight or self.balance_weight or self.reconstruction_weight):
            raise ValueError(
                "relation_weight, balance_weight and reconstruction_weight are all 0, which"
                " leaves no loss to train on. Set at least one of them above 0."
            )
        return {
            "upper_threshold": self.upper_threshold,
            "lower_threshold": self.lower_threshold,
            "relation_weight": self.relation_weight,
            "balance_weight": self.balance_weight,
            "reconstruction_weight": self.reconstruction_weight,
        }

    def _initialize_state(self, X):
        """Set the centres by k-means, and make the label layer from them."""
        super()._initialize_state(X)
        self.net_.criterion_.start_labels(codes_of(self.net_, sample_rows(X)))
        # The optimiser was made before the label layer and does not know its parameters.
        self.net_.initialize_optimizer()

    def _finalize_state(self, X):
        """Set the means and the covariance of the clusters."""
        self.net_.criterion_.describe_clusters(codes_of(self.net_, sample_rows(X)))

    def _cluster_rows(self, x):
        return self.net_.criterion_.label_probabilities(self._encode_rows(x)).argmax(dim=1)
