"""Curves of detectors, drawn by scikit-learn with the anomaly as the positive class."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import DetCurveDisplay, PrecisionRecallDisplay, RocCurveDisplay
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ..metrics import read_truth
from ..utils.types import Rows
from ._common import Axes, decide, name_of, open_axes


class _OutlierCurveDisplay:
    """A display of scikit-learn, made of anomaly scores.

    Not a subclass of scikit-learn's displays, because the parameters of their constructors
    depend on the version.
    """

    _display: Any
    _legend = "lower right"

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: Rows,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Any:
        """Draw the curve of a detector.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. Rows that
            nobody has judged are left out.
        name : str or None, default=None
            Label of the curve; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`from_predictions`.

        Returns
        -------
        display : object
            The display of scikit-learn that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector is a classifier, or ``y`` has other labels or only one class.
        """
        y_score = -np.asarray(decide(detector, X))
        name = name_of(detector) if name is None else name
        return cls.from_predictions(y, y_score, name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Draw the curve of anomaly scores.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. Rows that
            nobody has judged are left out.
        y_score : array-like of shape (n_samples,)
            Anomaly scores, the higher, the more abnormal, as the metrics of this package take
            them: ``-detector.decision_function(X)``.
        name : str or None, default=None
            Label of the curve; None takes "Detector".
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        curve_kwargs : dict or None, default=None
            Style of the curve: properties of :class:`matplotlib.lines.Line2D`.
        **kwargs : dict
            Passed on to ``from_predictions`` of scikit-learn's display, such as
            ``plot_chance_level=True`` if it has that.

        Returns
        -------
        display : object
            The display of scikit-learn that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y_true`` has other labels or only one class, or scores are not finite.
        """
        check_consistent_length(y_true, y_score)
        judged, is_anomaly = read_truth(y_true)
        y_score = check_array(y_score, ensure_2d=False, dtype=np.float64, input_name="y_score")
        display = cls._display.from_predictions(
            np.where(is_anomaly, "anomaly", "normal"),
            column_or_1d(y_score)[judged],
            pos_label="anomaly",
            name="Detector" if name is None else name,
            ax=open_axes(ax),
            **kwargs,
        )
        # The parameter for the style of the curve depends on the version of scikit-learn.
        display.line_.set(**(curve_kwargs or {}))
        display.ax_.legend(loc=cls._legend)
        return display


class OutlierRocCurveDisplay(_OutlierCurveDisplay):
    """ROC curve of a detector: share of anomalies found against share of false alarms.

    ``from_estimator`` and ``from_predictions`` draw it, and return scikit-learn's
    :class:`~sklearn.metrics.RocCurveDisplay`: ``fpr`` is the share of the normal rows that
    are flagged, ``tpr`` the share of the anomalies that are flagged, ``roc_auc`` the area
    under the curve.

    See Also
    --------
    OutlierPrecisionRecallDisplay : Shows more if anomalies are rare.
    sklearn.metrics.RocCurveDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierRocCurveDisplay
    >>> display = OutlierRocCurveDisplay.from_predictions([1, 1, -1], [0.1, 0.4, 0.9])
    >>> float(display.roc_auc)
    1.0
    >>> plt.close(display.figure_)
    """

    _display = RocCurveDisplay


class OutlierPrecisionRecallDisplay(_OutlierCurveDisplay):
    """Precision-recall curve of a detector.

    ``from_estimator`` and ``from_predictions`` draw it, and return scikit-learn's
    :class:`~sklearn.metrics.PrecisionRecallDisplay`: ``precision`` is the share of anomalies
    among the rows that are flagged, ``recall`` the share of the anomalies that are flagged,
    ``average_precision`` the area under the curve.

    See Also
    --------
    ThresholdDisplay : Precision and recall over the thresholds.
    sklearn.metrics.PrecisionRecallDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierPrecisionRecallDisplay
    >>> display = OutlierPrecisionRecallDisplay.from_predictions([0, 0, 1], [0.1, 0.4, 0.9])
    >>> float(display.average_precision)
    1.0
    >>> plt.close(display.figure_)
    """

    _display = PrecisionRecallDisplay
    # If anomalies are rare, the chance level takes up the lower left, where scikit-learn
    # puts the legend.
    _legend = "best"


class OutlierDetCurveDisplay(_OutlierCurveDisplay):
    """Detection error trade-off of a detector: share of anomalies missed against false alarms.

    ``from_estimator`` and ``from_predictions`` draw it, and return scikit-learn's
    :class:`~sklearn.metrics.DetCurveDisplay`: ``fpr`` is the share of the normal rows that
    are flagged, ``fnr`` the share of the anomalies that are missed.

    See Also
    --------
    OutlierRocCurveDisplay : The same errors on linear axes.
    sklearn.metrics.DetCurveDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierDetCurveDisplay
    >>> display = OutlierDetCurveDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.5, 0.4, 0.9])
    >>> display.fpr.round(1), display.fnr.round(1)
    (array([0.5, 0.5, 0. ]), array([0. , 0.5, 0.5]))
    >>> plt.close(display.figure_)
    """

    _display = DetCurveDisplay
