"""Thresholds from rows that the detector was not trained on; they wrap any detector."""

from numbers import Integral, Real

import numpy as np
from scipy.stats import false_discovery_control
from sklearn.base import clone
from sklearn.model_selection import KFold, train_test_split
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from ..thresholds import THRESHOLDS, conformal_rank
from ..utils._compat import HasMethods, Interval, StrOptions, n_rows, take_rows
from ..utils.scores import normality_scores
from ._wrapper import WrappedDetector, fit_detector


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
        ``QuantileThreshold(0.02)``. The default expects to flag
        5 % of new normal rows.
    calibration_size : float, int or None, default=0.3
        Rows that are held out of the training and give the scores for the rule: a share
        or a number. None takes the scores of the training rows, which many detectors
        know better than new ones, so that too many of the new ones are flagged.
    random_state : int, RandomState instance or None, default=0
        Seed of the draw of the rows that are held out.

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
    >>> detector = ThresholdedDetector(IsolationForest(random_state=0))
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

    def __init__(self, detector, threshold="pot", *, calibration_size=0.3, random_state=0):
        self.detector = detector
        self.threshold = threshold
        self.calibration_size = calibration_size
        self.random_state = random_state

    def fit(self, X, y=None, **params):
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
        """
        self._validate_params()
        params = self._fit_params(params)
        X, y = indexable(X, y)
        detector, held_out = _fit_and_hold_out(
            self.detector, X, y, params, self.calibration_size, self.random_state
        )
        scores = normality_scores(detector, held_out)
        rule = self._fit_rule(self.threshold, scores)
        self.detector_, self.calibration_scores_ = detector, scores
        self._set_rule(rule)
        return self

    def set_threshold(self, threshold):
        """Change the rule; the detector is not fitted anew.

        Parameters
        ----------
        threshold : str or object
            As in the constructor.

        Returns
        -------
        self : object
            The detector.
        """
        check_is_fitted(self)
        self._set_rule(self._fit_rule(threshold, self.calibration_scores_))
        self.threshold = threshold
        return self

    @staticmethod
    def _fit_rule(threshold, scores):
        if not isinstance(threshold, str) and hasattr(threshold, "fit"):
            return clone(threshold).fit(scores)
        if threshold not in THRESHOLDS:
            raise ValueError(
                f"threshold must be one of {sorted(THRESHOLDS)} or an object with fit(scores)"
                f" and threshold_, got {threshold!r}."
            )
        return THRESHOLDS[threshold]().fit(scores)

    def _set_rule(self, rule):
        if not hasattr(rule, "threshold_"):
            raise ValueError(
                f"{rule!r} has no threshold_ after fit; expected an object such as"
                " MADThreshold()."
            )
        if not isinstance(rule.threshold_, Real) or np.isnan(rule.threshold_):
            raise ValueError(
                f"threshold_ must be a number, got {rule.threshold_!r} of {rule!r}."
            )
        self.threshold_, self.offset_ = rule, rule.threshold_


def _fit_and_hold_out(detector, X, y, params, size, random_state):
    """Fit a clone; return it and the rows for its calibration, without known anomalies."""
    rows = np.arange(n_rows(X))
    if size is None:
        fitted = fit_detector(detector, X, y, params)
        calibration = rows
    else:
        if size >= len(rows):
            raise ValueError(
                f"calibration_size={size} leaves none of the {len(rows)} rows to train on."
                " Pass a share such as 0.3, or a smaller number."
            )
        if len(rows) < 4:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) while a minimum of 4 is required to"
                " hold some out for the calibration."
            )
        train, calibration = train_test_split(rows, test_size=size, random_state=random_state)
        fitted = fit_detector(detector, X, y, params, train)
        calibration.sort()
    calibration = _without_anomalies(calibration, y)
    return fitted, X if len(calibration) == len(rows) else take_rows(X, calibration)


def _without_anomalies(rows, y):
    """Drop the known anomalies, -1, or 1 beside 0, unless too few rows are left."""
    if y is None:
        return rows
    labels = np.ravel(y)
    is_anomaly = labels == (1 if set(labels.tolist()) == {0, 1} else -1)
    others = rows[~is_anomaly[rows]]
    return others if len(others) > 1 else rows


class ConformalDetector(WrappedDetector):
    r"""A detector whose false-alarm rate is guaranteed.

    Rows that were held out of the training say how often a normal row scores as low as a
    new one: its p-value [1]_. A row is an outlier where the p-value is at most ``alpha``.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; clones
        are fitted.
    calibration_size : float or int, default=0.3
        Rows that are held out: a share or a number. Ignored where ``cv`` is set.
    cv : int or None, default=None
        Number of folds for cross-conformal calibration [2]_: every row is held out once,
        and as many detectors are fitted. None holds out one part.
    alpha : float, default=0.1
        False-alarm rate, in (0, 1).
    random_state : int, RandomState instance or None, default=0
        Seed of the draw of the rows that are held out.

    Attributes
    ----------
    detector_ : estimator
        The first fitted detector, the only one without ``cv``.
    detectors_ : list of estimators
        All fitted detectors.
    calibration_scores_ : list of ndarray
        For each detector the scores of the rows that it was not trained on, ascending.
    n_calibration_ : int
        Number of all those rows.
    offset_ : float
        Threshold of ``score_samples``.

    Notes
    -----
    With n calibration scores :math:`s_i` the p-value of a row with the score s is

    .. math:: p = \frac{1 + \#\{i : s_i \le s\}}{n + 1} .

    In the cross-conformal form each :math:`s_i` is compared with the score that the row
    gets from the detector that was not trained on row i.

    **What is guaranteed.** Where calibration rows and new normal rows are exchangeable, a
    new normal row has :math:`P(p \le \alpha) \le \alpha` with one held-out part, on
    average over calibration sets; for a given set of a few hundred rows the rate
    fluctuates around alpha. With ``cv`` it is only guaranteed to stay below about
    :math:`2 \alpha`; in practice it is near alpha. Anomalies among the calibration rows make
    the p-values of others larger: fewer rows are flagged, and anomalies are missed.

    ``score_samples`` is the p-value, less a part of one step 1 / (n + 1) that follows the
    score, so that rows with the same p-value are still ranked.

    References
    ----------
    .. [1] S. Bates, E. Candès, L. Lei, Y. Romano, M. Sesia, "Testing for outliers with
       conformal p-values", Annals of Statistics, 2023.
    .. [2] V. Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial
       Intelligence, 2015.
    .. [3] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the
       Royal Statistical Society B, 1995.
    .. [4] J. D. Storey, "A direct approach to false discovery rates", Journal of the Royal
       Statistical Society B, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import ConformalDetector
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> detector = ConformalDetector(IsolationForest(random_state=0), alpha=0.05).fit(X)
    >>> detector.predict([[0, 0, 0], [9, 9, 9]])
    array([ 1, -1])
    >>> detector.pvalues([[9, 9, 9]]).round(4)
    array([0.0033])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "calibration_size": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 2, None, closed="left"),
        ],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(self, detector, *, calibration_size=0.3, cv=None, alpha=0.1, random_state=0):
        self.detector = detector
        self.calibration_size = calibration_size
        self.cv = cv
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X, y=None, **params):
        """Fit and calibrate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, which should be normal.
        y : array-like of shape (n_samples,), default=None
            Passed on to the detector. Known anomalies, -1 beside +1 or 1 beside 0, are not
            used to calibrate.
        **params : dict
            Further arguments of the detector's ``fit``, such as ``sample_weight``; with
            metadata routing those that the detector requests.

        Returns
        -------
        self : object
            The fitted detector.
        """
        self._validate_params()
        params = self._fit_params(params)
        X, y = indexable(X, y)
        if self.cv is None:
            pairs = [
                _fit_and_hold_out(
                    self.detector, X, y, params, self.calibration_size, self.random_state
                )
            ]
        else:
            pairs = list(self._cross_fit(X, y, params))
        self.detectors_ = [detector for detector, _ in pairs]
        self.detector_ = self.detectors_[0]
        self.calibration_scores_ = [np.sort(normality_scores(*pair)) for pair in pairs]
        self.n_calibration_ = sum(map(len, self.calibration_scores_))
        k = conformal_rank(self.alpha, self.n_calibration_, "calibration rows")
        self.offset_ = k / (self.n_calibration_ + 1)
        return self

    def _cross_fit(self, X, y, params):
        rows = np.arange(n_rows(X))
        if len(rows) < 2 * self.cv:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) while a minimum of {2 * self.cv} is"
                f" required by cv={self.cv}."
            )
        folds = KFold(self.cv, shuffle=True, random_state=self.random_state)
        for train, held_out in folds.split(rows):
            detector = fit_detector(self.detector, X, y, params, train)
            yield detector, take_rows(X, _without_anomalies(held_out, y))

    def pvalues(self, X):
        """Return conformal p-values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        pvalues : ndarray of shape (n_samples,)
            Small for anomalies, in (0, 1].
        """
        return (1 + self._count(X)[0]) / (self.n_calibration_ + 1)

    def _count(self, X):
        """Count calibration scores up to a row's; also return ranks within a step."""
        check_is_fitted(self)
        counts, ranks = 0, 0.0
        for detector, calibration in zip(
            self.detectors_, self.calibration_scores_, strict=True
        ):
            scores = normality_scores(detector, X)
            counts = counts + np.searchsorted(calibration, scores, side="right")
            spread = max(np.std(calibration), np.finfo(np.float64).tiny)
            with np.errstate(over="ignore"):
                ratio = np.clip((scores - np.mean(calibration)) / spread, -1e300, 1e300)
            ranks = ranks + 0.5 * (1 + ratio / (1 + np.abs(ratio)))
        return counts, ranks / len(self.detectors_)

    def score_samples(self, X):
        """Return how normal rows are: p-values whose ties are broken.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal, in [0, 1].
        """
        counts, ranks = self._count(X)
        # Strictly below one step, so that rounding cannot move a row to the next p-value.
        return (counts + np.clip(ranks, 0, 1 - 1e-9)) / (self.n_calibration_ + 1)

    def select(self, X, fdr=0.1, method="bh"):
        """Choose the rows of a batch that are anomalies, with few false ones among them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch. Whether a row is chosen depends on the others.
        fdr : float, default=0.1
            Bound of the expected share of normal rows among those that are chosen, in
            (0, 1).
        method : {"bh", "storey"}, default="bh"
            Benjamini-Hochberg [3]_, or the same with Storey's estimate [4]_ of the share
            of normal rows, which finds more where many rows are anomalies.

        Returns
        -------
        selected : ndarray of shape (n_samples,), bool
            Whether a row is chosen.

        Raises
        ------
        ValueError
            If ``fdr`` is not in (0, 1) or the method is unknown.
        """
        if not 0 < fdr < 1:
            raise ValueError(f"fdr must be in (0, 1), got {fdr}.")
        if method not in ("bh", "storey"):
            raise ValueError(f"method must be 'bh' or 'storey', got {method!r}.")
        pvalues = self.pvalues(X)
        share_normal = 1.0
        if method == "storey":
            share_normal = min(1.0, (1 + np.sum(pvalues > 0.5)) / (0.5 * len(pvalues)))
        # Conformal p-values lie on the very levels; rounding must not decide.
        return false_discovery_control(pvalues) * share_normal <= fdr * (1 + 1e-12)
