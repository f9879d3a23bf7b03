"""Distance to the nearest training rows, by a search: the method to beat."""

from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from ...base import choose_offset
from ...utils.randomness import check_local_random_state
from ...utils.scores import OffsetMixin
from ...utils.types import Contamination, Floats, RandomState
from ...utils.validation import Interval, StrOptions, refuse_sparse

# Rows are compared with their neighbours in blocks of about this many numbers.
BLOCK_NUMBERS = 2**22
# Larger numbers, in units of the search, have squares that overflow in a sum.
LIMIT = 1e140
LARGEST = np.finfo(np.float64).max


class NeighborDistance(OffsetMixin, BaseEstimator):
    """Mean distance to the nearest training rows, by an exact search.

    A row far from its nearest training rows is an anomaly [1]_ [2]_. There is no network and
    no training: this is the simple method that deep detectors have to beat, and on tables of
    a few thousand rows it is among the best. The time to score a row grows with the number of
    training rows, which the detector keeps.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest rows whose distances are averaged, at most the number of training
        rows less one. Few are best where the training rows are normal; among training rows
        with anomalies, more than there are anomalies of a kind, such as 50, so that these do
        not vouch for each other.
    max_samples : int or None, default=50_000
        Of more training rows a random sample of this size is kept. None keeps all.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of outliers in the training rows; it determines ``offset_``. With ``"auto"`` a
        row is an outlier if its score is more than three robust standard deviations below the
        median of the training scores.
    n_jobs : int or None, default=None
        Number of threads of the search, as in :class:`sklearn.neighbors.NearestNeighbors`.
    random_state : int, RandomState instance or None, default=None
        Seed of the sample.

    Attributes
    ----------
    search_ : NearestNeighbors
        The fitted search. Its rows are those of the training, less the median of each column,
        in units of the largest of these differences.
    n_neighbors_ : int
        Number of nearest rows whose distances are averaged.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all column names of X are strings.

    See Also
    --------
    sklearn.neighbors.LocalOutlierFactor : Compares the distance with that of the neighbours.
    sklearn.neighbors.NearestNeighbors : The search.

    Notes
    -----
    A row that is equal to a training row is taken for that row, and is not its own neighbour.
    So the scores of the training rows are those by all other training rows, and ``fit_predict``
    is ``fit`` and ``predict``. Of several equal training rows one is left out.

    Distances depend on the scales of the columns: scale them first.

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi, K. Shim, "Efficient algorithms for mining outliers from
       large data sets", SIGMOD 2000.
    .. [2] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces",
       PKDD 2002: the mean over the neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import NeighborDistance
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> detector = NeighborDistance(contamination="auto").fit(X)
    >>> detector.predict([[0, 0], [0, 6]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 5,
        max_samples: int | None = 50_000,
        contamination: Contamination = 0.1,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ):
        self.n_neighbors = n_neighbors
        self.max_samples = max_samples
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Keep the training rows, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter or X is not valid.
        """
        self._validate_params()
        X = self._validate_X(X, reset=True)
        rows = X
        if self.max_samples is not None and len(X) > self.max_samples:
            rng = check_local_random_state(self.random_state)
            rows = X[np.sort(rng.choice(len(X), self.max_samples, replace=False))]
        # Some searches expand the square of a difference, which is lost beside large squares of
        # the numbers themselves, as of time stamps. A middle number cannot overflow.
        self._center = np.quantile(rows, 0.5, axis=0, method="lower")
        self._unit = float(np.abs(self._centered(X)).max() or np.abs(X).max() or 1.0)
        self.n_neighbors_ = min(int(self.n_neighbors), len(rows) - 1)
        # One more, for a row that is a training row.
        search = NearestNeighbors(n_neighbors=self.n_neighbors_ + 1, n_jobs=self.n_jobs)
        self.search_ = search.fit(self._scaled(rows))
        self.offset_ = choose_offset(self._score(X), self.contamination)
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the normality scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Negative mean distances to the nearest training rows.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        check_is_fitted(self)
        return self._score(self._validate_X(X, reset=False))

    def explain(self, X: ArrayLike) -> Floats:
        """Return the share of each column in the anomaly score of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features), float64
            The squared difference of a column over the distance, averaged over the nearest
            rows. They sum to ``-score_samples``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False)
        contributions = np.empty(X.shape)
        for rows, squares, distances in self._nearest(X):
            shares = squares / np.where(distances > 0, distances, 1.0)[:, :, None]
            contributions[rows] = shares.mean(axis=1)
        return self._in_units_of_X(contributions)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    def _validate_X(self, X: ArrayLike, reset: bool) -> Floats:
        refuse_sparse(X, type(self).__name__)
        min_samples = 2 if reset else 1
        return validate_data(
            self, X, dtype=np.float64, ensure_min_samples=min_samples, reset=reset
        )

    def _score(self, X: np.ndarray) -> np.ndarray:
        scores = np.empty(len(X))
        for rows, _, distances in self._nearest(X):
            scores[rows] = distances.mean(axis=1)
        return -self._in_units_of_X(scores)

    def _nearest(self, X: np.ndarray):
        """Yield slices of X, with squared differences and distances to the nearest rows.

        The differences have the shape (n, n_neighbors, n_features), the distances
        (n, n_neighbors); both are in units of the search.
        """
        kept, k = self.search_._fit_X, self.n_neighbors_
        for rows in gen_batches(len(X), max(1, BLOCK_NUMBERS // ((k + 1) * X.shape[1]))):
            x = self._scaled(X[rows])
            nearest = self.search_.kneighbors(x, return_distance=False)
            # The search may round the distance of equal rows to more than zero.
            squares = np.square(x[:, None] - kept[nearest])
            distances = np.sqrt(squares.sum(axis=2))
            order = np.argsort(distances, axis=1, kind="stable")
            # A training row is not its own neighbour.
            first = (distances.min(axis=1) == 0).astype(int)
            chosen = np.take_along_axis(order, first[:, None] + np.arange(k), axis=1)
            yield (
                rows,
                np.take_along_axis(squares, chosen[:, :, None], axis=1),
                np.take_along_axis(distances, chosen, axis=1),
            )

    def _centered(self, X: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.clip(X - self._center, -LARGEST, LARGEST)

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        """Return rows as the search has them."""
        with np.errstate(over="ignore"):
            return np.clip(self._centered(X) / self._unit, -LIMIT, LIMIT)

    def _in_units_of_X(self, distances: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.minimum(distances * self._unit, LARGEST / max(1, self.n_features_in_))
