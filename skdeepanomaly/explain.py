"""Why was this row flagged: contributions led back to the columns of the table."""

import copy
import re

import numpy as np
from sklearn.base import is_outlier_detector
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from .utils._compat import column_indices, with_column_names
from .utils.nesting import nested


def explain_columns(detector, X):
    """Return what each column of a table adds to the anomaly score of each row.

    Contributions of encoded features, from the ``explain`` of the detector at the end of a
    pipeline, are summed over the features that were made of the same column.

    Parameters
    ----------
    detector : estimator
        Fitted: a pipeline that ends in a detector with ``explain``, such a detector, or a
        meta-estimator around either, such as ``ThresholdedDetector``.
    X : data frame or array of shape (n_samples, n_columns)
        Rows, as the pipeline takes them; where it picks columns by name, in any order.

    Returns
    -------
    contributions : data frame or ndarray of shape (n_samples, n_columns)
        The higher, the more the column speaks for an anomaly; a frame of the library of X,
        with its index, where the columns have names. A column that the pipeline leaves
        out, or that was not there in ``fit``, has zeros. Their sum over a row
        is that of the detector's contributions.

    Raises
    ------
    TypeError
        If the detector at the end has no ``explain``.
    ValueError
        If a transformer mixes columns, so that its output belongs to none of them, or X
        has not two dimensions.

    Notes
    -----
    What a transformer makes of which column is read from ``get_feature_names_out``, to
    which marks are given in place of names, so that it does not matter how columns are
    called. It can be told for everything in scikit-learn that treats each column on its
    own or is applied to a single one, in pipelines, unions and column transformers, and
    for skrub's ``Cleaner`` and ``TableVectorizer`` as a step of the pipeline.

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
    fitted_names = _fitted_names([detector, *steps, final])
    given_names = getattr(X, "columns", fitted_names)
    by_name = fitted_names is not None and all(isinstance(name, str) for name in given_names)
    # A pipeline that picks columns by name takes them in another order, and further ones.
    columns = list(fitted_names if by_name else range(np.shape(X)[1]))
    encoded, origins = X, np.arange(len(columns))
    names = columns if by_name else getattr(X, "columns", None)
    for step in steps:
        origins = _origins(step, origins, names)
        if not _passes(step):
            encoded = step.transform(encoded)
            names = getattr(encoded, "columns", None)
    contributions = np.asarray(final.explain(encoded))
    summed = np.zeros((len(contributions), len(columns)))
    np.add.at(summed.T, origins, contributions.T)
    if by_name:
        summed = _reordered(summed, columns, list(given_names))
    return with_column_names(summed, given_names, X)


def _fitted_names(parts):
    """Return the names of the columns at fit, from the first part that knows them."""
    for part in parts:
        names = getattr(part, "feature_names_in_", None)
        # What comes after a transformer has seen other columns.
        if names is not None or (hasattr(part, "transform") and part is not parts[0]):
            return names
    return None


def _reordered(values: np.ndarray, names: list, wanted: list) -> np.ndarray:
    """Return columns of values in another order, and zeros for those without values."""
    place = {name: i for i, name in enumerate(names)}
    zeros = np.zeros((len(values), 1))
    return np.hstack([values, zeros])[:, [place.get(name, -1) for name in wanted]]


def _unwrapped(detector):
    """Return the transformers of all pipelines on the way to what explains, and that."""
    steps = []
    for part in nested(detector):
        if isinstance(part, Pipeline):
            steps += [step for _, step in part.steps[:-1]]
        elif hasattr(part, "explain"):
            return steps, part
        elif is_outlier_detector(part):
            detector = part
    raise TypeError(
        f"{type(detector).__name__} has no explain, which tells what the encoded features add"
        " to its score. The deep detectors of skdeepanomaly have it."
    )


def _passes(step) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _origins(transformer, origins: np.ndarray, columns=None) -> np.ndarray:
    """Return, for each output of a fitted transformer, the column of the table.

    ``origins`` has the columns that the inputs come from, ``columns`` names of the inputs.
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
        inputs, places = column_indices(transformer), transformer.output_indices_
        outputs = np.empty(max(place.stop for place in places.values()), dtype=int)
        for name, part, _ in transformer.transformers_:
            outputs[places[name]] = _origins(part, origins[inputs[name]])
        return outputs
    return _origins_by_name(transformer, origins, columns)


def _origins_by_name(transformer, origins: np.ndarray, columns) -> np.ndarray:
    # Without the names of the fit a transformer takes any.
    transformer = copy.copy(transformer)
    vars(transformer).pop("feature_names_in_", None)
    marks = np.array([f"\x02{i}\x03" for i in range(len(origins))], dtype=object)
    try:
        names = list(transformer.get_feature_names_out(marks))
    except AttributeError as error:
        raise ValueError(
            f"{transformer!r} has no get_feature_names_out, so that its outputs cannot be led"
            " back to columns."
        ) from error
    if len(set(origins)) == 1:
        return np.repeat(origins[:1], len(names))
    if columns is not None:
        # skrub's transformers name outputs after frames alone, and tell the origin.
        known = getattr(transformer, "output_to_input_", {})
        mark_of = dict(zip(columns, marks, strict=True))
        names = [mark_of.get(known.get(name, name), name) for name in names]
    found = [{origins[int(i)] for i in re.findall("\x02(\\d+)\x03", name)} for name in names]
    for name, columns_found in zip(names, found, strict=True):
        if len(columns_found) != 1:
            raise ValueError(
                f"{transformer!r} mixes columns: its output {name!r} belongs to no single one."
                " Explain the detector alone, or leave this transformer out."
            )
    return np.array([columns_found.pop() for columns_found in found], dtype=int)
