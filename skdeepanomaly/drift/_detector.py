"""The estimator: a reference, a stream, and alarms at a stated level."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ..utils._compat import n_rows, take_rows
from ..utils.nesting import supervised_kind
from ..utils.randomness import (
    check_local_random_state,
    kept_numpy_state,
    random_seed,
    seeded_clone,
)
from ..utils.rows import shape_of
from ..utils.scores import check_label_convention, normality_scores
from ..utils.validation import HasMethods, Interval, StrOptions, refuse_sparse, warn_user
from ._adwin import AdaptiveWindows, new_window
from ._ks import KolmogorovSmirnov
from ._memory import Memory
from ._mmd import MeanDiscrepancy
from ._null import NullDistribution, block_maxima, independent_maxima
from ._page_hinkley import PageHinkley
from ._reference import Reference, mid_ranks

METHODS = {
    "ks": KolmogorovSmirnov,
    "mmd": MeanDiscrepancy,
    "page_hinkley": PageHinkley,
    "adwin": AdaptiveWindows,
}
# A block is this many times as long as values depend on each other.
BLOCK_PER_MEMORY = 2
# With fewer blocks than this the reference says little about chance.
MIN_BLOCKS = 20
# Streams of many columns take long: all columns together have this many times the simulations.
MAX_COLUMN_FACTOR = 4
MIN_SIMULATIONS = 200
# So many rows are scored alone, to see whether a score depends on the rows around it.
N_ROWS_ALONE = 5


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
    window : int, default=200
        Number of updates that "ks" and "mmd" compare with the reference; a multiple of 10.
        There is a test after each tenth of it. Long memories need long windows.
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
    its error. "mmd" resamples always. The level is split evenly over columns, and beyond the upper tenth of the
    simulated streams an exponential tail is taken. Values are told apart by 64 quantiles of the
    reference. On columns with few distinct values the level is smaller than stated.

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
        "window": [Interval(Integral, 20, None, closed="left")],
        "reference_size": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector=None,
        *,
        method="ks",
        on="scores",
        alpha=0.05,
        per=10_000,
        block="auto",
        window=200,
        reference_size=0.5,
        random_state=None,
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

    def fit(self, X, y=None):
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
        if self.method == "adwin":
            new_window(1.0)
        rng = check_local_random_state(self.random_state)
        seed = random_seed(rng)
        values = self._fit_values(X, y, rng)
        reference = Reference(values)
        ranks = mid_ranks(reference.shares)[np.arange(reference.n_columns), reference.cells]
        memory = Memory(ranks)
        self.block_ = self._block_length(memory, len(values))
        self._reference, self.n_reference_ = reference, len(values)
        self._method, self._per, self._alpha = self.method, int(self.per), float(self.alpha)
        self._fit_monitor(reference, memory, seed)
        # What follows needs the quantiles only.
        del reference.cells
        return self.reset()

    def update(self, x) -> bool:
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

    def update_many(self, X) -> np.ndarray:
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

    def reset(self):
        """Forget the stream, and keep the reference.

        Returns
        -------
        self : object
            The estimator, as after ``fit``.
        """
        check_is_fitted(self, "_monitor")
        self._monitor.restart()
        self._statistics = np.full(len(self.thresholds_), np.nan)
        self.drift_, self.n_alarms_, self.n_seen_, self.last_alarm_ = False, 0, 0, None
        self.drifted_columns_ = np.array([], dtype=int)
        return self

    @property
    def pvalues_(self) -> np.ndarray:
        """The p-values of the last test, for ``per`` updates and all columns."""
        check_is_fitted(self)
        if self._method == "adwin":
            return np.full(len(self.thresholds_), np.nan)
        n_columns = len(self._nulls)
        pairs = zip(self._nulls, self._statistics, strict=True)
        return np.array(
            [1.0 if np.isnan(s) else min(1.0, n_columns * null.pvalue(s)) for null, s in pairs]
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "drift_")

    def _check_parameters(self) -> None:
        if self.on == "inputs" and self.detector is not None:
            raise ValueError(
                f'on="inputs" watches the columns of X, and has no use for {self.detector!r}.'
                ' Leave detector out, or watch its scores by on="scores".'
            )
        if self.window % 10:
            raise ValueError(
                f"window must be a multiple of 10, because there are ten tests in each, got"
                f" {self.window}."
            )
        if self.method in ("ks", "mmd") and self.per < self.window:
            raise ValueError(
                f"per={self.per} is less than window={self.window}: no test ends in so few"
                " updates. Take a shorter window, or state alpha for more updates."
            )

    def _fit_values(self, X, y, rng) -> np.ndarray:
        """Fit the detector, if there is one, and return the values of the reference."""
        # Those of a former fit, which may have watched something else.
        for name in ("detector_", "_row_shape", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if self.detector is None:
            if self.on == "inputs":
                refuse_sparse(X, type(self).__name__)
                return validate_data(self, X, dtype=np.float64, ensure_min_samples=10)
            return _as_scores(X, ensure_min_samples=10)
        if (kind := supervised_kind(self.detector)) is not None:
            raise TypeError(
                f"{type(self.detector).__name__} is a {kind}, expected an outlier detector such"
                " as IsolationForest or AutoEncoder, or a pipeline that ends in one."
            )
        n_samples = n_rows(X)
        if isinstance(self.detector, FrozenEstimator):
            self.detector_ = clone(self.detector)
            check_is_fitted(self.detector_)
        else:
            n_train = n_samples - round(self.reference_size * n_samples)
            if min(n_train, n_samples - n_train) < 10:
                raise ValueError(
                    f"{n_samples} rows at reference_size={self.reference_size} are {n_train} to"
                    f" fit {type(self.detector).__name__} and {n_samples - n_train} for the"
                    " reference, expected 10 or more of each."
                )
            # The order of time is kept: the reference is what came last.
            train = np.arange(n_train)
            y_train = None if y is None else take_rows(y, train)
            with kept_numpy_state():
                detector = seeded_clone(self.detector, rng)
                self.detector_ = detector.fit(take_rows(X, train), y_train)
            X = take_rows(X, np.arange(n_train, n_samples))
        check_label_convention(self.detector_, X)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.detector_, name):
                setattr(self, name, getattr(self.detector_, name))
        self._row_shape = shape_of(X)[1:]
        values = self._scores(X)
        if len(values) < 10:
            raise ValueError(f"The reference has {len(values)} rows, expected 10 or more.")
        self._check_rowwise(X, values)
        return values

    def _check_rowwise(self, X, values) -> None:
        """Refuse a detector whose scores depend on the rows around."""
        spread = float(np.ptp(np.quantile(values, [0.1, 0.9])))
        for place in np.linspace(0, len(values) - 1, N_ROWS_ALONE).round().astype(int):
            with warnings.catch_warnings():
                # Such as that a series is short.
                warnings.simplefilter("ignore")
                alone = self._scores(take_rows(X, [place]))[0, 0]
            if abs(alone - values[place, 0]) > 0.01 * max(spread, abs(values[place, 0])):
                raise ValueError(
                    f"{type(self.detector_).__name__} gives row {place} the score"
                    f" {values[place, 0]:.4g} among the others and {alone:.4g} alone:"
                    " a detector of series, or one whose scores depend on the other rows. Score"
                    " the stream, for example by DetectorStream, and watch the scores:"
                    " DriftDetector().fit(scores)."
                )

    def _block_length(self, memory: Memory, n_samples: int) -> int:
        if self.block != "auto":
            length = int(self.block)
            if 2 * length > n_samples:
                raise ValueError(
                    f"block={length} needs a reference of {2 * length} rows or more, got"
                    f" {n_samples}."
                )
        elif (longest := memory.times.max()) == 1:
            length = 1
        else:
            length = int(np.ceil(BLOCK_PER_MEMORY * longest))
        if length > 1 and n_samples < MIN_BLOCKS * length:
            warn_user(
                f"The reference has {n_samples} rows, and blocks of {length} are less than"
                f" {MIN_BLOCKS} of them: false alarms may be more than alpha says. Take a"
                " longer reference, or fewer updates from the stream: each tenth, for example."
            )
        return min(length, max(1, n_samples // 2))

    def _fit_monitor(self, reference, memory, seed) -> None:
        """Make what takes the updates, and its thresholds."""
        method, window, n_columns = METHODS[self.method], int(self.window), reference.n_columns
        n_updates = self._per
        if self.method == "mmd":
            longest = float(memory.times.max()) if self.block_ > 1 else 1.0
            self._monitor = MeanDiscrepancy(reference, window, longest, seed)
            maxima = self._monitor.simulate(n_updates, self.block_, seed)
            factors = self._dependence_factors(memory, len(maxima), seed)
            nulls = [NullDistribution(factors.max(axis=1) * maxima)]
            self._monitor.forget_reference()
        elif self.block_ == 1:
            self._monitor = method(reference, window)
            settings = (window, reference.n_samples, n_updates, method.n_simulations, seed)
            nulls = [NullDistribution(independent_maxima(method, *settings))] * n_columns
        else:
            self._monitor = method(reference, window)
            n_all = MAX_COLUMN_FACTOR * method.n_simulations
            n_simulations = min(method.n_simulations, max(n_all // n_columns, MIN_SIMULATIONS))
            settings = (n_updates, self.block_, n_simulations, seed)
            cells, n_cells = reference.cells, reference.n_cells
            maxima = block_maxima(method, window, cells, n_cells, *settings)
            maxima *= self._dependence_factors(memory, n_simulations, seed)
            nulls = [NullDistribution(one) for one in maxima.T]
        level = self._alpha / len(nulls)
        self.thresholds_ = np.array([null.critical_value(level) for null in nulls])
        self._nulls = nulls
        if (self.thresholds_ >= METHODS[self.method].largest).any():
            warn_user(
                f"No change can raise an alarm in {int((self.thresholds_ >= 1).sum())} of"
                f" {n_columns} columns: at alpha={self.alpha} a window of {window} updates says"
                " too little. Take a longer window, a longer reference, or fewer columns.",
            )
        if self.method == "adwin":
            self._monitor.set_critical_values(self.thresholds_)

    def _dependence_factors(self, memory, n_simulations, seed) -> np.ndarray:
        """Return what the maxima in streams of blocks are multiplied by, for each column.

        All statistics grow as variances of means do. Blocks lose a part of these, which is
        known as well as the memory is: each stream has an error of it.
        """
        if self.block_ == 1:
            return np.ones((n_simulations, 1))
        errors = np.random.default_rng([seed, 1]).normal(size=(n_simulations, 1))
        return memory.lost_by_blocks(self.block_) * np.exp(memory.errors * errors)

    def _scores(self, X) -> np.ndarray:
        scores = normality_scores(self.detector_, X)
        if scores.ndim != 1 or np.isnan(scores).any():
            raise ValueError(
                f"{type(self.detector_).__name__} gave scores of shape {scores.shape}, of which"
                f" {int(np.isnan(scores).sum())} are NaN; expected a number for each row."
            )
        return scores[:, None]

    def _values(self, X) -> np.ndarray:
        """Return what is watched of rows, shape (n_samples, n_columns)."""
        if hasattr(self, "detector_"):
            return self._scores(X)
        if hasattr(self, "n_features_in_"):
            refuse_sparse(X, type(self).__name__)
            return validate_data(self, X, dtype=np.float64, reset=False)
        return _as_scores(X)

    def _single_row(self, x):
        """Return a row as a table of one row."""
        if hasattr(self, "detector_"):
            row_shape = self._row_shape
        else:
            row_shape = (self.n_features_in_,) if hasattr(self, "n_features_in_") else ()
        shape = shape_of(x)
        if shape in ((1, *row_shape), row_shape) or (shape == () and row_shape == (1,)):
            if len(shape) == len(row_shape) + 1:
                return x
            return np.asarray(x).reshape(1, *row_shape)
        if shape == (1, 1) and row_shape == ():
            return x
        raise ValueError(
            f"update takes a single row of shape {row_shape}, got the shape {shape}. For"
            " several rows there is update_many."
        )

    def _update_rows(self, values: np.ndarray) -> np.ndarray:
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


def _as_scores(X, **params) -> np.ndarray:
    """Return scores as a column."""
    scores = check_array(
        X, ensure_2d=False, dtype=np.float64, input_name="scores", allow_nd=True, **params
    )
    if scores.ndim == 2 and scores.shape[1] == 1:
        return scores
    if scores.ndim != 1:
        raise ValueError(
            f'on="scores" without a detector takes scores of shape (n_samples,), got the shape'
            f' {scores.shape}. For the columns of a table there is on="inputs"; for the scores'
            " of a detector, pass it as detector."
        )
    return scores[:, None]
