"""What is watched: scores as they are, or those of a detector."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_array

from ..meta._wrapper import fit_detector
from ..utils._compat import n_rows, take_rows
from ..utils.rows import shape_of
from ..utils.scores import normality_scores
from ..utils.types import Rows

# Smallest number of rows of a reference.
MIN_REFERENCE = 10
# So many rows are scored alone, to see whether a score depends on the rows around it.
N_ROWS_ALONE = 5


def fit_and_hold_out(
    detector: BaseEstimator,
    X: Rows,
    y: ArrayLike | None,
    reference_size: float,
    rng: np.random.RandomState,
) -> tuple[BaseEstimator, Rows]:
    """Fit a clone of a detector to the first rows; a frozen one stays as it is.

    Parameters
    ----------
    detector : estimator
        Not changed.
    X : array-like of shape (n_samples, n_features)
        Rows, in the order of time.
    y : array-like of shape (n_samples,) or None
        Handed on to the detector.
    reference_size : float
        Share of the rows that are held out.
    rng : RandomState instance
        Draws a seed for each part of the detector that has none.

    Returns
    -------
    detector : estimator
        The fitted detector.
    X : array-like of shape (n_reference, n_features)
        The rows that it was not fitted to.

    Raises
    ------
    TypeError
        If it is a classifier or a regressor.
    ValueError
        If there are too few rows, or its labels are no -1 and +1.
    """
    if isinstance(detector, FrozenEstimator):
        return fit_detector(detector, X, y, rng=rng), X
    n_samples = n_rows(X)
    n_train = n_samples - round(reference_size * n_samples)
    if min(n_train, n_samples - n_train) < MIN_REFERENCE:
        raise ValueError(
            f"{n_samples} rows at reference_size={reference_size} are {n_train} to fit"
            f" {type(detector).__name__} and {n_samples - n_train} for the reference,"
            f" expected {MIN_REFERENCE} or more of each."
        )
    # The order of time is kept: the reference is what came last.
    fitted = fit_detector(detector, X, y, rows=np.arange(n_train), rng=rng)
    return fitted, take_rows(X, np.arange(n_train, n_samples))


def detector_scores(detector: BaseEstimator, X: Rows) -> np.ndarray:
    """Return the scores of rows as a column, shape (n_samples, 1).

    Parameters
    ----------
    detector : estimator
        A fitted detector.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Raises
    ------
    ValueError
        If there is not a number for each row.
    """
    scores = normality_scores(detector, X)
    if scores.ndim != 1 or np.isnan(scores).any():
        raise ValueError(
            f"{type(detector).__name__} gave scores of shape {scores.shape}, of which"
            f" {int(np.isnan(scores).sum())} are NaN; expected a number for each row."
        )
    return scores[:, None]


def check_rowwise(detector: BaseEstimator, X: Rows, values: np.ndarray) -> None:
    """Refuse a detector whose scores depend on the rows around.

    Parameters
    ----------
    detector : estimator
        A fitted detector.
    X : array-like of shape (n_samples, n_features)
        Rows.
    values : ndarray of shape (n_samples, 1)
        Their scores.

    Raises
    ------
    ValueError
        If a row alone has another score.
    """
    spread = float(np.ptp(np.quantile(values, [0.1, 0.9])))
    for place in np.linspace(0, len(values) - 1, N_ROWS_ALONE).round().astype(int):
        with warnings.catch_warnings():
            # Such as that a series is short.
            warnings.simplefilter("ignore")
            alone = detector_scores(detector, take_rows(X, [place]))[0, 0]
        among = values[place, 0]
        if abs(alone - among) > 0.01 * max(spread, abs(among)):
            raise ValueError(
                f"{type(detector).__name__} gives row {place} the score {among:.4g} among the"
                f" others and {alone:.4g} alone: a detector of series, or one whose scores"
                " depend on the other rows. Score the stream, for example by DetectorStream,"
                " and watch the scores: DriftDetector().fit(scores)."
            )


def as_scores(X: Rows, **params: Any) -> np.ndarray:
    """Return scores as a column, shape (n_samples, 1).

    Parameters
    ----------
    X : array-like of shape (n_samples,) or (n_samples, 1)
        Scores.
    **params : dict
        Further arguments of ``check_array``.

    Raises
    ------
    ValueError
        If they have another shape, or are not finite.
    """
    scores = check_array(
        X, ensure_2d=False, dtype=np.float64, input_name="scores", allow_nd=True, **params
    )
    if scores.ndim == 2 and scores.shape[1] == 1:
        return scores
    if scores.ndim != 1:
        raise ValueError(
            f'on="scores" without a detector takes scores of shape (n_samples,), got the shape'
            f' {scores.shape}. For the columns of a table there is on="inputs"; for the scores'
            " of a detector, pass it as detector."
        )
    return scores[:, None]


def as_single_row(x: ArrayLike, row_shape: tuple[int, ...]) -> ArrayLike:
    """Return a row as a table of one row.

    Parameters
    ----------
    x : array-like of shape ``row_shape`` or (1, *row_shape)
        The row; a number if a row has one.
    row_shape : tuple of int
        Shape of a row, () for scores.

    Raises
    ------
    ValueError
        If x has another shape.
    """
    shape = shape_of(x)
    if shape == (1, *row_shape) or (shape == (1, 1) and row_shape == ()):
        return x
    if shape == row_shape or (shape == () and row_shape == (1,)):
        return np.asarray(x).reshape(1, *row_shape)
    raise ValueError(
        f"update takes a single row of shape {row_shape}, got the shape {shape}. For several"
        " rows there is update_many."
    )
