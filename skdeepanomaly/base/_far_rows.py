"""A penalty for rows far outside of the training data."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils import gen_batches

# A row is far if its distance to the median training row is more than this multiple of the
# largest such distance of a training row.
FAR = 2.0


class FarRowsMixin:
    """Mixin that keeps the scores of far rows from being those of normal rows.

    Outside of the training data a network can do anything. With bounded activations its output
    hardly changes with the distance any more, so that a row far away may get the score of a
    normal row; so may a row for which all ReLU units are off, and a row that a discriminator
    never learned about. A penalty that grows with the squared distance is added to the scores
    of far rows. The scores of all other rows are unchanged, bit for bit. Scores that are sums
    of errors of features grow without bound by themselves, and get no penalty.
    """

    # What the detector has.
    _reference: np.ndarray
    _is_additive: Callable[[], bool]
    _score_rows: Callable[[torch.Tensor], torch.Tensor]

    def _is_unbounded(self) -> bool:
        """Whether the score grows with the distance by itself; a hook."""
        return self._is_additive()

    def _anomaly_scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features), with the penalty."""
        scores = self._score_rows(x)
        # NOTE[DIFF]: the papers score all rows alike, however far away they are.
        return scores if self._is_unbounded() else scores + self._far_penalty(x)

    def _far_penalty(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalties (n,) of rows; 0 unless a row is far."""
        return self._far_unit * F.relu(self._far_squares(x).sum(dim=1) - 1)

    def _far_terms(self, x: torch.Tensor) -> torch.Tensor:
        """Return the shares (n, n_features) of the features in the penalties of rows."""
        squares = self._far_squares(x)
        sums = squares.sum(dim=1).clamp(min=1)
        return squares * (self._far_penalty(x) / sums)[:, None]

    def _far_squares(self, x: torch.Tensor) -> torch.Tensor:
        """Return the squares (n, n_features) whose sums are larger than 1 for far rows."""
        reference = torch.from_numpy(self._reference).to(x.device)
        # Divided before it is squared, which could overflow.
        return ((x - reference) / self._far_distance).flatten(1).square()

    def _set_far_distance(self, X: np.ndarray, scores: np.ndarray) -> None:
        """Set the distance from which on rows are far, and the unit of the penalty.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training rows.
        scores : ndarray of shape (n_samples,)
            Their scores.
        """
        reach = 0.0
        for rows in gen_batches(len(X), 8192):
            # In float64, whose squares do not overflow.
            apart = X[rows].astype(np.float64) - self._reference
            reach = max(reach, np.linalg.norm(apart.reshape(len(apart), -1), axis=1).max())
        # Where all rows are equal but for rounding, the rounding is the distance.
        reach = max(reach, _rounding(self._reference))
        self._far_distance = float(np.clip(FAR * reach, 1e-30, 1e38))
        # In this unit the penalty is larger than the range of the training scores where the
        # squared distance is twice that from which on rows are far.
        unit = max(np.ptp(scores), _rounding(scores)) or 1.0
        self._far_unit = float(min(unit, 1e30))


def _rounding(values: np.ndarray) -> float:
    """Return the size of rounding errors of float32 values."""
    return float(np.finfo(np.float32).eps * np.abs(values).max())
