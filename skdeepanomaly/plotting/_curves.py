"""scikit-learn's curves with the anomaly as the positive class."""

from inspect import signature

import numpy as np
from sklearn.metrics import (
    DetCurveDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
    average_precision_score,
    det_curve,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ..metrics._ranking import read_truth
from ._common import decide, import_pyplot, name_of, open_axes


class _OutlierCurveDisplay:
    """A curve that a display of scikit-learn draws."""

    # Where the legend goes, if not where scikit-learn puts it.
    _legend: str | None = None

    @classmethod
    def from_estimator(cls, detector, X, y, *, name=None, ax=None, **kwargs):
        """Draw the curve of a detector.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        name : str or None, default=None
            Label of the curve; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to ``plot``.

        Returns
        -------
        display : object
            What was drawn.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        y_score = np.negative(decide(detector, X))
        name = name_of(detector) if name is None else name
        return cls.from_predictions(y, y_score, name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(cls, y_true, y_score, *, name=None, ax=None, **kwargs):
        """Draw the curve of anomaly scores.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal.
        y_score : array-like of shape (n_samples,)
            Anomaly scores, the higher, the more abnormal, as the metrics of this package take
            them: ``-detector.decision_function(X)``.
        name : str or None, default=None
            Label of the curve.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to ``plot``.

        Returns
        -------
        display : object
            What was drawn.

        Raises
        ------
        ValueError
            If ``y_true`` holds other labels, or only one class.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        check_consistent_length(y_true, y_score)
        judged, is_anomaly = read_truth(y_true)
        y_score = check_array(y_score, ensure_2d=False, dtype=np.float64, input_name="y_score")
        curve = cls._curve(is_anomaly, column_or_1d(y_score)[judged])
        return cls(**curve, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, curve_kwargs=None, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Label of the curve; None takes that of the display.
        curve_kwargs : dict or None, default=None
            Style of the curve, passed on to :meth:`matplotlib.axes.Axes.plot`.
        **kwargs : dict
            Passed on to ``plot`` of scikit-learn's display, such as
            ``plot_chance_level=True`` where it has that.

        Returns
        -------
        display : object
            The display.
        """
        ax = open_axes(ax, f"{type(self).__name__}.plot")
        drawn = self._display()
        # Not every version of every display takes the style of the curve as a dict.
        style = curve_kwargs or {}
        if "curve_kwargs" in signature(drawn.plot).parameters:
            style = {"curve_kwargs": curve_kwargs}
        drawn.plot(ax, name=self.name if name is None else name, **style, **kwargs)
        for part in ("line_", "chance_level_", "ax_", "figure_"):
            setattr(self, part, getattr(drawn, part, None))
        for axis in (self.ax_.xaxis, self.ax_.yaxis):
            axis.set_label_text(f"{axis.get_label_text()} (anomaly)")
        if self._legend is not None and self.ax_.get_legend() is not None:
            self.ax_.legend(loc=self._legend)
        return self


class OutlierRocCurveDisplay(_OutlierCurveDisplay):
    """ROC curve of a detector: anomalies found against false alarms.

    Make it with ``from_estimator`` or ``from_predictions``.

    Parameters
    ----------
    fpr : ndarray
        Share of the normal rows that are flagged.
    tpr : ndarray
        Share of the anomalies that are flagged.
    roc_auc : float or None, default=None
        Area under the curve.
    name : str or None, default=None
        Label of the curve.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    chance_level_ : matplotlib Line2D or None
        The curve of a detector that guesses, with ``plot_chance_level=True``.
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    OutlierPrecisionRecallDisplay : Better to look at where anomalies are rare.
    sklearn.metrics.RocCurveDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierRocCurveDisplay
    >>> display = OutlierRocCurveDisplay.from_predictions([1, 1, -1], [0.1, 0.4, 0.9])
    >>> display.roc_auc
    1.0
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, fpr, tpr, roc_auc=None, name=None):
        self.fpr = fpr
        self.tpr = tpr
        self.roc_auc = roc_auc
        self.name = name

    @staticmethod
    def _curve(is_anomaly, y_score):
        fpr, tpr, _ = roc_curve(is_anomaly, y_score)
        return {"fpr": fpr, "tpr": tpr, "roc_auc": float(roc_auc_score(is_anomaly, y_score))}

    def _display(self):
        return RocCurveDisplay(fpr=self.fpr, tpr=self.tpr, roc_auc=self.roc_auc)


class OutlierPrecisionRecallDisplay(_OutlierCurveDisplay):
    """Precision-recall curve of a detector.

    Make it with ``from_estimator`` or ``from_predictions``.

    Parameters
    ----------
    precision : ndarray
        Share of anomalies among the rows that are flagged.
    recall : ndarray
        Share of the anomalies that are flagged.
    average_precision : float or None, default=None
        Area under the curve.
    prevalence : float or None, default=None
        Share of anomalies, the precision of a detector that guesses.
    name : str or None, default=None
        Label of the curve.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    chance_level_ : matplotlib Line2D or None
        The curve of a detector that guesses, with ``plot_chance_level=True``.
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ThresholdDisplay : Precision and recall over the thresholds.
    sklearn.metrics.PrecisionRecallDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierPrecisionRecallDisplay
    >>> display = OutlierPrecisionRecallDisplay.from_predictions([0, 0, 1], [0.1, 0.4, 0.9])
    >>> display.average_precision
    1.0
    >>> plt.close(display.figure_)
    """

    # The lower left is not free where anomalies are rare and the chance level is drawn.
    _legend = "best"

    def __init__(
        self, *, precision, recall, average_precision=None, prevalence=None, name=None
    ):
        self.precision = precision
        self.recall = recall
        self.average_precision = average_precision
        self.prevalence = prevalence
        self.name = name

    @staticmethod
    def _curve(is_anomaly, y_score):
        precision, recall, _ = precision_recall_curve(is_anomaly, y_score)
        return {
            "precision": precision,
            "recall": recall,
            "average_precision": float(average_precision_score(is_anomaly, y_score)),
            "prevalence": float(is_anomaly.mean()),
        }

    def _display(self):
        return PrecisionRecallDisplay(
            precision=self.precision,
            recall=self.recall,
            average_precision=self.average_precision,
            prevalence_pos_label=self.prevalence,
        )


class OutlierDetCurveDisplay(_OutlierCurveDisplay):
    """Detection error trade-off of a detector: anomalies missed against false alarms.

    Make it with ``from_estimator`` or ``from_predictions``.

    Parameters
    ----------
    fpr : ndarray
        Share of the normal rows that are flagged.
    fnr : ndarray
        Share of the anomalies that are missed.
    name : str or None, default=None
        Label of the curve.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    OutlierRocCurveDisplay : The same errors on linear axes.
    sklearn.metrics.DetCurveDisplay : For classifiers; it refuses detectors.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skdeepanomaly import OutlierDetCurveDisplay
    >>> display = OutlierDetCurveDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.5, 0.4, 0.9])
    >>> display.fpr, display.fnr
    (array([0.5, 0.5, 0. ]), array([0. , 0.5, 0.5]))
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, fpr, fnr, name=None):
        self.fpr = fpr
        self.fnr = fnr
        self.name = name

    @staticmethod
    def _curve(is_anomaly, y_score):
        fpr, fnr, _ = det_curve(is_anomaly, y_score)
        return {"fpr": fpr, "fnr": fnr}

    def _display(self):
        return DetCurveDisplay(fpr=self.fpr, fnr=self.fnr)
