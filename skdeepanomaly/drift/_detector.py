"""The estimator: a reference, a stream, and alarms at a stated level."""

from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..utils.randomness import check_local_random_state, random_seed
from ..utils.rows import shape_of
from ..utils.types import Bools, Floats, RandomState, Rows
from ..utils.validation import HasMethods, Interval, StrOptions, refuse_sparse
from ._adwin import new_window
from ._calibration import METHODS, block_length, make_monitor, window_length
from ._memory import Memory
from ._reference import Reference, mid_ranks
from ._watched import (
    MIN_REFERENCE,
    as_scores,
    as_single_row,
    check_rowwise,
    detector_scores,
    fit_and_hold_out,
)


class DriftDetector(MetaEstimatorMixin, BaseEstimator):
    """Alarms where a stream is no longer as a reference was.

    The stream is watched row by row: its scores by an outlier detector, which say whether the
    detector still knows what is normal, or its columns. ``alpha`` is the probability of a false
    alarm in ``per`` updates without drift, for any method, any number of columns and any
    distribution of the values, because all methods work on ranks.

    Parameters
    ----------
    detector : estimator or None, default=None
        With ``on="scores"`` the outlier detector whose scores are watched. A clone is fitted to
        the first rows of X, and the other rows are the reference, because a detector gives
        better scores to rows that it was trained on than to new ones. A detector that is fitted
        already is used as it is in a ``FrozenEstimator``; X are then new rows, all for the
        reference. With None, X are scores, of shape (n_samples,).
    method : {"ks", "mmd", "page_hinkley", "adwin"}, default="ks"
        How stream and reference are compared.

        - "ks": Kolmogorov-Smirnov tests of the last window, column by column. They see a change
          of any kind in a column.
        - "mmd": the maximum mean discrepancy of the last window, all columns together. It also
          sees columns that no longer go together.
        - "page_hinkley": cumulated sums of shifts of the mean rank, column by column. They are
          quickest for shifts, and do not see other changes.
        - "adwin": adaptive windows of the package river, column by column, which see when the
          mean rank changes within the stream. Needs the extra ``stream``.
    on : {"scores", "inputs"}, default="scores"
        What is watched: scores, or the columns of X.
    alpha : float, default=0.05
        Probability of one false alarm or more in ``per`` updates without drift.
    per : int, default=10000
        Number of updates that ``alpha`` is for.
    block : int or "auto", default="auto"
        Number of successive updates that may depend on each other. From 2 on, streams without
        drift are simulated by blocks of the reference, in its order of time; with 1 values are
        independent. "auto" takes twice the integrated autocorrelation time of the reference,
        and 1 if there is no autocorrelation. Rows that were shuffled say nothing about it.
    window : int or "auto", default="auto"
        Number of updates that "ks" and "mmd" compare with the reference; a multiple of 10.
        There is a test after each tenth of it. "auto" takes 200, or 20 blocks if these are
        more.
    reference_size : float, default=0.5
        Share of the rows that are the reference, where a detector is fitted to the others.
    random_state : int, RandomState instance or None, default=None
        Seed of the simulated streams, of the features of "mmd" and of each part of the detector
        that has none. With an int the alarms repeat.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector, if there is one.
    block_ : int
        Number of updates in a block.
    window_ : int
        Number of updates in a window.
    thresholds_ : ndarray of shape (n_columns,) or (1,)
        What the statistic of each column must exceed for an alarm; that of all for "mmd".
    n_reference_ : int
        Number of rows of the reference.
    drift_ : bool
        Whether there was an alarm since ``fit`` or ``reset``.
    n_alarms_ : int
        Number of alarms since then.
    n_seen_ : int
        Number of updates since then.
    last_alarm_ : int or None
        Which update raised the last alarm; the first one has the number 1.
    drifted_columns_ : ndarray of int
        Columns that moved, at the last alarm.
    pvalues_ : ndarray of shape (n_columns,) or (1,)
        The probability that a stream without drift has a larger statistic in ``per`` updates,
        in any of its columns. After an alarm they stay until the next test. NaN for "adwin".
    n_features_in_ : int
        Number of features, if X is a table.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    DetectorStream : Scores a stream row by row, also with windows.

    Notes
    -----
    Thresholds come from simulated streams of ``per`` updates, each with a reference of its own,
    so that the error of a small reference counts. For independent values the ranks of a stream
    within a reference have the same distribution whatever that of the values is. With blocks
    the streams are resampled from the reference [5]_, and the statistics are multiplied by what
    the variance of a mean loses because successive blocks do not depend on each other, with
    its error. "mmd" resamples always. The level is split evenly over columns, and beyond the
    upper tenth of the simulated streams an exponential tail is taken. Values are told apart by
    64 quantiles of the reference. "adwin" is slow to simulate: with blocks, more than four
    columns share the largest of four with a long memory. On columns with few distinct values
    the level is smaller than stated.

    After an alarm the statistics start anew with the same reference, and a drift that lasts
    raises further alarms. ADWIN [4]_ compares the stream with itself, so that it raises one
    alarm for a change and one for the way back. The sums of Page and Hinkley [1]_ are those of
    ranks, less 0.05 each, so that shifts of the mean rank up to that size raise no alarm.
    The kernel of "mmd" [2]_ is Gaussian, by 128 random features [3]_, with the median distance
    of rows for its width.

    The columns that moved are named by the method's own statistic; "mmd" has one for all, and
    names those that a Kolmogorov-Smirnov test of each finds. These are none if only the
    dependence of columns changed.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika, 1954.
    .. [2] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Scholkopf, A. Smola, "A kernel
       two-sample test", Journal of Machine Learning Research, 2012.
    .. [3] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", Advances in
       Neural Information Processing Systems, 2007.
    .. [4] A. Bifet, R. Gavalda, "Learning from time-changing data with adaptive windowing",
       SIAM International Conference on Data Mining, 2007.
    .. [5] H. R. Kunsch, "The jackknife and the bootstrap for general stationary observations",
       Annals of Statistics, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import DriftDetector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3))
    >>> drift = DriftDetector(IsolationForest(random_state=0), random_state=0).fit(X)
    >>> drift.update_many(rng.normal(size=(1000, 3))).any()
    np.False_
    >>> alarms = drift.update_many(rng.normal(1, size=(300, 3)))
    >>> bool(alarms.any()), drift.drift_
    (True, True)
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit"), None],
        "method": [StrOptions(set(METHODS))],
        "on": [StrOptions({"scores", "inputs"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "per": [Interval(Integral, 1, None, closed="left")],
        "block": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "window": [Interval(Integral, 20, None, closed="left"), StrOptions({"auto"})],
        "reference_size": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: BaseEstimator | None = None,
        *,
        method: Literal["ks", "mmd", "page_hinkley", "adwin"] = "ks",
        on: Literal["scores", "inputs"] = "scores",
        alpha: float = 0.05,
        per: int = 10_000,
        block: int | Literal["auto"] = "auto",
        window: int | Literal["auto"] = "auto",
        reference_size: float = 0.5,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.method = method
        self.on = on
        self.alpha = alpha
        self.per = per
        self.block = block
        self.window = window
        self.reference_size = reference_size
        self.random_state = random_state

    def fit(self, X: Rows, y: ArrayLike | None = None) -> Self:
        """Take a reference, and find the thresholds that keep the level.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples,)
            Rows without drift, in the order of time; scores if they are watched and there is no
            detector.
        y : array-like of shape (n_samples,) or None
            Handed on to the detector if it is fitted.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or X is not valid.
        TypeError
            If the detector is a classifier or a regressor.
        ImportError
            If ``method="adwin"`` and river is not installed.
        """
        self._validate_params()
        self._check_parameters()
        # An estimator whose fit failed is not fitted.
        for name in ("drift_", "_monitor"):
            self.__dict__.pop(name, None)
        if self.method == "adwin":
            new_window(1.0)
        rng = check_local_random_state(self.random_state)
        seed = random_seed(rng)
        values = self._fit_values(X, y, rng)
        reference = Reference(values)
        ranks = mid_ranks(reference.shares)[np.arange(reference.n_columns), reference.cells]
        memory = Memory(ranks)
        self.block_ = block_length(self.block, memory, len(values))
        self.window_ = window_length(self.window, self.block_, int(self.per))
        self._reference, self.n_reference_ = reference, len(values)
        self._method, self._alpha = self.method, float(self.alpha)
        self._monitor, self._nulls, self.thresholds_ = make_monitor(
            self._method,
            reference,
            memory,
            block=self.block_,
            window=self.window_,
            per=int(self.per),
            alpha=self._alpha,
            seed=seed,
        )
        # What follows needs the quantiles only.
        del reference.cells
        return self.reset()

    def update(self, x: ArrayLike) -> bool:
        """Take the next row of the stream.

        Parameters
        ----------
        x : array-like of shape (n_features,) or (1, n_features), or number
            The row; a score, if these are watched and there is no detector.

        Returns
        -------
        alarm : bool
            Whether this row raises an alarm.

        Raises
        ------
        NotFittedError
            If there is no reference yet.
        ValueError
            If x is not a single row, has other columns than the reference, or is not finite.
        """
        check_is_fitted(self)
        return bool(self._update_rows(self._values(self._single_row(x)))[0])

    def update_many(self, X: Rows) -> Bools:
        """Take the next rows of the stream, one after the other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples,)
            The rows; scores, if these are watched and there is no detector.

        Returns
        -------
        alarms : ndarray of shape (n_samples,), bool
            Which rows raise an alarm.

        Raises
        ------
        NotFittedError
            If there is no reference yet.
        ValueError
            If X has other columns than the reference, or is not finite.
        """
        check_is_fitted(self)
        return self._update_rows(self._values(X))

    def reset(self) -> Self:
        """Forget the stream, and keep the reference.

        Returns
        -------
        self : object
            The estimator, as after ``fit``.
        """
        check_is_fitted(self, "_monitor")
        self._monitor.restart()
        self._statistics = np.full(len(self.thresholds_), np.nan)
        self.drift_, self.n_alarms_, self.n_seen_ = False, 0, 0
        self.last_alarm_: int | None = None
        self.drifted_columns_ = np.array([], dtype=int)
        return self

    @property
    def pvalues_(self) -> Floats:
        """The p-values of the last test, for ``per`` updates and all columns."""
        check_is_fitted(self)
        if self._method == "adwin":
            return np.full(len(self.thresholds_), np.nan)
        n_columns = len(self._nulls)
        pairs = zip(self._nulls, self._statistics, strict=True)
        return np.array(
            [1.0 if np.isnan(s) else min(1.0, n_columns * null.pvalue(s)) for null, s in pairs]
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "drift_")

    def _check_parameters(self) -> None:
        if self.on == "inputs" and self.detector is not None:
            raise ValueError(
                f'on="inputs" watches the columns of X, and has no use for {self.detector!r}.'
                ' Leave detector out, or watch its scores by on="scores".'
            )
        if self.window != "auto" and self.window % 10:
            raise ValueError(
                f"window must be a multiple of 10, because there are ten tests in each, got"
                f" {self.window}."
            )
        shortest = 20 if self.window == "auto" else self.window
        if self.method in ("ks", "mmd") and self.per < shortest:
            raise ValueError(
                f"per={self.per} is less than a window of {shortest}: no test ends in so few"
                " updates. Take a shorter window, or state alpha for more updates."
            )

    def _fit_values(
        self, X: Rows, y: ArrayLike | None, rng: np.random.RandomState
    ) -> np.ndarray:
        """Fit the detector, if there is one, and return the values of the reference."""
        # Those of a former fit, which may have watched something else.
        for name in ("detector_", "_row_shape", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if self.detector is None:
            if self.on == "inputs":
                refuse_sparse(X, type(self).__name__)
                return validate_data(
                    self, X, dtype=np.float64, ensure_min_samples=MIN_REFERENCE
                )
            return as_scores(X, ensure_min_samples=MIN_REFERENCE)
        self.detector_, X = fit_and_hold_out(self.detector, X, y, self.reference_size, rng)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.detector_, name):
                setattr(self, name, getattr(self.detector_, name))
        self._row_shape = shape_of(X)[1:]
        values = detector_scores(self.detector_, X)
        if len(values) < MIN_REFERENCE:
            raise ValueError(
                f"The reference has {len(values)} rows, expected {MIN_REFERENCE} or more."
            )
        check_rowwise(self.detector_, X, values)
        return values

    def _values(self, X: Rows) -> np.ndarray:
        """Return what is watched of rows, shape (n_samples, n_columns)."""
        if hasattr(self, "detector_"):
            return detector_scores(self.detector_, X)
        if hasattr(self, "n_features_in_"):
            refuse_sparse(X, type(self).__name__)
            return validate_data(self, X, dtype=np.float64, reset=False)
        return as_scores(X)

    def _single_row(self, x: ArrayLike) -> ArrayLike:
        """Return a row as a table of one row."""
        if hasattr(self, "detector_"):
            row_shape = self._row_shape
        else:
            row_shape = (self.n_features_in_,) if hasattr(self, "n_features_in_") else ()
        return as_single_row(x, row_shape)

    def _update_rows(self, values: np.ndarray) -> Bools:
        cells = self._reference.encode(values)
        alarms = np.zeros(len(cells), dtype=bool)
        for place, row in enumerate(cells):
            self.n_seen_ += 1
            statistics = self._monitor.update(row)
            if statistics is None:
                continue
            # Sums are updated in place.
            self._statistics = statistics
            moved = statistics > self.thresholds_
            if moved.any():
                alarms[place] = True
                self._raise_alarm(moved)
        return alarms

    def _raise_alarm(self, moved: np.ndarray) -> None:
        if self._method == "mmd":
            moved = self._monitor.moved_columns(self._alpha)
        self.drifted_columns_ = np.flatnonzero(moved)
        self.drift_, self.last_alarm_ = True, self.n_seen_
        self.n_alarms_ += 1
        self._monitor.restart()
