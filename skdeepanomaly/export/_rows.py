"""Rows that a detector can be tried on."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from ..series import UnivariateDetector
from ..utils.nesting import nested

N_NEAR, N_FAR = 240, 60


def input_shape(detector: BaseEstimator) -> tuple[int, ...]:
    """Return the shape of a row as a fitted detector, or what is around it, takes it."""
    if isinstance(detector, Pipeline):
        given = getattr(detector[0], "_given_shape", ())
        return given if len(given) > 1 else (detector.n_features_in_,)
    parts = [*nested(detector)]
    groups = getattr(parts[-1], "detectors_", None)
    if groups is not None:
        first = groups[0][0] if isinstance(groups[0], list) else groups[0]
        return input_shape(first)
    # Images, in the shape that they had in fit.
    given = getattr(parts[-1], "_given_shape", ())
    return given if len(given) > 1 else (parts[0].n_features_in_,)


def typical_rows(detector: BaseEstimator, seed: int = 0) -> np.ndarray:
    """Draw rows in the range of the training rows of a fitted detector, then rows far away.

    Parameters
    ----------
    detector : estimator
        A detector, or a pipeline or another meta-estimator around one.
    seed : int, default=0
        Seed.

    Returns
    -------
    rows : ndarray of shape (300, ...), float64
        Rows as ``detector`` takes them.
    """
    rng = np.random.default_rng(seed)
    if not isinstance(detector, Pipeline):
        inside = nested(detector)[1:]
        groups = getattr(detector, "detectors_", None)
        if groups is not None and not inside:
            inside = [groups[0][0] if isinstance(groups[0], list) else groups[0]]
        if inside:
            return typical_rows(inside[0], seed)
        shape = input_shape(detector)
        center, width = _bulk(detector)
        drawn = rng.normal(size=(N_NEAR + N_FAR, int(np.prod(shape))))
        drawn *= np.geomspace(0.1, 1.0, N_NEAR + N_FAR)[:, None]
        # In another order, so that the first rows are usual ones, too.
        drawn = rng.permutation(drawn)
        drawn[N_NEAR:] *= np.geomspace(3, 30, N_FAR)[:, None]
        return (center + width * drawn).reshape(-1, *shape)
    rows = typical_rows(detector[-1], seed)
    for _, step in reversed(detector.steps[:-1]):
        if hasattr(step, "inverse_transform") and not isinstance(step, SimpleImputer):
            rows = step.inverse_transform(rows)
        elif rows.shape[1] != getattr(step, "n_features_in_", rows.shape[1]):
            # A step without a way back: rows of unit variance must do.
            rows = rng.normal(size=(N_NEAR + N_FAR, step.n_features_in_))
    return np.asarray(rows)


def named(detector: BaseEstimator, rows: np.ndarray) -> Any:
    """Return rows as a data frame if the detector was fitted to one, else as they are."""
    names = getattr(detector, "feature_names_in_", None)
    if names is None or rows.ndim > 2:
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=names)


def _bulk(detector: BaseEstimator) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return a centre and a width of the training rows, as far as the detector knows them."""
    if isinstance(detector, UnivariateDetector):
        return detector.center_, detector.scale_
    if not hasattr(detector, "_reference"):
        return 0.0, 1.0
    reach = getattr(detector, "_far_distance", None)
    n_features = max(1, detector._reference.size)
    # The farthest training row has half of this distance.
    return detector._reference, 1.0 if reach is None else reach / 2 / n_features**0.5
