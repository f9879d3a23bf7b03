"""A detector as a binary classifier, for scikit-learn's tools that take only classifiers."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_array, column_or_1d, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..utils.scores import decisions
from ..utils.types import Bools, Floats, Rows
from ..utils.validation import HasMethods
from ..utils.warn import warn_user
from ._wrapper import Wrapper, fit_detector

ENCODED = (
    "cross_val_predict of decisions, and with it CalibratedClassifierCV(ensemble=False), writes"
    " labels such as -1 and +1 as 0 and 1 before fit sees them, and so do VotingClassifier,"
    " StackingClassifier and BaggingClassifier: with these tools use 1 for anomalies and 0 for"
    " normal rows."
)


class DetectorClassifier(ClassifierMixin, Wrapper):
    """A detector as a binary classifier.

    scikit-learn's tools for thresholds and probabilities,
    :class:`~sklearn.model_selection.TunedThresholdClassifierCV` and
    :class:`~sklearn.calibration.CalibratedClassifierCV`, refuse outlier detectors and
    accept this adapter.

    Parameters
    ----------
    detector : estimator
        Outlier detector, or a pipeline that ends in one; a clone is fitted.
    anomaly_label : int, str, bool or None, default=None
        The label of the anomalies; ``y`` may then hold any two labels. None reads labels
        whose meaning is known: -1 with +1, 1 with 0 and True with False mark anomalies, 1 and
        True only if they are less than half of the labels.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels of ``y``, sorted.
    anomaly_label_ : object
        The label of the anomalies, one of ``classes_``: the ``pos_label`` of metrics.
    detector_ : estimator
        The fitted detector.
    n_features_in_ : int
        Number of features, if the detector has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the detector has them.

    See Also
    --------
    ThresholdSearchCV : Chooses the threshold and stays an outlier detector.

    Notes
    -----
    As in all binary classifiers, ``decision_function`` is positive for ``classes_[1]``. With
    -1 and +1 this is the normal class, and the decisions are those of the detector. With 0
    and 1 it is the anomaly, and the sign is flipped. ``predict_proba`` of
    ``CalibratedClassifierCV`` has its columns in the same order: the probability of an anomaly
    is column 0 with -1 and +1, and column 1 with 0 and 1.

    :func:`~sklearn.model_selection.cross_val_predict` of decisions, and with it
    ``CalibratedClassifierCV(ensemble=False)``, writes the labels as 0 and 1, in the order of
    ``classes_``, before ``fit`` sees them, and so do
    :class:`~sklearn.ensemble.VotingClassifier`, :class:`~sklearn.ensemble.StackingClassifier`
    and :class:`~sklearn.ensemble.BaggingClassifier`. Labels -1 and +1 then change their
    meaning, and so do 1 and 2 with ``anomaly_label=1``. ``fit`` cannot know this, but refuses 0
    and 1 if half or more of them are 1, and warns if ``anomaly_label`` is 0 or 1 and the
    majority. The mistake is therefore found only if anomalies are the minority. With these
    tools use 1 for anomalies and 0 for normal rows. With -1 and +1 set ``anomaly_label=-1``:
    these tools then always fail.

    There is no ``predict_proba``: for ``VotingClassifier(voting="soft")`` wrap the classifier
    in ``CalibratedClassifierCV``.

    The detector's ``fit`` is given the labels as -1 for anomalies and +1 for normal rows,
    whatever ``y`` holds. Most detectors ignore them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.calibration import CalibratedClassifierCV
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import as_classifier
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(300, 2)), rng.normal(0, 7, size=(30, 2))])
    >>> y = np.repeat([0, 1], [300, 30])
    >>> classifier = CalibratedClassifierCV(as_classifier(IsolationForest(random_state=0)))
    >>> probability = classifier.fit(X, y).predict_proba([[0, 0], [9, -9]])[:, 1]
    >>> bool(probability[0] < 0.1 < 0.5 < probability[1])
    True
    """

    _parameter_constraints: dict = {
        "detector": [HasMethods("fit")],
        "anomaly_label": "no_validation",
    }

    def __init__(
        self, detector: BaseEstimator, *, anomaly_label: int | str | bool | None = None
    ):
        self.detector = detector
        self.anomaly_label = anomaly_label

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        # It separates rare rows from the rest, not two balanced classes: scikit-learn's checks
        # of the accuracy do not apply.
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: Rows, y: ArrayLike, **params: Any) -> Self:
        """Fit the detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal; or any two labels of
            which ``anomaly_label`` is one.
        **params : dict
            Further arguments of the detector's ``fit``, such as ``sample_weight``; with
            metadata routing those that the detector requests.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If y does not hold two labels, ``anomaly_label`` is none of them, or it is None
            and it is unclear which label marks the anomalies.
        TypeError
            If the detector is a classifier or a regressor.
        """
        self._validate_params()
        params = self._fit_params(params)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        # check_array turns pandas' nullable columns into floats, even if no value is missing.
        dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
        labels = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        if getattr(dtype, "kind", "O") in "biu":
            labels = labels.astype(dtype)
        X, labels = indexable(X, column_or_1d(labels, warn=True))
        check_classification_targets(labels)
        classes = np.unique(labels)
        is_anomaly = self._read_anomalies(labels, classes)
        self.detector_ = fit_detector(self.detector, X, np.where(is_anomaly, -1, 1), params)
        self.classes_ = classes
        self.anomaly_label_ = labels[is_anomaly][0]
        return self

    def _read_anomalies(self, y: NDArray[Any], classes: NDArray[Any]) -> Bools:
        """Return which rows are anomalies; refuse labels whose meaning is unclear."""
        found = classes.tolist()
        if len(found) > 2:
            hint = "Leave out the rows labelled 0." if set(found) == {-1, 0, 1} else ""
            raise ValueError(
                "Only binary classification is supported. The type of the target is"
                f" multiclass: y holds {len(found)} classes, {found[:5]}. {hint}"
            )
        if len(found) < 2:
            raise ValueError(
                f"y holds one class only, {found}: there is nothing to tell apart. Expected"
                " anomalies and normal rows. In cross-validation use StratifiedKFold, or"
                " fewer folds."
            )
        if self.anomaly_label is not None:
            if self.anomaly_label not in found:
                hint = f" {ENCODED}" if found == [0, 1] else ""
                raise ValueError(
                    f"anomaly_label={self.anomaly_label!r} is none of the labels {found} in"
                    f" y.{hint}"
                )
            is_anomaly = y == self.anomaly_label
            if found == [0, 1] and is_anomaly.mean() > 0.5:
                warn_user(
                    f"{is_anomaly.mean():.0%} of y are anomalies by"
                    f" anomaly_label={self.anomaly_label!r}. {ENCODED}",
                )
            return is_anomaly
        if found not in ([-1, 1], [0, 1]):
            raise ValueError(
                f"It cannot be told which of the labels {found} in y marks the anomalies."
                " Set anomaly_label, or hand over -1 (anomaly) and +1 (normal), or 1"
                " (anomaly) and 0 (normal)."
            )
        is_anomaly = y == (-1 if -1 in found else 1)
        if found == [0, 1] and is_anomaly.mean() >= 0.5:
            raise ValueError(
                f"{is_anomaly.mean():.0%} of y are 1, which marks anomalies beside 0. If they"
                " are normal rows, set anomaly_label=0; if they are anomalies, set"
                f" anomaly_label=1. {ENCODED}"
            )
        return is_anomaly

    def decision_function(self, X: Rows) -> Floats:
        """Return the detector's decisions, with the sign of a classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Positive for ``classes_[1]``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detector inside refuses X.
        """
        check_is_fitted(self)
        decision = decisions(self.detector_, X)
        return -decision if self.anomaly_label_ == self.classes_[1] else decision

    def predict(self, X: Rows) -> NDArray[Any]:
        """Label rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Values of ``classes_``.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If the detector inside refuses X.
        """
        check_is_fitted(self)
        is_anomaly = decisions(self.detector_, X) < 0
        normal = self.classes_[self.classes_ != self.anomaly_label_][0]
        return np.where(is_anomaly, self.anomaly_label_, normal)


def as_classifier(
    detector: BaseEstimator, *, anomaly_label: int | str | bool | None = None
) -> DetectorClassifier:
    """Return a binary classifier with the decisions of a detector.

    Parameters
    ----------
    detector : estimator
        Outlier detector, or a pipeline that ends in one.
    anomaly_label : int, str, bool or None, default=None
        The label of the anomalies; ``y`` may then hold any two labels. None reads -1
        (anomaly) and +1 (normal), or 1 (anomaly) and 0 (normal).

    Returns
    -------
    classifier : DetectorClassifier
        Not fitted. Once fitted, its ``classes_`` are the two labels, sorted, and its
        ``decision_function`` is positive for the second one: the normal class with -1 and
        +1, the anomaly with 0 and 1.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.metrics import f1_score, make_scorer
    >>> from sklearn.model_selection import TunedThresholdClassifierCV
    >>> from skdeepanomaly import as_classifier
    >>> classifier = as_classifier(IsolationForest(random_state=0))
    >>> search = TunedThresholdClassifierCV(
    ...     classifier, scoring=make_scorer(f1_score, pos_label=-1)
    ... )
    >>> search.fit([[0], [1], [2], [3], [50]] * 10, [1, 1, 1, 1, -1] * 10).predict([[2], [60]])
    array([ 1, -1])
    """
    return DetectorClassifier(detector, anomaly_label=anomaly_label)
