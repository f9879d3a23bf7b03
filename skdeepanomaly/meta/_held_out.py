"""Rows that are held out of the training, for thresholds and p-values."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from ..utils._compat import n_rows, take_rows
from ..utils.types import Floats, Ints, Rows
from ._wrapper import fit_detector


def fit_and_hold_out(
    detector: BaseEstimator,
    X: Rows,
    y: ArrayLike | None,
    params: dict[str, Any],
    size: int | float | None,
    rng: np.random.RandomState,
) -> tuple[BaseEstimator, Rows]:
    """Fit a clone of a detector to some rows and hold out the others.

    Parameters
    ----------
    detector : estimator
        Not changed.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or None
        Labels, handed over to the detector.
    params : dict
        Further arguments of its ``fit``.
    size : float, int or None
        Share or number of the rows that are held out. With None none are: the training
        rows calibrate.
    rng : RandomState instance
        Draws these rows, and a seed for each part of the detector that has none.

    Returns
    -------
    detector : estimator
        The fitted clone.
    X_calibration : array-like of shape (n_calibration, n_features)
        The rows that calibrate, in their order in X, without known anomalies.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    rows = np.arange(n_rows(X))
    if size is None:
        fitted = fit_detector(detector, X, y, params, rng=rng)
        calibration = rows
    else:
        if size >= len(rows):
            raise ValueError(
                f"calibration_size={size} leaves none of the {len(rows)} rows to train on."
                " Pass a share such as 0.3, or a smaller number."
            )
        if len(rows) < 4:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) while a minimum of 4 is required to"
                " hold some out for the calibration."
            )
        train, calibration = train_test_split(rows, test_size=size, random_state=rng)
        fitted = fit_detector(detector, X, y, params, train, rng)
        calibration.sort()
    calibration = without_anomalies(calibration, y)
    return fitted, X if len(calibration) == len(rows) else take_rows(X, calibration)


def fit_rule(rule: BaseEstimator, scores: Floats) -> BaseEstimator:
    """Fit a clone of a threshold rule to scores.

    Parameters
    ----------
    rule : object
        Has ``fit(scores)``, after which it has ``threshold_``; not changed.
    scores : ndarray of shape (n_samples,)
        Scores.

    Returns
    -------
    rule : object
        The fitted clone.

    Raises
    ------
    ValueError
        If it has no ``threshold_`` then, or one that is no finite number.
    """
    # A frozen rule wants y; a rule of the user's own need not take it.
    frozen = isinstance(rule, FrozenEstimator)
    rule = clone(rule).fit(scores, *([None] if frozen else []))
    if not hasattr(rule, "threshold_"):
        raise ValueError(
            f"{rule!r} has no threshold_ after fit; expected an object such as MADThreshold()."
        )
    threshold = rule.threshold_
    if not isinstance(threshold, Real) or not np.isfinite(float(threshold)):
        raise ValueError(
            f"threshold_ must be a number that is finite, got {threshold!r} of {rule!r}."
            " Give the rule other parameters, or take another one."
        )
    return rule


def without_anomalies(rows: Ints, y: ArrayLike | None) -> Ints:
    """Drop known anomalies from rows that calibrate, unless fewer than two are left.

    Parameters
    ----------
    rows : ndarray of int
        Indices of the rows.
    y : array-like of shape (n_samples,) or None
        Labels of all rows. -1 marks anomalies; if all labels are 0 or 1, 1 does.

    Returns
    -------
    rows : ndarray of int
        The indices that remain.
    """
    if y is None:
        return rows
    labels = np.ravel(y)
    is_anomaly = labels == (1 if set(labels.tolist()) == {0, 1} else -1)
    others = rows[~is_anomaly[rows]]
    return others if len(others) > 1 else rows
