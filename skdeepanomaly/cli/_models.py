"""Models in files, and tables that fit to them."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..persistence import load_detector
from ..utils.nesting import nested
from ..utils.scores import OffsetMixin, normality_scores
from ..utils.validation import closest
from ._errors import CommandError
from ._tables import shown


def check_package(name: str, purpose: str) -> None:
    """Refuse to begin what could not be finished, because a package is missing.

    Parameters
    ----------
    name : str
        Name of the package.
    purpose : str
        What it is needed for.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import_module(name)
    except ImportError as error:
        raise ImportError(
            f'The command line needs {name} {purpose}: pip install "skdeepanomaly[cli]".'
        ) from error


def load_model(path: str) -> BaseEstimator:
    """Return the detector in a file.

    Parameters
    ----------
    path : str
        A file of ``fit``, or of ``save_detector``.

    Returns
    -------
    model : estimator
        A fitted detector.

    Raises
    ------
    CommandError
        If the file cannot be read, or holds no detector of rows.
    ValueError
        If it was not written by ``save_detector``.
    """
    try:
        model = load_detector(path)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror or error}. Expected a model that"
            " python -m skdeepanomaly fit has saved."
        ) from error
    if not hasattr(model, "score_samples") or not hasattr(model, "predict"):
        raise CommandError(
            f"{path} holds a {type(model).__name__}, which does not score rows. Expected a"
            " detector, or a pipeline that ends in one."
        )
    return model


def fitting_rows(model: Any, table: Any, known: Iterable[str] = ()) -> Any:
    """Return the columns of a table that a model takes.

    Parameters
    ----------
    model : estimator
        A fitted detector.
    table : pandas.DataFrame
        The table.
    known : iterable of str, default=()
        Columns of which the model need not know, such as the one with labels.

    Returns
    -------
    rows : pandas.DataFrame or ndarray
        Rows for the model; an array if it was trained without names.

    Raises
    ------
    CommandError
        If columns are missing. New ones are named on the standard error, and left out.
    """
    needed, dropped = _columns_of(model)
    if needed is None:
        if model.n_features_in_ != len(table.columns):
            table = table.drop(columns=list(known))
        if model.n_features_in_ != len(table.columns):
            raise CommandError(
                f"The table has {len(table.columns)} columns, but the model was trained with"
                f" {model.n_features_in_}, without names. Expected these in the same order."
            )
        return table.to_numpy()
    missing = [name for name in needed if name not in table.columns]
    if missing:
        one = len(missing) == 1
        raise CommandError(
            f"The table has no column{'' if one else 's'} {shown(missing)}, with which the"
            f" model was trained.{closest(missing[0], table.columns)} It has"
            f" {shown(table.columns)}. Add {'it' if one else 'them'}, with empty cells where"
            " nothing is known, or fit a model without."
        )
    new = [name for name in table.columns if name not in {*needed, *dropped, *known}]
    if new:
        one = len(new) == 1
        print(
            f"warning: The column{'' if one else 's'} {shown(new)} {'was' if one else 'were'}"
            f" not in the training, and {'is' if one else 'are'} ignored.",
            file=sys.stderr,
        )
    return table[[name for name in table.columns if name in {*needed, *dropped}]]


def warn_if_input(model: Any, label_column: str) -> None:
    """Warn if a model was trained with the labels as an input."""
    needed, _ = _columns_of(model)
    if needed is not None and label_column in needed:
        print(
            f"warning: The model was trained with the column {label_column!r} as an input, so"
            " that these figures say nothing of new rows. Fit it again with --label-column"
            f" {label_column}.",
            file=sys.stderr,
        )


def _columns_of(model: Any) -> tuple[list[str] | None, list[str]]:
    """Return the columns that a model needs, or None if it knows no names; and others."""
    for part in nested(model):
        steps = part.steps[:-1] if isinstance(part, Pipeline) else ()
        for _, step in steps:
            kinds = getattr(step, "column_kinds_", None)
            if kinds is not None and all(isinstance(name, str) for name in kinds):
                unused = ("drop", "identifier")
                needed = [name for name, kind in kinds.items() if kind not in unused]
                return needed, [name for name in kinds if name not in needed]
        if hasattr(part, "feature_names_in_"):
            return list(part.feature_names_in_), []
        if steps:
            break
    return None, []


@dataclass
class Judgement:
    """What a model says of rows: scores, decisions and labels, each of shape (n_samples,)."""

    scores: np.ndarray
    decisions: np.ndarray
    labels: np.ndarray


def judge(model: Any, rows: Any) -> Judgement:
    """Return the scores, decisions and labels of rows, computed once where that can be.

    Parameters
    ----------
    model : estimator
        A fitted detector.
    rows : pandas.DataFrame or ndarray of shape (n_samples, n_columns)
        The rows.

    Returns
    -------
    judgement : Judgement
        The scores, decisions and labels.
    """
    scores = normality_scores(model, rows)
    last = model
    while isinstance(last, Pipeline):
        last = last[-1]
    own = (type(last).decision_function, type(last).predict)
    if own == (OffsetMixin.decision_function, OffsetMixin.predict):
        decisions = scores - last.offset_
        return Judgement(scores, decisions, np.where(decisions < 0, -1, 1))
    return Judgement(scores, model.decision_function(rows), model.predict(rows))
