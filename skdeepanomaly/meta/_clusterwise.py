"""One outlier detector for each cluster of the training rows."""

import inspect
import warnings
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_outlier_detector
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import pairwise_distances_argmin
from sklearn.svm import OneClassSVM
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ..thresholds import choose_offset
from ..utils.randomness import check_local_random_state, random_seed, seeded_clone
from ..utils.rows import shape_of
from ..utils.scores import OffsetMixin, has_size, moments, normality_scores
from ..utils.types import Contamination, Floats, Ints, RandomState
from ..utils.undoing import undone_on_error
from ..utils.validation import HasMethods, Interval, StrOptions, refuse_sparse
from ._wrapper import fit_detector, refuse_series


class ClusterwiseDetector(OffsetMixin, BaseEstimator):
    r"""Anomaly detection by one detector for each cluster of the training rows.

    Normal data often have several modes, each with a shape of its own. The rows, or the
    codes that an encoder gives them, are clustered, and one detector is fitted to each
    cluster, by default a one-class SVM [1]_ [2]_. The scores of a detector are standardised
    by the scores of its own training rows, so that the scores of wide and narrow clusters
    can be compared.

    Parameters
    ----------
    detector : estimator or None, default=None
        Outlier detector with ``score_samples`` or ``decision_function``, of this
        package or any other that follows scikit-learn. A clone is fitted to each
        cluster. None takes :class:`sklearn.svm.OneClassSVM`.
    n_clusters : int, default=8
        Number of clusters of the default clusterer, at most the number of rows. If you
        pass a ``clusterer``, set the number there.
    clusterer : estimator or None, default=None
        Clusterer that has ``labels_`` or ``predict`` after ``fit``. None takes
        :class:`sklearn.cluster.KMeans`. No detector is fitted to noise (label -1).
    encoder : estimator or None, default=None
        Maps rows to the codes that are clustered and scored: a detector with ``encode``
        or a transformer with ``transform``. If it is fitted, it is used as it is; else a
        clone is fitted to the training rows. None takes the rows themselves.
    combine : {"best", "nearest"}, default="best"
        With "best" a row gets the highest score of all detectors, so that it is normal if
        it is normal for any cluster. With "nearest" it gets the score of its own cluster's
        detector, which is ``n_clusters`` times as fast.
    min_cluster_size : int, default=5
        No detector is fitted to a cluster with fewer rows, since a handful of rows far from
        all others may be anomalies; the other detectors score them. If all clusters are
        smaller, all rows form one cluster.
    max_samples : int or None, default=1000
        A detector is fitted to at most this many rows of its cluster, drawn at random,
        because the time of a one-class SVM grows with their square. None takes all rows.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of outliers in the training rows; sets ``offset_``. With ``"auto"`` a row is
        an outlier if its score lies more than three robust standard deviations below the
        median of the training scores, the deviation being taken from the lower half:
        (median - first quartile) / 0.6745.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of rows and of each part whose own ``random_state`` is None. With
        an int the scores repeat.

    Attributes
    ----------
    clusterer_ : estimator
        The fitted clusterer.
    encoder_ : estimator or None
        The fitted encoder.
    detectors_ : list of estimators
        The fitted detectors, one for each cluster that is large enough.
    cluster_centers_ : ndarray of shape (n_detectors, n_dimensions)
        Means of the rows or codes of these clusters.
    offset_ : float
        Threshold of ``score_samples``; ``decision_function`` is the score less it.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    AutoEncoder : Gives codes to cluster.
    sklearn.svm.OneClassSVM : The default detector.

    Notes
    -----
    The score of row :math:`x` with code :math:`z` is

    .. math:: \max_c \frac{s_c(z) - \mu_c}{\sigma_c},

    where :math:`s_c` is the score of the detector of cluster :math:`c` and
    :math:`\mu_c` and :math:`\sigma_c` are the mean and the standard deviation of the
    scores of the rows that this detector was fitted to. With ``combine="nearest"``
    cluster :math:`c` is the one that the clusterer predicts, or else the one with the
    nearest centre.

    Distances depend on scales: put a scaler before this detector, or in ``encoder``.

    ``clone``, and with it a grid search, makes a fitted ``encoder`` unfitted, as it does
    with all parameters. To keep it fitted, wrap it in
    :class:`sklearn.frozen.FrozenEstimator`.

    References
    ----------
    .. [1] B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson,
       "Estimating the support of a high-dimensional distribution", Neural Computation
       13(7), 2001.
    .. [2] Z. He, X. Xu, S. Deng, "Discovering cluster-based local outliers", Pattern
       Recognition Letters 24, 2003: rows of small clusters are compared with large ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ClusterwiseDetector
    >>> rng = np.random.default_rng(0)
    >>> wide, narrow = rng.normal(size=(200, 2)), rng.normal(size=(200, 2), scale=0.1)
    >>> X = np.concatenate([wide, narrow + 8])
    >>> detector = ClusterwiseDetector(n_clusters=2, contamination=0.01, random_state=0)
    >>> detector = detector.fit(X)
    >>> detector.predict([[0, 1], [8, 8], [8, 9]])
    array([ 1,  1, -1])
    >>> detector.predict_cluster(X[[0, 1]]) == detector.predict_cluster(X[[200, 201]])
    array([False, False])
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit"), None],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "clusterer": [HasMethods("fit"), None],
        "encoder": [HasMethods("encode"), HasMethods("transform"), None],
        "combine": [StrOptions({"best", "nearest"})],
        "min_cluster_size": [Interval(Integral, 2, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        detector: BaseEstimator | None = None,
        n_clusters: int = 8,
        clusterer: BaseEstimator | None = None,
        encoder: BaseEstimator | None = None,
        combine: Literal["best", "nearest"] = "best",
        min_cluster_size: int = 5,
        max_samples: int | None = 1000,
        contamination: Contamination = 0.1,
        random_state: RandomState = None,
    ):
        self.detector = detector
        self.n_clusters = n_clusters
        self.clusterer = clusterer
        self.encoder = encoder
        self.combine = combine
        self.min_cluster_size = min_cluster_size
        self.max_samples = max_samples
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Cluster the rows, fit a detector to each cluster and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        TypeError
            If ``detector`` is not an outlier detector that scores new rows, or is one for
            series; or if the clusterer has neither ``labels_`` nor ``predict``, or does not
            cluster rows.
        ValueError
            If a parameter is out of range, or a detector gives scores that are not finite or
            labels other than -1 and +1.
        """
        self._validate_params()
        detector = OneClassSVM() if self.detector is None else self.detector
        _check_detector(detector)
        refuse_series(detector)
        rng = check_local_random_state(self.random_state)
        with undone_on_error(self):
            self._fit(X, detector, rng)
        return self

    def _fit(self, X: ArrayLike, detector: BaseEstimator, rng: np.random.RandomState) -> None:
        self._refuse(X)
        rows = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self._combine = self.combine
        self.encoder_ = self._fit_encoder(X, rows, rng)
        codes = self._codes(X, rows)
        members = self._fit_clusters(codes, rng)
        self.cluster_centers_ = np.stack([codes[cluster].mean(axis=0) for cluster in members])
        self.detectors_, scales = [], []
        for cluster in members:
            if self.max_samples is not None and len(cluster) > self.max_samples:
                cluster = rng.choice(cluster, self.max_samples, replace=False)
            own = fit_detector(detector, codes[cluster], rng=rng)
            scores = normality_scores(own, codes[cluster])
            if not np.isfinite(scores).all():
                raise ValueError(
                    f"{detector!r} gave scores that are not finite to rows that it was"
                    " fitted to. Scale X, or pass another detector."
                )
            # If all scores are equal, their standard deviation is rounding noise; dividing
            # by it would amplify the noise.
            sized = scores[has_size(scores)]
            floor = max(1e-6 * np.abs(sized).max(initial=0), np.finfo(np.float64).tiny)
            mean, deviation = moments(scores)
            scales.append((mean, max(deviation, floor)))
            self.detectors_.append(own)
        self._means, self._deviations = np.transpose(scales)
        scores = self._score_codes(codes)
        self.offset_ = choose_offset(scores, self.contamination)

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return how normal rows are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal, in standard deviations above the mean score of the
            training rows of a cluster.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        return self._score_codes(self._validated_codes(X))

    def predict_cluster(self, X: ArrayLike) -> Ints:
        """Return the cluster that each row belongs to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        clusters : ndarray of shape (n_samples,)
            Indices of ``cluster_centers_`` and ``detectors_``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        return self._nearest_clusters(self._validated_codes(X))

    def _fit_encoder(
        self, X: ArrayLike, rows: Floats, rng: np.random.RandomState
    ) -> BaseEstimator | None:
        if self.encoder is None:
            return None
        try:
            check_is_fitted(self.encoder)
        except NotFittedError:
            named = hasattr(self, "feature_names_in_")
            return seeded_clone(self.encoder, rng).fit(X if named else rows, None)
        return self.encoder

    def _refuse(self, X: ArrayLike) -> None:
        """Refuse sparse rows and images, and say what to do."""
        name = type(self).__name__
        refuse_sparse(X, name)
        if (n_axes := len(shape_of(X))) > 2:
            raise ValueError(
                f"Found array with dim {n_axes}, while dim <= 2 is required by {name}. Pass"
                " X.reshape(len(X), -1), and image_shape to a detector of images inside."
            )

    def _validated_codes(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        self._refuse(X)
        return self._codes(X, validate_data(self, X, dtype=np.float64, reset=False))

    def _codes(self, X: ArrayLike, rows: Floats) -> Floats:
        """Return the codes of X, which ``rows`` holds as a validated array."""
        if self.encoder_ is None:
            return rows
        # An encoder that was fitted without names would warn of a data frame.
        named = hasattr(self.encoder_, "feature_names_in_") and hasattr(X, "columns")
        encode = getattr(self.encoder_, "encode", None) or self.encoder_.transform
        return check_array(encode(X if named else rows), dtype=np.float64, input_name="codes")

    def _fit_clusters(self, codes: Floats, rng: np.random.RandomState) -> list[Ints]:
        """Fit the clusterer; return the indices of the rows of each cluster in use."""
        if self.clusterer is None:
            self.clusterer_ = KMeans(
                min(self.n_clusters, len(codes)), random_state=random_seed(rng)
            )
        else:
            self.clusterer_ = seeded_clone(self.clusterer, rng)
        with warnings.catch_warnings():
            # With many equal rows some clusters are empty; those are not used.
            warnings.filterwarnings("ignore", "Number of distinct", ConvergenceWarning)
            self.clusterer_.fit(codes, None)
        # The labels_ of a frozen clusterer are those of other rows.
        frozen = isinstance(self.clusterer_, FrozenEstimator)
        labels = None if frozen else getattr(self.clusterer_, "labels_", None)
        if labels is None:
            if not hasattr(self.clusterer_, "predict"):
                raise TypeError(
                    f"clusterer must offer labels_ or predict after fit, {self.clusterer_!r}"
                    " has neither. Use a clusterer such as sklearn.cluster.KMeans."
                )
            labels = self.clusterer_.predict(codes)
        if np.shape(labels) != (len(codes),):
            raise TypeError(
                f"clusterer must give each of {len(codes)} rows a label, {self.clusterer_!r}"
                f" gave labels of shape {np.shape(labels)}. Use one that clusters rows, such as"
                " sklearn.cluster.KMeans."
            )
        found, sizes = np.unique(labels, return_counts=True)
        used = (sizes >= self.min_cluster_size) & (found != -1)
        self._used_labels = found[used]
        if len(self._used_labels) == 0:
            return [np.arange(len(codes))]
        return [np.flatnonzero(labels == label) for label in self._used_labels]

    def _nearest_clusters(self, codes: Floats) -> Ints:
        """Return the predicted cluster, or the one with the nearest centre.

        The nearest centre counts if the clusterer has no ``predict``, or predicts a cluster
        without a detector.
        """
        nearest = pairwise_distances_argmin(codes, self.cluster_centers_)
        if hasattr(self.clusterer_, "predict"):
            predicted = self.clusterer_.predict(codes)
            for index, label in enumerate(self._used_labels):
                nearest[predicted == label] = index
        return nearest

    def _score_codes(self, codes: Floats) -> Floats:
        if self._combine == "best":
            scores = np.full(len(codes), -np.inf)
            for cluster in range(len(self.detectors_)):
                np.maximum(scores, self._standardized(cluster, codes), out=scores)
        else:
            nearest = self._nearest_clusters(codes)
            scores = np.empty(len(codes))
            for cluster in np.unique(nearest):
                rows = nearest == cluster
                scores[rows] = self._standardized(cluster, codes[rows])
        return scores

    def _standardized(self, cluster: int, codes: Floats) -> Floats:
        scores = normality_scores(self.detectors_[cluster], codes) - self._means[cluster]
        # Detectors may give the lowest float to rows that overflow.
        with np.errstate(over="ignore"):
            scores /= self._deviations[cluster]
        limit = np.finfo(np.float64).max / 4
        return np.clip(np.nan_to_num(scores, copy=False, nan=-limit), -limit, limit)


def _check_detector(detector: Any) -> None:
    """Refuse an estimator that is not an outlier detector, or that scores no new rows."""
    scores = hasattr(detector, "score_samples") or hasattr(detector, "decision_function")
    if inspect.isclass(detector) or not is_outlier_detector(detector):
        raise TypeError(
            f"detector must be an instance of an outlier detector, got {detector!r}. Pass"
            " for example detector=IsolationForest()."
        )
    if not scores:
        raise TypeError(
            f"detector must offer score_samples or decision_function for new rows, got"
            f" {detector!r}. LocalOutlierFactor offers them with novelty=True."
        )
