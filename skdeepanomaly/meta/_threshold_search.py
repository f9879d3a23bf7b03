"""A threshold that is chosen by labels, at one fit a fold."""

import inspect
from numbers import Integral, Real

import numpy as np
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import Bunch, indexable
from sklearn.utils.metadata_routing import MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from ..metrics._ranking import label_scorers, outlier_scorers, read_truth, signed_labels
from ..thresholds import THRESHOLDS, QuantileThreshold
from ..utils._compat import HasMethods, check_method_params, n_rows, take_rows
from ..utils.scores import normality_scores
from ._wrapper import WrappedDetector, fit_detector

# Few and round: of many candidates the best one is more often so by chance.
DEFAULT_SHARES = (
    *(0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08),
    *(0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5),
)


class ThresholdSearchCV(WrappedDetector):
    """A detector whose threshold is chosen by labels, at one fit a fold.

    A grid search over ``contamination`` fits the same scores anew for every candidate. Here
    each fold fits the detector once and tries all candidates on its scores.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind, or a pipeline that ends in one; clones
        are fitted. It need not have a parameter ``contamination``.
    scoring : str or callable, default="f1"
        What is maximised: "f1", "precision", "recall", "balanced_accuracy" or "neg_cost"
        of ``outlier_scorers``, or a scorer ``scorer(detector, X, y)`` that judges the labels
        which ``predict`` gives, such as ``make_scorer(outlier_cost, missed=50,
        greater_is_better=False)``.
    candidates : array-like or None, default=None
        Shares of the training rows that are flagged (``contamination``), in (0, 0.5], or
        threshold rules such as ``POTThreshold(0.02)``, by name as in
        :class:`ThresholdedDetector`, too, or both. None takes 23 shares between 0.001 and
        0.5. Rules are fitted to the scores of training rows that are not known anomalies.
    cv : int, cross-validation generator or iterable, default=None
        The folds. None makes 5, a number as many; these are stratified by class
        and shuffled.
    n_jobs : int or None, default=None
        Number of folds that are fitted at the same time.
    random_state : int, RandomState instance or None, default=0
        Seed of the shuffle.

    Attributes
    ----------
    detector_ : estimator
        The detector, fitted to all rows.
    threshold_ : object
        The chosen rule, fitted to the scores of all training rows.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    best_contamination_ : float
        The chosen share, or the share of the training rows that the chosen rule flags.
    best_score_ : float
        Mean over the folds of the score of the chosen candidate.
    best_index_ : int
        Its place in ``cv_results_``.
    cv_results_ : dict of str to ndarray
        For each candidate ``param_threshold``, ``param_contamination`` (nan for rules that
        are no share), ``split<k>_test_score``, ``mean_test_score``, ``std_test_score`` and
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
    as_classifier : A detector for scikit-learn's searches of classifiers.

    Notes
    -----
    Candidates are shares of the *training* scores of each fold's detector, because
    the scale of the scores changes from one trained network to the next, and because a
    network knows its training rows better than others: which share of them to cut off is
    judged by what it does to rows that were held out.

    Each share is tried as two cuts: half-way between two training scores, as the detectors
    of this package cut, and at :func:`numpy.percentile`, as scikit-learn's do, which is
    chosen only where it is strictly better. So ``best_score_`` is at least what
    :class:`~sklearn.model_selection.GridSearchCV` over the same contaminations finds on
    the same folds. Where neighbouring shares have the same, best score, the middle one of the
    longest such series is taken.

    A score that is the best of many is a little too good. Judge the search itself by
    :func:`~sklearn.model_selection.cross_val_score`.

    The detector's ``fit`` is handed the labels as -1 (anomaly), +1 (normal) and 0 (not
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
    >>> search = ThresholdSearchCV(IsolationForest(random_state=0)).fit(X, y)
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
        detector,
        *,
        scoring="f1",
        candidates=None,
        cv=None,
        n_jobs=None,
        random_state=0,
    ):
        self.detector = detector
        self.scoring = scoring
        self.candidates = candidates
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def get_metadata_routing(self):
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

    def fit(self, X, y=None, **params):
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
            If y is missing or ambiguous, or a fold holds rows of one class only.
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
        scorer = self._scorer()
        shares, rules = self._rules()
        folds = self._folds(X, y, labels, routed.splitter.split)
        # Each share is cut in two ways; these rules come first.
        n_cuts = 2 * len(shares)
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(_score_fold)(
                self.detector,
                X,
                y,
                labels,
                *fold,
                rules,
                n_cuts,
                scorer,
                routed.detector.fit,
                routed.scorer.score,
            )
            for fold in folds
        )
        results = np.array(results, dtype=np.float64).T
        if not np.isfinite(results).all():
            raise ValueError(f"scoring={self.scoring!r} gave scores that are not finite.")
        means = np.average(results, axis=1)
        best = _choose(means, len(shares))
        detector = fit_detector(self.detector, X, labels, routed.detector.fit)
        scores = normality_scores(detector, X)
        threshold = _fit_rule(rules[best], best < n_cuts, scores, labels)

        self.detector_, self.threshold_ = detector, threshold
        self.offset_ = threshold.threshold_
        self.n_splits_ = len(folds)
        self.best_index_, self.best_score_ = best, float(means[best])
        self.cv_results_ = {
            "params": [{"threshold": rule} for rule in rules],
            "param_threshold": np.array([*rules, None], dtype=object)[:-1],
            "param_contamination": np.full(len(rules), np.nan),
            **{f"split{k}_test_score": column for k, column in enumerate(results.T)},
            "mean_test_score": means,
            "std_test_score": results.std(axis=1),
            "rank_test_score": rankdata(-means, method="min").astype(np.int32),
        }
        self.cv_results_["param_contamination"][:n_cuts] = np.tile(shares, 2)
        chosen = self.cv_results_["param_contamination"][best]
        flagged = np.mean(scores < self.offset_)
        self.best_contamination_ = float(flagged if np.isnan(chosen) else chosen)
        return self

    def _route(self, params):
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **params)
        fit = {name: value for name, value in params.items() if name != "groups"}
        return Bunch(
            detector=Bunch(fit=fit),
            splitter=Bunch(split={"groups": params.get("groups")}),
            scorer=Bunch(score={}),
        )

    def _scorer(self):
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
        metrics = ("sklearn.metrics.", read_truth.__module__)
        if inspect.isfunction(self.scoring) and home.startswith(metrics):
            raise ValueError(
                f"scoring={self.scoring.__name__} is a metric, expected a scorer: pass"
                f" make_scorer({self.scoring.__name__})."
            )
        return self.scoring

    def _rules(self):
        """Return the shares, ascending, and the rules: each share twice, then others."""
        given = DEFAULT_SHARES if self.candidates is None else self.candidates
        shares = sorted({float(c) for c in given if isinstance(c, Real)})
        others = [c for c in given if not isinstance(c, Real)]
        others = [
            THRESHOLDS[c]() if isinstance(c, str) and c in THRESHOLDS else c for c in others
        ]
        if not shares and not others:
            raise ValueError("candidates holds nothing to choose from.")
        for rule in others:
            if isinstance(rule, type) or not hasattr(rule, "fit"):
                raise ValueError(
                    "candidates must hold shares in (0, 0.5], threshold rules such as"
                    f" MADThreshold(), or their names, {sorted(THRESHOLDS)}, got {rule!r}."
                )
        cuts = [
            QuantileThreshold(share, interpolation)
            for interpolation in ("middle", "linear")
            for share in shares
        ]
        return shares, [*cuts, *others]

    def _folds(self, X, y, labels, split_params):
        """Return pairs of training rows and judged test rows, with both classes in each."""
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
            cv = StratifiedKFold(n_splits, shuffle=True, random_state=self.random_state)
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


class _Cut(WrappedDetector):
    """A fitted detector with another offset, which scores the rows of a fold only once."""

    def __init__(self, detector, X):
        self.detector = self.detector_ = detector
        self.X = X
        self.scores = normality_scores(detector, X)

    def score_samples(self, X):
        return self.scores.copy() if X is self.X else normality_scores(self.detector_, X)


def _fit_rule(rule, is_share, scores, labels):
    """Return a fitted rule: a share is one of all rows, others get no known anomalies."""
    others = labels != -1
    known = not is_share and np.sum(others) > 1
    return clone(rule).fit(scores[others] if known else scores)


def _score_fold(
    detector, X, y, labels, train, test, rules, n_cuts, scorer, fit_params, score_params
):
    """Return the scores of all rules on the test rows of a fold."""
    fitted = fit_detector(detector, X, labels, fit_params, train)
    train_scores = normality_scores(fitted, take_rows(X, train))
    X_test, y_test = take_rows(X, test), take_rows(y, test)
    score_params = check_method_params(X, score_params, indices=test)
    cut = _Cut(fitted, X_test)
    ordered = np.sort(cut.scores)
    # Rules that flag as many test rows flag the same ones.
    known: dict[int, float] = {}
    results = []
    for i, rule in enumerate(rules):
        fitted_rule = _fit_rule(rule, i < n_cuts, train_scores, labels[train])
        cut.offset_ = fitted_rule.threshold_
        n_flagged = int(np.searchsorted(ordered, cut.offset_, side="left"))
        if n_flagged not in known:
            known[n_flagged] = scorer(cut, X_test, y_test, **score_params)
        results.append(known[n_flagged])
    return results


def _choose(means, n_shares):
    """Return the index of the best rule; of equally good shares the middle one."""
    best = means.max()
    # Shares cut half-way, shares cut at the percentile, other rules.
    for first in (0, n_shares):
        top = np.flatnonzero(means[first : first + n_shares] == best)
        if len(top):
            series = np.split(top, np.flatnonzero(np.diff(top) > 1) + 1)
            longest = max(series, key=len)
            return first + int(longest[(len(longest) - 1) // 2])
    return int(np.argmax(means))
