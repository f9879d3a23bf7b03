"""A detector whose threshold is found by a rule."""

from numbers import Integral, Real
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from ..thresholds import THRESHOLDS
from ..utils.randomness import check_local_random_state, seeded_clone
from ..utils.scores import normality_scores
from ..utils.types import Floats, RandomState, Rows, ThresholdName
from ..utils.validation import HasMethods, Interval, StrOptions
from ._held_out import fit_and_hold_out, fit_rule
from ._wrapper import WrappedDetector


class ThresholdedDetector(WrappedDetector):
    """A detector whose threshold is found by a rule.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; a clone
        is fitted.
    threshold : str or object, default="pot"
        The rule: "conformal", "fixed", "gaussian_mixture", "iqr", "mad", "pot",
        "quantile" or "zscore" with its default parameters, or an object such as
        ``QuantileThreshold(0.02)``. The default expects to flag 5 % of new normal rows.
    calibration_size : float, int or None, default=0.3
        Rows that are held out of the training and give the scores for the rule: a share
        or a number. None takes the scores of the training rows. Many detectors know
        these better than new rows, and then too many new rows are flagged.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of the rows that are held out, and of each part of the detector
        whose own ``random_state`` is None. With an int the scores repeat.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector.
    threshold_ : object
        The fitted rule.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores that the rule was fitted to.

    See Also
    --------
    ConformalDetector : Guarantees for the false-alarm rate, and p-values.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import ThresholdedDetector
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> detector = ThresholdedDetector(IsolationForest(), random_state=0)
    >>> detector.fit(X).predict([[0, 0, 0], [9, 9, 9]])
    array([ 1, -1])
    >>> detector.set_threshold("zscore").predict([[0, 0, 0], [9, 9, 9]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "threshold": [StrOptions(set(THRESHOLDS)), HasMethods("fit")],
        "calibration_size": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 2, None, closed="left"),
            None,
        ],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: BaseEstimator,
        threshold: ThresholdName | BaseEstimator = "pot",
        *,
        calibration_size: int | float | None = 0.3,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.threshold = threshold
        self.calibration_size = calibration_size
        self.random_state = random_state

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the detector and find the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Passed on to the detector. Known anomalies, -1 beside +1 or 1 beside 0, give no
            scores to the rule.
        **params : dict
            Further arguments of the detector's ``fit``, such as ``sample_weight``; with
            metadata routing those that the detector requests.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        TypeError
            If the detector is a classifier or a regressor, or one for series, whose time
            stamps are not consecutive once some are held out.
        AttributeError
            If it cannot score new rows.
        ValueError
            If a parameter is out of range, there are too few rows to hold some out, or the
            rule gives no threshold.
        """
        self._validate_params()
        params = self._fit_params(params)
        X, y = indexable(X, y)
        rng = check_local_random_state(self.random_state)
        detector, held_out = fit_and_hold_out(
            self.detector, X, y, params, self.calibration_size, rng
        )
        scores = normality_scores(detector, held_out)
        rule = self._fit_rule(self.threshold, scores)
        self.detector_, self.calibration_scores_ = detector, scores
        self._set_rule(rule)
        return self

    def set_threshold(self, threshold: ThresholdName | BaseEstimator) -> Self:
        """Change the rule without fitting the detector again.

        Parameters
        ----------
        threshold : str or object
            As in the constructor.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If the rule is unknown or gives no threshold. The old rule then stays in force.
        """
        check_is_fitted(self)
        self._set_rule(self._fit_rule(threshold, self.calibration_scores_))
        self.threshold = threshold
        return self

    def _fit_rule(
        self, threshold: ThresholdName | BaseEstimator, scores: Floats
    ) -> BaseEstimator:
        if isinstance(threshold, str) and threshold in THRESHOLDS:
            threshold = THRESHOLDS[threshold]()
        if isinstance(threshold, str) or not hasattr(threshold, "fit"):
            raise ValueError(
                f"threshold must be one of {sorted(THRESHOLDS)} or an object with fit(scores)"
                f" and threshold_, got {threshold!r}."
            )
        # The same seed in fit and in set_threshold.
        rng = check_local_random_state(self.random_state)
        return fit_rule(seeded_clone(threshold, rng), scores)

    def _set_rule(self, rule: BaseEstimator) -> None:
        self.threshold_, self.offset_ = rule, rule.threshold_
