"""Contributions of the features to the anomaly score of a row."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..engine import DetectorNet
from ..utils.types import Floats


class ExplainingMixin:
    """Mixin with ``explain``: the terms of additive scores, otherwise integrated gradients."""

    # What the detector has.
    net_: DetectorNet
    _reference: np.ndarray
    _map_rows: Callable[..., np.ndarray]
    _shape_like: Callable[..., np.ndarray]
    _is_unbounded: Callable[[], bool]
    _anomaly_scores: Callable[[torch.Tensor], torch.Tensor]
    _far_terms: Callable[[torch.Tensor], torch.Tensor]

    # Number of points at which the gradient is evaluated.
    _explanation_steps = 32

    def explain(self, X: ArrayLike) -> Floats:
        """Return the contribution of each feature to the anomaly score of each row.

        The anomaly score is ``-score_samples``. If it is a sum over the features, the
        contributions are its terms. Otherwise they are integrated gradients [1]_ of the score
        along the line from the median training row to the row ([1]_, equation 1); they then
        sum to the difference between the scores of the two rows, up to the error of the
        numerical integration.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features), float64
            Contributions, in units of the score. The higher the contribution, the more the
            feature increases the anomaly score.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.

        See Also
        --------
        skdeepanomaly.explain_columns : Contributions of the columns of a table, by name.

        References
        ----------
        .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep
           networks", ICML 2017.
        """
        contributions = self._map_rows(self._explain_rows, X, dtype=np.float64)
        low, high = np.finfo(np.float64).min, np.finfo(np.float64).max
        np.nan_to_num(contributions, copy=False, nan=high, posinf=high, neginf=low)
        return self._shape_like(contributions, X)

    def _is_additive(self) -> bool:
        """Whether the score is a sum over the features; a hook that subclasses override."""
        return hasattr(self.net_.criterion_, "feature_scores")

    def _feature_scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return the terms (n, n_features) of an additive score; a hook."""
        return self.net_.criterion_.feature_scores(self.net_.module_(x), x)

    def _explain_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the contributions (n, n_features) of the features to the scores of rows."""
        if not self._is_additive():
            return self._integrated_gradients(x)
        terms = self._feature_scores(x)
        return terms if self._is_unbounded() else terms + self._far_terms(x)

    def _integrated_gradients(self, x: torch.Tensor) -> torch.Tensor:
        reference = torch.from_numpy(self._reference).to(x.device)
        # Gradients need tensors that were not made in inference mode.
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone()
            total = torch.zeros_like(x)
            for i in range(self._explanation_steps):
                share = (i + 0.5) / self._explanation_steps
                point = (reference + share * (x - reference)).requires_grad_()
                total += torch.autograd.grad(self._anomaly_scores(point).sum(), point)[0]
            return (x - reference) * total / self._explanation_steps
