"""Several detectors as one: an average of their scores in a common unit."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler
from sklearn.utils import Tags, column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from ..explain import explain_columns
from ..thresholds import choose_offset
from ..utils._compat import BaseComposition, n_rows, parallel_block
from ..utils.nesting import nested, reads_labels
from ..utils.randomness import check_local_random_state, random_seed, unseeded_clone
from ..utils.rows import n_drawn
from ..utils.scores import OffsetMixin, normality_scores
from ..utils.types import Contamination, Floats, Ints, RandomState, Rows
from ..utils.validation import MAX_SAMPLES, Interval, StrOptions
from ._combining import SCALES, combine_views
from ._wrapper import fit_detector

# A share of the rows, and a unit, need so many rows.
MIN_ROWS = 20
# Share of the rows that is left out, of losses or of a second fit, if some are anomalies.
TRIMMED_FRACTION = 0.2


class EnsembleDetector(OffsetMixin, BaseComposition):
    r"""Anomaly detection by the average of several detectors that fail differently.

    Detectors of different kinds err on different rows, so that their average is better than
    most of them, and often better than each [1]_. Scores of different kinds are no numbers of
    one unit: they are brought to one by the scores of the training rows.

    Parameters
    ----------
    detectors : list of (str, estimator) or None, default=None
        Names and outlier detectors, of this package or any that follows scikit-learn; or
        pipelines that end in one, each with columns of its own if its first step selects them.
        ``"drop"`` in place of a detector leaves it out. None takes the members in the Notes.
    combine : {"tail", "zscore", "rank", "max"}, default="tail"
        Unit of the scores of a member. ``"tail"``: minus the logarithm of the share of training
        rows that score as high or higher [2]_, beyond the largest as in a generalised Pareto
        distribution. ``"zscore"``: robust standard deviations above the median. ``"rank"``:
        share of the training rows that score lower, which is the same for all rows beyond the
        largest. The score is the mean over the members; with ``"max"`` it is the largest one,
        in the unit of ``"tail"``.
    weights : array-like of shape (n_detectors,) or None, default=None
        Weights of the members, those that are dropped included. None weighs all alike.
    n_estimators : int or "auto", default="auto"
        Number of clones of each member, each fitted with a seed of its own to its own rows. The
        mean of their scores in the common unit is the score of the member. With more than one,
        the seeds are drawn by ``random_state`` even if a member has its own. ``"auto"`` is 2
        for the default members with ``assume="clean"``, and otherwise 1.
    max_samples : int, float or None, default=None
        Number, or share, of the training rows that a clone is fitted to, drawn without
        replacement; a share stands for 20 rows at least. With a tenth of the rows each, few
        anomalies among the training rows are in the sample of a clone, so that the others
        recognise them [3]_. None takes all.
    trimmed_fraction : float in [0, 1) or "auto", default="auto"
        Share of the training rows that is left out of a second fit: those that score lowest
        after the first one. So anomalies among them teach the members nothing. With 0 there is
        no second fit. ``"auto"`` is 0.2 for the default members with
        ``assume="contaminated"``, and otherwise 0.
    assume : {"clean", "contaminated", "unknown"}, default="unknown"
        What the default members are chosen for: training rows of which hardly any is an
        anomaly, or of which some per cent are, or either. The choice for either is never far
        behind; the other two lose much where they do not belong.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of outliers in the training rows; it determines ``offset_``. With ``"auto"`` a
        row is an outlier if its score is more than three robust standard deviations below the
        median of the training scores.
    n_jobs : int or None, default=None
        Number of members that are fitted at the same time, as in joblib. The scores are the
        same for any number.
    random_state : int, RandomState instance or None, default=None
        Seed of the samples, and of all members whose own ``random_state`` is None. With an int
        the scores repeat.

    Attributes
    ----------
    detectors_ : list of list of estimators
        The fitted clones of each member that is not dropped.
    names_ : list of str
        Names of these members.
    weights_ : ndarray of shape (n_members,)
        Their weights, which sum to 1.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    n_features_in_ : int
        Number of features, if the first member knows it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the first member knows them.

    See Also
    --------
    ClusterwiseDetector : One detector for each cluster of rows.
    UnsupervisedSearch : Chooses one of several detectors.

    Notes
    -----
    The default members were chosen on 22 tables (:doc:`/benchmarks/ensembles`):

    - ``assume="unknown"``: the mean distance to 50 neighbours, that to 50 neighbours of
      robustly scaled and squashed features, :class:`AutoEncoder`, :class:`RegressionResidual`,
      :class:`NeuTraL` and :class:`DeepOneClassSVM`. The losses of the auto-encoder and of the
      regression leave out a fifth of the rows (``trimmed_fraction=0.2``).
    - ``assume="contaminated"``: :class:`~sklearn.ensemble.IsolationForest` in place of
      :class:`DeepOneClassSVM`, and all fitted again to the four fifths of the rows that look
      most normal at first.
    - ``assume="clean"``: the distance to the nearest row, that to five neighbours of squashed
      features, :class:`AutoEncoder`, :class:`NeuTraL` and :class:`DeepOneClassSVM`, each twice,
      because networks of other seeds rank the rows differently.

    All else is at its defaults. Scale the columns first, for example with
    :class:`~sklearn.preprocessing.StandardScaler`.

    Leaving rows out and fitting again is the concentration step of robust estimators such as
    :class:`~sklearn.covariance.MinCovDet` [4]_. Where there are no anomalies to leave out, the
    rows that are left out are the rare normal ones, and new ones like them seem abnormal. If a
    member learns from labels, such as :class:`DeepSAD`, rows with one, -1 or +1, stay.

    The unit of a clone that is fitted to a sample is that of its scores of all other rows, if
    there are 20 of them: a network knows the rows that it was fitted to.

    Detectors of series, such as :class:`SlidingWindowDetector`, can be members, if all of
    them are fitted to all time stamps: leave ``max_samples`` and ``trimmed_fraction`` out.

    References
    ----------
    .. [1] C. C. Aggarwal, S. Sathe, "Theoretical foundations and algorithms for outlier
       ensembles", SIGKDD Explorations 17(1), 2015.
    .. [2] H.-P. Kriegel, P. Kröger, E. Schubert, A. Zimek, "Interpreting and unifying outlier
       scores", SDM 2011.
    .. [3] A. Zimek, M. Gaudet, R. J. G. B. Campello, J. Sander, "Subsampling for efficient and
       effective unsupervised outlier detection ensembles", KDD 2013.
    .. [4] P. J. Rousseeuw, K. Van Driessen, "A fast algorithm for the minimum covariance
       determinant estimator", Technometrics 41(3), 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import AutoEncoder, EnsembleDetector
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> detector = EnsembleDetector(
    ...     [("network", AutoEncoder(max_epochs=20)), ("forest", IsolationForest())],
    ...     contamination=0.01, random_state=0,
    ... ).fit(X)
    >>> detector.predict([[0, 0, 0, 0], [9, 9, 9, 9]])
    array([ 1, -1])
    >>> detector.score_views(X[:2]).shape
    (2, 2)
    """

    _parameter_constraints: dict = {
        "detectors": [list, tuple, None],
        "combine": [StrOptions(set(SCALES))],
        "weights": ["array-like", None],
        "n_estimators": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_samples": MAX_SAMPLES,
        "trimmed_fraction": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "assume": [StrOptions({"clean", "contaminated", "unknown"})],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detectors: Sequence[tuple[str, BaseEstimator | Literal["drop"]]] | None = None,
        *,
        combine: Literal["tail", "zscore", "rank", "max"] = "tail",
        weights: ArrayLike | None = None,
        n_estimators: int | Literal["auto"] = "auto",
        max_samples: int | float | None = None,
        trimmed_fraction: float | Literal["auto"] = "auto",
        assume: Literal["clean", "contaminated", "unknown"] = "unknown",
        contamination: Contamination = 0.1,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ):
        self.detectors = detectors
        self.combine = combine
        self.weights = weights
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.trimmed_fraction = trimmed_fraction
        self.assume = assume
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with ``deep`` also the members by name and theirs.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the members, too.

        Returns
        -------
        params : dict
            Names and values.
        """
        # What is no list of pairs is refused by fit, with a message.
        return self._get_params("detectors", deep=deep and _are_pairs(self.detectors))

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of members; a member can be replaced, or ``"drop"``.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : object
            The ensemble.
        """
        self._set_params("detectors", **params)
        return self

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit all members, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or None
            Handed on to the members; those that read no labels ignore it.
        **params : dict
            Arguments of the ``fit`` of members. They need metadata routing to be enabled.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        TypeError
            If a member is not an outlier detector, or is one for series and
            rows are drawn or left out.
        ValueError
            If a parameter is not valid, or scores of a member are not finite.
        """
        self._validate_params()
        X, y = indexable(X, y)
        members, weights = self._members()
        if params and not get_config()["enable_metadata_routing"]:
            raise ValueError(
                f"fit got {sorted(params)}, which members get only by metadata routing. Call"
                " sklearn.set_config(enable_metadata_routing=True), and set_fit_request of the"
                " members that want them."
            )
        routed = process_routing(self, "fit", **params) if params else {}
        rng = check_local_random_state(self.random_state)
        fit = partial(self._fit_members, X, y, members, weights, routed, rng)
        groups, scales, scores = fit(None)
        order = np.argsort(scores, kind="stable")
        if y is not None and any(reads_labels(detector) for _, detector in members):
            # Rows with a known label are not doubted.
            order = order[column_or_1d(y)[order] == 0]
        worst = order[: int(self._trimmed_share() * len(scores))]
        if len(worst):
            groups, scales, scores = fit(np.delete(np.arange(len(scores)), worst))
        # All at once, so that a fit that failed leaves what was fitted before.
        self.names_, self.detectors_, self.weights_ = [n for n, _ in members], groups, weights
        self._scales, self._combine = scales, self.combine
        self.offset_ = choose_offset(scores, self.contamination)
        return self

    def score_samples(self, X: Rows) -> Floats:
        """Return the normality scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Minus the mean, or the largest, of the anomaly scores of the members in their common
            unit.

        Raises
        ------
        NotFittedError
            If the ensemble is not fitted.
        """
        views = -self.score_views(X)
        return -combine_views(views, self.weights_, self._combine)

    def score_views(self, X: Rows) -> Floats:
        """Return the normality scores of rows by each member, in the common unit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_members), float64
            The higher, the more normal; in the order of ``names_``.

        Raises
        ------
        NotFittedError
            If the ensemble is not fitted.
        """
        check_is_fitted(self)
        views = [
            _mean_view(scales, [_anomaly_scores(name, one, X) for one in group])
            for name, group, scales in zip(
                self.names_, self.detectors_, self._scales, strict=True
            )
        ]
        return -np.stack(views, axis=1)

    def _can_explain(self) -> bool:
        if hasattr(self, "names_") and not any(self._explaining()):
            raise AttributeError(
                f"None of the members {self.names_} has explain, so that the ensemble has none."
                " Add one that has, such as AutoEncoder."
            )
        return True

    def _explaining(self) -> list[bool]:
        """Return for each member whether it has ``explain`` and counts."""
        return [
            weight > 0 and any(hasattr(part, "explain") for part in nested(group[0]))
            for group, weight in zip(self.detectors_, self.weights_, strict=True)
        ]

    @available_if(_can_explain)
    def explain(self, X: ArrayLike) -> Floats:
        """Return the share of each feature in the anomaly score of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features), float64
            Of each member the contributions of its ``explain``, as shares of the sum of their
            sizes, times its anomaly score in the common unit; then the weighted mean over the
            members. With ``combine="max"`` those of the member with the highest score. Members
            without ``explain``, such as isolation forests, are left out.

        Raises
        ------
        NotFittedError
            If the ensemble is not fitted.
        """
        views, explaining = -self.score_views(X), np.array(self._explaining())
        own = self.weights_ * explaining
        weights = np.broadcast_to(own / own.sum(), views.shape)
        if self._combine == "max":
            best = np.where(explaining, views, -np.inf).argmax(axis=1)
            weights = best[:, None] == np.arange(views.shape[1])
        total: Floats = np.zeros(())
        for i in np.flatnonzero(explaining):
            group = self.detectors_[i]
            parts = np.mean([_shares(explain_columns(one, X)) for one in group], axis=0)
            total = total + (weights[:, i] * views[:, i])[:, None] * parts
        return total

    @property
    def named_detectors_(self) -> dict[str, list[BaseEstimator]]:
        """Dict from the name of each member to the list of its fitted clones."""
        return dict(zip(self.names_, self.detectors_, strict=True))

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.detectors_[0][0].n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features."""
        return self.detectors_[0][0].feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata is routed: from ``fit`` to the ``fit`` of each member.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        router = MetadataRouter(owner=type(self).__name__)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for name, detector in self._members()[0]:
            router.add(**{name: detector}, method_mapping=mapping)
        return router

    def _members(self) -> tuple[list, np.ndarray]:
        """Return the names and detectors that are not dropped, and their weights."""
        given = self.detectors
        pairs = default_members(self.assume) if given is None else list(given)
        if not _are_pairs(pairs):
            raise ValueError(
                f"detectors must be a list of pairs (name, detector), got {self.detectors!r}."
            )
        names = [name for name, _ in pairs]
        if not all(isinstance(name, str) for name in names):
            raise ValueError(f"Names of detectors must be strings, got {names}.")
        self._validate_names(names)
        weights = np.ones(len(pairs)) if self.weights is None else self._read_weights(pairs)
        is_kept = [not (isinstance(one, str) and one == "drop") for _, one in pairs]
        members = [pair for pair, kept in zip(pairs, is_kept, strict=True) if kept]
        for name, detector in members:
            if isinstance(detector, type) or not hasattr(detector, "fit"):
                raise TypeError(
                    f"The member {name!r} is {detector!r}, expected an outlier detector such as"
                    ' IsolationForest(), or "drop".'
                )
        weights = weights[is_kept]
        if not weights.sum() > 0:
            raise ValueError(
                f"No member with a weight is left of {names}: keep at least one detector that"
                ' is not "drop", with a positive weight.'
            )
        return members, weights / weights.sum()

    def _read_weights(self, pairs: list) -> np.ndarray:
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (len(pairs),) or not np.isfinite(weights).all():
            raise ValueError(
                f"weights must hold one finite number for each of {len(pairs)} detectors, got"
                f" {self.weights!r}."
            )
        if (weights < 0).any():
            raise ValueError(f"weights must not be negative, got {self.weights!r}.")
        return weights

    def _n_clones(self) -> int:
        if self.n_estimators != "auto":
            return int(self.n_estimators)
        return 2 if self.detectors is None and self.assume == "clean" else 1

    def _trimmed_share(self) -> float:
        if self.trimmed_fraction != "auto":
            return float(self.trimmed_fraction)
        is_default = self.detectors is None and self.assume == "contaminated"
        return TRIMMED_FRACTION if is_default else 0.0

    def _fit_members(
        self,
        X: Rows,
        y: ArrayLike | None,
        members: list,
        weights: Floats,
        routed: Any,
        rng: np.random.RandomState,
        kept: Ints | None,
    ) -> tuple[list, list, Floats]:
        """Fit the clones of all members to the kept rows, of which None stands for all.

        Returns
        -------
        groups : list of list of estimators
            The fitted clones of each member.
        scales : list of list of scales
            Their units.
        scores : ndarray of shape (n_samples,)
            Normality scores of all rows.
        """
        n = self._n_clones()
        samples = [self._draw_rows(X, kept, rng) for _ in members for _ in range(n)]
        seeds = [random_seed(rng) for _ in samples]
        clones = [pair for pair in members for _ in range(n)]
        if n > 1:
            # Clones with one seed would be the same.
            clones = [(name, unseeded_clone(detector)) for name, detector in clones]
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_member)(
                detector,
                X,
                y,
                routed[name].fit if routed else None,
                kept if rows is None else rows,
                seed,
            )
            for (name, detector), rows, seed in zip(clones, samples, seeds, strict=True)
        )
        groups = [fitted[i : i + n] for i in range(0, len(fitted), n)]
        all_scales, views = [], []
        for i, ((name, _), group) in enumerate(zip(members, groups, strict=True)):
            own = [_anomaly_scores(name, one, X) for one in group]
            scales = [
                SCALES[self.combine](_out_of_sample(one, rows))
                for one, rows in zip(own, samples[i * n : (i + 1) * n], strict=True)
            ]
            views.append(_mean_view(scales, own))
            all_scales.append(scales)
        scores = -combine_views(np.stack(views, axis=1), weights, self.combine)
        return groups, all_scales, scores

    def _draw_rows(self, X: Rows, kept: Ints | None, rng: np.random.RandomState) -> Ints | None:
        """Return a sample of the kept rows for a clone; None if it is fitted to all of them."""
        rows = np.arange(n_rows(X)) if kept is None else kept
        size = n_drawn(self.max_samples, len(rows))
        return None if size == len(rows) else np.sort(rng.choice(rows, size, replace=False))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "offset_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        members = [get_tags(detector) for _, detector in self._members()[0]]
        inputs = [member.input_tags for member in members]
        for name in ("sparse", "allow_nan", "string", "categorical"):
            setattr(tags.input_tags, name, all(getattr(one, name) for one in inputs))
        tags.target_tags.required = any(one.target_tags.required for one in members)
        tags.non_deterministic = any(one.non_deterministic for one in members)
        return tags

    def _sk_visual_block_(self) -> Any:
        members = self._members()[0]
        return parallel_block([one for _, one in members], [name for name, _ in members])


def _are_pairs(detectors: Any) -> bool:
    return isinstance(detectors, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in detectors
    )


def default_members(assume: str) -> list:
    """Return the names and detectors of the default ensemble.

    Parameters
    ----------
    assume : {"clean", "contaminated", "unknown"}
        Whether the training rows are normal, or hold anomalies.

    Returns
    -------
    members : list of (str, estimator)
        The members.
    """
    from ..detectors import (
        AutoEncoder,
        DeepOneClassSVM,
        NeighborDistance,
        NeuTraL,
        RegressionResidual,
    )

    def squashed_neighbors(n_neighbors: int) -> Pipeline:
        return make_pipeline(
            RobustScaler(unit_variance=True),
            FunctionTransformer(squashed, feature_names_out="one-to-one"),
            NeighborDistance(n_neighbors=n_neighbors),
        )

    neutral = ("neutral", NeuTraL())
    one_class_svm = ("one_class_svm", DeepOneClassSVM())
    if assume == "clean":
        return [
            ("neighbors_1", NeighborDistance(n_neighbors=1)),
            ("squashed_neighbors", squashed_neighbors(5)),
            ("auto_encoder", AutoEncoder()),
            neutral,
            one_class_svm,
        ]
    robust = [
        ("neighbors_50", NeighborDistance(n_neighbors=50)),
        ("squashed_neighbors", squashed_neighbors(50)),
        ("auto_encoder", AutoEncoder(trimmed_fraction=TRIMMED_FRACTION)),
        ("regression_residual", RegressionResidual(trimmed_fraction=TRIMMED_FRACTION)),
        neutral,
    ]
    return [
        *robust,
        ("forest", IsolationForest()) if assume == "contaminated" else one_class_svm,
    ]


def squashed(X: np.ndarray) -> np.ndarray:
    """Map robustly scaled numbers into (-3, 3), those near zero to about themselves.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers.

    Returns
    -------
    squashed : ndarray of shape (n_samples, n_features)
        ``x / sqrt(1 + (x / 3) ** 2)``.
    """
    # A quotient of infinities would be NaN.
    X = np.clip(np.asarray(X, dtype=np.float64), -1e150, 1e150)
    return X / np.hypot(1.0, X / 3)


def _fit_member(
    detector: BaseEstimator,
    X: Rows,
    y: ArrayLike | None,
    params: dict[str, Any] | None,
    rows: Ints | None,
    seed: int,
) -> BaseEstimator:
    rng = np.random.RandomState(seed)
    return fit_detector(detector, X, y, params=params, rows=rows, rng=rng)


def _anomaly_scores(name: str, detector: BaseEstimator, X: Rows) -> np.ndarray:
    """Return the anomaly scores (n,) of a fitted member."""
    scores = normality_scores(detector, X)
    if not np.isfinite(scores).all():
        raise ValueError(
            f"The member {name!r}, {type(detector).__name__}, gave"
            f" {(~np.isfinite(scores)).sum()} of {len(scores)} scores that are not finite."
            " Scale X, or drop it."
        )
    return np.negative(scores, out=scores)


def _out_of_sample(scores: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    """Return the scores of the rows that a clone was not fitted to; of all if there are few."""
    if rows is None or len(scores) - len(rows) < MIN_ROWS:
        return scores
    return np.delete(scores, rows)


def _mean_view(scales: list, scores: list) -> np.ndarray:
    """Return the mean anomaly scores (n,) of the clones of a member in the common unit."""
    return np.mean([scale(one) for scale, one in zip(scales, scores, strict=True)], axis=0)


def _shares(contributions: ArrayLike) -> np.ndarray:
    """Return contributions (n, n_features) as shares of the sum of their sizes."""
    contributions = np.asarray(contributions, dtype=np.float64)
    # First by the largest one, as a sum of huge ones overflows.
    largest = np.abs(contributions).max(axis=1, keepdims=True)
    contributions = contributions / np.where(largest > 0, largest, 1.0)
    sums = np.abs(contributions).sum(axis=1, keepdims=True)
    return contributions / np.where(sums > 0, sums, 1.0)
