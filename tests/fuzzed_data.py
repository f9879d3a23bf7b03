"""Strategies of hypothesis: rows of numbers, labels, and tables of columns of any kind."""

import tempfile
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from hypothesis import strategies as st

MAX_ROWS, MAX_COLUMNS = 60, 30
# Hypothesis prefers the first of several values: what is odd comes last.
RARELY = st.sampled_from([False] * 9 + [True])

# Rows: a recipe for each column, a type, and a layout in memory or a container.

DTYPES = ["f2", "f4", "f8", "g", ">f4", ">f8", "O", "?", ">i4"]
DTYPES += [kind + size for kind in "iu" for size in "1248"]


def _spread(rng, n, exponent):
    return 10.0 ** rng.uniform(-30, 30, n) * rng.choice([-1, 1], n)


COLUMNS = {
    "normal": lambda rng, n, exponent: rng.normal(size=n),
    "scaled": lambda rng, n, exponent: rng.normal(size=n) * 10.0**exponent,
    "far": lambda rng, n, exponent: rng.normal(size=n) + 10.0**exponent,
    "constant": lambda rng, n, exponent: np.full(n, 10.0**exponent),
    "zero": lambda rng, n, exponent: np.zeros(n),
    "digits": lambda rng, n, exponent: rng.integers(-3, 4, n),
    "one large": lambda rng, n, exponent: (np.arange(n) == n // 2) * 10.0**exponent,
    "subnormal": lambda rng, n, exponent: rng.normal(size=n) * 1e-42,
    "spread": _spread,
}


@st.composite
def arrays(draw):
    """Draw a table of numbers."""
    n = draw(st.integers(1, MAX_ROWS))
    k = draw(st.integers(1, MAX_COLUMNS))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    ordinary = draw(st.sampled_from([True, True, False]))
    dtype = np.dtype(draw(st.sampled_from(["f8"] * 3 + DTYPES)))
    kinds = ["normal", "digits", "zero"] if ordinary else sorted(COLUMNS)
    kinds = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=min(k, 4)))
    exponent = draw(st.integers(-30, 30))
    columns = [COLUMNS[kinds[j % len(kinds)]](rng, n, exponent) for j in range(k)]
    X = np.column_stack(columns).astype(np.float64)
    if draw(RARELY):
        X = X[rng.integers(0, max(1, n // 4), n)]  # rows that come several times
    if draw(RARELY):
        X[n // 2, k // 2] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        X = np.clip(np.nan_to_num(X), limits.min / 2, limits.max / 2)
    with np.errstate(all="ignore"):
        return X.astype(dtype)


def _strided(X):
    wide = np.zeros((2 * len(X), 3 * X.shape[1]), dtype=X.dtype)
    wide[::2, ::3] = X
    return wide[::2, ::3]


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def _memory_map(X):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    return mapped


def _names(X):
    return [f"c{j}" for j in range(X.shape[1])]


def _native(X):
    """Return numbers of a type that frames and tensors know."""
    if X.dtype.kind == "O" or X.dtype.char in "eg" or not X.dtype.isnative:
        return X.astype(np.float64)
    return X


def _nullable(X):
    return pd.DataFrame(_native(X), columns=_names(X)).convert_dtypes()


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": _strided,
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": _read_only,
    "memory map": _memory_map,
    "list": lambda X: X.tolist(),
    "pandas": lambda X: pd.DataFrame(_native(X), columns=_names(X), index=range(7, 7 + len(X))),
    "nullable": _nullable,
    "polars": lambda X: pl.DataFrame(_native(X), schema=_names(X)),
    "pyarrow": lambda X: pa.table(dict(zip(_names(X), _native(X).T, strict=True))),
    "tensor": lambda X: torch.from_numpy(_native(X).copy()),
    "list of tensors": lambda X: list(torch.from_numpy(_native(X).copy())),
}


@dataclass
class Rows:
    """Rows as an array, and the layout or container in which they are handed over."""

    values: np.ndarray
    layout: str

    def take(self, indices=None):
        """Return rows in the container."""
        values = self.values if indices is None else self.values[indices]
        return LAYOUTS[self.layout](values)

    def __len__(self):
        return len(self.values)


def rows():
    """Return the strategy of rows in any layout or container."""
    layouts = st.sampled_from(["C"] * 3 + sorted(LAYOUTS))
    return st.builds(Rows, arrays(), layouts)


# Images: rows with axes, in what can hold them.

IMAGE_LAYOUTS = ["C", "C", "F", "read-only", "memory map", "list", "tensor", "list of tensors"]
PIXELS = {
    "unit": lambda rng, shape, exponent: rng.random(shape),
    "digits": lambda rng, shape, exponent: rng.integers(-3, 4, shape),
    "scaled": lambda rng, shape, exponent: rng.normal(size=shape) * 10.0**exponent,
    "far": lambda rng, shape, exponent: rng.normal(size=shape) + 10.0**exponent,
    "constant": lambda rng, shape, exponent: np.full(shape, 10.0**exponent),
    "zero": lambda rng, shape, exponent: np.zeros(shape),
    "spread": lambda rng, shape, exponent: _spread(rng, shape, exponent),
}


@st.composite
def images(draw):
    """Draw images of any size, with or without channels, in any container."""
    side = st.one_of(st.integers(1, 20), st.sampled_from([1, 2, 16]))
    shape = [draw(st.integers(1, 40)), draw(side), draw(side)]
    if draw(st.booleans()):
        shape.insert(1, draw(st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(["unit", "unit", *sorted(PIXELS)]))
    X = PIXELS[kind](rng, shape, draw(st.integers(-30, 30))).astype(np.float64)
    if draw(RARELY):
        X[len(X) // 2] = draw(st.sampled_from([np.nan, np.inf, 0.0, 1e30, -1e30]))
    if draw(st.sampled_from([False, False, True])):
        dtype = np.dtype(draw(st.sampled_from(["u1", "u1", "i2", "f2", "f4", ">f8", "?"])))
        with np.errstate(all="ignore"):
            if dtype.kind in "iu":
                X = np.clip(255 * np.nan_to_num(X), np.iinfo(dtype).min, np.iinfo(dtype).max)
            X = X.astype(dtype)
    return Rows(X, draw(st.sampled_from(IMAGE_LAYOUTS)))


# Labels.


@st.composite
def labels(draw, n):
    """Draw labels for ``n`` rows: mostly those of detectors, sometimes others, or None."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = draw(st.sampled_from([[-1, 1], [-1, 0, 1], [1, 0]]))
    y = rng.choice(values, n, p=[0.3, *[0.7 / (len(values) - 1)] * (len(values) - 1)])
    if draw(st.sampled_from([True, True, False])):
        return y
    return draw(
        st.sampled_from(
            [
                None,
                y.tolist(),
                pd.Series(y, index=range(5, 5 + n)),
                y[:, None],
                y.astype(object),
                y.astype(float),
                y == 1,
                y[:-1],
                np.where(y == 1, np.nan, 1.0),
                np.where(y == 1, "odd", "normal"),
                np.zeros(n, dtype=int),
                -np.ones(n),
                rng.integers(0, 4, n),
            ]
        )
    )


# Tables of columns of many kinds.


WORDS = np.array(["pay", "rent", "food", "books", "travel", "gift", "fees", "loan"])
TABLE_COLUMNS = {
    "float": lambda rng, n: rng.normal(size=n),
    "amount": lambda rng, n: rng.lognormal(3, 4, n),
    "huge": lambda rng, n: _spread(rng, n, 0),
    "float32": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "gaps": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "nothing": lambda rng, n: np.full(n, np.nan),
    "none": lambda rng, n: np.full(n, None, dtype=object),
    "constant": lambda rng, n: np.full(n, 5.0),
    "int": lambda rng, n: rng.integers(-5, 5, n),
    "unsigned": lambda rng, n: rng.integers(0, 2**63, n).astype(np.uint64),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "text": lambda rng, n: [" ".join(rng.choice(WORDS, 3)) for _ in range(n)],
    "category": lambda rng, n: rng.choice(WORDS, n),
    "key": lambda rng, n: [f"{i:08x}" for i in rng.integers(0, 2**31, n)],
    "number text": lambda rng, n: rng.integers(0, 99, n).astype(str),
    "day": lambda rng, n: np.datetime64("2024-01-01") + rng.integers(0, 900, n),
    "second": lambda rng, n: np.datetime64("1970-01-01T00", "ns") + rng.integers(0, 2**60, n),
    "iso": lambda rng, n: (np.datetime64("2024-01-01") + rng.integers(0, 9, n)).astype(str),
    "span": lambda rng, n: rng.integers(0, 99, n).astype("m8[s]"),
    "decimal": lambda rng, n: [Decimal(int(i)) / 7 for i in rng.integers(0, 99, n)],
    "mixed": lambda rng, n: rng.choice(np.array([1, 2.5, "x", None, True], dtype=object), n),
}


TABLE_LAYOUTS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "array": lambda frame: frame.astype(object).to_numpy(),
    "list": lambda frame: frame.astype(object).to_numpy().tolist(),
}


class Table(Rows):
    """A table as a frame of pandas, and the container in which it is handed over."""

    def take(self, indices=None):
        """Return rows in the container."""
        frame = self.values if indices is None else self.values.iloc[indices]
        return TABLE_LAYOUTS[self.layout](frame)


@st.composite
def tables(draw):
    """Draw a table of columns of any kinds, in any container that holds them."""
    n = draw(st.integers(1, MAX_ROWS))
    kinds = draw(st.lists(st.sampled_from(sorted(TABLE_COLUMNS)), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    columns = {f"c{j}": pd.Series(TABLE_COLUMNS[k](rng, n)) for j, k in enumerate(kinds)}
    for name in draw(st.lists(st.sampled_from(sorted(columns)), max_size=2)):
        columns[name] = columns[name].mask(rng.random(n) < 0.2)
    frame = pd.DataFrame(columns)
    if draw(RARELY):
        frame = frame.convert_dtypes()
    layouts = ["pandas", "array", "list"]
    # polars has one type for all values of a column.
    if not {"mixed", "none"} & {*kinds}:
        layouts.append("polars")
    return Table(frame, draw(st.sampled_from(layouts)))
