"""Verdicts that a report exported: which rows they are about, and what they say."""

import json
from collections.abc import Callable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..utils._compat import n_rows, take_rows
from ..utils.cells import to_cells
from ..utils.frames import column_names
from ..utils.types import Ints

FORMAT, VERSION = "skdeepanomaly-verdicts", 1
LABELS = {"anomaly": -1, "normal": 1, "?": 0}


def read_verdicts(
    path: str | PathLike[str], X: Any, empty: Any, container: str
) -> tuple[Any, Ints]:
    """Return the rows that a file has verdicts on, and the verdicts.

    Parameters
    ----------
    path : str or path-like
        A file that a report exported.
    X : array-like of shape (n_samples, n_columns) or None
        The rows of the report; None makes the rows from the cells in the file.
    empty : array-like of shape (0, n_columns)
        Rows like those of ``fit``: their container and types are taken.
    container : str
        Its name, for messages.

    Returns
    -------
    rows : array-like of shape (n_verdicts, n_columns) or None
        None if the file has no verdicts.
    labels : ndarray of shape (n_verdicts,), int
        -1 anomaly, +1 normal, 0 not sure.

    Raises
    ------
    ValueError
        If it is no such file, a row cannot be made from its cells, or X are other rows.
    """
    content = _load(path)
    found = content["verdicts"]
    labels = np.array([LABELS[item["verdict"]] for item in found], dtype=int)
    if not found:
        return None, labels
    if X is not None:
        return _checked_rows(X, content, path), labels
    if not content["exact"]:
        raise ValueError(
            f"The file {path} does not hold all values of the rows: the report hides or leaves"
            " out columns, cuts long texts, or shows no table. Pass the rows that the report"
            " was made of: add_feedback_from(path, X)."
        )
    names, cells = content["columns"], [item["cells"] for item in found]
    try:
        rows = _make_rows(names, cells, empty)
    except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
        raise ValueError(
            f"Rows like those of fit, in a {container}, cannot be made from the file {path}:"
            f" {error} Pass the rows that the report was made of: add_feedback_from(path, X)."
        ) from error
    # Polars and pyarrow have errors of their own; a value that got lost shows here.
    if to_cells(rows)[0] != [list(column) for column in zip(*cells, strict=True)]:
        raise ValueError(
            f"The values in the file {path} are not of the types of the rows in fit. Pass the"
            " rows that the report was made of: add_feedback_from(path, X)."
        )
    return rows, labels


def _load(path: str | PathLike[str]) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError(f"it is {content['format']!r}, version {content['version']!r}.")
        content["exact"], content["columns"]
        unknown = {item["verdict"] for item in content["verdicts"]} - {*LABELS}
        if unknown:
            raise ValueError(f"it has the verdict {min(unknown, key=str)!r}.")
        {(item["row"], item["cells"] is None) for item in content["verdicts"]}
    except (KeyError, TypeError, ValueError) as error:
        why = f"it lacks {error}." if isinstance(error, KeyError) else error
        raise ValueError(
            f"Expected {path} to be a file of verdicts that a report exported, with the format"
            f" {FORMAT!r}, version {VERSION}, and the verdicts {', '.join(LABELS)}: {why}"
        ) from error
    return content


def _checked_rows(X: Any, content: dict[str, Any], path: str | PathLike[str]) -> Any:
    places = [item["row"] for item in content["verdicts"]]
    if max(places) >= n_rows(X):
        raise ValueError(
            f"The file {path} has a verdict on row {max(places)}, but X has {n_rows(X)} rows."
            " Pass the rows that the report was made of."
        )
    rows = take_rows(X, places)
    if any(item["cells"] is None for item in content["verdicts"]):
        return rows
    names = column_names(rows)
    labels = list(range(rows.shape[1])) if names is None else list(names)
    cells = to_cells(rows)[0]
    for j, name in enumerate(content["columns"]):
        if name not in labels:
            raise ValueError(f"The report of {path} has a column {name!r}, which X has not.")
        own = cells[labels.index(name)]
        for place, value, item in zip(places, own, content["verdicts"], strict=True):
            if not _is_same(item["cells"][j], value):
                raise ValueError(
                    f"Row {place} of X is not that of the report: column {name!r} holds"
                    f" {value!r}, in {path} it is {item['cells'][j]!r}. Pass the rows that the"
                    " report was made of, in the same order."
                )
    return rows


def _is_same(shown: Any, value: Any) -> bool:
    cut = isinstance(shown, str) and isinstance(value, str) and shown.endswith("…")
    return value.startswith(shown[:-1]) if cut else shown == value


def _make_rows(names: list[Any], cells: list[list[Any]], empty: Any) -> Any:
    """Return rows in the container of ``empty``, with its types where they fit."""
    if isinstance(empty, np.ndarray):
        rows = np.empty((len(cells), len(names)), dtype=object)
        rows[:] = cells
        return rows.astype(empty.dtype)
    library = import_module(type(empty).__module__.partition(".")[0])
    columns = {
        name: list(part) for name, part in zip(names, zip(*cells, strict=True), strict=True)
    }
    known = column_names(empty) or []
    if hasattr(empty, "iloc"):
        made = {
            name: _pandas_column(library, values, empty[name].dtype if name in known else None)
            for name, values in columns.items()
        }
        return library.DataFrame(made)
    make: Callable[[Any, list[Any], Any], Any]
    if hasattr(empty, "get_columns"):
        errors = library.exceptions.PolarsError
        make, of_type = _polars_column, dict(empty.schema)
        build = library.DataFrame
    else:
        errors = library.ArrowInvalid
        make, build = _arrow_column, library.table
        of_type = {field.name: field.type for field in empty.schema}
    try:
        made = {name: make(library, v, of_type.get(name)) for name, v in columns.items()}
    except errors as error:
        raise ValueError(f"{error}.") from error
    return build(made)


def _pandas_column(pandas: Any, values: list[Any], dtype: Any) -> Any:
    column = pandas.Series(values, dtype=object)
    if dtype is None:
        return column.infer_objects()
    if isinstance(dtype, pandas.CategoricalDtype):
        # A category that fit did not see must not get lost.
        new = [v for v in dict.fromkeys(values) if v is not None and v not in dtype.categories]
        dtype = pandas.CategoricalDtype([*dtype.categories, *new], dtype.ordered)
    if str(dtype).startswith(("int", "uint")) and None in values:
        dtype = "float64"
    return column.astype(dtype)


def _polars_column(polars: Any, values: list[Any], dtype: Any) -> Any:
    if dtype is None or dtype == polars.Object:
        return polars.Series(values, strict=False)
    if dtype.is_temporal():
        texts = polars.Series(values, dtype=polars.String)
        if dtype == polars.Time:
            return texts.str.to_time()
        if dtype == polars.Date:
            return texts.str.to_date()
        return texts.str.to_datetime(time_unit=dtype.time_unit, time_zone=dtype.time_zone)
    if dtype.is_numeric():
        values = _read_numbers(values, dtype.is_integer())
    return polars.Series(values).cast(dtype)


def _arrow_column(pyarrow: Any, values: list[Any], dtype: Any) -> Any:
    if dtype is None:
        return pyarrow.array(values)
    is_whole = pyarrow.types.is_integer(dtype)
    if is_whole or pyarrow.types.is_floating(dtype):
        values = _read_numbers(values, is_whole)
    return pyarrow.array(values).cast(dtype)


def _read_numbers(values: list, is_whole: bool) -> list:
    """Read the strings among numbers, which stand for what JSON does not hold."""
    read = int if is_whole else float
    return [read(value) if isinstance(value, str) else value for value in values]
