"""What the detectors that cluster the codes of an auto-encoder share."""

import warnings

import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ...base import BaseDeepDetector, ClusterMixin, DecoderMixin, EncoderMixin
from ...engine import iter_outputs
from ...utils.validation import check_hidden_dims
from ..reconstruction._networks import CodingAutoEncoder
from ._losses import ClusteringLoss

# More rows would hardly move the centres, the frequencies of clusters, or the share of rows
# that change theirs.
MAX_ROWS_FOR_CENTERS = 10_000


class BaseDeepClustering(ClusterMixin, EncoderMixin, DecoderMixin, BaseDeepDetector):
    """Pre-trains an auto-encoder and starts from the centres that k-means finds."""

    _module_class = CodingAutoEncoder
    _criterion_class: type[ClusteringLoss]
    _pretrain_epoch_range = (10, 100)

    # What "auto" means for n_clusters, where there are 16 times as many rows.
    _auto_n_clusters: int

    def _module_params(self, n_samples, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _pretraining_nets(self, net, X):
        return self._pretraining(net.module_, ClusteringLoss, X, net)

    def _initialize_state(self, net, X):
        """Set the centres by k-means on the codes."""
        rows = sample_rows(X)
        # One thread: several would add up sums in an order that differs from run to run.
        with threadpool_limits(1), warnings.catch_warnings():
            # Different rows may have the same code.
            warnings.simplefilter("ignore", ConvergenceWarning)
            k_means = KMeans(
                self._resolve_n_clusters(rows),
                # Where somebody wants to see the clusters, the best of several starts; many
                # clusters rank rows as well from any.
                n_init=1 if self.n_clusters == "auto" else 10,
                random_state=int(torch.randint(2**31 - 1, ())),
            ).fit(codes_of(net, rows).cpu().numpy())
        centers = torch.from_numpy(k_means.cluster_centers_).float()
        labels = torch.from_numpy(k_means.labels_).long()
        counts = torch.bincount(labels, minlength=len(centers))
        net.criterion_.set_centers(centers.to(net.device), counts.to(net.device))

    def _resolve_n_clusters(self, rows):
        n_clusters = self.n_clusters
        if n_clusters == "auto":
            n_clusters = max(1, min(self._auto_n_clusters, len(rows) // 16))
        n_distinct = len({row.tobytes() for row in rows})
        if n_clusters > n_distinct and self.n_clusters != "auto":
            warnings.warn(
                f"n_clusters={n_clusters} is more than X has different rows; {n_distinct}"
                " clusters are made.",
                UserWarning,
                stacklevel=2,
            )
        return min(n_clusters, n_distinct)

    def _reconstruct_rows(self, net, x):
        return net.module_(x)[1]


def sample_rows(X):
    """Return at most 10,000 rows, evenly spaced, in float32."""
    return X[:: -(-len(X) // MAX_ROWS_FOR_CENTERS)].astype("float32", copy=False)


def codes_of(net, rows):
    """Return the codes of rows in evaluation mode."""
    outputs = iter_outputs(net, rows)
    return torch.cat([net.criterion_.split(output, x)[0] for x, output in outputs])
