"""Base of detectors that cluster the codes of an auto-encoder."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ...base import BaseDeepDetector, ClusterMixin, DecoderMixin, EncoderMixin
from ...engine import DetectorNet, iter_outputs
from ...utils.rows import spread
from ...utils.types import Activation
from ...utils.validation import Interval, StrOptions, check_hidden_dims
from ...utils.warn import warn_user
from .._parameters import NETWORK_CONSTRAINTS, WIDTH
from .._pretraining import PRETRAINING_CONSTRAINTS, PRETRAINING_PARAMETERS, PretrainingMixin
from ..reconstruction import CodingAutoEncoder
from ._losses import ClusteringLoss

# This many rows are enough for the centres and the frequencies of the clusters, and for the
# share of rows that change their cluster.
MAX_ROWS_FOR_CENTERS = 10_000

CLUSTERING_PARAMETERS = """\
n_clusters : int or "auto", default="auto"
    Number of clusters. If there are fewer different rows, there are as many clusters as
    different rows. ``"auto"`` is {_auto_n_clusters}, but at most a sixteenth of the number of
    rows, and at least 1.
hidden_dims : sequence of int, default={hidden_dims}
    Widths of the encoder's hidden layers. The decoder has the same widths in reverse order."""


class BaseDeepClustering(
    PretrainingMixin, ClusterMixin, EncoderMixin, DecoderMixin, BaseDeepDetector, abstract=True
):
    """Base of detectors that pre-train an auto-encoder and cluster its codes.

    The clusters start from the centres that k-means finds.
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        **PRETRAINING_CONSTRAINTS,
        "n_clusters": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "latent_dim": [WIDTH],
    }
    _doc_parts = {
        **BaseDeepDetector._doc_parts,
        "clustering_parameters": CLUSTERING_PARAMETERS,
        "pretraining_parameters": PRETRAINING_PARAMETERS,
    }
    _module_class = CodingAutoEncoder
    _criterion_class: type[ClusteringLoss]
    _pretrain_epoch_range = (10, 100)
    # n_clusters="auto" for at least 16 times as many rows; fewer rows get fewer clusters.
    _auto_n_clusters: int

    def __init__(
        self,
        *,
        n_clusters: int | Literal["auto"],
        hidden_dims: Sequence[int],
        latent_dim: int | Literal["auto"],
        activation: Activation,
        dropout: float,
        pretrain_epochs: int | Literal["auto"],
        pretrain_lr: float,
        **params: Any,
    ):
        super().__init__(**params)
        self.n_clusters = n_clusters
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _pretraining_nets(self, X):
        return self._make_pretraining_nets(self.net_.module_, ClusteringLoss, X)

    def _initialize_state(self, X):
        """Set the centres by k-means on the codes."""
        net = self.net_
        # NOTE[DIFF]: k-means on at most 10,000 rows; the papers use all training rows.
        rows = sample_rows(X)
        # One thread: several threads add up sums in an order that differs from run to run.
        # The variance of codes that are huge overflows.
        ignored = np.errstate(over="ignore", invalid="ignore")
        with threadpool_limits(1), ignored, warnings.catch_warnings():
            # k-means warns if there are fewer different codes than clusters; different rows
            # may have the same code.
            warnings.simplefilter("ignore", ConvergenceWarning)
            k_means = KMeans(
                self._resolve_n_clusters(rows),
                # An explicit n_clusters means that the clusters themselves matter: take the
                # best of 10 starts. With "auto" there are many clusters, and one start
                # ranks rows as well.
                n_init=1 if self.n_clusters == "auto" else 10,
                random_state=int(torch.randint(2**31 - 1, ())),
            ).fit(codes_of(net, rows).cpu().numpy())
        centers = torch.from_numpy(k_means.cluster_centers_).float()
        labels = torch.from_numpy(k_means.labels_).long()
        counts = torch.bincount(labels, minlength=len(centers))
        net.criterion_.set_centers(centers.to(net.device), counts.to(net.device))

    def _resolve_n_clusters(self, rows):
        """Return the number of clusters, at most that of different rows."""
        n_clusters = self.n_clusters
        if n_clusters == "auto":
            n_clusters = max(1, min(self._auto_n_clusters, len(rows) // 16))
        n_distinct = len({row.tobytes() for row in rows})
        if n_clusters > n_distinct and self.n_clusters != "auto":
            warn_user(
                f"n_clusters={n_clusters} is more than X has different rows; {n_distinct}"
                " clusters are made."
            )
        return min(n_clusters, n_distinct)

    def _reconstruct_rows(self, x):
        return self.net_.module_(x)[1]


def sample_rows(X: np.ndarray) -> NDArray[np.float32]:
    """Return at most 10,000 evenly spread rows, in float32."""
    return spread(X, MAX_ROWS_FOR_CENTERS).astype("float32", copy=False)


def codes_of(net: DetectorNet, rows: np.ndarray) -> torch.Tensor:
    """Return the codes (n, latent_dim) of rows in evaluation mode; refuse those not finite."""
    outputs = iter_outputs(net, rows)
    codes = torch.cat([net.criterion_.split(output, x)[0] for x, output in outputs])
    check_finite(codes, "codes")
    return codes


def check_finite(values: torch.Tensor, what: str) -> None:
    """Raise a ValueError if a tensor that was learned holds NaN or infinity."""
    if not values.isfinite().all():
        raise ValueError(
            f"Training diverged: the {what} of the rows are not finite. Lower lr, or"
            " pretrain_lr, or scale X (for example with StandardScaler)."
        )
