"""Which columns of a table hold numbers, categories, dates or texts."""

import datetime
import numbers
import re
from decimal import Decimal

import numpy as np

from ..utils.rows import spread
from ..utils.validation import check_columns
from ._dates import read_times
from ._values import split_columns, to_objects

KINDS = ("numeric", "categorical", "date", "text")

# The kind of a column of objects is inferred from at most this many values.
MAX_ROWS_FOR_KIND = 10_000
# Strings with at most this many distinct values are categories, whatever their words.
MAX_CATEGORIES = 40

# The name is all that the dtypes of numpy, pandas, polars and pyarrow have in common, and
# none of these libraries but numpy may be imported here. The patterns match its beginning.
KINDS_OF_DTYPES = {
    r"u?int\d|float|double|half|decimal|timedelta|duration": "numeric",
    r"bool|categor|enum|dictionary": "categorical",
    r"date|timestamp|period": "date",
}


def infer_kinds(X, given) -> dict[str, list]:
    """Sort the columns of a table by their kinds.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        The table.
    given : dict of str to list of str or list of int
        For kinds, and for "drop", the columns to treat so without inference: names, or
        indices where the columns have no names.

    Returns
    -------
    columns : dict of str to list of str or list of int
        For each kind the names of its columns, or their indices where they have no names,
        in the order of the table.

    Raises
    ------
    ValueError
        If ``given`` names a column that is not there, or twice, or names one in "date"
        that holds no dates; if the table is sparse or not two-dimensional, or two of its
        columns have the same name.
    """
    columns = split_columns(X)
    names = list(getattr(X, "columns", range(len(columns))))
    named = all(isinstance(name, str) for name in names)
    listed = [(kind, column) for kind, group in given.items() for column in group]
    places = check_columns([c for _, c in listed], len(names), names if named else None)
    kinds = {place: kind for (kind, _), place in zip(listed, places, strict=True)}
    for place, column in enumerate(columns):
        if place in kinds:
            _check_readable(column, names[place], kinds[place])
        else:
            kinds[place] = kind_of(spread(column, MAX_ROWS_FOR_KIND))
    labels = names if named else range(len(names))
    return {
        kind: [label for place, label in enumerate(labels) if kinds[place] == kind]
        for kind in KINDS
    }


def kind_of(column) -> str:
    """Infer the kind of a column from its type or, where the type is general, its values.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        The column.

    Returns
    -------
    kind : {"numeric", "categorical", "date", "text"}
        "categorical" for a column without any value, so that a value that comes later
        counts as an unseen category.
    """
    for pattern, kind in KINDS_OF_DTYPES.items():
        if re.match(pattern, str(column.dtype), re.IGNORECASE):
            return kind
    values = [value for value in to_objects(column) if value is not None]
    if not values or are_booleans(values):
        return "categorical"
    if all(isinstance(value, numbers.Number | Decimal) for value in values):
        return "numeric"
    if all(isinstance(value, datetime.date | np.datetime64) for value in values):
        return "date"
    distinct = set(map(str, values))
    n_words = np.median([len(value.split()) for value in distinct])
    return "text" if len(distinct) > MAX_CATEGORIES and n_words > 1 else "categorical"


def are_booleans(values) -> bool:
    """Return whether all values are booleans of Python or numpy."""
    return all(isinstance(value, bool | np.bool_) for value in values)


def _check_readable(column, name, kind) -> None:
    if kind != "date":
        return
    values = [value for value in to_objects(column) if value is not None]
    if values and np.isnat(read_times(column)).all():
        raise ValueError(
            f"Column {name!r} was named in date but holds no dates, and no strings in ISO"
            f" form such as '2024-05-31'; got {values[0]!r}. Parse it first, for example"
            " with pandas.to_datetime, or name it in another list."
        )
