"""Deep discriminative clustering: clusters learnt from relations between pairs."""

from numbers import Real

import torch

from ...engine import AnnealedNet
from ...utils._compat import Interval
from .._parameters import NOT_NEGATIVE
from ._base import BaseDeepClustering, codes_of, sample_rows
from ._losses import DeepDiscriminativeClusteringLoss


class DeepDiscriminativeClustering(BaseDeepClustering):
    """Deep discriminative clustering (DDC): rows are told apart in pairs.

    A network gives each row a label feature, a non-negative vector of length one, and the
    product of two rows' features says how alike they are. Pairs that are surely alike are
    drawn together, pairs that surely differ apart; unsure pairs wait until the network has
    learnt more [1]_ [2]_. The score of a row is the negative squared Mahalanobis distance
    of its code to the nearest cluster.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int, default=128
        Width of the code, from which a linear layer makes the label features.
    %(activation_parameters)s
    upper_threshold : float, default=0.95
        Similarity above which a pair counts as alike in the first epoch, in (0, 1).
    lower_threshold : float, default=0.455
        Similarity below which a pair counts as different in the first epoch, in (0, 1)
        and not above ``upper_threshold``.
    relation_weight : float, default=0.1
        Weight of the cross-entropy of the pairs in the loss; 0 leaves it out.
    balance_weight : float, default=0.1
        Weight of the negative entropy of the mean label, which keeps one cluster from
        taking all rows; 0 leaves it out.
    reconstruction_weight : float, default=1.0
        Weight of the mean squared error of the reconstruction; 0 leaves it out, and
        ``reconstruct`` then gives what the pre-training left of the decoder.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Mean codes of the clusters.
    net_ : AnnealedNet
        The trained skorch net; its ``criterion_`` has the label layer and the clusters.
    %(common_attributes)s

    See Also
    --------
    DeepEmbeddedClustering : Compares rows with centres, not with each other.
    DeepSubspaceClustering : Makes rows of each other.

    Notes
    -----
    With the label feature ``l = p / ||p||`` of ``p = softmax(W z + b)``, z the code, the
    similarity of two rows is ``s = l_i . l_j``. Over the pairs of a batch the loss takes the
    mean of ``-log s`` where ``s >= u`` and of ``-log(1 - s)`` where ``s < v``; other pairs
    do not count ([2]_, equations 3 to 6). The local constraint of [1]_ is that features are
    non-negative and of length one; the global one, that relations are estimated from the
    network's own similarities, takes here the form of the two thresholds of [2]_. ``u``
    falls ten times as fast as ``v`` rises, evenly over ``max_epochs`` epochs, and in the
    last one they meet: 0.5 at defaults. ``partial_fit`` goes on with thresholds that have
    met.

    Departures from the papers, which train on images from random weights: an auto-encoder
    is trained first, k-means on its codes starts the label layer, and the reconstruction
    stays in the loss, so that codes keep what sets a row apart. Images are not augmented.
    The entropy of the mean label is added against a dominant cluster.

    The papers know no anomalies; the score is ours. Similarities and labels do not serve:
    they saturate, and far out the network is most sure. So the clusters, as the label
    layer gives them, are described in the space of the code by their means and one common
    covariance [3]_, with a ridge of a hundredth of the mean variance. On the tables of our
    benchmark clusters as such raise the ranking; that codes learn from relations does
    not, beyond what k-means starts them with. Take this detector where the clusters
    themselves are wanted.

    A custom ``module`` has ``encode(x)``, which maps rows (n, n_features) to codes (n, any
    width); its ``forward(x)`` returns codes and reconstructions.

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
        n_clusters="auto",
        hidden_dims=(128,),
        latent_dim=128,
        activation="leaky_relu",
        dropout=0.0,
        upper_threshold=0.95,
        lower_threshold=0.455,
        relation_weight=0.1,
        balance_weight=0.1,
        reconstruction_weight=1.0,
        pretrain_epochs="auto",
        pretrain_lr=2e-3,
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
        super()._initialize_state(X)
        self.net_.criterion_.start_labels(codes_of(self.net_, sample_rows(X)))
        # The label layer came after the optimiser.
        self.net_.initialize_optimizer()

    def _finalize_state(self, X):
        self.net_.criterion_.describe_clusters(codes_of(self.net_, sample_rows(X)))

    def _cluster_rows(self, x):
        return self.net_.criterion_.label_probabilities(self._encode_rows(x)).argmax(dim=1)
