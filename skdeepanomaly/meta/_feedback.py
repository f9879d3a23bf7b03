"""What an analyst says of rows changes the scores and the threshold of any detector."""

import sys
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from scipy.linalg import cholesky
from scipy.optimize import minimize
from scipy.sparse import issparse, vstack
from scipy.special import expit
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch, check_array, gen_batches
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import HasMethods, Interval, n_rows, take_rows
from ..utils.nesting import nested_rows
from ..utils.validation import check_labels
from ._wrapper import WrappedDetector, fit_detector

STRATEGIES = ("anomalous", "diverse", "uncertain")
# Prior variance of the weight of the detector's own score, whose mean is 1: verdicts on one
# kind of rows should not turn the order of all others round.
SCORE_VARIANCE = 0.25
# Scales come from at most this many training rows, spread over the table.
MAX_ROWS_FOR_SCALES = 2000
# Rows are compared with those that were judged in blocks, which bounds the memory.
BLOCK_SIZE = 4096
# How the missing values of numpy, pandas and polars read.
MISSING = ("None", "nan", "<NA>", "NaT")


class FeedbackDetector(WrappedDetector):
    r"""A detector that learns from an analyst's verdicts, without being fitted anew.

    ``query`` proposes rows to look at, ``add_feedback`` takes what the analyst found, and
    scores and threshold follow at once: what resembles false alarms becomes more normal,
    what resembles confirmed anomalies less, and the rest keeps the detector's own order.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; a clone
        is fitted.
    strength : float, default=4.0
        How much the verdicts may change: the prior variance of the log odds that they
        add. The less, the more verdicts it takes.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector; verdicts do not change it.
    verdicts_ : Bunch
        The verdicts in force: ``X``, the rows, in the form in which they came (None before
        the first), and ``y``, -1 for anomalies and +1 for normal rows.
    offset_ : float
        Threshold of ``score_samples``, moved by the verdicts; 0 without any.
    score_weight_ : float
        Weight of the detector's own score; 1 without verdicts.
    view_weights_ : ndarray of shape (n_views,)
        Weights of the columns that the detector itself gets, standardised, in the log odds
        of a normal row; 0 without verdicts. Behind a pipeline these are the columns of its
        last step.

    See Also
    --------
    DeepSAD : Is trained on a few labels.

    Notes
    -----
    The layer on top of the detector is a logistic one whose prior is the detector, a
    Gaussian process for classification with explicit basis functions [1]_. With the
    detector's decision :math:`d(x)` and its median size :math:`m` over the training rows,
    the log odds of a normal row are

    .. math:: f(x) = (1 + a) \, s(x) + b + w^\top v(x) + g(c(x)),
        \qquad s(x) = \operatorname{arsinh}(d(x) / m),

    so that without verdicts the order of the rows and the labels are the detector's own.
    The views :math:`v(x)` are the columns that the detector is given, :math:`c(x)` its
    codes where it has ``encode`` and else those columns again, all standardised and drawn
    in by arsinh. The prior is :math:`a \sim N(0, 1/4)`, :math:`b \sim N(0, 1)`,
    :math:`w_j \sim N(0, \gamma / q)` for q columns, where :math:`\gamma` is ``strength``,
    and for :math:`g` a Gaussian process with the kernel
    :math:`\gamma \exp(-\|c - c'\|^2 / h)`; h is the median squared distance of training
    rows. All are set to their most probable values given the verdicts.
    ``offset_`` is :math:`-b` and ``score_samples`` the rest of :math:`f`.

    Two rows are the same where their texts are equal and their numbers in single precision,
    whatever the types of the columns: the integer 40 is the float 40.0.

    A single verdict moves the threshold by less than one unit of log odds. All verdicts
    taken back, the scores are the same bits as before the first.

    To review the rows that are most anomalous by the current scores, the default of
    ``query``, is the rule of active anomaly discovery [2]_, which also re-weights views,
    by a hinge loss around a quantile of the scores in place of the logistic one, and takes
    the leaves of an isolation forest for views [3]_. Here the columns and codes take their
    place, since every detector has them.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning",
       MIT Press, 2006, sections 2.7 and 3.4.
    .. [2] S. Das, W.-K. Wong, T. Dietterich, A. Fern, A. Emmott, "Incorporating expert
       feedback into active anomaly discovery", ICDM, 2016.
    .. [3] S. Das, W.-K. Wong, A. Fern, T. G. Dietterich, M. A. Siddiqui, "Incorporating
       feedback into tree-based anomaly detection", KDD workshop on interactive data
       exploration and analytics, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import FeedbackDetector
    >>> rng = np.random.default_rng(0)
    >>> harmless, harmful = rng.normal(size=(2, 15, 4)) + [[[6, 0, 0, 0]], [[0, 6, 0, 0]]]
    >>> X = np.concatenate([rng.normal(size=(300, 4)), harmless, harmful])
    >>> detector = FeedbackDetector(IsolationForest(random_state=0)).fit(X)
    >>> detector.predict([[6, 0, 0, 0], [0, 6, 0, 0]])
    array([-1, -1])
    >>> rows = detector.query(X, n=10)
    >>> verdicts = np.where(rows >= 315, -1, 1)
    >>> detector = detector.add_feedback(X[rows], verdicts)
    >>> detector.predict([[6, 0, 0, 0], [0, 6, 0, 0]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "strength": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, detector, *, strength=4.0):
        self.detector = detector
        self.strength = strength

    def fit(self, X, y=None, **params):
        """Fit the detector; verdicts given before are forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Passed on to the detector; these are no verdicts.
        **params : dict
            Further arguments of the detector's ``fit``, such as ``sample_weight``; with
            metadata routing those that the detector requests.

        Returns
        -------
        self : object
            The fitted detector.
        """
        self._validate_params()
        self._form = type(_indexable(X))
        self.detector_ = fit_detector(self.detector, X, y, self._fit_params(params))
        n = n_rows(X)
        some = np.arange(0, n, -(-n // MAX_ROWS_FOR_SCALES))
        some = X if len(some) == n else take_rows(_indexable(X), some)
        scale = np.median(np.abs(self._decision(some)))
        self._decision_scale = scale if np.isfinite(scale) and scale > 0 else 1.0
        views, codes = _inputs_and_codes(self.detector_, some)
        self._view_scaler = _Squash().fit(views)
        self._code_scaler = None if codes is None else _Squash().fit(codes)
        _, _, codes = self._represent(some)
        self._width = np.median(euclidean_distances(codes, squared=True)) or 1.0
        self._learn(None, np.array([], dtype=np.int8))
        return self

    def add_feedback(self, X, y):
        """Take verdicts on rows; the scores and the threshold follow.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the form of those in ``fit``: a frame of the same library, a sparse
            matrix, or else an array or list.
        y : array-like of shape (n_samples,)
            -1 for anomalies, +1 for normal rows (false alarms), 0 for rows without a
            verdict. A row has one verdict: a new one replaces what was said of the same
            row before.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If X is of another form than in ``fit``; if y holds other values, or 0 and 1
            alone, by which others mark normal rows and anomalies; or if rows of one call
            that are equal have different verdicts.
        """
        check_is_fitted(self)
        self._validate_params()
        X = self._in_form(X)
        labels = check_labels(y, n_rows(X), type(self).__name__, required=False, first=False)
        if np.asarray(y).dtype == bool or set(labels) == {0, 1}:
            raise ValueError(
                "y must hold -1 for anomalies, +1 for normal rows and 0 for rows without a"
                f" verdict, got {'booleans' if np.asarray(y).dtype == bool else '0 and 1'}. If"
                " 1 marks the anomalies, pass np.where(y, -1, 1); else leave out the rows"
                " without a verdict."
            )
        judged = np.flatnonzero(labels)
        if len(judged) == 0:
            return self
        keys = _keys(take_rows(X, judged))
        rows = dict(zip(keys, judged, strict=True))
        for key, row in zip(keys, judged, strict=True):
            if labels[row] != labels[rows[key]]:
                raise ValueError(
                    f"Rows {row} and {rows[key]} of X are equal but have different verdicts."
                    " Give a row one verdict."
                )
        added = np.sort(list(rows.values()))
        # The detector itself refuses rows of another form.
        self._decision(take_rows(X, added[:1]))
        kept = [i for i, key in enumerate(self._judged_keys()) if key not in rows]
        self._keep(kept, take_rows(X, added), labels[added])
        return self

    def remove_feedback(self, X=None, *, indices=None):
        """Take verdicts back.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose verdicts are taken back.
        indices : int or array-like of int, default=None
            Positions in ``verdicts_``. With neither X nor indices all are taken back.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If both are given, X is of another form than in ``fit``, there is no verdict on
            a row, or an index is out of range.
        """
        check_is_fitted(self)
        self._validate_params()
        n_verdicts = len(self.verdicts_.y)
        if X is not None and indices is not None:
            raise ValueError("Pass X or indices, not both.")
        if X is not None:
            places = {key: i for i, key in enumerate(self._judged_keys())}
            keys = _keys(self._in_form(X))
            unknown = [row for row, key in enumerate(keys) if key not in places]
            if unknown:
                raise ValueError(
                    f"There is no verdict on row {unknown[0]} of X; verdicts_.X holds the"
                    f" {n_verdicts} rows that were judged."
                )
            removed = [places[key] for key in keys]
        elif indices is not None:
            removed = np.atleast_1d(indices)
            if removed.size and not np.issubdtype(removed.dtype, np.integer):
                raise ValueError(f"indices must be integers, got {indices!r}.")
            removed = removed.astype(np.intp)
            if ((removed < -n_verdicts) | (removed >= n_verdicts)).any():
                raise ValueError(
                    f"indices must lie in verdicts_, which has {n_verdicts} rows, got"
                    f" {indices!r}."
                )
        else:
            removed = np.arange(n_verdicts)
        self._keep(np.delete(np.arange(n_verdicts), removed).tolist())
        return self

    def query(self, X, n=10, *, strategy="anomalous"):
        """Propose the rows that are most worth a verdict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to choose from, in the form of those in ``fit``. Those that have a verdict
            are left out, and of equal rows one is proposed.
        n : int, default=10
            Number of rows; fewer are proposed where no more are left.
        strategy : {"anomalous", "diverse", "uncertain"}, default="anomalous"
            The rows with the most anomalous current scores, which finds most anomalies;
            of three times as many those that differ most from each other, which finds
            about as many and more kinds of them; or the rows nearest to the threshold,
            which finds few anomalies but settles where the border lies.

        Returns
        -------
        indices : ndarray of int
            Positions in X, the row to look at first coming first.

        Raises
        ------
        ValueError
            If X is of another form than in ``fit``, n is not a positive integer, or the
            strategy is unknown.
        """
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be an integer of at least 1, got {n!r}.")
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, got {strategy!r}.")
        X = self._in_form(X)
        decision = self.decision_function(X)
        merit = np.abs(decision) if strategy == "uncertain" else decision
        order = np.argsort(merit, kind="stable")
        n_candidates = 3 * n if strategy == "diverse" else n
        seen, candidates = set(self._judged_keys()), []
        # Block by block, since the keys of the first few rows will mostly do.
        for block in gen_batches(len(order), BLOCK_SIZE):
            rows = order[block]
            for row, key in zip(rows, _keys(take_rows(X, rows)), strict=True):
                if key not in seen:
                    seen.add(key)
                    candidates.append(row)
            if len(candidates) >= n_candidates:
                break
        candidates = np.array(candidates[:n_candidates], dtype=np.intp)
        if strategy == "diverse" and len(candidates) > n:
            _, _, codes = self._represent(take_rows(X, candidates))
            candidates = candidates[_farthest_first(codes, n)]
        return candidates

    def score_samples(self, X):
        """Return how normal rows are, given the verdicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal: log odds of a normal row, less the part that moves
            the threshold.
        """
        check_is_fitted(self)
        if len(self.verdicts_.y) == 0:
            return self._prior(X)
        prior, views, codes = self._represent(X)
        scores = self.score_weight_ * prior + views @ self.view_weights_
        for block in gen_batches(len(scores), BLOCK_SIZE):
            scores[block] += self._near(codes[block], self._judged_codes) @ self._near_weights
        return scores

    def _in_form(self, X):
        """Return rows that can be put below others, or refuse those that fit took otherwise."""
        X = _indexable(X)
        both_sparse = issparse(X) and hasattr(self._form, "tocsr")
        if not isinstance(X, self._form) and not both_sparse:
            # Frames of all libraries are called alike.
            known, got = (
                f"{form.__module__.partition('.')[0]} {form.__name__}"
                for form in (self._form, type(X))
            )
            raise ValueError(
                f"X must be of the form of the rows in fit, {known}, got {got}. Convert it."
            )
        return X

    def _decision(self, X):
        return np.asarray(self.detector_.decision_function(X), dtype=np.float64)

    def _prior(self, X):
        """Return the detector's own log odds; the order and the labels are its own."""
        # Detectors may give the lowest number there is to rows that overflow.
        limit = np.finfo(np.float64).max / 4
        with np.errstate(over="ignore"):
            decision = self._decision(X) / self._decision_scale
        return np.arcsinh(np.clip(decision, -limit, limit))

    def _represent(self, X):
        """Return prior log odds, views and codes of rows."""
        views, codes = _inputs_and_codes(self.detector_, X)
        views = self._view_scaler.transform(views)
        codes = views if codes is None else self._code_scaler.transform(codes)
        return self._prior(X), views, codes

    def _near(self, codes, others):
        return np.exp(-euclidean_distances(codes, others, squared=True) / self._width)

    def _judged_keys(self):
        return [] if self.verdicts_.X is None else _keys(self.verdicts_.X)

    def _keep(self, kept, X=None, y=()):
        """Keep some verdicts, add others, and learn from them all."""
        parts = [take_rows(self.verdicts_.X, kept)] if kept else []
        parts += [] if X is None else [X]
        y = np.concatenate([self.verdicts_.y[kept], y]).astype(np.int8)
        self._learn(_stack(parts) if parts else None, y)

    def _learn(self, X, y):
        """Set all weights to their most probable values given the verdicts."""
        if len(y) == 0:
            self.offset_, self.score_weight_ = 0.0, 1.0
            self.view_weights_ = np.zeros(self._view_scaler.n_features)
        else:
            # Cold, so that the order of calls to this method does not matter.
            prior, views, codes = self._represent(X)
            slope = self.strength / views.shape[1]
            linear = views @ views.T
            linear = linear.toarray() if issparse(linear) else linear
            kernel = self.strength * self._near(codes, codes) + slope * linear
            kernel += SCORE_VARIANCE * np.outer(prior, prior) + 1
            weights = _map_weights(kernel, prior, y)
            self.score_weight_ = float(1 + SCORE_VARIANCE * weights @ prior)
            self.view_weights_ = slope * (views.T @ weights)
            self.offset_ = -float(weights.sum())
            self._judged_codes, self._near_weights = codes, self.strength * weights
        self.verdicts_ = Bunch(X=X, y=y)


class _Squash:
    """Standardise columns, sparse ones without a shift, and draw far values in."""

    def fit(self, X):
        self.n_features = X.shape[1]
        self.scaler = StandardScaler(with_mean=not issparse(X)).fit(X)
        return self

    def transform(self, X):
        X = self.scaler.transform(X)
        if issparse(X):
            X.data = np.arcsinh(X.data)
            return X
        # What is missing is taken for the mean.
        return np.arcsinh(np.nan_to_num(X, copy=False))


def _inputs_and_codes(detector, X):
    """Return what the detector inside of pipelines and wrappers gets, and its codes."""
    parts = list(nested_rows(detector, X))
    encoder = next((part for part, _ in reversed(parts) if hasattr(part, "encode")), None)
    _, seen = parts[-1]
    views = _numbers(seen)
    try:
        return views, None if encoder is None else _numbers(encoder.encode(seen))
    except AttributeError:  # the network is one of the user's own that has no code
        return views, None


def _numbers(X):
    if not issparse(X):
        X = np.asarray(X)
        X = X.reshape(len(X), -1)
    X = check_array(
        X, accept_sparse="csr", dtype=np.float64, copy=True, ensure_all_finite=False
    )
    # Squares of anything larger overflow; what is missing stays so.
    values = X.data if issparse(X) else X
    np.clip(values, -1e100, 1e100, out=values)
    return X


def _indexable(X):
    """Return rows in a form of which some can be taken, and put below others."""
    if issparse(X):
        return X.tocsr()
    return np.asarray(X) if isinstance(X, list | tuple | np.ndarray) else X


def _keys(X):
    """Return what tells rows apart, one hashable a row."""
    if issparse(X):
        X = X.tocsr(copy=True)
        X.sum_duplicates()
        X.eliminate_zeros()
        ends, values = X.indptr, _single(X.data)
        return [
            (X.indices[i:j].astype(np.int64).tobytes(), values[i:j].tobytes())
            for i, j in pairwise(ends)
        ]
    values = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    values = values.reshape(len(values), -1)
    texts = [()] * len(values)
    if values.dtype.kind not in "biuf":
        # A column's type is no matter: integers are floats as soon as one is missing.
        values = values.astype(object)
        number = [[isinstance(value, Real | np.bool_) for value in row] for row in values]
        texts = [
            tuple(
                (i, str(value))
                for i, (value, is_number) in enumerate(zip(row, numbers, strict=True))
                if not is_number and str(value) not in MISSING
            )
            for row, numbers in zip(values, number, strict=True)
        ]
        values = np.where(number, values, np.nan)
    return [(row.tobytes(), text) for row, text in zip(_single(values), texts, strict=True)]


def _single(values):
    """Round numbers to single precision, in which float32 and float64 agree."""
    values = values.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(np.float32).astype(np.float64)
    # Beyond its range numbers stay as they are.
    rounded = np.where(np.isinf(rounded) | (rounded == 0), values, rounded)
    rounded += 0.0  # there is but one zero
    rounded[np.isnan(rounded)] = np.nan
    return rounded


def _stack(parts):
    """Return rows of one form, one below the other."""
    if issparse(parts[0]):
        return vstack(parts, format="csr")
    # Frames and series are joined by the library that they are of.
    library = sys.modules[type(parts[0]).__module__.partition(".")[0]]
    concatenate = np.concatenate if library is np else library.concat
    return concatenate(parts)


def _map_weights(kernel, prior, y):
    """Return the weights of the verdicts at the mode of the posterior.

    There they are what is left of the verdicts: the probability that a verdict's opposite
    still has, with the sign of the verdict.
    """
    root = cholesky(kernel + 1e-8 * np.mean(np.diag(kernel)) * np.eye(len(y)), lower=True)

    def loss(u):
        margins = y * (prior + root @ u)
        slopes = -y * expit(-margins)
        return np.logaddexp(0, -margins).sum() + u @ u / 2, root.T @ slopes + u

    u = minimize(loss, np.zeros(len(y)), jac=True, method="L-BFGS-B", options={"gtol": 1e-6}).x
    return y * expit(-y * (prior + root @ u))


def _farthest_first(codes, n):
    """Return n rows, the first one and each time the one farthest from those before."""
    chosen = [0]
    nearest = np.full(codes.shape[0], np.inf)
    while len(chosen) < n:
        last = euclidean_distances(codes, codes[[chosen[-1]]], squared=True)[:, 0]
        nearest = np.minimum(nearest, last)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    return chosen
