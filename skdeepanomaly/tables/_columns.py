"""Which columns of a table hold numbers, categories, dates, times of day or texts."""

import datetime
import numbers
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ..utils.rows import spread
from ..utils.validation import check_columns, closest
from ..utils.warn import warn_user
from ._dates import part_of_day, read_times, read_times_of_day, to_time
from ._input import labels_of
from ._values import are_booleans, is_blank, read_numbers, split_columns, to_objects, to_string

KINDS = ("numeric", "categorical", "date", "time", "text")

# The kind of a column of objects is inferred from at most this many values.
MAX_ROWS_FOR_KIND = 10_000
# Strings with at most this many distinct values are categories, whatever their words.
MAX_CATEGORIES = 40
# A column is of a kind if more than this share of its values can be read so.
BULK = 2 / 3
# Largest share of values that a column of a named kind, or new rows, may lose in silence.
MAX_LOST = 0.01
# Where unseen values are at least this share of new rows, they are no news.
MAX_UNSEEN = 0.01
# Whole numbers are taken for identifiers if this many repeats were expected, and none is there.
EXPECTED_REPEATS = 10.0

# The name is all that the dtypes of numpy, pandas, polars and pyarrow have in common, and
# none of these libraries but numpy may be imported here. The patterns match its beginning.
KINDS_OF_DTYPES = {
    r"u?int\d|float|double|half|decimal|timedelta|duration": "numeric",
    r"bool|categor|enum|dictionary": "categorical",
    r"date|timestamp|period": "date",
    r"time(32|64)?(\[|$)": "time",
}

READERS = {"numeric": read_numbers, "date": read_times, "time": read_times_of_day}
FORMS = {
    "numeric": "number, such as '1234.5'",
    "date": "date in ISO form, such as '2024-05-31'",
    "time": "time of day in ISO form, such as '23:59'",
}


@dataclass(frozen=True)
class ColumnSummary:
    """What was understood of one column of a table in ``fit``.

    Parameters
    ----------
    label : object
        Name of the column, or its index where columns have no names.
    kind : str
        "numeric", "categorical", "date", "time" or "text"; "identifier" for whole numbers
        of which none occurs twice, and "drop". The last two are not encoded.
    reason : str
        "named", the type of the column, or "values".
    missing : float
        Share of the rows without a value.
    unread : float
        Share of the values that cannot be read as this kind; they count as missing.
    unseen : float
        Estimated share of new rows whose value training has not seen; for categories, else
        0.
    """

    label: object
    kind: str
    reason: str
    missing: float = 0.0
    unread: float = 0.0
    unseen: float = 0.0


def summarize_columns(X: Any, given: dict[str, list[Any]]) -> list[ColumnSummary]:
    """Find out of which kind each column of a table is, and warn of what is not understood.

    Parameters
    ----------
    X : data frame or ndarray of shape (n_samples, n_columns)
        The table, as ``as_table`` returns it.
    given : dict of str to list
        For kinds, and for "drop", the labels of columns to treat so without inference.

    Returns
    -------
    summaries : list of ColumnSummary
        One for each column, in the order of the table.

    Raises
    ------
    ValueError
        If ``given`` names a column that is not there, or twice, or none of the values of a
        named column can be read as its kind.
    """
    listed = [(kind, label) for kind, group in given.items() for label in group]
    places = _places([label for _, label in listed], X)
    named = {place: kind for (kind, _), place in zip(listed, places, strict=True)}
    summaries, notes = [], []
    for place, column in enumerate(split_columns(X)):
        label = labels_of(X)[place]
        if named.get(place) == "drop":
            summaries.append(ColumnSummary(label, "drop", "named"))
            continue
        summary, note = _summarize(column, label, named.get(place))
        summaries.append(summary)
        notes += [note] if note else []
    if notes:
        what = "\n".join(f"- {note}" for note in notes)
        warn_user(
            f"Not all was understood of the columns of the table:\n{what}\nTo decide"
            " yourself, name a column in numeric, categorical, date, time, text or drop."
        )
    return summaries


def _places(listed: list, X: Any) -> list[int]:
    """Return the places of columns that are given by their labels."""
    labels = labels_of(X)
    if not hasattr(X, "columns"):
        return check_columns(listed, len(labels))
    unknown = [label for label in listed if label not in labels]
    if unknown:
        raise ValueError(
            f"There is no column {unknown[0]!r}.{closest(str(unknown[0]), map(str, labels))}"
            f" Give the label of a column, such as {labels[0]!r}."
        )
    if len(set(listed)) < len(listed):
        raise ValueError(f"Columns are named more than once in {listed!r}.")
    return [labels.index(label) for label in listed]


def _summarize(column: Any, label: Any, named: str | None) -> tuple[ColumnSummary, str | None]:
    """Summarise a column, and say what of it was not understood."""
    kind, reason = (named, "named") if named else kind_of(spread(column, MAX_ROWS_FOR_KIND))
    values = [value for value in to_objects(column) if not is_blank(value)]
    missing = 1 - len(values) / max(len(column), 1)
    if kind == "date" and values and _share(values, _is_time_of_day) > BULK:
        kind = "time"
    if kind in READERS:
        unread, note = lost_values(column, label, kind, MAX_LOST if named else 0.0)
        if unread == 1:
            raise ValueError(f"{note} Name the column in another list, or parse it first.")
        return ColumnSummary(label, kind, reason, missing, unread), note
    if kind == "identifier":
        note = (
            f"Column {label!r} is left out: it holds whole numbers of which none occurs"
            " twice, as identifiers do."
        )
        return ColumnSummary(label, kind, reason, missing), note
    if kind == "text":
        return ColumnSummary(label, kind, reason, missing), None
    counts = Counter(map(to_string, values))
    unseen, note = unseen_share(counts), None
    if unseen_is_common(counts) and not named:
        note = (
            f"Of the values of column {label!r} {unseen:.0%} occur only once, as those of"
            " identifiers do. So new values are no news there, and make no row unusual."
        )
    return ColumnSummary(label, kind, reason, missing, 0.0, unseen), note


def lost_values(column: Any, label: Any, kind: str, allowed: float) -> tuple[float, str | None]:
    """Find out how many values of a column cannot be read as numbers, dates or times of day.

    Parameters
    ----------
    column : series or ndarray of shape (n_samples,)
        The column.
    label : object
        Its label, for the text.
    kind : {"numeric", "date", "time"}
        How it is read.
    allowed : float
        Share of the values that may be lost without a text.

    Returns
    -------
    share : float
        Share of the values that are there but cannot be read.
    note : str or None
        Says so, with an example, if the share is larger than allowed.
    """
    if _has_own_dtype(column, kind):
        return 0.0, None
    read, values = READERS[kind](column), to_objects(column)
    there = [not is_blank(value) for value in values]
    lost = np.array(there, dtype=bool) & (read != read)
    if not lost.any():
        return 0.0, None
    share = lost.sum() / np.sum(there)
    if share <= allowed:
        return share, None
    n_lost, example = lost.sum(), values[np.argmax(lost)]
    return share, (
        f"Column {label!r} is read as {kind}, but {n_lost} of its values ({share:.2%}) cannot"
        f" be read and count as missing, such as {example!r}. Expected each value to be a"
        f" {FORMS[kind]}."
    )


def _has_own_dtype(column: Any, kind: str) -> bool:
    return _kind_of_dtype(column) == kind and not re.match("decimal", str(column.dtype), re.I)


def unseen_share(counts: Counter) -> float:
    """Estimate the share of new values that are none of the values seen.

    Parameters
    ----------
    counts : Counter
        How often each value was seen.

    Returns
    -------
    share : float
        The estimate of Good and Turing [1]_: the share of the values that were seen once.

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of
       population parameters", Biometrika, 1953, equation 9.
    """
    return sum(count == 1 for count in counts.values()) / max(counts.total(), 1)


def unseen_is_common(counts: Counter) -> bool:
    """Return whether unseen values are so common that one of them is no news.

    Parameters
    ----------
    counts : Counter
        How often each value was seen.

    Returns
    -------
    common : bool
        Whether the estimated share is above 1 % by more than two standard errors: in a
        small table, few values that were seen once are no evidence.
    """
    n, share = max(counts.total(), 1), unseen_share(counts)
    return share - 2 * np.sqrt(share / n) > MAX_UNSEEN


def kind_of(column: Any) -> tuple[str, str]:
    """Infer the kind of a column from its type or, where the type is general, its values.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        The column.

    Returns
    -------
    kind : {"numeric", "identifier", "categorical", "date", "time", "text"}
        That of most values. "categorical" for a column without any value, so that a value
        that comes later counts as an unseen category.
    reason : str
        The type, or "values".
    """
    kind = _kind_of_dtype(column)
    if kind is not None:
        is_id = re.match(r"u?int\d", str(column.dtype), re.I) and _are_identifiers(column)
        return "identifier" if is_id else kind, str(column.dtype)
    values = [value for value in to_objects(column) if not is_blank(value)]
    return _kind_of_values(values), "values"


def _kind_of_dtype(column: Any) -> str | None:
    for pattern, kind in KINDS_OF_DTYPES.items():
        if re.match(pattern, str(column.dtype), re.IGNORECASE):
            return kind
    return None


def _kind_of_values(values: list) -> str:
    if not values or are_booleans(values):
        return "categorical"
    is_of_kind = {"numeric": _is_number, "date": _is_date, "time": _is_time_of_day}
    for kind, test in is_of_kind.items():
        if _share(values, test) > BULK:
            codes = kind == "numeric" and _are_codes(values)
            return "categorical" if codes else kind
    distinct = set(map(str, values))
    n_words = np.median([len(value.split()) for value in distinct])
    return "text" if len(distinct) > MAX_CATEGORIES and n_words > 1 else "categorical"


def _share(values: list, test: Callable[[Any], bool]) -> float:
    return sum(map(test, values)) / len(values)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return bool(re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", value, re.I))
    return isinstance(value, numbers.Real | Decimal | datetime.timedelta | np.timedelta64)


def _is_date(value: Any) -> bool:
    if isinstance(value, str):
        # fromisoformat takes eight digits, too, which are rather a number.
        return bool(re.match(r"\s*\d{4}-", value)) and not np.isnat(to_time(value))
    return isinstance(value, datetime.date | np.datetime64) or hasattr(value, "to_timestamp")


def _is_time_of_day(value: Any) -> bool:
    # fromisoformat takes two digits, too, which are rather a number.
    return not np.isnan(part_of_day(value)) and not (
        isinstance(value, str) and ":" not in value
    )


def _are_codes(values: list) -> bool:
    """Return whether strings of digits are codes, such as those of towns, and no quantities."""
    strings = [value.strip() for value in values if isinstance(value, str)]
    digits = [value for value in strings if value.isdecimal()]
    if len(strings) < len(values) / 2 or len(digits) < BULK * len(strings):
        return False
    few = len(set(strings)) <= MAX_CATEGORIES
    padded = any(value.startswith("0") and value != "0" for value in digits)
    return few or padded or len(set(map(len, digits))) == 1


def _are_identifiers(column: Any) -> bool:
    """Return whether whole numbers are drawn without repeats from a narrow range.

    Of n independent draws from m numbers at least n (n - 1) / (2 m) pairs are expected to be
    equal, whatever the distribution.
    """
    found = read_numbers(column)
    found = found[~np.isnan(found)]
    if len(found) < 2:
        return False
    expected = len(found) * (len(found) - 1) / 2 / (np.ptp(found) + 1)
    return expected > EXPECTED_REPEATS and len(np.unique(found)) == len(found)
