"""Deep subspace clustering: clusters of codes that lie in linear subspaces."""

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import torch
from sklearn.cluster import SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from threadpoolctl import threadpool_limits

from ...engine import DetectorNet, iter_outputs
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions
from .._parameters import NOT_NEGATIVE, POSITIVE, WIDTH, wide_latent_dim
from ._base import BaseDeepClustering, check_finite, codes_of, sample_rows
from ._losses import SelfExpressionLoss


class DeepSubspaceClusteringNet(DetectorNet):
    """Net that trains on the landmarks, and on the batch if there are more rows."""

    def on_train_begin(
        self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        """Set the coefficients; note whether the landmarks are all training rows."""
        # In partial_fit: the coefficients were dropped at the end of the previous fit.
        if not self.criterion_.coefficients.numel():
            codes = codes_of(self, self.criterion_.landmarks.cpu().numpy())
            self.set_coefficients(self.criterion_.best_coefficients(codes))
        super().on_train_begin(net, X=X, y=y, **kwargs)
        landmarks = self.criterion_.landmarks.cpu().numpy()
        same = landmarks.shape == X.shape and (landmarks == X.astype("float32")).all()
        self.criterion_.all_landmarks.fill_(bool(same))

    def set_coefficients(self, coefficients: torch.Tensor) -> None:
        """Replace the coefficients, also in the optimiser.

        The optimiser keeps its state of all other parameters.

        Parameters
        ----------
        coefficients : torch.Tensor of shape (n_landmarks, n_landmarks)
            The new coefficients; an empty tensor drops the old ones.
        """
        old = self.criterion_.coefficients
        new = self.criterion_.coefficients = torch.nn.Parameter(coefficients)
        self.optimizer_.state.pop(old, None)
        for group in self.optimizer_.param_groups:
            group["params"] = [new if p is old else p for p in group["params"]]

    def get_loss(
        self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False
    ) -> torch.Tensor:
        """Return the loss of the landmarks, plus that of the batch if there are more rows."""
        if not training:
            return super().get_loss(y_pred, y_true, X=X, training=training)
        # NOTE[DIFF]: each step uses the landmarks only, which are all rows of a small table;
        # in the paper they are always all rows.
        loss = self.criterion_.self_expression_loss(self.module_)
        if not self.criterion_.all_landmarks:
            loss = loss + super().get_loss(y_pred, y_true, X=X, training=training)
        return loss


class DeepSubspaceClustering(BaseDeepClustering):
    """Deep subspace clustering (DSC): each cluster of codes spans a subspace.

    An auto-encoder learns codes, each of which is a linear combination of other codes. The
    other codes mostly lie in the same subspace, so that the coefficients show which rows
    belong together. Spectral clustering of the coefficients finds the clusters [1]_. The score
    of a row is the negative sum of two errors: the reconstruction error, and the squared
    distance of its code from the nearest of the clusters' subspaces.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the number of features, at most
        64.
    %(activation_parameters)s
    max_landmarks : int, default=1000
        Largest number of landmarks, the rows whose codes are expressed by each other. If
        there are no more training rows than this, all of them are landmarks; otherwise this
        many are drawn at random. Memory and the time of a step grow with the square of
        this number.
    coefficient_weight : float, default=1.0
        Weight of the squared norm of the coefficients in the loss.
    self_expression_weight : float, default=1.0
        Weight, in the loss, of half the squared error of codes that are expressed by other
        codes.
    signed_affinity : bool, default=True
        Whether only positive coefficients are a sign that two rows belong together. With
        False, negative coefficients are one, too, as in the paper. This is right for
        subspaces that contain the mean of all codes, since a subspace then has rows on both
        sides of the mean. But it merges two clusters on opposite sides of the mean.
    subspace_energy : float, default=0.9
        Share of the variance of a cluster's codes that its subspace must contain, in
        (0, 1]. A subspace has at least one dimension less than the code.
    residual_weight : float, default=1.0
        Weight, in the score, of the distance from the nearest subspace. With 0 the score
        is that of an auto-encoder.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Mean codes of the clusters.
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the auto-encoder, ``criterion_`` holds the
        ``landmarks``, the ``labels`` of their clusters, and the ``bases`` of the subspaces.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Has no clusters; scores rows by the reconstruction error.
    DeepClustering : Describes each cluster by its centre, not by a subspace.

    Notes
    -----
    Let X be the matrix of the rows, Z the matrix of their codes minus the mean code, and C
    the matrix of the coefficients, with a diagonal of zeros. The loss ([1]_, equation 5) is ::

        1/2 ||X - decode(C Z)||^2 + coefficient_weight ||C||^2
            + self_expression_weight / 2 ||Z - C Z||^2

    The affinities of the rows are ``C+ + C+^T``, where C+ is the positive part of C.

    The score of a row is minus the mean squared error of its reconstruction, minus
    ``residual_weight`` times the mean squared residual of its code from the nearest subspace.
    The squared error of each feature, and the squared residual of each entry of the code, is
    divided by its mean over the training rows (plus 1e-4). The subspace of a cluster contains
    the mean code of its landmarks, and has the directions of their leading principal
    components.

    Departures from the paper:

    - The score is not from the paper, which does not detect anomalies.
    - The size of C is the square of the number of rows, and a new row has no coefficients.
      Therefore X contains at most ``max_landmarks`` landmarks. Each step uses all of them. If
      there are more training rows, each step also adds the reconstruction error of a batch.
      The landmarks are a random sample, so they span the same subspaces as all rows. A
      network that predicts coefficients [2]_ would not need landmarks, but its training is
      slow, and spectral clustering needs the affinities of all rows anyway.
    - Codes are centred, so that subspaces need not contain zero.
    - Negative coefficients do not count in the affinity unless ``signed_affinity`` is False.
    - C starts from its optimum for the codes of the pre-training, which has a closed form
      [3]_; the paper starts from zero. Thus few steps are enough.
    - The affinity is neither thresholded nor reduced to a lower rank. The authors' code does
      both, with settings for each data set.

    ``partial_fit`` keeps the landmarks of the first fit, and computes their coefficients
    again.

    The landmarks are part of the fitted detector: it holds up to ``max_landmarks`` training
    rows verbatim, all rows of a small table. A file of it gives them away.

    A custom ``module`` has a method ``encode(x)`` that maps rows (n, n_features) to codes
    (n, any width), and a method ``decode(z)`` that maps codes to rows. Its ``forward(x)``
    returns a pair of codes and reconstructions.

    References
    ----------
    .. [1] P. Ji, T. Zhang, H. Li, M. Salzmann, I. Reid, "Deep subspace clustering
       networks", NeurIPS 2017.
    .. [2] S. Zhang, C. You, R. Vidal, C.-G. Li, "Learning a self-expressive network for
       subspace clustering", CVPR 2021.
    .. [3] C.-Y. Lu et al., "Robust and efficient subspace segmentation via least squares
       regression", ECCV 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepSubspaceClustering
    >>> rng = np.random.default_rng(0)
    >>> t = rng.normal(size=(200, 1))
    >>> X = np.where(np.arange(200)[:, None] < 100, t * [1, 1, 1, 0], t * [0, 0, 1, -1])
    >>> X[0] = [2, -2, 0, 0]
    >>> detector = DeepSubspaceClustering(n_clusters=2, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepClustering._parameter_constraints,
        "latent_dim": [WIDTH, StrOptions({"auto"})],
        "max_landmarks": [Interval(Integral, 2, None, closed="left")],
        "coefficient_weight": [POSITIVE],
        "self_expression_weight": [POSITIVE],
        "signed_affinity": ["boolean"],
        "subspace_energy": [Interval(Real, 0, 1, closed="right")],
        "residual_weight": [NOT_NEGATIVE],
    }
    _net_class = DeepSubspaceClusteringNet
    _criterion_class = SelfExpressionLoss
    # NOTE[DIFF]: few steps are enough, because the coefficients start from their optimum.
    _n_steps = 50
    _epoch_range = (1, 50)
    _pretrain_steps = 700
    _auto_n_clusters = 10

    def __init__(
        self,
        *,
        n_clusters: int | Literal["auto"] = "auto",
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        activation: Activation = "relu",
        dropout: float = 0.0,
        # NOTE[DIFF]: the paper has no landmarks; it expresses all rows by each other.
        max_landmarks: int = 1000,
        coefficient_weight: float = 1.0,
        self_expression_weight: float = 1.0,
        # NOTE[DIFF]: False is the affinity of the paper.
        signed_affinity: bool = True,
        subspace_energy: float = 0.9,
        residual_weight: float = 1.0,
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
        self.max_landmarks = max_landmarks
        self.coefficient_weight = coefficient_weight
        self.self_expression_weight = self_expression_weight
        self.signed_affinity = signed_affinity
        self.subspace_energy = subspace_energy
        self.residual_weight = residual_weight

    def _module_params(self, n_features):
        params = super()._module_params(n_features)
        if self.latent_dim == "auto":
            params["latent_dim"] = wide_latent_dim(n_features)
        return params

    def _criterion_params(self):
        return {
            "coefficient_weight": self.coefficient_weight,
            "self_expression_weight": self.self_expression_weight,
            "residual_weight": self.residual_weight,
        }

    def _initialize_state(self, X):
        """Draw the landmarks, and set their coefficients."""
        drawn = torch.randperm(len(X))[: self.max_landmarks].sort().values.numpy()
        landmarks = X[drawn].astype("float32")
        net, criterion = self.net_, self.net_.criterion_
        codes = codes_of(net, landmarks)
        criterion.landmarks = torch.from_numpy(landmarks).to(net.device)
        # NOTE[DIFF]: codes are centred, so that subspaces need not contain zero.
        criterion.origin = codes.mean(dim=0)
        # NOTE[DIFF]: the coefficients start from their optimum for these codes.
        net.set_coefficients(criterion.best_coefficients(codes))

    def _finalize_state(self, X):
        """Cluster the landmarks, and set the subspaces and the mean errors of the score."""
        net, criterion = self.net_, self.net_.criterion_
        landmarks = criterion.landmarks.cpu().numpy()
        if criterion.coefficients.numel():
            criterion.labels = self._cluster_landmarks(landmarks).to(net.device)
            # Drop the n_landmarks x n_landmarks coefficients: nothing reads them after the
            # clustering.
            net.set_coefficients(torch.empty(0, device=net.device))
        criterion.span(codes_of(net, landmarks), criterion.labels, self.subspace_energy)
        rows = sample_rows(X)
        with torch.no_grad():
            errors, residuals = 0.0, 0.0
            for x, (codes, reconstruction) in iter_outputs(net, rows):
                errors += (reconstruction - x).square().sum(dim=0)
                residuals += criterion.squared_residuals(codes).sum(dim=0)
        # Floor for features and codes without error: 1e-4 is the squared hundredth of the
        # standard deviation of a scaled feature.
        criterion.variances = errors / len(rows) + 1e-4
        criterion.code_variances = residuals / len(rows) + 1e-4

    def _cluster_landmarks(self, landmarks):
        """Return the cluster (n_landmarks,) of each landmark."""
        n_clusters = self._resolve_n_clusters(landmarks)
        if n_clusters == 1:
            return torch.zeros(len(landmarks), dtype=torch.int64)
        if n_clusters == len(landmarks):
            return torch.arange(n_clusters)
        # NOTE[DIFF]: no thresholds, no lower rank. A small affinity is added for all pairs
        # of rows, because spectral clustering needs a connected graph.
        affinity = self.net_.criterion_.affinities(signed=self.signed_affinity)
        check_finite(affinity, "affinities")
        affinity = affinity.double().cpu().numpy()
        affinity += 1e-6 * affinity.max() + 1e-12
        with threadpool_limits(1), warnings.catch_warnings():
            # k-means inside warns if there are fewer different rows than clusters in the
            # embedding of the graph.
            warnings.simplefilter("ignore", ConvergenceWarning)
            spectral = SpectralClustering(
                n_clusters,
                affinity="precomputed",
                random_state=int(torch.randint(2**31 - 1, ())),
            )
            return torch.from_numpy(spectral.fit_predict(affinity)).long()
