"""What the displays have in common."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, column_or_1d

NORMAL, ANOMALY, NOT_JUDGED = "tab:blue", "tab:red", "0.6"
THRESHOLD_STYLE = {"color": "black", "linestyle": "--", "linewidth": 1.2}


def import_pyplot(caller: str):
    """Return ``matplotlib.pyplot``; say what to install where it is missing."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which is not installed:"
            ' pip install "skdeepanomaly[plot]".'
        ) from error
    return plt


def open_axes(ax, caller: str):
    """Return the axes to draw on, new ones where there are none."""
    plt = import_pyplot(caller)
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def name_of(detector) -> str:
    """Return the name of a detector's class, of that at the end where it is a pipeline."""
    return type(detector[-1] if isinstance(detector, Pipeline) else detector).__name__


def decide(detector, X) -> np.ndarray:
    """Return the decision function of an outlier detector, which is low for anomalies."""
    if is_classifier(detector):
        raise ValueError(
            f"{name_of(detector)} is a classifier, whose decision function means something"
            " else: pass the detector inside it, or draw it with scikit-learn's own displays."
        )
    return detector.decision_function(X)


def read_scores(scores) -> np.ndarray:
    """Return scores as a float64 vector that an axis can show.

    Rows whose score overflows have the lowest number there is; they go to the left of all
    others.
    """
    scores = check_array(scores, ensure_2d=False, dtype=np.float64, input_name="scores")
    scores = column_or_1d(scores)
    overflown = scores == np.finfo(np.float64).min
    if overflown.all() or not overflown.any():
        return scores
    return np.where(overflown, np.nextafter(scores[~overflown].min(), -np.inf), scores)


def scale_scores(ax, scores: np.ndarray, scale: str):
    """Set the scale of the axis of scores, before anything is drawn.

    Parameters
    ----------
    ax : matplotlib Axes
        The horizontal axis is set.
    scores : ndarray of shape (n_samples,)
        Scores that will be drawn.
    scale : {"auto", "linear", "asinh"}
        "auto" squeezes the tails where they reach so far that most scores would be a
        single line.

    Returns
    -------
    width : float or None
        About so far from zero the axis is linear; None where it is everywhere.
    """
    if scale not in ("auto", "linear", "asinh"):
        raise ValueError(f"scale must be 'auto', 'linear' or 'asinh', got {scale!r}.")
    # The normal side has no long tail.
    middle, high = np.quantile(scores, [0.5, 0.9])
    width = float(high - middle)
    if width == 0 or scale == "linear" or (scale == "auto" and np.ptp(scores) < 30 * width):
        return None
    ax.set_xscale("asinh", linear_width=width)
    # Ticks at zero and at some powers of ten, no two close to each other.
    low, high = scores.min(), scores.max()
    powers = np.arange(np.ceil(np.log10(3 * width)), np.log10(max(-low, high)) + 1e-9)
    if len(powers):
        powers = 10 ** powers[:: -(-len(powers) // 4)]
        ticks = np.concatenate([-powers[::-1], [0], powers])
        ax.set_xticks(ticks[(ticks >= low) & (ticks <= high)])
    return width
