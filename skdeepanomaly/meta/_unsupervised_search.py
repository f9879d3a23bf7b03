"""A grid search without labels."""

import warnings
import zlib
from collections.abc import Callable, Sequence
from importlib import import_module
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_array, check_is_fitted

from ..metrics import excess_mass_score, mass_volume_score, npd_score, stability_score
from ..utils._compat import n_rows, take_rows
from ..utils.frames import frame_like
from ..utils.randomness import check_local_random_state, random_seed
from ..utils.rows import shape_of
from ..utils.scores import decisions, normality_scores
from ..utils.types import Floats, Folds, RandomState, Rows
from ..utils.undoing import undone_on_error
from ..utils.validation import HasMethods, Interval, StrOptions
from ..utils.warn import warn_user
from ._wrapper import WrappedDetector, fit_detector, refuse_series

# Numbers of pseudo rows. More of them make a criterion more exact, and cost only scoring.
N_GAUSSIAN_ROWS = 1_000
N_UNIFORM_ROWS = 10_000
# Prefix of the detector's parameters in a trial.
PREFIX = "detector__"


def _numbers(X: Any) -> Any:
    """Return the rows as float64, possibly with missing values; refuse text and the like."""
    rows = X.toarray() if issparse(X) else X
    if (n_axes := len(shape_of(rows))) > 2:
        raise ValueError(
            f"X has {n_axes} axes, but this criterion draws pseudo rows of columns. Use"
            " criterion='stability' or a callable; or pass X.reshape(len(X), -1) with the"
            " image_shape of the detector, and all columns as max_features."
        )
    try:
        return check_array(rows, dtype="float64", ensure_all_finite="allow-nan")
    except ValueError as error:
        raise ValueError(
            f"{error} This criterion draws pseudo rows, so all features must be numbers: encode"
            " them first, or use criterion='stability' or a callable."
        ) from error


def _by_column(function: Callable[..., Any], rows: Floats) -> Floats:
    """Return ``function(rows, axis=0)``, and 0 for columns without any value."""
    filled = ~np.all(np.isnan(rows), axis=0)
    values = np.zeros(len(filled))
    values[filled] = function(rows[:, filled], axis=0)
    return values


def _pseudo_rows(X: Any, numbers: Floats, values: Floats, rng: np.random.Generator) -> Rows:
    """Return pseudo rows in a container like X, with gaps where rows of X have them.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        Rows.
    numbers : ndarray of shape (n_samples, n_features)
        The same as numbers.
    values : ndarray of shape (n_pseudo, n_features)
        Drawn without gaps; changed.
    rng : Generator
        Draws the rows whose gaps, and whose index, the pseudo rows get.

    Returns
    -------
    X_pseudo : array-like or data frame of shape (n_pseudo, n_features)
        The pseudo rows.
    """
    rows = rng.integers(len(numbers), size=len(values))
    values[np.isnan(numbers[rows])] = np.nan
    if hasattr(X, "from_pydict"):  # pyarrow, which distinguishes NaN and null
        array = import_module("pyarrow").array
        columns = (array(column, from_pandas=True) for column in values.T)
        return X.from_pydict(dict(zip(X.column_names, columns, strict=True)))
    return frame_like(take_rows(X, rows), values) if hasattr(X, "columns") else values


class _Trial(WrappedDetector):
    """A candidate on one fold: fitted to the training rows, scored on the held-out rows.

    All candidates are fitted and scored with the same seed and so with the same pseudo rows;
    otherwise the draw could decide between them.
    """

    def __init__(
        self,
        detector: BaseEstimator,
        criterion: Callable[..., float],
        max_features: int | None = None,
        seed: int = 0,
    ):
        self.detector = detector
        self.criterion = criterion
        self.max_features = max_features
        self.seed = seed

    def fit(self, X: Rows, y: Any = None, **params: Any) -> Self:
        rng = np.random.RandomState(self.seed)
        self.detector_ = fit_detector(self.detector, X, y, self._fit_params(params), rng=rng)
        return self

    def score(self, X: Rows, y: Any = None) -> float:
        return self.criterion(self.detector_, X)


class _GaussianTrial(_Trial):
    """Scored by held-out rows and rows drawn from a Gaussian without correlations."""

    def fit(self, X: Rows, y: Any = None, **params: Any) -> Self:
        rows = _numbers(X)
        self.mean_, self.std_ = _by_column(np.nanmean, rows), _by_column(np.nanstd, rows)
        return super().fit(X, y, **params)

    def score(self, X: Rows, y: Any = None) -> float:
        rng = np.random.default_rng(self.seed)
        rows = rng.normal(self.mean_, self.std_, size=(N_GAUSSIAN_ROWS, len(self.mean_)))
        pseudo = normality_scores(self.detector_, _pseudo_rows(X, _numbers(X), rows, rng))
        return self.criterion(-normality_scores(self.detector_, X), -pseudo)


class _UniformTrial(_Trial):
    """Scored by held-out rows and rows drawn from the box around them, in a few features."""

    def fit(self, X: Rows, y: Any = None, **params: Any) -> Self:
        rows = _numbers(X)
        # Seeded by the rows: each fold draws other features, the same for all candidates.
        rng = np.random.default_rng([self.seed, zlib.crc32(np.ascontiguousarray(rows).data)])
        drawn = rng.permutation(rows.shape[1])[: self.max_features]
        self.features_ = None if len(drawn) == rows.shape[1] else np.sort(drawn)
        try:
            return super().fit(self._cut(X), y, **params)
        except Exception as error:
            if self.features_ is not None:
                error.add_note(
                    f"The detector was given {len(drawn)} of the {rows.shape[1]} features:"
                    " raise max_features if it needs all of them."
                )
            raise

    def _cut(self, X: Any) -> Any:
        if self.features_ is None:
            return X
        # Lists of rows have no columns to take.
        X = _numbers(X) if isinstance(X, list | tuple) else X
        return take_rows(X, self.features_, axis=1)

    def score(self, X: Rows, y: Any = None) -> float:
        X, rng = self._cut(X), np.random.default_rng(self.seed)
        own = _numbers(X)
        low, high = _by_column(np.nanmin, own), _by_column(np.nanmax, own)
        rows = rng.uniform(low, high, size=(N_UNIFORM_ROWS, len(low)))
        uniform = normality_scores(self.detector_, _pseudo_rows(X, own, rows, rng))
        return self.criterion(-normality_scores(self.detector_, X), -uniform)


class _HalvesTrial(_Trial):
    """Scored by the agreement of two detectors, fitted to one half of the rows each."""

    def fit(self, X: Rows, y: Any = None, **params: Any) -> Self:
        params, rng = self._fit_params(params), np.random.RandomState(self.seed)
        rows = np.random.default_rng(self.seed).permutation(n_rows(X))
        self.detectors_ = [
            fit_detector(self.detector, X, y, params, np.sort(half), rng)
            for half in np.array_split(rows, 2)
        ]
        return self

    def score(self, X: Rows, y: Any = None) -> float:
        return self.criterion([normality_scores(detector, X) for detector in self.detectors_])


def _fit_grid(
    search: GridSearchCV, X: Rows, y: ArrayLike | None, params: dict[str, Any]
) -> None:
    """Fit a grid search without two warnings.

    The first one comes again later, with the candidates. The second one says that weights do
    not reach the criterion, which has no use for them.
    """
    with warnings.catch_warnings():
        for message in ("One or more of the test scores", "The scoring .* sample_weight"):
            warnings.filterwarnings("ignore", message)
        search.fit(X, y, **params)


def _negative_mass_volume(y_score: ArrayLike, uniform_score: ArrayLike) -> float:
    return -mass_volume_score(y_score, uniform_score)


CRITERIA: dict[Any, tuple[type[_Trial], Callable[..., float]]] = {
    "npd": (_GaussianTrial, npd_score),
    "excess_mass": (_UniformTrial, excess_mass_score),
    "mass_volume": (_UniformTrial, _negative_mass_volume),
    "stability": (_HalvesTrial, stability_score),
}


class UnsupervisedSearch(WrappedDetector):
    """A search over a grid of parameters, without labels.

    Every candidate is fitted to the training rows of each fold, and scored on the held-out
    rows by a criterion that needs no labels. The detector is then fitted to all rows with the
    parameters of the best candidate.

    Parameters
    ----------
    detector : estimator
        Outlier detector, or a pipeline that ends in one; clones are fitted.
    param_grid : dict or list of dict
        Names of parameters and lists of values to try. Several grids are searched one after
        the other; an empty dict is the detector as it is.
    criterion : str or callable, default="excess_mass"
        Score of a candidate, higher for better ones:

        - ``"excess_mass"``, ``"mass_volume"``: how little of the box around the held-out rows
          looks normal, :func:`excess_mass_score` and the negated
          :func:`mass_volume_score`. With more than ``max_features`` features the detector is
          fitted to a few features, drawn at random in each fold.
        - ``"npd"``: the discrepancy between held-out rows and Gaussian rows without
          correlations, :func:`npd_score`.
        - ``"stability"``: the rank correlation between the scores that two detectors,
          fitted to one half of the training rows each, give to the held-out rows,
          :func:`stability_score`.
        - a callable ``criterion(detector, X)`` that is given a fitted detector and the
          held-out rows, and returns a float.
    cv : int or splitter, default=5
        Number of shuffled folds, or a splitter of scikit-learn.
    max_features : int, default=5
        Largest number of features for ``"excess_mass"`` and ``"mass_volume"``, because volumes
        cannot be estimated in many dimensions.
    refit : bool, default=True
        Whether to fit the best candidate to all rows. If False, the search cannot score rows.
    n_jobs : int or None, default=None
        Number of fits at the same time.
    error_score : "raise" or float, default=nan
        Score of a candidate on a fold where it fails; "raise" raises its error.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the draws of the criterion, and of each part of the detector
        whose own ``random_state`` is None: the same for all candidates. With an int the
        result repeats.

    Attributes
    ----------
    detector_ : estimator
        The best candidate, fitted to all rows.
    offset_ : float
        Threshold of ``score_samples``.
    best_params_ : dict
        Parameters of the best candidate.
    best_score_ : float
        Mean score of the best candidate over the folds.
    best_index_ : int
        Index of the best candidate in ``cv_results_``.
    cv_results_ : dict of str to ndarray
        Arrays with one value for each candidate, as in
        :class:`sklearn.model_selection.GridSearchCV`.
    n_splits_ : int
        Number of folds.
    n_features_in_ : int
        Number of features, if the detector has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the detector has them.

    See Also
    --------
    ThresholdSearchCV : Chooses the threshold by labels.

    Notes
    -----
    No criterion is better than good defaults in all cases. On real tables the chosen
    candidates are on average slightly better than the defaults for an auto-encoder, and worse
    for ``LocalOutlierFactor``. The user guide has the figures.

    Labels given to ``fit`` are passed on to the detector and not used otherwise.

    ``"npd"``, ``"excess_mass"`` and ``"mass_volume"`` draw pseudo rows, so all features
    must be numbers. Where values are missing, they are also missing in pseudo rows: each has
    the gaps of a held-out row drawn at random. Goix [1]_ draws 5 features 50 times, from halves
    of the rows, as ``cv=RepeatedKFold(n_splits=2, n_repeats=25)`` does.

    References
    ----------
    .. [1] N. Goix, "How to evaluate the quality of unsupervised anomaly detection
       algorithms?", ICML Anomaly Detection Workshop 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skdeepanomaly import UnsupervisedSearch
    >>> angles = np.random.default_rng(0).uniform(0, 2 * np.pi, size=300)
    >>> X = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> search = UnsupervisedSearch(
    ...     LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 20, 100]}, random_state=0
    ... ).fit(X)
    >>> search.best_params_
    {'n_neighbors': 5}
    >>> search.predict([[0, 1], [0, 0]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "param_grid": [dict, list, tuple],
        "criterion": [StrOptions(set(CRITERIA)), callable],
        "cv": ["cv_object"],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "error_score": [StrOptions({"raise"}), Real],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: BaseEstimator,
        param_grid: dict[str, Any] | Sequence[dict[str, Any]],
        *,
        criterion: Literal["npd", "excess_mass", "mass_volume", "stability"]
        | Callable[[BaseEstimator, Any], float] = "excess_mass",
        cv: int | Folds | None = 5,
        max_features: int = 5,
        refit: bool = True,
        n_jobs: int | None = None,
        error_score: float | Literal["raise"] = np.nan,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.param_grid = param_grid
        self.criterion = criterion
        self.cv = cv
        self.max_features = max_features
        self.refit = refit
        self.n_jobs = n_jobs
        self.error_score = error_score
        self.random_state = random_state

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata goes: to the detector and the folds.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        return (
            super()
            .get_metadata_routing()
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def _fit_params(self, params: dict[str, Any]) -> dict[str, Any]:
        params = super()._fit_params(params)
        if get_config()["enable_metadata_routing"]:
            return params
        return {name: value for name, value in params.items() if name != "groups"}

    def fit(self, X: Rows, y: ArrayLike | None = None, **params: Any) -> Self:
        """Search, and fit the best candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Passed on to the detector.
        **params : dict
            ``groups`` for the folds, and further arguments of the detector's ``fit``, such
            as ``sample_weight``; with metadata routing what the detector and the folds
            request.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If no candidate has a score, ``param_grid`` names an unknown parameter, or the
            criterion draws pseudo rows and a feature is not numeric. If all candidates fail,
            the first error is raised, whatever its class.
        TypeError
            If the detector is a classifier or a regressor, or one for series and ``cv`` is a
            number; or if ``param_grid`` has a value that is no list.
        AttributeError
            If the best candidate has no ``decision_function``.
        """
        self._validate_params()
        fit_params = self._fit_params(params)
        X, y = indexable(X, y)
        rng = check_local_random_state(self.random_state)
        seed = random_seed(rng)
        with undone_on_error(self):
            self._search(X, y, params, seed)
            if self.refit:
                self._refit(X, y, fit_params, seed)
            else:
                # That of a former fit, which did not find these parameters.
                for name in {"detector_", "offset_"} & vars(self).keys():
                    delattr(self, name)
        return self

    def _refit(self, X: Rows, y: ArrayLike | None, params: dict[str, Any], seed: int) -> None:
        """Fit the best candidate to all rows."""
        best = clone(self.detector)
        # In a line of its own: set_params of FrozenEstimator returns nothing.
        best.set_params(**clone(self.best_params_, safe=False))
        self.detector_ = fit_detector(best, X, y, params, rng=np.random.RandomState(seed))
        # decision_function is the detector's own. Its threshold follows from the scores,
        # because not every detector has offset_.
        gap = normality_scores(self.detector_, X) - decisions(self.detector_, X)
        self.offset_ = float(np.median(gap))

    def _search(self, X: Rows, y: ArrayLike | None, params: dict[str, Any], seed: int) -> None:
        """Fit and score the candidates as trials in scikit-learn's grid search."""
        given: Any = self.criterion
        trial, criterion = CRITERIA.get(given, (_Trial, given))
        if isinstance(self.cv, Integral):
            refuse_series(self.detector)
            cv = KFold(self.cv, shuffle=True, random_state=seed)
        else:
            cv = check_cv(self.cv)
        # Checked before the prefix is added, so that errors name the user's parameters.
        ParameterGrid(self.param_grid)
        grids = [self.param_grid] if isinstance(self.param_grid, dict) else self.param_grid
        search = GridSearchCV(
            trial(self.detector, criterion, self.max_features, seed),
            [{PREFIX + name: values for name, values in grid.items()} for grid in grids],
            cv=cv,
            refit=False,
            n_jobs=self.n_jobs,
            error_score=self.error_score,
        )
        try:
            _fit_grid(search, X, y, params)
        except ValueError:
            self._raise_first_error(search, X, y, params)
            raise
        self.cv_results_ = {
            name.replace(f"param_{PREFIX}", "param_"): values
            for name, values in search.cv_results_.items()
        }
        candidates = [
            {name.removeprefix(PREFIX): value for name, value in candidate.items()}
            for candidate in search.cv_results_["params"]
        ]
        self.cv_results_["params"] = candidates
        scores = search.cv_results_["mean_test_score"]
        failed = [c for c, score in zip(candidates, scores, strict=True) if not score == score]
        if len(failed) == len(candidates):
            self._raise_first_error(search, X, y, params)
            raise ValueError(self._no_score())
        if failed:
            warn_user(
                "These candidates have no score, because they failed on some fold or their"
                f" criterion is not a number: {failed}.",
            )
        self.n_splits_ = search.n_splits_
        self.best_index_ = search.best_index_
        self.best_score_ = search.best_score_
        self.best_params_ = candidates[search.best_index_]

    def _raise_first_error(
        self, search: GridSearchCV, X: Rows, y: ArrayLike | None, params: dict[str, Any]
    ) -> None:
        """Raise the error of the first trial that fails, if there is any."""
        try:
            _fit_grid(search.set_params(error_score="raise", n_jobs=None), X, y, params)
        except Exception as error:
            error.add_note(self._no_score())
            raise error from None

    def _no_score(self) -> str:
        return (
            f"No candidate has a score by criterion={self.criterion!r}: each failed on some"
            " fold or its criterion is not a number."
        )

    def _check_refitted(self) -> None:
        hint = "Call fit with refit=True first: %(name)s has no fitted detector."
        check_is_fitted(self, "detector_", msg=hint)

    def score_samples(self, X: Rows) -> Floats:
        """Return the scores of the best detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher for more normal rows.

        Raises
        ------
        NotFittedError
            If the search is not fitted, or was fitted with ``refit=False``.
        """
        self._check_refitted()
        return super().score_samples(X)

    def decision_function(self, X: Rows) -> Floats:
        """Return the detector's own decisions, negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Scores shifted so that the threshold is zero.

        Raises
        ------
        NotFittedError
            If the search is not fitted, or was fitted with ``refit=False``.
        """
        self._check_refitted()
        return decisions(self.detector_, X)
