"""A detector whose false-alarm rate is guaranteed, by conformal p-values."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from ..thresholds import conformal_rank, too_few_to_calibrate
from ..utils._compat import n_rows, take_rows
from ..utils.randomness import check_local_random_state
from ..utils.scores import moments, normality_scores
from ..utils.types import Bools, Floats, Ints, RandomState, Rows
from ..utils.validation import HasMethods, Interval
from ..utils.warn import warn_user
from ._held_out import fit_and_hold_out, without_anomalies
from ._wrapper import WrappedDetector, fit_detector


class ConformalDetector(WrappedDetector):
    r"""A detector whose false-alarm rate is guaranteed.

    The p-value of a new row is the share of held-out rows with a score as low as its own
    [1]_. A row is an outlier if its p-value is at most ``alpha``.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; clones
        are fitted.
    calibration_size : float or int, default=0.3
        Rows that are held out: a share or a number. Ignored where ``cv`` is set.
    cv : int or None, default=None
        Number of folds for cross-conformal calibration [2]_: one detector is fitted for
        each fold, and every row is held out once. None holds out one part.
    alpha : float, default=0.1
        False-alarm rate, in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of the rows that are held out, and of each part of the detector
        whose own ``random_state`` is None. With an int the scores repeat.

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

    **Guarantee.** If calibration rows and new normal rows are exchangeable, a new normal
    row has :math:`P(p \le \alpha) \le \alpha` with one held-out part, on average over
    calibration sets; for a given set of a few hundred rows the rate fluctuates around
    alpha. With ``cv`` the rate is only guaranteed to stay below about :math:`2 \alpha`; in
    practice it is near alpha. Anomalies among the calibration rows make the p-values of
    other rows larger: fewer rows are flagged, and anomalies are missed.

    ``score_samples`` is the p-value less a part of one step 1 / (n + 1). The part depends on
    the detector's score, so that rows with the same p-value are still ranked.

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
    >>> detector = ConformalDetector(IsolationForest(), alpha=0.05, random_state=0)
    >>> detector = detector.fit(X)
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

    def __init__(
        self,
        detector: BaseEstimator,
        *,
        calibration_size: int | float = 0.3,
        cv: int | None = None,
        alpha: float = 0.1,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.calibration_size = calibration_size
        self.cv = cv
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
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

        Raises
        ------
        TypeError
            If the detector is a classifier or a regressor, or one for series, whose time
            stamps are not consecutive once some are held out.
        AttributeError
            If it cannot score new rows.
        ValueError
            If a parameter is out of range or there are too few rows to hold some out.

        Warns
        -----
        UserWarning
            If there are too few calibration rows for any row to be an outlier.
        """
        self._validate_params()
        params = self._fit_params(params)
        X, y = indexable(X, y)
        rng = check_local_random_state(self.random_state)
        if self.cv is None:
            size = self.calibration_size
            pairs = [fit_and_hold_out(self.detector, X, y, params, size, rng)]
        else:
            pairs = list(self._cross_fit(X, y, params, int(self.cv), rng))
        scores = [np.sort(normality_scores(*pair)) for pair in pairs]
        # All at once, so that a fit that failed leaves what was fitted before.
        self.detectors_ = [detector for detector, _ in pairs]
        self.detector_, self.calibration_scores_ = self.detectors_[0], scores
        self.n_calibration_ = sum(map(len, scores))
        k = conformal_rank(self.alpha, self.n_calibration_)
        if k == 0:
            warn_user(too_few_to_calibrate(self.alpha, self.n_calibration_, "calibration rows"))
        self.offset_ = k / (self.n_calibration_ + 1)
        return self

    def _cross_fit(
        self,
        X: Rows,
        y: ArrayLike | None,
        params: dict[str, Any],
        cv: int,
        rng: np.random.RandomState,
    ) -> Iterator[tuple[BaseEstimator, Rows]]:
        rows = np.arange(n_rows(X))
        if len(rows) < 2 * cv:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) while a minimum of {2 * cv} is"
                f" required by cv={cv}."
            )
        folds = KFold(cv, shuffle=True, random_state=rng)
        for train, held_out in folds.split(rows):
            detector = fit_detector(self.detector, X, y, params, train, rng)
            yield detector, take_rows(X, without_anomalies(held_out, y))

    def pvalues(self, X: Rows) -> Floats:
        """Return conformal p-values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        pvalues : ndarray of shape (n_samples,)
            Small for anomalies, in (0, 1].

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detectors inside refuse X.
        """
        return (1 + self._count(X)[0]) / (self.n_calibration_ + 1)

    def _count(self, X: Rows) -> tuple[Ints, Floats]:
        """Return the number of calibration scores up to a row's, and its rank within a step."""
        check_is_fitted(self)
        counts: Ints = np.zeros((), dtype=np.int64)
        ranks: Floats = np.zeros(())
        for detector, calibration in zip(
            self.detectors_, self.calibration_scores_, strict=True
        ):
            scores = normality_scores(detector, X)
            counts = counts + np.searchsorted(calibration, scores, side="right")
            mean, deviation = moments(calibration)
            deviation = max(deviation, np.finfo(np.float64).tiny)
            with np.errstate(over="ignore"):
                ratio = np.clip((scores - mean) / deviation, -1e300, 1e300)
            ranks = ranks + 0.5 * (1 + ratio / (1 + np.abs(ratio)))
        return counts, ranks / len(self.detectors_)

    def score_samples(self, X: Rows) -> Floats:
        """Return p-values without ties: rows with equal p-values are ranked by their scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal, in [0, 1].

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detectors inside refuse X.
        """
        counts, ranks = self._count(X)
        # Strictly below one step, so that rounding cannot move a row to the next p-value.
        return (counts + np.clip(ranks, 0, 1 - 1e-9)) / (self.n_calibration_ + 1)

    def select(
        self, X: Rows, fdr: float = 0.1, method: Literal["bh", "storey"] = "bh"
    ) -> Bools:
        """Choose the anomalies of a batch, with a bound on the share of false ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch. Whether a row is chosen depends on the other rows.
        fdr : float, default=0.1
            Bound of the expected share of normal rows among those that are chosen, in
            (0, 1).
        method : {"bh", "storey"}, default="bh"
            Benjamini-Hochberg, or the same with Storey's estimate of the share of normal rows,
            which finds more where many rows are anomalies.

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
        # Conformal p-values are multiples of 1 / (n + 1) and often equal the bound exactly:
        # the tolerance keeps rounding from deciding.
        return false_discovery_control(pvalues) * share_normal <= fdr * (1 + 1e-12)
