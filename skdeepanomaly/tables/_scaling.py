"""Scaling of numbers of which some may be huge."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ..utils.types import Floats

# Quartiles of a normal distribution are so many standard deviations apart.
QUARTILES_APART = 1.349
# A value of a column of equal values may come as float32 or float64: it counts as equal up to
# this relative difference.
SAME = float(np.finfo(np.float32).eps)
ROUNDING = 8 * float(np.finfo(np.float64).eps)


class SoftScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns, after taking logarithms of values that lie far out.

    Values farther from the median than ``limit`` robust standard deviations are replaced
    by ``limit * (1 + log(distance / limit))``, so that one huge value does not flatten all
    others. Then all values are standardised as by
    :class:`~sklearn.preprocessing.StandardScaler`. The result does not depend on the unit
    of a column.

    Parameters
    ----------
    limit : float, default=30.0
        Distance from the median, in robust standard deviations, beyond which logarithms
        are taken.

    Attributes
    ----------
    center_ : ndarray of shape (n_features_in_,)
        Median of each column.
    scale_ : ndarray of shape (n_features_in_,)
        Robust standard deviation: the distance of the quartiles, divided by 1.349. Where
        half of the values are equal, it is the median distance from them of the values that
        differ; 0 where all values are equal.
    scaler_ : StandardScaler
        Standardises what comes out.

    Notes
    -----
    In a column of n equal values, any other value has no distance in units of the column.
    It becomes ``log(n + 1)`` above or below, as a category that was never seen.

    skrub's ``SquashingScaler`` maps all values into a fixed interval, which suits
    classifiers. A detector needs to see how far out an anomaly lies: on seven tables the
    mean AUROC of :class:`~skdeepanomaly.AutoEncoder` is 0.84 with this scaler and 0.77 with
    squashed values (``examples/benchmarks/scalers.py``).
    """

    def __init__(self, limit: float = 30.0):
        self.limit = limit

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Fit the scaler.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN is passed over.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        X = np.asarray(X, dtype=np.float64)
        # A column without any value has no median.
        X = np.where(np.isnan(X).all(axis=0), 0.0, X)
        self.n_samples_, self.n_features_in_ = X.shape
        low, self.center_, high = np.nanpercentile(X, [25, 50, 75], axis=0)
        equal = high - low <= ROUNDING * np.abs(self.center_)
        self.scale_ = np.where(equal, 0.0, (high - low) / QUARTILES_APART)
        distances = np.abs(X - self.center_)
        for i in np.flatnonzero(equal):
            differing = distances[distances[:, i] > SAME * np.abs(self.center_[i]), i]
            if len(differing):
                self.scale_[i] = np.median(differing)
        self.scaler_ = StandardScaler().fit(self._soft(X))
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Scale numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN stays.

        Returns
        -------
        scaled : ndarray of shape (n_samples, n_features)
            Scaled numbers.
        """
        check_is_fitted(self)
        return self.scaler_.transform(self._soft(np.asarray(X, dtype=np.float64)))

    def _soft(self, X: np.ndarray) -> np.ndarray:
        differences = X - self.center_
        sizes = np.abs(differences)
        # Logarithms, because a ratio of a huge number and a small scale can overflow.
        with np.errstate(all="ignore"):
            log_ratios = np.log(sizes) - np.log(self.scale_)
            near = sizes / np.where(self.scale_ > 0, self.scale_, 1.0)
        far = self.limit * (1 + log_ratios - np.log(self.limit))
        compressed = np.where(log_ratios > np.log(self.limit), far, near)
        differs = np.where(sizes > SAME * np.abs(self.center_), np.log(self.n_samples_ + 1), 0)
        differs[np.isnan(X)] = np.nan
        return np.sign(differences) * np.where(self.scale_ > 0, compressed, differs)
