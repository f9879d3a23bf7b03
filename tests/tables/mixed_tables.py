"""A made-up table with columns of every kind, and what the tests ask of its encoder."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
from sklearn.ensemble import IsolationForest

from skdeepanomaly import make_detector_pipeline


def make_table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01", tz="Europe/Helsinki")
    when = start + pd.to_timedelta(rng.integers(0, 60, n) * 24 + rng.integers(8, 18, n), "h")
    words = np.array(["pay", "rent", "food", "books", "travel", "gift", "fees", "loan"])
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, n),
            "share": rng.uniform(size=n),
            "count": pd.array(rng.poisson(5, n), dtype="Int64"),
            "country": pd.Categorical(rng.choice(["FI", "SE", "NO"], n)),
            "shop": rng.choice([f"shop{i}" for i in range(60)], n),
            "active": pd.array(rng.random(n) < 0.7, dtype="boolean"),
            "when": when,
            "born": [datetime.date(1980, 1, 1) + datetime.timedelta(int(d)) for d in when.day],
            "note": [" ".join(rng.choice(words, 3)) for _ in range(n)],
            "constant": 5.0,
        }
    )
    table["share"] = table["share"].mask(rng.random(n) < 0.3)
    table["shop"] = table["shop"].mask(rng.random(n) < 0.1, None)
    return table


KINDS = {
    "numeric": ["amount", "share", "count", "constant"],
    "categorical": ["country", "shop", "active"],
    "date": ["when", "born"],
    "text": ["note"],
}


def encoder_of(table, **params):
    return make_detector_pipeline(IsolationForest(), **params)[0].fit(table)


def columns_of(encoder):
    kinds = encoder.column_kinds_
    found = {kind: [c for c in kinds if kinds[c] == kind] for kind in kinds.values()}
    return {kind: found.get(kind, []) for kind in KINDS} | found


def make_array(table):
    return table.astype(object).to_numpy()


CONTAINERS = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "array": make_array,
    "list": lambda table: make_array(table).tolist(),
}
