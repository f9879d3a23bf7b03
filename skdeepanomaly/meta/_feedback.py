"""A detector that learns from the verdicts of an analyst."""

from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cholesky
from scipy.optimize import minimize
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch, check_array, gen_batches
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import n_rows, take_rows
from ..utils.containers import as_indexable, container_of, stack
from ..utils.nesting import nested_rows
from ..utils.rows import spread
from ..utils.scores import decisions
from ..utils.types import Floats, Ints, Rows
from ..utils.undoing import undone_on_error
from ..utils.validation import HasMethods, Interval, check_labels
from ._rows import row_keys, single_columns
from ._verdict_files import read_verdicts
from ._wrapper import WrappedDetector, fit_detector

STRATEGIES = ("anomalous", "diverse", "uncertain")
# Prior variance of the weight of the detector's own score, whose prior mean is 1: verdicts on
# rows of one kind should not reverse the order of all other rows.
SCORE_VARIANCE = 0.25
# Scales are estimated from at most this many training rows.
MAX_ROWS_FOR_SCALES = 2000
# Rows are compared with the judged rows block by block, which bounds the memory.
BLOCK_SIZE = 4096


class FeedbackDetector(WrappedDetector):
    r"""A detector that learns from an analyst's verdicts, without being fitted again.

    ``query`` proposes rows to look at, ``add_feedback`` takes the analyst's verdicts, and
    scores and threshold change at once: rows like false alarms become more normal, rows
    like confirmed anomalies less normal, and all others keep the detector's own order.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; a clone
        is fitted.
    strength : float, default=4.0
        How much the verdicts may change: the prior variance of the log odds that they
        add. The smaller it is, the more verdicts a change takes.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector; verdicts do not change it.
    verdicts_ : Bunch
        The current verdicts: ``X``, the rows, in the container in which they came (None
        without verdicts), and ``y``, -1 for anomalies and +1 for normal rows.
    offset_ : float
        Threshold of ``score_samples``, moved by the verdicts; 0 without any.
    score_weight_ : float
        Weight of the detector's own score; 1 without verdicts.
    view_weights_ : ndarray of shape (n_views,)
        Weights of the standardised columns that the detector itself gets, in the log odds
        of a normal row; 0 without verdicts. In a pipeline these are the columns that its
        last step gets.

    See Also
    --------
    DeepSAD : Learns from a few labels while it is trained.

    Notes
    -----
    On top of the detector there is a logistic model whose prior is the detector: a Gaussian
    process for classification with explicit basis functions [1]_. Let :math:`d(x)` be the
    decision of the detector and :math:`m` its median size over the training rows. The log
    odds of a normal row are

    .. math:: f(x) = (1 + a) \, s(x) + b + w^\top v(x) + g(c(x)),
        \qquad s(x) = \operatorname{arsinh}(d(x) / m),

    so that without verdicts the order of the rows and the labels are the detector's own.
    The views :math:`v(x)` are the columns that the detector gets. :math:`c(x)` are its codes
    if it has ``encode``, and else these columns again. Both are standardised, and arsinh
    limits far values. The prior is :math:`a \sim N(0, 1/4)`, :math:`b \sim N(0, 1)`,
    :math:`w_j \sim N(0, \gamma / q)` for q columns, where :math:`\gamma` is ``strength``,
    and for :math:`g` a Gaussian process with the kernel
    :math:`\gamma \exp(-\|c - c'\|^2 / h)`, where h is the median squared distance of
    training rows. All are set to their most probable values given the verdicts.
    ``offset_`` is :math:`-b`, and ``score_samples`` is the rest of :math:`f`.

    Two rows are the same if their texts and their numbers are equal, whatever the types of the
    columns: the integer 40 is the float 40.0. A number in a column of single precision is the
    same as all numbers that are rounded to it. The rows are compared as they are given, not as
    the detector gets them: transformers in single precision round a row differently from batch
    to batch.

    A single verdict moves the threshold by less than one unit of log odds. If all verdicts
    are taken back, the scores are exactly as before the first.

    Reviewing the rows that are most anomalous by the current scores, the default of
    ``query``, is the rule of active anomaly discovery [2]_. That method also weights views,
    but it minimises a hinge loss around a quantile of the scores instead of a logistic one,
    and its views are the leaves of an isolation forest [3]_. Here columns and codes take
    their place, since every detector has them.

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

    def __init__(self, detector: BaseEstimator, *, strength: float = 4.0):
        self.detector = detector
        self.strength = strength

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the detector and forget all verdicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Passed on to the detector; these labels are not verdicts.
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
            If the detector is a classifier or a regressor.
        AttributeError
            If the detector has no ``decision_function`` for new rows.
        ValueError
            If ``strength`` is not positive.
        """
        self._validate_params()
        with undone_on_error(self):
            self._container = container_of(X)
            self.detector_ = fit_detector(self.detector, X, y, self._fit_params(params))
            rows = as_indexable(X)
            # The types of the columns, for verdicts that are read from a file.
            self._empty = take_rows(rows, np.array([], dtype=np.intp))
            some = take_rows(rows, spread(np.arange(n_rows(X)), MAX_ROWS_FOR_SCALES))
            scale = np.median(np.abs(self._decision(some)))
            self._decision_scale = scale if np.isfinite(scale) and scale > 0 else 1.0
            views, codes = _inputs_and_codes(self.detector_, some)
            self._view_scaler = _Squash().fit(views)
            self._code_scaler = None if codes is None else _Squash().fit(codes)
            _, _, codes = self._represent(some)
            self._width = np.median(euclidean_distances(codes, squared=True)) or 1.0
            self._learn(None, np.array([], dtype=np.int8))
            self._judged_single: list[tuple[bool, ...]] = []
        return self

    def add_feedback(self, X: Rows, y: ArrayLike) -> Self:
        """Take verdicts on rows and change the scores and the threshold accordingly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the same container as in ``fit``: a frame of the same library, a sparse
            matrix, or an array or list.
        y : array-like of shape (n_samples,)
            -1 for anomalies, +1 for normal rows (false alarms), 0 for rows without a
            verdict. A row has one verdict: a new one replaces the old one.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If X is in another container than in ``fit``; if y is None or holds other values,
            or only 0 and 1, where 1 may mark anomalies; or if equal rows of one call have
            different verdicts.
        """
        check_is_fitted(self)
        self._validate_params()
        X = self._checked(X)
        if y is None:
            raise ValueError(
                "y is None, expected a verdict for each row of X: -1 for an anomaly, +1 for a"
                " normal row and 0 for none."
            )
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
        single = single_columns(X)
        keys = row_keys(take_rows(X, judged), single)
        rows = dict(zip(keys, judged, strict=True))
        for key, row in zip(keys, judged, strict=True):
            if labels[row] != labels[rows[key]]:
                raise ValueError(
                    f"Rows {row} and {rows[key]} of X are equal but have different verdicts."
                    " Give a row one verdict."
                )
        added = np.sort(list(rows.values()))
        new = take_rows(X, added)
        # The detector itself refuses rows with other columns.
        self._decision(take_rows(X, added[:1]))
        replaced = {i for places in self._places(new, single) for i in places}
        kept = [i for i in range(len(self.verdicts_.y)) if i not in replaced]
        self._keep(kept, new, labels[added], single)
        return self

    def add_feedback_from(self, path: str | PathLike[str], X: Rows | None = None) -> Self:
        """Take the verdicts that were given on the page of an ``AnomalyReport``.

        Parameters
        ----------
        path : str or path-like
            The file that the page exported. A verdict "?" is left out.
        X : array-like of shape (n_samples, n_features), default=None
            The rows that the report was made of, in the same order. They are needed where the
            file does not hold all values of a row, as where columns are hidden. None makes
            the rows from the values in the file.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If it is no file of verdicts, rows cannot be made from it, X are not the rows of
            the report, or as in ``add_feedback``.
        """
        check_is_fitted(self)
        X = None if X is None else self._checked(X)
        rows, labels = read_verdicts(path, X, self._empty, self._container)
        return self if rows is None else self.add_feedback(rows, labels)

    def remove_feedback(
        self, X: Rows | None = None, *, indices: int | ArrayLike | None = None
    ) -> Self:
        """Take verdicts back.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose verdicts are taken back.
        indices : int or array-like of int, default=None
            Positions in ``verdicts_``. With neither X nor indices all verdicts are taken
            back.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If both are given, X is in another container than in ``fit``, a row of X has no
            verdict, or an index is out of range.
        """
        check_is_fitted(self)
        self._validate_params()
        n_verdicts = len(self.verdicts_.y)
        if X is not None and indices is not None:
            raise ValueError("Pass X or indices, not both.")
        if X is not None:
            X = self._checked(X)
            places = self._places(X, single_columns(X))
            unknown = [row for row, found in enumerate(places) if not found]
            if unknown:
                raise ValueError(
                    f"There is no verdict on row {unknown[0]} of X; verdicts_.X holds the"
                    f" {n_verdicts} rows that were judged."
                )
            removed = np.array([i for found in places for i in found], dtype=np.intp)
        elif indices is not None:
            given = np.atleast_1d(indices)
            if given.size and not np.issubdtype(given.dtype, np.integer):
                raise ValueError(f"indices must be integers, got {indices!r}.")
            removed = given.astype(np.intp)
            if ((removed < -n_verdicts) | (removed >= n_verdicts)).any():
                raise ValueError(
                    f"indices must lie in verdicts_, which has {n_verdicts} rows, got"
                    f" {indices!r}."
                )
        else:
            removed = np.arange(n_verdicts)
        self._keep(np.delete(np.arange(n_verdicts), removed).tolist())
        return self

    def query(
        self,
        X: Rows,
        n: int = 10,
        *,
        strategy: Literal["anomalous", "diverse", "uncertain"] = "anomalous",
    ) -> Ints:
        """Propose rows to judge next.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to choose from, in the same container as in ``fit``. Rows with a verdict are
            left out, and only one of several equal rows is proposed.
        n : int, default=10
            Number of rows. Fewer are proposed if no more are left.
        strategy : {"anomalous", "diverse", "uncertain"}, default="anomalous"
            "anomalous": the rows with the most anomalous current scores; finds most
            anomalies. "diverse": of three times as many such rows, those that differ most
            from each other; finds about as many anomalies, of more kinds. "uncertain": the
            rows nearest to the threshold; finds few anomalies, but makes the threshold
            more certain.

        Returns
        -------
        indices : ndarray of int
            Positions in X, in the order in which to look at the rows.

        Raises
        ------
        ValueError
            If X is in another container than in ``fit``, n is not a positive integer, or
            the strategy is unknown.
        """
        check_is_fitted(self)
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be an integer of at least 1, got {n!r}.")
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, got {strategy!r}.")
        X = self._checked(X)
        decision = self.decision_function(X)
        merit = np.abs(decision) if strategy == "uncertain" else decision
        order = np.argsort(merit, kind="stable")
        n_candidates = 3 * n if strategy == "diverse" else n
        single, seen, candidates = single_columns(X), set(), []
        # Block by block: mostly the first few rows are enough.
        for block in gen_batches(len(order), BLOCK_SIZE):
            rows = order[block]
            some = take_rows(X, rows)
            keys, places = row_keys(some, single), self._places(some, single)
            for row, key, judged in zip(rows, keys, places, strict=True):
                if not judged and key not in seen:
                    seen.add(key)
                    candidates.append(row)
            if len(candidates) >= n_candidates:
                break
        candidates = np.array(candidates[:n_candidates], dtype=np.intp)
        if strategy == "diverse" and len(candidates) > n:
            _, _, codes = self._represent(take_rows(X, candidates))
            candidates = candidates[_farthest_first(codes, n)]
        return candidates

    def score_samples(self, X: Rows) -> Floats:
        """Return how normal rows are, given the verdicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal: the log odds of a normal row without the part that
            moves the threshold.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detector inside refuses X.
        """
        check_is_fitted(self)
        if len(self.verdicts_.y) == 0:
            return self._prior(X)
        prior, views, codes = self._represent(X)
        scores = self.score_weight_ * prior + views @ self.view_weights_
        for block in gen_batches(len(scores), BLOCK_SIZE):
            scores[block] += self._near(codes[block], self._judged_codes) @ self._near_weights
        return scores

    def _checked(self, X: Rows) -> Any:
        """Return rows of which some can be taken, or refuse another container than in fit."""
        if (given := container_of(X)) != self._container:
            raise ValueError(
                f"X must be in the same container as the rows in fit, {self._container}, got"
                f" {given}. Convert it."
            )
        return as_indexable(X)

    def _decision(self, X: Rows) -> Floats:
        return decisions(self.detector_, X)

    def _prior(self, X: Rows) -> Floats:
        """Return the log odds without verdicts, which keep the detector's order and labels."""
        # Detectors may give the lowest float to rows that overflow.
        limit = np.finfo(np.float64).max / 4
        with np.errstate(over="ignore"):
            decision = self._decision(X) / self._decision_scale
        return np.arcsinh(np.clip(decision, -limit, limit))

    def _represent(self, X: Rows) -> tuple[Floats, Any, Any]:
        """Return log odds without verdicts, views and codes of rows."""
        views, codes = _inputs_and_codes(self.detector_, X)
        views = self._view_scaler.transform(views)
        scaler = self._code_scaler
        codes = views if codes is None or scaler is None else scaler.transform(codes)
        return self._prior(X), views, codes

    def _near(self, codes: Any, others: Any) -> Floats:
        return np.exp(-euclidean_distances(codes, others, squared=True) / self._width)

    def _places(self, X: Rows, single: tuple[bool, ...]) -> list[list[int]]:
        """Return for each row the positions in ``verdicts_`` of those that are the same row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        single : tuple of bool
            Which of their columns are in single precision.

        Returns
        -------
        places : list of list of int
            Empty lists for rows without a verdict.
        """
        places: list[list[int]] = [[] for _ in range(n_rows(X))]
        for judged_single in set(self._judged_single):
            if len(single) != len(judged_single):
                raise ValueError(
                    f"X has {len(single)} columns, but the rows in verdicts_.X have"
                    f" {len(judged_single)}. Pass rows with the same columns."
                )
            either = tuple(a or b for a, b in zip(single, judged_single, strict=True))
            alike = [i for i, own in enumerate(self._judged_single) if own == judged_single]
            keys = row_keys(take_rows(self.verdicts_.X, alike), either)
            known: dict[Any, list[int]] = {}
            for i, key in zip(alike, keys, strict=True):
                known.setdefault(key, []).append(i)
            for found, key in zip(places, row_keys(X, either), strict=True):
                found += known.get(key, [])
        return places

    def _keep(
        self,
        kept: list[int],
        X: Any = None,
        y: ArrayLike = (),
        single: tuple[bool, ...] = (),
    ) -> None:
        """Keep some verdicts, add others, and learn from them all."""
        parts = [take_rows(self.verdicts_.X, kept)] if kept else []
        parts += [] if X is None else [X]
        y = np.concatenate([self.verdicts_.y[kept], y]).astype(np.int8)
        judged_single = [self._judged_single[i] for i in kept] + [single] * (len(y) - len(kept))
        self._learn(stack(parts) if parts else None, y)
        self._judged_single = judged_single

    def _learn(self, X: Any, y: NDArray[np.int8]) -> None:
        """Set all weights to their most probable values given the verdicts."""
        if len(y) == 0:
            self.offset_, self.score_weight_ = 0.0, 1.0
            self.view_weights_ = np.zeros(self._view_scaler.n_features)
        else:
            # Always from scratch: the same verdicts in another order must give the same
            # weights.
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
    """Standardise columns, sparse ones without a shift, and limit far values by arsinh."""

    def fit(self, X: Any) -> Self:
        self.n_features = X.shape[1]
        scaler = StandardScaler(with_mean=not issparse(X)).set_output(transform="default")
        # A column may have no value at all.
        with np.errstate(invalid="ignore"):
            self.scaler = scaler.fit(X)
        return self

    def transform(self, X: Any) -> Any:
        X = self.scaler.transform(X)
        if issparse(X):
            X.data = np.arcsinh(X.data)
            return X
        # Missing values become the mean.
        return np.arcsinh(np.nan_to_num(X, copy=False))


def _inputs_and_codes(detector: BaseEstimator, X: Rows) -> tuple[Any, Any]:
    """Return the rows as the innermost detector gets them, and its codes or None."""
    parts = list(nested_rows(detector, X))
    encoder = next((part for part, _ in reversed(parts) if hasattr(part, "encode")), None)
    _, seen = parts[-1]
    views = _numbers(seen)
    try:
        return views, None if encoder is None else _numbers(encoder.encode(seen))
    except AttributeError:  # a module of the user's own that has no encode
        return views, None


def _numbers(X: Any) -> Any:
    if not issparse(X):
        X = np.asarray(X)
        X = X.reshape(len(X), -1) if X.ndim > 2 else X
    X = check_array(
        X, accept_sparse="csr", dtype=np.float64, copy=True, ensure_all_finite=False
    )
    # The squares of larger numbers overflow. Missing values stay missing.
    values = X.data if issparse(X) else X
    np.clip(values, -1e100, 1e100, out=values)
    return X


def _map_weights(kernel: Floats, prior: Floats, y: NDArray[np.int8]) -> Floats:
    """Return the weights of the verdicts at the mode of the posterior.

    The weight of a verdict is the probability that the model still gives to its opposite,
    with the sign of the verdict.
    """
    root = cholesky(kernel + 1e-8 * np.mean(np.diag(kernel)) * np.eye(len(y)), lower=True)

    def loss(u: Floats) -> tuple[float, Floats]:
        margins = y * (prior + root @ u)
        slopes = -y * expit(-margins)
        return np.logaddexp(0, -margins).sum() + u @ u / 2, root.T @ slopes + u

    u = minimize(loss, np.zeros(len(y)), jac=True, method="L-BFGS-B", options={"gtol": 1e-6}).x
    return y * expit(-y * (prior + root @ u))


def _farthest_first(codes: Any, n: int) -> list[int]:
    """Return n rows: the first, and each time the row farthest from those chosen before."""
    chosen = [0]
    nearest = np.full(codes.shape[0], np.inf)
    while len(chosen) < n:
        last = euclidean_distances(codes, codes[[chosen[-1]]], squared=True)[:, 0]
        nearest = np.minimum(nearest, last)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    return chosen
