"""Base of the rules."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from ..utils.scores import has_size
from ..utils.types import Ints


class BaseThreshold(BaseEstimator):
    """Base of the rules that find a threshold in scores.

    A subclass implements ``_threshold(scores)``. It is given the scores in ascending order,
    the most abnormal one first, and returns the threshold.

    The lowest score that a detector can give, to a row on which it overflows, has a rank but no
    size: rules count it, and leave it out of sums.
    """

    _parameter_constraints: dict = {}

    def fit(self, scores: ArrayLike, y: Any = None) -> Self:
        """Find the threshold of a sample of scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Normality scores as ``score_samples`` gives them, lower for more abnormal rows.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            The fitted rule.

        Raises
        ------
        ValueError
            If the scores are not one-dimensional, not finite or fewer than two, a parameter
            is out of its range, or the threshold would not be finite or lie beyond all scores
            that have a size.
        """
        self._validate_params()
        given = check_array(
            scores, ensure_2d=False, dtype=np.float64, ensure_min_samples=2, input_name="scores"
        )
        if given.ndim != 1:
            raise ValueError(
                f"scores must be one-dimensional, as score_samples gives them, got an array"
                f" of shape {given.shape}."
            )
        ordered = np.sort(given)
        n_sized = np.count_nonzero(has_size(ordered))
        threshold = -np.inf
        if n_sized:
            # The differences of scores without size overflow, and so may the threshold.
            with np.errstate(over="ignore", invalid="ignore"):
                threshold = float(self._threshold(ordered))
        is_lost = n_sized < len(ordered) and not has_size(np.append(ordered, threshold))[-1]
        if not np.isfinite(threshold) or is_lost:
            raise ValueError(
                f"{type(self).__name__} has no usable threshold, it would be {threshold:.3g}:"
                f" {len(ordered) - n_sized} of {len(ordered)} scores are beyond all others,"
                f" from {ordered[0]:.3g} to {ordered[-1]:.3g}, as those of rows on which a"
                " network overflows. Leave such rows out, or clip X; if there are none, set"
                " less extreme parameters."
            )
        self.threshold_ = threshold
        self.n_samples_seen_ = len(ordered)
        return self

    def predict(self, scores: ArrayLike) -> Ints:
        """Label scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Normality scores.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for scores below the threshold, +1 for all others.

        Raises
        ------
        ValueError
            If a score is NaN.
        """
        check_is_fitted(self)
        values = np.asarray(scores, dtype=np.float64)
        if np.isnan(values).any():
            raise ValueError("scores contains NaN, which is neither normal nor abnormal.")
        return np.where(values < self.threshold_, -1, 1)

    def _threshold(self, scores: np.ndarray) -> float:
        raise NotImplementedError
