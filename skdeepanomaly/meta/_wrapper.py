"""Base classes of the meta-estimators, and how they fit the detectors inside."""

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import check_method_params, n_rows, take_rows
from ..utils.nesting import reads_in_order, supervised_kind
from ..utils.randomness import kept_numpy_state, seeded_clone
from ..utils.scores import OffsetMixin, check_label_convention, normality_scores
from ..utils.types import Floats, Ints, Rows


def fit_detector(
    detector: BaseEstimator,
    X: Rows,
    y: ArrayLike | None = None,
    params: dict[str, Any] | None = None,
    rows: Ints | None = None,
    rng: np.random.RandomState | None = None,
) -> BaseEstimator:
    """Fit a clone of a detector.

    Parameters
    ----------
    detector : estimator
        Not changed.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or None
        Labels, handed over; ``FrozenEstimator`` and others want them even if they are None.
    params : dict or None
        Further arguments of ``fit``; those with one value a row are cut as X is.
    rows : ndarray of int, or None
        The rows to fit to; None stands for all.
    rng : RandomState instance or None
        As in :func:`~skdeepanomaly.utils.randomness.seeded_clone`.

    Returns
    -------
    detector : estimator
        The fitted clone.

    Raises
    ------
    TypeError
        If it is a classifier or a regressor, or a pipeline or search around one; or if it is
        for series, and the rows are not consecutive.
    ValueError
        If it labels rows by other numbers than -1 and +1.
    """
    if (kind := supervised_kind(detector)) is not None:
        raise TypeError(
            f"{type(detector).__name__} is a {kind}, expected an outlier detector such as"
            " IsolationForest or AutoEncoder, or a pipeline that ends in one."
        )
    if rows is not None and np.any(np.diff(rows) != 1):
        refuse_series(detector)
    params, all_labels = params or {}, y
    if rows is not None:
        params = check_method_params(X, params, indices=rows)
        X, y = take_rows(X, rows), None if y is None else take_rows(y, rows)
    try:
        with nullcontext() if rng is None else kept_numpy_state():
            fitted = seeded_clone(detector, rng).fit(X, y, **params)
    except ValueError as error:
        if np.any(np.asarray(all_labels) == -1) and not np.any(np.asarray(y) == -1):
            error.add_note(
                f"{type(detector).__name__} was given {n_rows(X)} of the rows, none of which"
                " has the label -1. Label more rows, hold out fewer, or take larger samples."
            )
        raise
    check_label_convention(fitted, X)
    return fitted


def refuse_series(detector: BaseEstimator) -> None:
    """Raise an error if a detector is for series, because rows are drawn or grouped.

    Parameters
    ----------
    detector : estimator
        The detector.

    Raises
    ------
    TypeError
        If the order of the rows counts for it.
    """
    if reads_in_order(detector):
        raise TypeError(
            f"{type(detector).__name__} is for series, whose time stamps are read in their"
            " order, and cannot be fitted to some of the rows that are not consecutive. Use"
            " ScoreCalibrator for its threshold, or ThresholdedDetector with"
            " calibration_size=None, EnsembleDetector without max_samples and"
            " trimmed_fraction, and cv=TimeSeriesSplit() for searches."
        )


def _delegated(name: str, summary: str, returns: str, description: str) -> Any:
    """Make a method that calls the wrapped detector's, and is there only if that exists."""

    def has_method(self: "Wrapper") -> bool:
        getattr(getattr(self, "detector_", self.detector), name)
        return True

    def method(self: "Wrapper", X: Rows) -> NDArray[Any]:
        check_is_fitted(self)
        return getattr(self.detector_, name)(X)

    method.__name__, method.__qualname__ = name, f"Wrapper.{name}"
    method.__doc__ = f"""{summary}

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        {returns}
            {description}

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detector inside refuses X.
        """
    return available_if(has_method)(method)


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """Base of estimators around one detector.

    A subclass has the parameter ``detector``, and its ``fit`` sets the attribute
    ``detector_``, the fitted clone.
    """

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.detector_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features, if the wrapped detector knows them."""
        return self.detector_.feature_names_in_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        wrapped = get_tags(self.detector)
        tags.input_tags = wrapped.input_tags
        tags.target_tags = wrapped.target_tags
        tags.non_deterministic = wrapped.non_deterministic
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata is routed: from ``fit`` to the ``fit`` of the detector.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        return MetadataRouter(owner=type(self).__name__).add(
            detector=self.detector,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def _fit_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of ``fit`` that the ``fit`` of the detector gets."""
        if not params or not get_config()["enable_metadata_routing"]:
            return params
        return process_routing(self, "fit", **params).detector.fit

    encode = _delegated(
        "encode",
        "Return the codes that the wrapped detector gives to rows.",
        "codes : ndarray of shape (n_samples, latent_dim)",
        "Codes.",
    )
    reconstruct = _delegated(
        "reconstruct",
        "Return rows as the wrapped detector reconstructs them.",
        "X_rebuilt : ndarray of shape (n_samples, n_features)",
        "Reconstructed rows.",
    )
    predict_cluster = _delegated(
        "predict_cluster",
        "Return the clusters that the wrapped detector assigns rows to.",
        "clusters : ndarray of shape (n_samples,)",
        "Indices of clusters.",
    )
    explain = _delegated(
        "explain",
        "Return what each feature adds to the anomaly score of the wrapped detector.",
        "contributions : ndarray of shape (n_samples, n_features), float64",
        "Contributions; the detector's own method says what they add up to.",
    )


class WrappedDetector(OffsetMixin, Wrapper):
    """Base of outlier detectors around one detector.

    ``fit`` of a subclass sets ``offset_``, too.
    """

    def score_samples(self, X: Rows) -> Floats:
        """Return the scores of the wrapped detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detector inside refuses X.
        """
        check_is_fitted(self)
        return normality_scores(self.detector_, X)
