"""What detectors around other detectors have in common."""

from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import check_method_params, take_rows
from ..utils.scores import OffsetMixin, normality_scores


def detector_has(name):
    """Return a check for ``available_if``: whether the wrapped detector has a method."""

    def check(self):
        getattr(getattr(self, "detector_", self.detector), name)
        return True

    return check


def fit_detector(detector, X, y=None, params=None, rows=None):
    """Fit a clone of a detector.

    Parameters
    ----------
    detector : estimator
        Not changed.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or None
        Labels, which are handed over where there are any.
    params : dict or None
        Further arguments of ``fit``; those with a value a row are cut as X is.
    rows : ndarray of int, or None
        The rows to fit to; None stands for all.

    Returns
    -------
    detector : estimator
        The fitted clone.

    Raises
    ------
    TypeError
        If it is a classifier or a regressor, or a pipeline or search around one.
    """
    # What has no tags of scikit-learn's may still do what a detector does.
    if hasattr(detector, "__sklearn_tags__") and (
        is_classifier(detector) or is_regressor(detector)
    ):
        kind = "classifier" if is_classifier(detector) else "regressor"
        raise TypeError(
            f"{type(detector).__name__} is a {kind}, expected an outlier detector such as"
            " IsolationForest or AutoEncoder, or a pipeline that ends in one."
        )
    params = params or {}
    if rows is not None:
        params = check_method_params(X, params, indices=rows)
        X, y = take_rows(X, rows), None if y is None else take_rows(y, rows)
    return clone(detector).fit(X, *(() if y is None else (y,)), **params)


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """Base of estimators around a detector, which is fitted as ``detector_``.

    A subclass has the parameter ``detector``, implements ``fit``, and sets ``detector_``.
    """

    @property
    def n_features_in_(self):
        """Number of features."""
        return self.detector_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features, where the wrapped detector knows them."""
        return self.detector_.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        wrapped = get_tags(self.detector)
        tags.input_tags = wrapped.input_tags
        tags.target_tags = wrapped.target_tags
        tags.non_deterministic = wrapped.non_deterministic
        return tags

    def get_metadata_routing(self):
        """Return where metadata goes: what ``fit`` is given goes to the detector's.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        return MetadataRouter(owner=type(self).__name__).add(
            detector=self.detector,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def _fit_params(self, params):
        """Return those of the arguments of ``fit`` that go to the detector's."""
        if not params or not get_config()["enable_metadata_routing"]:
            return params
        return process_routing(self, "fit", **params).detector.fit

    @available_if(detector_has("encode"))
    def encode(self, X):
        """Return the codes that the wrapped detector gives to rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, latent_dim)
            Codes.
        """
        check_is_fitted(self)
        return self.detector_.encode(X)

    @available_if(detector_has("reconstruct"))
    def reconstruct(self, X):
        """Return rows as the wrapped detector rebuilds them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        X_rebuilt : ndarray of shape (n_samples, n_features)
            Rows.
        """
        check_is_fitted(self)
        return self.detector_.reconstruct(X)

    @available_if(detector_has("predict_cluster"))
    def predict_cluster(self, X):
        """Return the clusters that the wrapped detector assigns rows to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        clusters : ndarray of shape (n_samples,)
            Indices of clusters.
        """
        check_is_fitted(self)
        return self.detector_.predict_cluster(X)

    @available_if(detector_has("explain"))
    def explain(self, X):
        """Return what each feature adds to the anomaly score of the wrapped detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray or data frame of shape (n_samples, n_features)
            Contributions, see the detector's own method.
        """
        check_is_fitted(self)
        return self.detector_.explain(X)


class WrappedDetector(OffsetMixin, Wrapper):
    """Base of detectors around another one.

    A subclass sets ``offset_``, too.
    """

    def score_samples(self, X):
        """Return the scores of the wrapped detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal.
        """
        check_is_fitted(self)
        return normality_scores(self.detector_, X)
