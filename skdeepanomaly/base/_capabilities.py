"""Mixins for detectors that encode, reconstruct, generate or cluster rows."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ..engine import DetectorNet, draw_seed, isolated_rng
from ..utils.types import RandomState


class EncoderMixin:
    """Mixin of detectors whose network encodes rows."""

    net_: DetectorNet
    _map_rows: Callable[..., np.ndarray]

    def encode(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, latent_dim), float32
            Codes.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        AttributeError
            If a custom module has no ``encode``.
        """
        return self._map_rows(self._encode_rows, X)

    def _encode_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the codes (n, latent_dim) of rows (n, n_features)."""
        return _method(self.net_.module_, "encode")(x)


class DecoderMixin:
    """Mixin of detectors whose network reconstructs rows."""

    net_: DetectorNet
    _map_rows: Callable[..., np.ndarray]
    _shape_like: Callable[..., np.ndarray]

    def reconstruct(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the reconstructions of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        reconstructions : ndarray of shape (n_samples, n_features), float32
            Reconstructed rows, in units of X.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        """
        return self._shape_like(self._map_rows(self._reconstruct_rows, X), X)

    def _reconstruct_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the reconstructions (n, n_features) of rows (n, n_features)."""
        return self.net_.module_(x)


class GeneratorMixin:
    """Mixin of detectors whose network generates rows."""

    net_: DetectorNet
    _shape_like: Callable[..., np.ndarray]

    def sample(
        self, n_samples: int = 1, random_state: RandomState = None
    ) -> NDArray[np.float32]:
        """Generate new rows from random codes.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the random codes. With None each call generates different rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float32
            New rows, in units of the training rows.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If ``n_samples`` is not positive.
        AttributeError
            If a custom module has no ``generate``.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, got {n_samples}.")
        seed, device = draw_seed(random_state), self.net_.device
        with isolated_rng(seed, device), torch.inference_mode():
            return self._shape_like(self._sample_rows(int(n_samples)).cpu().numpy())

    def _sample_rows(self, n_samples: int) -> torch.Tensor:
        """Return new rows (n_samples, n_features)."""
        module = self.net_.module_
        codes = torch.randn(n_samples, module.latent_dim, device=self.net_.device)
        return _method(module, "generate")(codes)


class ClusterMixin:
    """Mixin of detectors that find clusters.

    The criterion has the attribute ``centers`` and the method ``nearest``, which returns the
    index of the nearest centre of each code.
    """

    net_: DetectorNet
    _map_rows: Callable[..., np.ndarray]
    _encode_rows: Callable[[torch.Tensor], torch.Tensor]

    @property
    def cluster_centers_(self) -> NDArray[np.float32]:
        """Centres of the clusters as codes, ndarray of shape (n_clusters, latent_dim)."""
        check_is_fitted(self)
        return self.net_.criterion_.centers.detach().cpu().numpy()

    def predict_cluster(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the clusters that rows belong to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        clusters : ndarray of shape (n_samples,), int
            Indices of the clusters, from 0 to ``n_clusters - 1``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
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
