"""Detectors of PyOD as outlier detectors of scikit-learn's kind."""

import inspect
from contextlib import AbstractContextManager
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..utils.randomness import check_local_random_state, random_seed, seeded_clone
from ..utils.scores import OffsetMixin
from ..utils.types import Floats, Ints, RandomState
from ..utils.undoing import undone_on_error
from ..utils.validation import HasMethods, check_labels, refuse_sparse


class PyODDetector(OffsetMixin, MetaEstimatorMixin, BaseEstimator):
    """A detector of PyOD as an outlier detector of scikit-learn's kind.

    PyOD [1]_ gives high scores and the label 1 to outliers, and 0 to inliers; here outliers
    have low scores and the label -1, and inliers +1. Rows are validated as scikit-learn does:
    names and number of the columns are remembered, and frames are taken.

    Parameters
    ----------
    detector : object
        Detector of PyOD; a clone is fitted. Its ``contamination``, a number, sets the
        threshold: ``set_params(detector__contamination=0.05)``.
    random_state : int, RandomState instance or None, default=None
        Seed of the detector's parts whose own ``random_state`` is None, and of the global
        generators of numpy, torch and Python while it fits and scores, since many detectors of
        PyOD draw from these. With an int the scores repeat. The states of the generators are
        restored.

    Attributes
    ----------
    detector_ : object
        The fitted detector of PyOD.
    offset_ : float
        Threshold of ``score_samples``, the negated ``threshold_`` of the detector.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    from_pyod : Makes this adapter.

    Notes
    -----
    Labels are those of the detector itself: its threshold is a quantile of the scores that it
    gives to its training rows in ``fit``. Detectors by neighbours leave a row out of its own
    neighbours there, and not in ``predict``; so ``predict`` flags fewer of the training rows
    than ``contamination`` says, as that of :class:`~sklearn.neighbors.LocalOutlierFactor` does.

    The adapter passes scikit-learn's ``check_estimator`` as far as the detector does what the
    checks ask for. This was tried with PyOD 3.6. It passes all of them around ``CBLOF``,
    ``HBOS``, ``IForest``, ``INNE``, ``KDE``, ``KNN``, ``LODA``, ``LOF``, ``MCD``, ``OCSVM``
    and ``PCA``. The scores of ``COPOD`` and ``ECOD`` depend on the other rows that are scored,
    and so fail ``check_methods_subset_invariance``. ``AutoEncoder`` fails on fewer rows than a
    batch, and so on the small tables of 18 checks; with ``batch_size=2`` and without
    ``batch_norm`` and dropout it passes all but that of subsets, because it computes in single
    precision: a score depends on its batch in the last digits.

    Detectors of graphs, texts, images and time series are not for this adapter: X is a table of
    numbers.

    References
    ----------
    .. [1] Y. Zhao, Z. Nasrullah, Z. Li, "PyOD: A Python toolbox for scalable outlier
       detection", Journal of Machine Learning Research, 2019.
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods(["fit", "decision_function"])],
        "random_state": ["random_state"],
    }

    def __init__(self, detector: Any, *, random_state: RandomState = None):
        self.detector = detector
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Fit the detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two.
        y : array-like of shape (n_samples,), default=None
            Labels, for detectors that learn from them, such as ``DevNet`` and ``XGBOD``: -1
            for anomalies, +1 for normal and 0 for unlabelled rows, which they take for normal.
            All others are not given any.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        TypeError
            If the detector is one of scikit-learn's kind already, or none of PyOD.
        ValueError
            If X or y is not valid, the detector's ``contamination`` is no number, or it gives
            training rows scores that are not finite.
        """
        self._validate_params()
        if inspect.isclass(self.detector) or isinstance(self.detector, OutlierMixin):
            raise TypeError(
                f"from_pyod takes a detector of PyOD, such as ECOD(), got {self.detector!r}."
                " An outlier detector of scikit-learn's kind needs no adapter."
            )
        contamination = getattr(self.detector, "contamination", None)
        if not isinstance(contamination, Real):
            raise ValueError(
                f"contamination of {type(self.detector).__name__} must be a number, got"
                f" {contamination!r}. For a threshold by a rule see ThresholdedDetector."
            )
        refuse_sparse(X, type(self).__name__)
        with undone_on_error(self):
            rows = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            labels = self._labels(y, len(rows))
            rng = check_local_random_state(self.random_state)
            self._seed = random_seed(rng)
            with _isolated_rng(self._seed):
                # Constructors of PyOD's deep detectors set seeds, too.
                detector = seeded_clone(self.detector, rng)
                detector.fit(rows, *labels)
            if not hasattr(detector, "decision_scores_") or not hasattr(detector, "threshold_"):
                raise TypeError(
                    f"{detector!r} has no decision_scores_ and threshold_ after fit: expected a"
                    " detector of PyOD."
                )
            if not np.isfinite(detector.decision_scores_).all():
                raise ValueError(
                    f"{detector!r} gave training rows scores that are not finite. Scale X, or"
                    " change its parameters."
                )
            self.detector_, self.offset_ = detector, -float(detector.threshold_)
        return self

    def _labels(self, y: ArrayLike | None, n_samples: int) -> list[Ints]:
        """Return the labels as PyOD's, in a list that is empty if the detector wants none."""
        parameters = list(inspect.signature(self.detector.fit).parameters.values())
        if len(parameters) < 2 or parameters[1].default is not inspect.Parameter.empty:
            return []
        name = type(self.detector).__name__
        return [np.where(check_labels(y, n_samples, name, required=True) == -1, 1, 0)]

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the negated scores of the detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            The higher, the more normal. A score that is not finite becomes the lowest float64
            number, or the highest one if the detector's is minus infinity.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        check_is_fitted(self)
        refuse_sparse(X, type(self).__name__)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        with _isolated_rng(self._seed):
            scores = -np.array(self.detector_.decision_function(rows), dtype=np.float64).ravel()
        return np.nan_to_num(scores, copy=False, nan=np.finfo(np.float64).min)


def _isolated_rng(seed: int) -> AbstractContextManager[None]:
    """Seed the global generators for a block; the GPU is where PyOD trains if there is one."""
    # Late, so that the other meta-estimators can do without torch.
    import torch

    from ..engine import isolated_rng

    return isolated_rng(seed, "cuda" if torch.cuda.is_available() else "cpu")


def from_pyod(detector: Any, *, random_state: RandomState = None) -> PyODDetector:
    """Return an outlier detector of scikit-learn's kind that does what one of PyOD does.

    Parameters
    ----------
    detector : object
        Detector of PyOD.
    random_state : int, RandomState instance or None, default=None
        Seed of what is random in it. With an int the scores repeat, also where the detector
        has no ``random_state``.

    Returns
    -------
    detector : PyODDetector
        Not fitted. Its scores are high and its labels +1 for normal rows, -1 for outliers.

    Examples
    --------
    >>> import numpy as np
    >>> from pyod.models.knn import KNN
    >>> from skdeepanomaly import from_pyod
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = from_pyod(KNN(contamination=0.05)).fit(X)
    >>> detector.predict([[0, 0], [9, 9]])
    array([ 1, -1])
    """
    return PyODDetector(detector, random_state=random_state)
