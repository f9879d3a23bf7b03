"""What is usual in each column of a table, and what of a row is not."""

from collections import Counter
from itertools import pairwise

import numpy as np

from ..tables._columns import kind_of
from ..tables._dates import read_times, read_times_of_day
from ..tables._values import is_blank, read_numbers, to_objects, to_string
from ._texts import number, share, shortened

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
N_BINS = 16
# This many values of a category are named, the others are counted.
MAX_NAMED = 8
# A category that a smaller share of the normal rows has is rare.
RARE = 0.01
MAX_VALUE = 60


def make_column(name: str, values, parts, kind: str | None):
    """Compare a column of rows that are not flagged with that of flagged rows.

    Parameters
    ----------
    name : str
        Its name on the page.
    values : series or ndarray of shape (n_samples,)
        The column of some rows.
    parts : pair of ndarray of shape (n_samples,), bool
        Which of the rows are compared: some that are not flagged, and some that are.
    kind : str or None
        The kind that the detector's pipeline takes it for; None infers it.

    Returns
    -------
    column : NumberColumn, CategoryColumn or TextColumn
    """
    kind = kind_of(values)[0] if kind in (None, "drop") else kind
    if kind in ("numeric", "identifier"):
        return NumberColumn(name, kind, read_numbers(values), parts)
    if kind == "date":
        return DateColumn(name, kind, _seconds(values), parts)
    if kind == "time":
        return TimeColumn(name, kind, read_times_of_day(values), parts)
    objects = to_objects(values)
    texts = [None if is_blank(value) else to_string(value) for value in objects]
    made = TextColumn if kind == "text" else CategoryColumn
    return made(name, kind, texts, parts)


def _seconds(values) -> np.ndarray:
    times = np.asarray(read_times(values), dtype="datetime64[s]")
    return np.where(np.isnat(times), np.nan, times.astype(np.float64))


class Column:
    """A column, as normal and as flagged rows have it.

    Parameters
    ----------
    name : str
        Its name on the page.
    kind : str
        Such as "numeric".
    values : sequence of length n_samples
        Values of some rows; NaN or None where they are missing.
    parts : pair of ndarray of shape (n_samples,), bool
        Which of the rows are compared: some that are not flagged, and some that are.
    """

    def __init__(self, name, kind, values, parts):
        self.name, self.kind, self.values = name, kind, values
        self.parts = parts
        is_array = isinstance(values, np.ndarray)
        missing = np.isnan(values) if is_array else np.array([v is None for v in values], bool)
        self.is_missing = missing
        self.missing = [float(missing[part].mean()) if part.any() else 0.0 for part in parts]

    def describe(self) -> dict:
        """Return what the page shows of the column."""
        return {"name": self.name, "kind": self.kind, "missing": self.missing}

    def reason(self, i: int) -> tuple[str, bool]:
        """Say what is unusual in the value of row i, and whether it is so by itself."""
        if self.is_missing[i]:
            had = self.missing[0]
            others = "" if had < RARE else ", but unusual beside the other values"
            return f"is missing, as in {_share_of_rows(had)}{others}", had < RARE
        return self._reason(i)

    def _reason(self, i: int) -> tuple[str, bool]:
        raise NotImplementedError


class NumberColumn(Column):
    """A column of numbers, or of what is read as numbers."""

    def __init__(self, name, kind, values, parts):
        super().__init__(name, kind, values, parts)
        normal = values[parts[0] & ~self.is_missing]
        normal = normal[np.isfinite(normal)]
        self.quantiles = np.quantile(normal, LEVELS) if len(normal) else None
        self.range = (normal.min(), normal.max()) if len(normal) else None

    def write(self, value) -> str:
        """Write a value as the page shows it."""
        return number(value)

    def describe(self) -> dict:
        """Return quantiles, and counts of normal and of flagged rows in bins."""
        about = super().describe()
        if self.quantiles is None:
            return about | {"usual": "no values", "bins": [], "counts": [[], []]}
        low, high = self.limits()
        inner = np.linspace(low, high, N_BINS + 1)
        edges = np.concatenate([[-np.inf], inner, [np.inf]])
        counts = [
            np.histogram(self.values[part & ~self.is_missing], edges)[0].tolist()
            for part in self.parts
        ]
        inside = [f"{self.write(a)} to {self.write(b)}" for a, b in pairwise(inner)]
        bins = [f"below {self.write(low)}", *inside, f"above {self.write(high)}"]
        return about | {
            "usual": self.usual(),
            "quantiles": [self.write(q) for q in self.quantiles],
            "places": self._places(self.quantiles),
            "ends": [self.write(low), self.write(high)],
            "bins": bins,
            "counts": counts,
        }

    def limits(self) -> tuple[float, float]:
        """Return the ends of the part of the axis that is drawn to scale."""
        low, high = self.quantiles[0], self.quantiles[-1]
        if low == high:
            low, high = self.range
        if low == high:
            # A constant column still needs an axis.
            low, high = low - 0.5, high + 0.5
        return float(low), float(high)

    def usual(self) -> str:
        """Return the range of nine in ten normal values."""
        low, high = self.write(self.quantiles[1]), self.write(self.quantiles[5])
        return low if low == high else f"{low} to {high}"

    def places(self, rows) -> list:
        """Return where values of rows lie between the ends; beyond them -0.06 or 1.06."""
        if self.quantiles is None:
            return [None] * len(rows)
        missing = self.is_missing[rows]
        places = self._places(np.where(missing, 0.0, self.values[rows]))
        return [None if m else p for m, p in zip(missing, places, strict=True)]

    def _places(self, values) -> list[float]:
        low, high = self.limits()
        with np.errstate(over="ignore"):
            return np.clip((values - low) / (high - low), -0.06, 1.06).round(3).tolist()

    def _reason(self, i):
        value, shown = self.values[i], self.write(self.values[i])
        if self.quantiles is None:
            return f"is {shown}, where the normal rows have no value", True
        usual = f"(usually {self.usual()})"
        low, high = self.quantiles[0], self.quantiles[-1]
        if value > self.range[1] or value < self.range[0]:
            side = "above" if value > self.range[1] else "below"
            return f"is {shown}, {side} all normal rows compared {usual}", True
        if value > high or value < low:
            side = "above" if value > high else "below"
            return f"is {shown}, {side} 99 % of the normal rows {usual}", True
        return f"is {shown}, usual by itself {usual} but not beside the other values", False


class DateColumn(NumberColumn):
    """A column of dates, in seconds."""

    def write(self, value) -> str:
        """Write a date, with the time of day if it is not midnight."""
        text = str(np.datetime64(int(np.clip(value, -6e10, 2.5e11)), "s"))
        return text.removesuffix("T00:00:00").replace("T", " ")


class TimeColumn(NumberColumn):
    """A column of times of day, in parts of a day."""

    def write(self, value) -> str:
        """Write hours and minutes."""
        minutes = round(float(value) * 24 * 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"


class CategoryColumn(Column):
    """A column of categories."""

    def __init__(self, name, kind, values, parts):
        super().__init__(name, kind, values, parts)
        there = ~self.is_missing
        self.counts = [
            Counter(values[i] for i in np.flatnonzero(part & there)) for part in parts
        ]
        # By number, then by name: the order of the rows does not matter.
        self.order = sorted(self.counts[0], key=lambda value: (-self.counts[0][value], value))

    def write(self, value) -> str:
        """Write a value, shortened if it is long."""
        return shortened(value, MAX_VALUE)

    def describe(self) -> dict:
        """Return the most frequent values, with counts of normal and of flagged rows."""
        named = self.order[:MAX_NAMED]
        flagged = self.counts[1]
        # Values that only flagged rows have are what a reader looks for.
        new = sorted(set(flagged) - set(self.counts[0]), key=lambda v: (-flagged[v], v))
        named = named + new[: MAX_NAMED // 2]
        others = [n.total() - sum(n[value] for value in named) for n in self.counts]
        counts = [[n[value] for value in named] for n in self.counts]
        bins = [self.write(value) for value in named]
        if any(others):
            bins.append("all others")
            for part, rest in zip(counts, others, strict=True):
                part.append(rest)
        return super().describe() | {
            "usual": self.usual(),
            "distinct": len(self.counts[0]),
            "bins": bins,
            "counts": counts,
        }

    def usual(self) -> str:
        """Return the most frequent values."""
        if not self.order:
            return "no values"
        total = self.counts[0].total()
        shown = [
            f"{self.write(value)} ({share(self.counts[0][value] / total)})"
            for value in self.order[:2]
        ]
        return ", ".join(shown)

    def places(self, rows) -> list:
        """Return the shares of the normal rows that have the values of rows."""
        total = max(1, self.counts[0].total())
        return [
            None if self.is_missing[i] else round(self.counts[0][self.values[i]] / total, 4)
            for i in rows
        ]

    def _reason(self, i):
        value, shown = self.values[i], self.write(self.values[i])
        had = self.counts[0][value] / max(1, self.counts[0].total())
        often = f" (most often {self.write(self.order[0])})" if self.order else ""
        if had < RARE:
            return f"is {shown}, which {_have(had)}{often}", True
        others = "but unusual beside the other values"
        return f"is {shown}, as in {share(had)} of the normal rows, {others}", False


class TextColumn(NumberColumn):
    """A column of texts, of which the lengths are compared."""

    def __init__(self, name, kind, values, parts):
        self.texts = values
        lengths = [np.nan if value is None else len(value) for value in values]
        super().__init__(name, kind, np.array(lengths, dtype=np.float64), parts)

    def describe(self) -> dict:
        """Return what is usual of the lengths."""
        return super().describe() | {"what": "characters"}

    def usual(self) -> str:
        """Return the usual numbers of characters."""
        return f"{super().usual()} characters"

    def _reason(self, i):
        if self.quantiles is None:
            return "has a text, where the normal rows have none", True
        length = int(self.values[i])
        shown = f"is “{shortened(self.texts[i], MAX_VALUE)}”"
        if not self.quantiles[0] <= length <= self.quantiles[-1]:
            return f"{shown}, {length:,} characters (usually {self.usual()})", True
        return f"{shown}, whose wording is unusual", False


def _have(had: float) -> str:
    return "none of the normal rows compared has" if had == 0 else f"{share(had)} of them have"


def _share_of_rows(part: float) -> str:
    return "no normal row compared" if part == 0 else f"{share(part)} of the normal rows"
