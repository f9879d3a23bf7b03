"""Parts that several displays share."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, column_or_1d

from ..utils.nesting import nested_rows
from ..utils.rows import spread
from ..utils.scores import check_label_convention, has_size
from ..utils.types import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
else:
    # Matplotlib is imported by the first display that is drawn, and need not be there.
    Axes = Any

NORMAL, ANOMALY, NOT_JUDGED = "tab:blue", "tab:red", "0.6"
THRESHOLD_STYLE = {"color": "black", "linestyle": "--", "linewidth": 1.2}


def import_pyplot() -> Any:
    """Return ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays are drawn with matplotlib, which is not installed:"
            ' pip install "skdeepanomaly[plot]".'
        ) from error
    return plt


def open_axes(ax: Axes | None, figsize: tuple[float, float] | None = None) -> Any:
    """Return the given axes; axes of a new figure if there are none."""
    plt = import_pyplot()
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def name_of(detector: BaseEstimator) -> str:
    """Return the name of a detector's class; of a pipeline, the class of the last step."""
    return type(detector[-1] if isinstance(detector, Pipeline) else detector).__name__


def innermost(detector: BaseEstimator, X: Rows, *methods: str) -> tuple[Any, Any]:
    """Return the detector inside of pipelines and meta-estimators, and the rows that it gets.

    Parameters
    ----------
    detector : object
        A fitted detector, or a pipeline, search or meta-estimator around one.
    X : array-like of shape (n_samples, ...)
        Rows, as the outermost estimator takes them.
    *methods : str
        The detector must have one of these.

    Returns
    -------
    inside : object
        The detector.
    X : array-like of shape (n_samples, ...)
        Rows, as all transformers around the detector return them.

    Raises
    ------
    ImportError
        If matplotlib is not installed, before anything is computed.
    ValueError
        If the detector has none of the methods.
    """
    import_pyplot()
    *_, (inside, seen) = nested_rows(detector, X)
    if not any(hasattr(inside, method) for method in methods):
        raise ValueError(
            f"{name_of(inside)} has no {' or '.join(methods)}: expected a detector that has, or"
            " a pipeline, search or meta-estimator around one."
        )
    return inside, seen


def decide(detector: BaseEstimator, X: Rows) -> np.ndarray:
    """Return the decision function of an outlier detector.

    Parameters
    ----------
    detector : object
        A fitted outlier detector, or a pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        The lower, the more abnormal; negative for rows that are flagged.

    Raises
    ------
    ImportError
        If matplotlib is not installed, before anything is computed.
    ValueError
        If the detector is a classifier, or gives other labels than -1 and +1.
    """
    import_pyplot()
    if is_classifier(detector):
        raise ValueError(
            f"{name_of(detector)} is a classifier, whose decision function means something"
            " else: pass the detector inside it, or draw it with scikit-learn's own displays."
        )
    check_label_convention(detector, X)
    return detector.decision_function(X)


def read_scores(scores: ArrayLike) -> np.ndarray:
    """Return scores as numbers that an axis can show.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, the lower, the more abnormal.

    Returns
    -------
    scores : ndarray of shape (n_samples,), float64
        Scores that have a rank but no size, such as the lowest float64, are moved to just
        below the lowest other score.

    Raises
    ------
    ValueError
        If there are NaN or infinite scores, or more than one dimension.
    """
    given = check_array(scores, ensure_2d=False, dtype=np.float64, input_name="scores")
    values = column_or_1d(given)
    sized = has_size(values)
    if sized.all() or not sized.any():
        return values
    low, high = values[sized].min(), values[sized].max()
    return np.clip(values, np.nextafter(low, -np.inf), np.nextafter(high, np.inf))


def linear_width(scores: np.ndarray, scale: str) -> float | None:
    """Return the half-width of the linear part of a scale of scores, as in `scale_scores`."""
    if scale not in ("auto", "linear", "asinh"):
        raise ValueError(f"scale must be 'auto', 'linear' or 'asinh', got {scale!r}.")
    # Anomalies have low scores, so the upper half gives the spread of the normal rows.
    middle, high = np.quantile(scores, [0.5, 0.9])
    width = float(high - middle)
    if width == 0 or scale == "linear" or (scale == "auto" and np.ptp(scores) < 30 * width):
        return None
    return width


def scale_scores(ax: Axes, scores: np.ndarray, scale: str) -> float | None:
    """Set the scale of the horizontal axis, before anything is drawn.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    scores : ndarray of shape (n_samples,)
        Scores that will be drawn.
    scale : {"auto", "linear", "asinh"}
        "asinh" is linear around 0 and logarithmic far from it. "auto" is "asinh" if the
        range of the scores is at least 30 times the half-width of the linear part, else
        "linear".

    Returns
    -------
    width : float or None
        Half-width of the linear part around zero; None if the whole axis is linear.

    Raises
    ------
    ValueError
        If ``scale`` is unknown.
    """
    width = linear_width(scores, scale)
    if width is None:
        return None
    ax.set_xscale("asinh", linear_width=width)
    # Ticks at zero and at four or fewer powers of ten on each side.
    low, high = scores.min(), scores.max()
    powers = np.arange(np.ceil(np.log10(3 * width)), np.log10(max(-low, high)) + 1e-9)
    if len(powers):
        powers = 10 ** spread(powers, 4)
        ticks = np.concatenate([-powers[::-1], [0], powers])
        ax.set_xticks(ticks[(ticks >= low) & (ticks <= high)])
    return width


class ScoreDisplayMixin:
    """Mixin of displays of scores: ``from_estimator``, which calls ``from_scores``."""

    # A class method of the display.
    from_scores: ClassVar[Any]

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: Rows,
        y: ArrayLike | None = None,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the decision function of a detector, whose threshold is 0.

        Parameters
        ----------
        detector : object
            A fitted outlier detector of scikit-learn's kind, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or None, default=None
            Truth: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly, 0 normal. Only
            ``ScoreDisplay`` can do without.
        name : str or None, default=None
            Title; None takes the name of the detector's class.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : object
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector is a classifier or gives other labels than -1 and +1, or if ``y``
            has other labels or only one class.
        """
        return cls.from_scores(
            decide(detector, X),
            y,
            score_name="Decision function",
            name=name_of(detector) if name is None else name,
            ax=ax,
            **kwargs,
        )
