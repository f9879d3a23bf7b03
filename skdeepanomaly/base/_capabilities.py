"""Capabilities of some detectors: encode, reconstruct, sample, find clusters."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from ..engine import draw_seed, isolated_rng


class EncoderMixin:
    """For detectors whose network has a code."""

    def encode(self, X):
        """Return the codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, latent_dim)
            Codes, in float32.
        """
        return self._map_rows(self._encode_rows, X)

    def _encode_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the codes (n, latent_dim) of rows (n, n_features)."""
        return _method(self.net_.module_, "encode")(x)


class DecoderMixin:
    """For detectors whose network rebuilds rows."""

    def reconstruct(self, X):
        """Return rows as the network rebuilds them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        reconstructions : ndarray of shape (n_samples, n_features)
            Rows, in float32.
        """
        return self._map_rows(self._reconstruct_rows, X)

    def _reconstruct_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the reconstructions (n, n_features) of rows (n, n_features)."""
        return self.net_.module_(x)


class GeneratorMixin:
    """For detectors whose network makes rows."""

    def sample(self, n_samples=1, random_state=None):
        """Draw new rows from the network.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the codes. With None every call draws other rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows, in float32.

        Raises
        ------
        ValueError
            If ``n_samples`` is not positive.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, got {n_samples}.")
        seed, device = draw_seed(random_state), self.net_.device
        with isolated_rng(seed, device), torch.inference_mode():
            return self._sample_rows(int(n_samples)).cpu().numpy()

    def _sample_rows(self, n_samples: int) -> torch.Tensor:
        """Return new rows (n_samples, n_features)."""
        module = self.net_.module_
        codes = torch.randn(n_samples, module.latent_dim, device=self.net_.device)
        return _method(module, "generate")(codes)


class ClusterMixin:
    """For detectors that find clusters.

    The criterion holds their ``centers`` and tells the ``nearest`` of each code.
    """

    @property
    def cluster_centers_(self):
        """Centres of the clusters in the space of the codes, (n_clusters, latent_dim)."""
        check_is_fitted(self)
        return self.net_.criterion_.centers.detach().cpu().numpy()

    def predict_cluster(self, X):
        """Return the clusters that rows belong to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        clusters : ndarray of shape (n_samples,)
            Indices of clusters.
        """
        return self._map_rows(self._cluster_rows, X, dtype=np.intp)

    def _cluster_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the index (n,) of the centre nearest to the code of each row."""
        return self.net_.criterion_.nearest(self._encode_rows(x))


def _method(module, name: str):
    if not hasattr(module, name):
        raise AttributeError(
            f"The module {type(module).__name__} has no {name}; a module of your own must"
            f" offer it for this method of the detector."
        )
    return getattr(module, name)
