"""Contributions of the features to the anomaly score of a row."""

import numpy as np
import torch

from ..utils.validation import spread

# The median training row is taken from at most this many rows.
MAX_ROWS_FOR_MEDIANS = 10_000


class ExplainingMixin:
    """Explains scores, exactly where they are sums over features, else by gradients."""

    # Steps of the path along which gradients are integrated.
    _explanation_steps = 32

    def explain(self, X):
        """Return what each feature adds to the anomaly score of each row.

        Where the score is a sum over the features, the contributions are its terms, and
        a row's contributions sum to ``-score_samples``. Otherwise they are integrated
        gradients [1]_ of the score on the way from the median training row to the row,
        and sum to the difference of the two rows' scores but for the error of the
        numerical integration.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features), float64
            In units of the score; the higher, the more the feature speaks for an anomaly.
            :func:`~skdeepanomaly.explain_columns` names the columns.

        Raises
        ------
        ValueError
            If X is not valid, as in ``score_samples``.

        References
        ----------
        .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep
           networks", ICML 2017.
        """
        contributions = self._map_rows(self._explain_rows, X, dtype=np.float64)
        low, high = np.finfo(np.float64).min, np.finfo(np.float64).max
        return np.nan_to_num(contributions, copy=False, nan=high, posinf=high, neginf=low)

    def _is_additive(self) -> bool:
        """Whether the score is a sum over the features; a hook."""
        return hasattr(self.net_.criterion_, "feature_scores")

    def _feature_scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return the terms (n, n_features) of a score that is a sum over features; a hook."""
        return self.net_.criterion_.feature_scores(self.net_.module_(x), x)

    def _explain_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the features' contributions (n, n_features) to the scores of rows."""
        return self._feature_scores(x) if self._is_additive() else self._integrated_gradients(x)

    def _set_reference(self, X: np.ndarray) -> None:
        """Keep the median training row, from which gradients are integrated."""
        self._reference = np.median(spread(X, MAX_ROWS_FOR_MEDIANS), axis=0)
        self._reference = self._reference.astype(np.float32)

    def _integrated_gradients(self, x: torch.Tensor) -> torch.Tensor:
        reference = torch.from_numpy(self._reference).to(x.device)
        # Gradients need tensors that were not made in inference mode.
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone()
            total = torch.zeros_like(x)
            for i in range(self._explanation_steps):
                share = (i + 0.5) / self._explanation_steps
                point = (reference + share * (x - reference)).requires_grad_()
                total += torch.autograd.grad(self._score_rows(point).sum(), point)[0]
            return (x - reference) * total / self._explanation_steps
