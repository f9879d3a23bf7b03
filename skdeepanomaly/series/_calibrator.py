"""Scores of a series in relation to the records of the recent past."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from ..utils.scores import normality_scores
from ..utils.types import Floats, SeriesLike
from ..utils.validation import HasMethods, Interval
from ._base import BaseSeriesDetector, SeriesOffsetMixin
from ._reading import is_list_of_series


class ScoreCalibrator(SeriesOffsetMixin, MetaEstimatorMixin, BaseEstimator):
    """Alarms where the scores of a series set a record of the recent past.

    The scores of a detector are smoothed, and compared with the largest smoothed score of the
    last ``reference`` time stamps. A time stamp above the record is an outlier; then there is
    no further alarm for ``cooldown`` time stamps. The threshold is 0 for any detector and any
    series, which follow their own scale, so that a detector of a noisy series does not raise
    alarms all the time. It is causal: later values change nothing.

    Parameters
    ----------
    detector : estimator
        Detector of series, such as :class:`SlidingWindowDetector`, or of rows, which are taken
        in their order; a clone is fitted.
    reference : int, default=2000
        Number of time stamps whose record counts.
    smoothing : int, default=5
        Number of time stamps over which anomaly scores are averaged.
    cooldown : int, default=100
        Number of time stamps after an alarm that are no outliers.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector.
    tail_ : ndarray of shape (n_tail,)
        The last anomaly scores of the training series, with which the first record is made.
    shift_ : float
        What is added to anomaly scores so that none is negative; 0 if none of the training is.
    offset_ : float
        Always 0.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (n_channels,)
        Names of the channels, if the detector knows them.

    Notes
    -----
    X is taken to go on where the training series ended, and so is each of a list of series. The
    score is minus the logarithm of the smoothed anomaly score over the record.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ScoreCalibrator, UnivariateDetector
    >>> X = np.random.default_rng(0).normal(size=(3000, 1))
    >>> X[2500:2510] += 8
    >>> X[2300:2400] /= 2
    >>> detector = ScoreCalibrator(UnivariateDetector()).fit(X[:2000])
    >>> 2000 + np.flatnonzero(detector.predict(X[2000:]) == -1)
    array([2500])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "reference": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "cooldown": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        detector: BaseEstimator,
        *,
        reference: int = 2000,
        smoothing: int = 5,
        cooldown: int = 100,
    ):
        self.detector = detector
        self.reference = reference
        self.smoothing = smoothing
        self.cooldown = cooldown

    def fit(self, X: SeriesLike, y: SeriesLike | None = None) -> Self:
        """Fit the detector, and keep its last training scores.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            The training series; of a list the last series counts for the first record.
        y : array-like of shape (n_timestamps,), list of such, or None
            Handed on to the detector.

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
        self.detector_ = clone(self.detector).fit(X, y)
        anomaly = self._anomaly_scores(X)[0]
        self.shift_ = max(0.0, -min(float(one.min()) for one in anomaly))
        self._lengths = int(self.reference), int(self.smoothing), int(self.cooldown)
        self.tail_ = anomaly[-1][-(self._lengths[0] + self._lengths[1] - 1) :] + self.shift_
        self.offset_ = 0.0
        return self

    def score_samples(self, X: SeriesLike) -> Floats | list[Floats]:
        """Return minus the logarithm of the smoothed anomaly score over the record.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            A series, or several, that go on where the training series ended.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,), float64, or list of such
            Negative for outliers; 0 or more in the cooldown after one.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other channels than in ``fit``.
        """
        check_is_fitted(self)
        anomaly, is_list = self._anomaly_scores(X)
        scores = [self._calibrate(one) for one in anomaly]
        return scores if is_list else scores[0]

    @property
    def n_features_in_(self) -> int:
        """Number of channels."""
        return self.detector_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the channels, if the detector knows them."""
        return self.detector_.feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "offset_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        wrapped = get_tags(self.detector)
        tags.input_tags = wrapped.input_tags
        tags.target_tags = wrapped.target_tags
        tags.non_deterministic = wrapped.non_deterministic
        return tags

    def _anomaly_scores(self, X: Any) -> tuple[list[np.ndarray], bool]:
        scores = self.detector_.score_samples if _scores_lists(self.detector_, X) else None
        if scores is not None:
            return [-np.asarray(one) for one in scores(X)], True
        return [-normality_scores(self.detector_, X)], False

    def _calibrate(self, anomaly: np.ndarray) -> np.ndarray:
        reference, smoothing, cooldown = self._lengths
        # A score below all of the training is no record; its logarithm must exist.
        all_scores = np.maximum(np.concatenate([self.tail_, anomaly + self.shift_]), 0)
        with np.errstate(over="ignore"):
            means = smoothed(all_scores, smoothing)
        means = np.minimum(means, np.finfo(np.float64).max)
        records = record_before(means, reference)
        tiny = np.finfo(np.float64).tiny
        scores = np.log(np.maximum(records, tiny)) - np.log(np.maximum(means, tiny))
        scores = scores[len(self.tail_) :]
        quiet_until = -1
        for place in np.flatnonzero(scores < 0):
            if place <= quiet_until:
                scores[place] = 0.0
            else:
                quiet_until = int(place) + cooldown
        return scores


def smoothed(values: np.ndarray, length: int) -> np.ndarray:
    """Return the mean of the last values up to each, of fewer at the start.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values.
    length : int
        Number of values in a mean.
    """
    means = np.empty(len(values))
    for end in range(min(length - 1, len(values))):
        means[end] = values[: end + 1].mean()
    if len(values) >= length:
        means[length - 1 :] = sliding_window_view(values, length).mean(axis=1)
    return means


def record_before(values: np.ndarray, length: int) -> np.ndarray:
    """Return the largest of the last values before each; the value itself for the first.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values.
    length : int
        Number of values before each that count.
    """
    # A window of ``length`` that ends one before each value.
    before = np.concatenate([np.full(length, -np.inf), values[:-1]])
    records = maximum_filter1d(before, length, origin=(length - 1) // 2, mode="nearest")
    records = records[-len(values) :]
    records[0] = values[0]
    return records


def _scores_lists(detector: BaseEstimator, X: SeriesLike) -> bool:
    """Whether X is a list of series for this detector."""
    return isinstance(detector, BaseSeriesDetector) and is_list_of_series(X)
