"""Deep subspace clustering: codes that are sums of other codes of their cluster."""

import warnings
from numbers import Integral, Real

import torch
from sklearn.cluster import SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ...engine import DetectorNet, iter_outputs
from ...utils._compat import Interval, StrOptions
from .._parameters import NOT_NEGATIVE, POSITIVE, WIDTH, wide_latent_dim
from ._base import BaseDeepClustering, codes_of, sample_rows
from ._losses import SelfExpressionLoss


class DeepSubspaceClusteringNet(DetectorNet):
    """Trains on the landmarks, and on the batch where it has more than the landmarks."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Make the coefficients; note whether the landmarks are the training data."""
        if not self.criterion_.coefficients.numel():
            codes = codes_of(self, self.criterion_.landmarks.cpu().numpy())
            self.set_coefficients(self.criterion_.best_coefficients(codes))
        super().on_train_begin(net, X=X, y=y, **kwargs)
        landmarks = self.criterion_.landmarks.cpu().numpy()
        same = landmarks.shape == X.shape and (landmarks == X.astype("float32")).all()
        self.criterion_.all_landmarks.fill_(bool(same))

    def set_coefficients(self, coefficients):
        """Put coefficients in place of those that the optimiser has; keep the rest."""
        old = self.criterion_.coefficients
        new = self.criterion_.coefficients = torch.nn.Parameter(coefficients)
        self.optimizer_.state.pop(old, None)
        for group in self.optimizer_.param_groups:
            group["params"] = [new if p is old else p for p in group["params"]]

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the loss of the landmarks, and of the batch where it adds rows."""
        if not training:
            return super().get_loss(y_pred, y_true, X=X, training=training)
        loss = self.criterion_.self_expression_loss(self.module_)
        if not self.criterion_.all_landmarks:
            loss = loss + super().get_loss(y_pred, y_true, X=X, training=training)
        return loss


class DeepSubspaceClustering(BaseDeepClustering):
    """Deep subspace clustering (DSC): each cluster of codes spans a subspace.

    An auto-encoder learns codes that are linear combinations of other codes. A row needs
    rows of its own subspace for that, so the coefficients say which rows belong together,
    and spectral clustering finds the clusters [1]_. The score of a row is the negative sum
    of two errors: of its reconstruction, and of its code, projected on the nearest of the
    clusters' subspaces.

    Parameters
    ----------
    %(clustering_parameters)s
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the features, at most 64.
    %(activation_parameters)s
    max_landmarks : int, default=1000
        Rows that are made of each other. Up to this number they are all training rows;
        of more rows as many are drawn at random. Time and memory grow with its square.
    coefficient_weight : float, default=1.0
        Weight of the squared norm of the coefficients in the loss.
    self_expression_weight : float, default=1.0
        Weight of half the squared error of the codes that are made of other codes.
    signed_affinity : bool, default=True
        Whether only positive coefficients say that rows belong together. With False
        negative ones do, too, as in the paper: right for subspaces through the mean of
        all codes, whose two sides are one; but clusters on opposite sides of the mean
        are then one as well.
    subspace_energy : float, default=0.9
        Share of the variance of a cluster's codes that its subspace has to hold, in
        (0, 1]. It has at least one dimension less than the code.
    residual_weight : float, default=1.0
        Weight of the distance from the nearest subspace in the score; with 0 the score
        is that of an auto-encoder.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, latent_dim)
        Mean codes of the clusters.
    net_ : DetectorNet
        The trained skorch net; its ``criterion_`` has the ``landmarks``, the ``labels`` of
        their clusters, and the ``bases`` of the subspaces.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Has no clusters; any code is as good as another.
    DeepClustering : Clusters are points, not subspaces.

    Notes
    -----
    With the codes Z of the rows X as rows of a matrix, less their mean, and the
    coefficients C, whose diagonal is zero, the loss ([1]_, equation 5) is ::

        1/2 ||X - decode(C Z)||^2 + coefficient_weight ||C||^2
            + self_expression_weight / 2 ||Z - C Z||^2

    and the affinity of two rows is ``C+ + C+^T``, C+ being the positive part of C.

    C is as large as the square of the number of rows, and a row that was not trained on
    has no coefficients. There is one form for all sizes here: X are at most
    ``max_landmarks`` landmarks, in every step all of them; as long as they are all rows,
    that is the paper's self-expression. Beyond, the batch adds its reconstruction
    error to the loss, and memory stays as it is. A network that predicts coefficients [2]_
    would cover all rows, but is slow to train (100,000 steps in the paper), and spectral
    clustering needs their affinities all the same; landmarks, being a random sample, span
    the same subspaces.

    A new row is compared with the subspaces. That of a cluster goes through the mean code
    of its landmarks, along the leading principal directions. The score is ours: the mean
    squared error of the reconstruction plus the mean squared residual of the code, each
    term relative to its mean over the training rows (plus 1e-4).

    Departures from the paper: codes are centred, so that subspaces need not go through
    zero; negative coefficients are left out of the affinity unless ``signed_affinity`` is
    False. C starts from its best value for the codes of the
    pre-training, which has a closed form [3]_, in place of zero, so that few steps do. The
    affinity is not thresholded or cut to a rank, which the authors' code does with
    settings chosen for each data set. ``partial_fit`` keeps the landmarks of the first fit,
    and makes their coefficients anew.

    A custom ``module`` has ``encode(x)``, which maps rows (n, n_features) to codes (n, any
    width), and ``decode(z)``; its ``forward(x)`` returns codes and reconstructions.

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
    _n_steps = 50
    _epoch_range = (1, 50)
    _pretrain_steps = 700
    _auto_n_clusters = 10

    def __init__(
        self,
        *,
        n_clusters="auto",
        hidden_dims=(128, 128),
        latent_dim="auto",
        activation="relu",
        dropout=0.0,
        max_landmarks=1000,
        coefficient_weight=1.0,
        self_expression_weight=1.0,
        signed_affinity=True,
        subspace_energy=0.9,
        residual_weight=1.0,
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
        criterion.origin = codes.mean(dim=0)
        net.set_coefficients(criterion.best_coefficients(codes))

    def _finalize_state(self, X):
        """Cluster the landmarks, and measure how far rows are from their subspaces."""
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
        # The floor is a hundredth of the standard deviation of a scaled feature.
        criterion.variances = errors / len(rows) + 1e-4
        criterion.code_variances = residuals / len(rows) + 1e-4

    def _cluster_landmarks(self, landmarks):
        n_clusters = self._resolve_n_clusters(landmarks)
        if n_clusters == 1:
            return torch.zeros(len(landmarks), dtype=torch.int64)
        if n_clusters == len(landmarks):
            return torch.arange(n_clusters)
        # A little affinity between all rows keeps the graph in one piece.
        affinity = self.net_.criterion_.affinities(signed=self.signed_affinity)
        affinity = affinity.double().cpu().numpy()
        affinity += 1e-6 * affinity.max() + 1e-12
        with threadpool_limits(1), warnings.catch_warnings():
            # Some embeddings of the graph hold equal rows.
            warnings.simplefilter("ignore", ConvergenceWarning)
            spectral = SpectralClustering(
                n_clusters,
                affinity="precomputed",
                random_state=int(torch.randint(2**31 - 1, ())),
            )
            return torch.from_numpy(spectral.fit_predict(affinity)).long()
