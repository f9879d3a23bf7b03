"""The statistical rules for single columns, as a detector of rows."""

from numbers import Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import median_abs_deviation
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ..thresholds import choose_offset
from ..utils.scores import OffsetMixin
from ..utils.types import Contamination, Floats
from ..utils.validation import Interval, StrOptions

# A normal distribution has its quartiles at 0.6745 standard deviations.
NORMAL_QUARTILE = 0.6744897501960817


class UnivariateDetector(OffsetMixin, BaseEstimator):
    """Deviation of single values from the bulk of their column.

    Each value is compared with the centre of its column. The score of a row is that of its
    worst column, or the mean of all. No column knows of another, and no row of the one before:
    it is the baseline that other detectors have to beat, and on single series often the best.

    Parameters
    ----------
    rule : {"zscore", "mad", "iqr"}, default="mad"
        Unit of the deviations. ``"zscore"``: distance to the mean in standard deviations.
        ``"mad"``: distance to the median in robust standard deviations, which is the median
        absolute deviation divided by 0.6745 [1]_. ``"iqr"``: distance beyond the nearest
        quartile, in interquartile ranges [2]_; negative between the quartiles.
    aggregate : {"max", "mean"}, default="max"
        Score of a row: the largest deviation of a column, or their mean.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of outliers in the training rows; it determines ``offset_``. With ``"auto"`` a
        row is an outlier if its score is more than three robust standard deviations below the
        median of the training scores.

    Attributes
    ----------
    center_ : ndarray of shape (n_features,)
        Means or medians; for ``"iqr"`` the middle between the quartiles.
    scale_ : ndarray of shape (n_features,)
        Units of the deviations. Where more than half of the values are equal, the unit of the
        robust rules is that of the mean absolute deviation; in a constant column it is the
        rounding of its value, so that any other value is far out.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all column names of X are strings.

    References
    ----------
    .. [1] B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers", 1993.
    .. [2] J. W. Tukey, "Exploratory data analysis", 1977.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import UnivariateDetector
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> detector = UnivariateDetector(contamination="auto").fit(X)
    >>> detector.predict([[0, 0], [0, 9]])
    array([ 1, -1])
    >>> detector.explain([[0, 9]]).round(1)
    array([[0. , 9.9]])
    """

    center_: Floats
    scale_: Floats

    _parameter_constraints: dict = {
        "rule": [StrOptions({"zscore", "mad", "iqr"})],
        "aggregate": [StrOptions({"max", "mean"})],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        *,
        rule: Literal["zscore", "mad", "iqr"] = "mad",
        aggregate: Literal["max", "mean"] = "max",
        contamination: Contamination = 0.1,
    ):
        self.rule = rule
        self.aggregate = aggregate
        self.contamination = contamination

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Find the centre and the spread of each column, and the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter or X is not valid.
        """
        self._validate_params()
        rows = self._validate_X(X, reset=True)
        self._aggregate, self._inner = self.aggregate, 0.0
        # In a unit in which no square overflows.
        unit = np.abs(rows).max(axis=0)
        unit[unit == 0] = 1
        self._set_bulk(rows / unit)
        self.center_ *= unit
        # The rounding of a subnormal number is none.
        self.scale_ = np.maximum(self.scale_ * unit, np.finfo(np.float64).tiny)
        scores = self._score(rows)
        self.offset_ = choose_offset(scores, self.contamination)
        return self

    def _set_bulk(self, X: Floats) -> None:
        """Set the centre and the spread of columns of numbers between -1 and 1."""
        if self.rule == "zscore":
            self.center_, scale = X.mean(axis=0), X.std(axis=0)
        elif self.rule == "mad":
            self.center_ = np.median(X, axis=0)
            scale = median_abs_deviation(X, axis=0) / NORMAL_QUARTILE
        else:
            low, high = np.quantile(X, [0.25, 0.75], axis=0)
            self.center_, scale = low / 2 + high / 2, high - low
            # Half of the interquartile range lies between the centre and a quartile.
            self._inner = 0.5
        if self.rule != "zscore":
            # Of a normal distribution, in the unit of the rule.
            unit = np.sqrt(np.pi / 2) * (1 if self.rule == "mad" else 2 * NORMAL_QUARTILE)
            scale = np.where(scale > 0, scale, unit * np.abs(X - self.center_).mean(axis=0))
        # The standard deviation of equal values may be off by rounding.
        rounding = np.finfo(np.float64).eps
        self.scale_ = np.where(scale > 4 * rounding, scale, rounding)

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the normality scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            The negative deviation of the worst column, or the negative mean.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        check_is_fitted(self)
        return self._score(self._validate_X(X, reset=False))

    def explain(self, X: ArrayLike) -> Floats:
        """Return the share of each column in the anomaly score of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features), float64
            They sum to ``-score_samples``. With ``aggregate="max"`` all but that of the worst
            column are zero.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        check_is_fitted(self)
        deviations = self._deviations(self._validate_X(X, reset=False))
        if self._aggregate == "mean":
            return deviations / deviations.shape[1]
        worst = np.arange(deviations.shape[1]) == deviations.argmax(axis=1)[:, None]
        return np.where(worst, deviations, 0.0)

    def _validate_X(self, X: ArrayLike, reset: bool) -> Floats:
        return validate_data(self, X, dtype=np.float64, reset=reset)

    def _deviations(self, X: Floats) -> Floats:
        with np.errstate(over="ignore"):
            deviations = np.abs(X - self.center_) / self.scale_ - self._inner
        # The mean of all columns must be finite, too.
        return np.minimum(deviations, np.finfo(np.float64).max / X.shape[1])

    def _score(self, X: Floats) -> Floats:
        deviations = self._deviations(X)
        reduce = np.max if self._aggregate == "max" else np.mean
        return -reduce(deviations, axis=1)
