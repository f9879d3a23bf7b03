"""Explanations of scores by the columns of a table."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_outlier_detector
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from .utils._compat import column_indices
from .utils.frames import column_names, frame_like
from .utils.nesting import nested


def explain_columns(detector: BaseEstimator, X: ArrayLike) -> Any:
    """Return the contribution of each column of a table to the anomaly score of each row.

    The ``explain`` method of a detector at the end of a pipeline explains the features that
    come out of the transformers. Here the contributions of all features that were made of
    the same column are summed.

    Parameters
    ----------
    detector : estimator
        Fitted: a pipeline that ends in a detector with ``explain``, such a detector, or a
        meta-estimator around either, such as ``ThresholdedDetector``.
    X : array-like or data frame of shape (n_samples, n_columns)
        Rows, as the detector takes them. A pipeline that selects columns by name takes them
        in any order, and ignores further ones.

    Returns
    -------
    contributions : data frame or ndarray of shape (n_samples, n_columns)
        In float64 and units of the score; the higher, the more the column speaks for an
        anomaly. A frame of pandas or polars gives a frame of the same library, with the
        columns and the index of X; everything else gives an ndarray with the columns in the
        order of X, whatever ``fit`` was given.
        A column that the pipeline drops, or that ``fit`` has not seen, has zeros. Each row
        sums to the same number as the contributions of the features.

    Raises
    ------
    TypeError
        If the detector has no ``explain``.
    ValueError
        If X does not have two dimensions, or a transformer has outputs that depend on
        several columns or that it cannot name.
    sklearn.exceptions.NotFittedError
        If the detector is not fitted.

    Notes
    -----
    The column behind each output of a transformer is read from its
    ``get_feature_names_out``. This works for all transformers of scikit-learn that treat
    each column separately or that are applied to a single column, in pipelines, unions and
    column transformers, and for skrub's ``Cleaner`` and ``TableVectorizer`` as a step of
    the pipeline. The names of the columns do not matter: ``a`` and ``a_b`` are kept apart.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skdeepanomaly import AutoEncoder, explain_columns, make_detector_pipeline
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({
    ...     "amount": rng.normal(size=500),
    ...     "age": rng.normal(size=500),
    ...     "country": rng.choice(["FI", "SE", "NO"], 500),
    ... })
    >>> detector = AutoEncoder(max_epochs=20, random_state=0)
    >>> pipeline = make_detector_pipeline(detector).fit(table)
    >>> new = table[:2].assign(amount=[0.1, 9.9], country=["XX", "SE"])
    >>> explain_columns(pipeline, new).idxmax(axis=1).tolist()
    ['country', 'amount']
    """
    if len(np.shape(X)) != 2:
        raise ValueError(
            f"Expected X as a table of rows and columns, got the shape {np.shape(X)}. Take a"
            " single row as X[:1]."
        )
    steps, final = _unwrapped(detector)
    names: Any = column_names(X)
    fitted_names = _fitted_names(detector, steps, final)
    by_name = _are_found_by_name(fitted_names, names)
    columns = list(fitted_names) if by_name else list(range(np.shape(X)[1]))
    encoded, origins = X, np.arange(len(columns))
    inputs = columns if by_name else names
    for step in steps:
        origins = _origins(step, origins, inputs)
        if not _passes(step):
            encoded = step.transform(encoded)
            inputs = column_names(encoded)
    contributions = np.asarray(final.explain(encoded))
    summed = np.zeros((len(contributions), len(columns)))
    np.add.at(summed.T, origins, contributions.T)
    if by_name:
        summed = _reordered(summed, columns, names)
    return frame_like(X, summed)


def _fitted_names(detector: BaseEstimator, steps: list[Any], final: Any) -> Any:
    """Return the names that the columns of the table had in ``fit``, or None."""
    for part in (detector, *steps, final):
        if hasattr(part, "feature_names_in_"):
            return part.feature_names_in_
        if hasattr(part, "column_kinds_"):
            # The encoder of tables knows labels of any type.
            return list(part.column_kinds_)
        if part is not detector and hasattr(part, "transform"):
            # Stop at the first transformer: later steps know the names of its outputs, not
            # of the table.
            return None
    return None


def _are_found_by_name(fitted_names: Sequence[Any] | None, names: Sequence[Any] | None) -> bool:
    """Return whether a pipeline may have seen the columns in another order in ``fit``."""
    if fitted_names is None or names is None:
        return False
    # Other labels than strings are the places of the columns where fit was given an array.
    strings = all(isinstance(name, str) for name in (*fitted_names, *names))
    return strings or {*fitted_names} <= {*names}


def _reordered(values: np.ndarray, names: list, wanted: list) -> np.ndarray:
    """Return the columns of values in the wanted order; unknown names get zeros."""
    place = {name: i for i, name in enumerate(names)}
    zeros = np.zeros((len(values), 1))
    return np.hstack([values, zeros])[:, [place.get(name, -1) for name in wanted]]


def _unwrapped(detector: BaseEstimator) -> tuple[list[Any], Any]:
    """Return the transformers of all pipelines around a detector, and that detector."""
    steps = []
    for part in nested(detector):
        if isinstance(part, Pipeline):
            steps += [step for _, step in part.steps[:-1]]
        elif hasattr(part, "explain"):
            return steps, part
        elif is_outlier_detector(part):
            detector = part
    raise TypeError(
        f"{type(detector).__name__} has no explain(X): expected a detector that has, such as"
        " the deep detectors of skdeepanomaly, or a pipeline or meta-estimator around one."
    )


def _passes(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _origins(
    transformer: Any, origins: np.ndarray, inputs: Sequence[Any] | None = None
) -> np.ndarray:
    """Return the column of the table behind each output of a fitted transformer.

    Parameters
    ----------
    transformer : estimator, "drop", "passthrough" or None
        The transformer.
    origins : ndarray of int of shape (n_inputs,)
        The columns of the table behind its inputs.
    inputs : sequence of str or None, default=None
        The names of its inputs, if it is a step of a pipeline and they are known.

    Returns
    -------
    origins : ndarray of int of shape (n_outputs,)

    Raises
    ------
    ValueError
        If an output depends on several columns, or the outputs have no names.
    """
    if _passes(transformer):
        return origins
    if len(origins) == 0 or (isinstance(transformer, str) and transformer == "drop"):
        return origins[:0]
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            origins = _origins(step, origins)
        return origins
    if isinstance(transformer, FeatureUnion):
        parts = [_origins(part, origins) for _, part in transformer.transformer_list]
        return np.concatenate(parts)
    if isinstance(transformer, ColumnTransformer):
        taken, places = column_indices(transformer), transformer.output_indices_
        outputs = np.empty(max(place.stop for place in places.values()), dtype=int)
        for name, part, _ in transformer.transformers_:
            outputs[places[name]] = _origins(part, origins[taken[name]])
        return outputs
    return _origins_by_name(transformer, origins, inputs)


def _origins_by_name(
    transformer: Any, origins: np.ndarray, inputs: Sequence[str] | None
) -> np.ndarray:
    """Return the same as ``_origins``, read from the names of a transformer's outputs.

    A transformer forms the name of an output from the name of its input: ``a_b`` may be the
    category ``b`` of the column ``a``, or a column of that name. To tell them apart, the
    transformer is given a mark in place of each name: the number of the input between two
    control characters. The marks are then searched in the names of the outputs.
    """
    transformer = copy.copy(transformer)
    # A transformer that does not know the names of fit accepts any.
    vars(transformer).pop("feature_names_in_", None)
    marks = np.array([f"\x02{i}\x03" for i in range(len(origins))], dtype=object)
    try:
        outputs = list(transformer.get_feature_names_out(marks))
    except AttributeError as error:
        raise ValueError(
            f"{transformer!r} has no get_feature_names_out, so that its outputs cannot be led"
            " back to columns."
        ) from error
    if len(set(origins)) == 1:
        return np.repeat(origins[:1], len(outputs))
    if inputs is not None:
        # skrub's transformers ignore the marks, but know the input of each output.
        input_of = getattr(transformer, "output_to_input_", {})
        mark_of = dict(zip(inputs, marks, strict=True))
        outputs = [mark_of.get(input_of.get(name, name), name) for name in outputs]
    found = [{origins[int(i)] for i in re.findall("\x02(\\d+)\x03", name)} for name in outputs]
    for name, columns in zip(outputs, found, strict=True):
        if len(columns) != 1:
            raise ValueError(
                f"{transformer!r} mixes columns: its output {name!r} belongs to no single one."
                " Explain the detector alone, or leave this transformer out."
            )
    return np.array([columns.pop() for columns in found], dtype=int)
