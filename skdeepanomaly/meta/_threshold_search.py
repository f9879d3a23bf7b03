"""A search for the threshold by labels, with one fit per fold."""

import inspect
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import Bunch, Tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from ..metrics import label_scorers, outlier_scorers, signed_labels
from ..thresholds import THRESHOLDS, QuantileThreshold
from ..utils._compat import check_method_params, n_rows, take_rows
from ..utils.randomness import check_local_random_state, kept_numpy_state, seeded_clone
from ..utils.scores import normality_scores
from ..utils.types import Floats, Folds, Ints, RandomState, Rows
from ..utils.validation import HasMethods
from ._held_out import fit_rule
from ._wrapper import WrappedDetector, fit_detector

# A denser grid is no better on rows that the search did not see: the more candidates there are,
# the more often the best one is best by chance.
DEFAULT_SHARES = (
    *(0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08),
    *(0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5),
)


class ThresholdSearchCV(WrappedDetector):
    """A detector whose threshold is chosen by labels, with one fit per fold.

    A grid search over ``contamination`` trains the same detector again for every candidate.
    This search fits the detector once per fold and tries all candidates on its scores.

    Parameters
    ----------
    detector : estimator
        Outlier detector, or a pipeline that ends in one; clones are fitted. A parameter
        ``contamination`` is not needed.
    scoring : str or callable, default="f1"
        The score to maximise: "f1", "precision", "recall", "balanced_accuracy" or "neg_cost"
        of ``outlier_scorers``, or a scorer ``scorer(detector, X, y)`` that judges the labels
        of ``predict``, such as ``make_scorer(outlier_cost, missed=50,
        greater_is_better=False)``.
    candidates : array-like or None, default=None
        Shares of the training rows to flag (``contamination``), in (0, 0.5], and threshold
        rules such as ``POTThreshold(0.02)`` or their names as in
        :class:`ThresholdedDetector`. None takes 23 shares between 0.001 and 0.5. Shares are
        cut from the scores of all training rows; rules are fitted to the scores of the
        training rows that are not known anomalies.
    cv : int, cross-validation generator or iterable, default=None
        The folds. None makes 5 folds, an int as many; both are shuffled and stratified by
        class.
    n_jobs : int or None, default=None
        Number of folds to fit at the same time.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle, and of rules and each part of the detector whose own
        ``random_state`` is None: the same in all folds. With an int the result repeats.

    Attributes
    ----------
    detector_ : estimator
        The detector, fitted to all rows.
    threshold_ : object
        The chosen rule, fitted to the scores of all training rows.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score minus the offset.
    best_contamination_ : float
        The chosen share, or the share of the training rows that the chosen rule flags.
    best_score_ : float
        Mean score of the chosen candidate over the folds.
    best_index_ : int
        Index of the chosen candidate in ``cv_results_``.
    cv_results_ : dict of str to ndarray
        Arrays with one value for each candidate, first the shares in ascending order, then
        the rules: ``param_threshold``, ``param_contamination`` (nan for rules),
        ``split<k>_test_score``, ``mean_test_score``, ``std_test_score`` and
        ``rank_test_score``; ``params`` is a list of dicts.
    n_splits_ : int
        Number of folds.
    n_features_in_ : int
        Number of features, where the detector knows it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where the detector knows them.

    See Also
    --------
    ThresholdedDetector : Finds the threshold by a rule, without labels.
    as_classifier : Makes a detector fit for scikit-learn's searches of classifiers.

    Notes
    -----
    Candidates are shares of the *training* scores of each fold's detector, not values of the
    score, because the scale of the scores changes from one trained network to the next. A
    network also knows its training rows better than other rows, so a candidate is judged by
    its labels on the rows held out.

    A share is cut half-way between two training scores, as the detectors of this package
    do. For them the scores in ``cv_results_`` are those of
    :class:`~sklearn.model_selection.GridSearchCV` over the same contaminations on the same
    folds. scikit-learn's detectors cut at :func:`numpy.percentile`. At most one training row
    lies between the two cuts where the scores are distinct, so for them the scores differ
    a little, up or down.

    Of several candidates with the best score, the middle one is chosen.

    ``best_score_`` is optimistic, because it is the best of many. Judge the search by
    :func:`~sklearn.model_selection.cross_val_score`.

    The detector's ``fit`` is given the labels as -1 (anomaly), +1 (normal) and 0 (not
    judged). Most detectors ignore them. Rows that nobody has judged are trained on
    and not scored.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import ThresholdSearchCV
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(300, 2)), rng.normal(0, 7, size=(30, 2))])
    >>> y = np.repeat([0, 1], [300, 30])
    >>> search = ThresholdSearchCV(IsolationForest(random_state=0), random_state=0).fit(X, y)
    >>> 0.05 <= search.best_contamination_ <= 0.12
    True
    >>> search.predict([[0, 0], [9, -9]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "scoring": [str, callable],
        "candidates": ["array-like", None],
        "cv": ["cv_object"],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: BaseEstimator,
        *,
        scoring: str | Callable[..., float] = "f1",
        candidates: Sequence[Any] | NDArray[Any] | None = None,
        cv: int | Folds | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.scoring = scoring
        self.candidates = candidates
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata goes: to the detector, the folds and the scorer.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        router = super().get_metadata_routing()
        router.add(
            splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )
        return router.add(
            scorer=self._scorer(),
            method_mapping=MethodMapping().add(caller="fit", callee="score"),
        )

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
        """Choose the threshold, and fit the detector to all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. It is
            required.
        **params : dict
            ``groups`` for the folds, and further arguments of the detector's ``fit``, such
            as ``sample_weight``; with metadata routing what the detector, the folds and
            the scorer request.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If y is missing or cannot be read, a fold holds rows of one class only, a
            candidate is neither a share nor a rule, ``scoring`` does not judge labels, or
            its scores are not finite.
        TypeError
            If the detector is a classifier or a regressor, or one for series and a fold is
            not consecutive, as those of ``TimeSeriesSplit`` are.
        """
        self._validate_params()
        routed = self._route(params)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
                " Without labels use ThresholdedDetector."
            )
        X, y = indexable(X, y)
        if n_rows(X) < 4:
            raise ValueError(
                f"Found array with {n_rows(X)} sample(s) while a minimum of 4 is required: an"
                " anomaly and a normal row for each of two folds."
            )
        labels = signed_labels(y)
        scorer, candidates = self._scorer(), self._candidates()
        detector = seeded_clone(self.detector, check_local_random_state(self.random_state))
        folds = self._folds(X, y, labels, routed.splitter.split)
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(_score_fold)(detector, candidates, scorer, X, y, fold, routed)
            for fold in folds
        )
        results = np.array(results, dtype=np.float64).T
        if not np.isfinite(results).all():
            raise ValueError(f"scoring={self.scoring!r} gave scores that are not finite.")
        means = results.mean(axis=1)
        tied = np.flatnonzero(means == means.max())
        best = int(tied[(len(tied) - 1) // 2])
        with kept_numpy_state():
            detector = fit_detector(detector, X, labels, routed.detector.fit)
        scores = normality_scores(detector, X)
        threshold = _fit_rule(candidates[best], scores, labels)

        self.detector_, self.threshold_ = detector, threshold
        self.offset_ = threshold.threshold_
        share = candidates[best]
        flagged = float(np.mean(scores < self.offset_))
        self.best_contamination_ = share if isinstance(share, float) else flagged
        self.best_index_, self.best_score_ = best, float(means[best])
        self.n_splits_ = len(folds)
        self.cv_results_ = _cv_results(candidates, results)
        return self

    def _route(self, params: dict[str, Any]) -> Bunch:
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **params)
        fit = {name: value for name, value in params.items() if name != "groups"}
        return Bunch(
            detector=Bunch(fit=fit),
            splitter=Bunch(split={"groups": params.get("groups")}),
            scorer=Bunch(score={}),
        )

    def _scorer(self) -> Callable[..., float]:
        if isinstance(self.scoring, str):
            if self.scoring in label_scorers:
                return outlier_scorers[self.scoring]
            reason = (
                "judges the ranking, which no threshold changes"
                if self.scoring in outlier_scorers
                else "is not known"
            )
            raise ValueError(
                f"scoring={self.scoring!r} {reason}. Expected one of {label_scorers}, or a"
                " scorer that judges labels."
            )
        home = getattr(self.scoring, "__module__", None) or ""
        metrics = ("sklearn.metrics.", "skdeepanomaly.metrics.")
        if inspect.isfunction(self.scoring) and home.startswith(metrics):
            raise ValueError(
                f"scoring={self.scoring.__name__} is a metric, expected a scorer: pass"
                f" make_scorer({self.scoring.__name__})."
            )
        return self.scoring

    def _candidates(self) -> list[float | BaseEstimator]:
        """Return the shares as floats, ascending, and after them the rules."""
        given = DEFAULT_SHARES if self.candidates is None else self.candidates
        shares = sorted({float(c) for c in given if isinstance(c, Real)})
        rules = [c for c in given if not isinstance(c, Real)]
        rules = [
            THRESHOLDS[c]() if isinstance(c, str) and c in THRESHOLDS else c for c in rules
        ]
        if not shares and not rules:
            raise ValueError("candidates is empty: expected shares or threshold rules.")
        for rule in rules:
            if isinstance(rule, type) or not hasattr(rule, "fit"):
                raise ValueError(
                    "candidates must hold shares in (0, 0.5], threshold rules such as"
                    f" MADThreshold(), or their names, {sorted(THRESHOLDS)}, got {rule!r}."
                )
        rng = check_local_random_state(self.random_state)
        return [*shares, *(seeded_clone(rule, rng) for rule in rules)]

    def _folds(
        self, X: Rows, y: ArrayLike | None, labels: Ints, split_params: dict[str, Any]
    ) -> list[tuple[Ints, Ints]]:
        """Return training rows and judged test rows of each fold; refuse one class alone."""
        n_anomalies = int(np.sum(labels == -1))
        if self.cv is None or isinstance(self.cv, Integral):
            n_splits = 5 if self.cv is None else int(self.cv)
            n_least = min(n_anomalies, int(np.sum(labels == 1)))
            if n_least < n_splits:
                kind = "anomalies" if n_least == n_anomalies else "normal rows"
                raise ValueError(
                    f"y holds {n_least} {kind} for {n_splits} folds, of which each needs at"
                    " least one. Set cv to a smaller number, or label more rows."
                )
            rng = check_local_random_state(self.random_state)
            cv = StratifiedKFold(n_splits, shuffle=True, random_state=rng)
            y = labels == -1
        else:
            cv = check_cv(self.cv, y, classifier=True)
        folds = []
        for k, (train, test) in enumerate(cv.split(X, y, **split_params)):
            judged = np.asarray(test)[labels[test] != 0]
            if len(set(labels[judged])) < 2:
                raise ValueError(
                    f"Fold {k} of cv holds rows of one class only: {len(judged)} judged test"
                    f" rows, {np.sum(labels[judged] == -1)} of them anomalies, so that there is"
                    " nothing to tell apart. Use StratifiedKFold, or fewer folds."
                )
            folds.append((train, judged))
        return folds


class _FoldDetector(WrappedDetector):
    """The fitted detector of a fold, whose offset can be set.

    The scores of the held-out rows are computed once, however many candidates are scored.
    """

    def __init__(self, detector: BaseEstimator, X: Rows):
        self.detector = self.detector_ = detector
        self.X = X
        self.scores = normality_scores(detector, X)

    def score_samples(self, X: Rows) -> Floats:
        return self.scores.copy() if X is self.X else normality_scores(self.detector_, X)


def _rule_of(candidate: float | BaseEstimator) -> BaseEstimator:
    return QuantileThreshold(candidate) if isinstance(candidate, float) else candidate


def _fit_rule(candidate: float | BaseEstimator, scores: Floats, labels: Ints) -> BaseEstimator:
    """Return the fitted rule of a candidate, given the scores and labels of training rows."""
    others = scores[labels != -1]
    if isinstance(candidate, float) or len(others) < 2:
        others = scores
    return fit_rule(_rule_of(candidate), others)


def _cv_results(candidates: list[float | BaseEstimator], results: Floats) -> dict[str, Any]:
    """Return the scores, of shape (n_candidates, n_folds), in the form of scikit-learn."""
    rules = np.empty(len(candidates), dtype=object)
    rules[:] = [_rule_of(candidate) for candidate in candidates]
    means = results.mean(axis=1)
    return {
        "params": [{"threshold": rule} for rule in rules],
        "param_threshold": rules,
        "param_contamination": np.array(
            [c if isinstance(c, float) else np.nan for c in candidates]
        ),
        **{f"split{k}_test_score": column for k, column in enumerate(results.T)},
        "mean_test_score": means,
        "std_test_score": results.std(axis=1),
        "rank_test_score": rankdata(-means, method="min").astype(np.int32),
    }


def _score_fold(
    detector: BaseEstimator,
    candidates: list[float | BaseEstimator],
    scorer: Callable[..., float],
    X: Rows,
    y: ArrayLike,
    fold: tuple[Ints, Ints],
    routed: Bunch,
) -> list[float]:
    """Fit the detector to the training rows of a fold, and score all candidates.

    Parameters
    ----------
    detector : estimator
        Not changed.
    candidates : list of float or rule
        Shares and threshold rules.
    scorer : callable
        ``scorer(detector, X, y)``.
    X : array-like of shape (n_samples, n_features)
        All rows.
    y : array-like of shape (n_samples,)
        All labels, in the user's form.
    fold : tuple of two arrays of int
        The training rows, and the test rows that were judged.
    routed : Bunch
        Arguments for the ``fit`` of the detector and for the scorer.

    Returns
    -------
    scores : list of float
        One for each candidate.
    """
    train, test = fold
    labels = signed_labels(y)
    with kept_numpy_state():
        fitted = fit_detector(detector, X, labels, routed.detector.fit, train)
    train_scores = normality_scores(fitted, take_rows(X, train))
    X_test, y_test = take_rows(X, test), take_rows(y, test)
    score_params = check_method_params(X, routed.scorer.score, indices=test)
    fitted = _FoldDetector(fitted, X_test)
    ordered = np.sort(fitted.scores)
    # Candidates that flag the same number of test rows flag the same rows.
    known: dict[int, float] = {}
    results = []
    for candidate in candidates:
        fitted.offset_ = _fit_rule(candidate, train_scores, labels[train]).threshold_
        n_flagged = int(np.searchsorted(ordered, fitted.offset_, side="left"))
        if n_flagged not in known:
            known[n_flagged] = scorer(fitted, X_test, y_test, **score_params)
        results.append(known[n_flagged])
    return results
