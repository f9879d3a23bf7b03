"""Kinds of columns: inferred once a fit, or given by name."""

import datetime
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_tables import CONTAINERS, KINDS, columns_of, encoder_of, make_array, make_table
from scipy.sparse import csr_array
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import make_detector_pipeline
from skdeepanomaly.tables import TableEncoder


@pytest.mark.parametrize("container", list(CONTAINERS))
def test_kinds_are_inferred_when_the_pipeline_is_fitted(container):
    table = make_table()
    expected = KINDS
    if container in ("array", "list"):
        names = list(table.columns)
        expected = {kind: [names.index(c) for c in columns] for kind, columns in KINDS.items()}
    encoder = encoder_of(CONTAINERS[container](table))
    assert columns_of(encoder) == expected
    encoded = encoder.transform(CONTAINERS[container](table))
    np.testing.assert_allclose(encoded, encoder_of(table).transform(table), atol=1e-12)
    assert np.isfinite(encoded).all()
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names) == encoded.shape[1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1, 2], dtype="Int64"), "numeric"),
        (pd.Series([1.5, None], dtype="double[pyarrow]"), "numeric"),
        (pd.Series([1, None, 2.5], dtype=object), "numeric"),
        (pd.Series([Decimal("1.5"), None]), "numeric"),
        (pd.Series(pd.to_timedelta([1, 2], "h")), "numeric"),
        (pl.Series([1, None]), "numeric"),
        (pl.Series([Decimal("1.5")]), "numeric"),
        (np.array([1, 2], dtype=np.uint8), "numeric"),
        (pd.Series([True, False]), "categorical"),
        (pd.Series([True, None], dtype=object), "categorical"),
        (pd.Series(["a", 1, None, 2.5], dtype=object), "categorical"),
        (pd.Series([None, None], dtype=object), "categorical"),
        (pd.Series([pd.NA, "a"], dtype="string"), "categorical"),
        (pd.Series(["a", "b"], dtype="string[pyarrow]"), "categorical"),
        (pd.Series([1, 2], dtype="category"), "categorical"),
        (pl.Series([None, None]), "categorical"),
        (pl.Series(["a", None]), "categorical"),
        (pl.Series(["a", "b"], dtype=pl.Categorical), "categorical"),
        (pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), "categorical"),
        (pl.Series([True, None]), "categorical"),
        (pl.Series([datetime.time(12)]), "categorical"),
        (np.array(["one word", "more words"]), "categorical"),
        (pd.Series([f"id{i}" for i in range(99)]), "categorical"),
        (pd.Series([f"note {i}" for i in range(99)]), "text"),
        (pd.Series([datetime.date(2024, 1, 1), None]), "date"),
        (pd.Series(pd.period_range("2024-01", periods=3, freq="M")), "date"),
        (pd.Series(pd.to_datetime(["2024-01-01"]), dtype="timestamp[us][pyarrow]"), "date"),
        (pl.Series([datetime.date(2024, 1, 1)]), "date"),
        (pl.Series([datetime.datetime(2024, 1, 1)]), "date"),
        (np.array(["2024-01-01"], dtype="M8[D]"), "date"),
    ],
)
def test_kind_of_a_column(values, kind):
    if isinstance(values, np.ndarray):
        table, column = values[:, None], 0
    else:
        frame = pl.DataFrame if isinstance(values, pl.Series) else pd.DataFrame
        table, column = frame({"c": values}), "c"
    encoder = encoder_of(table)
    assert {k: c for k, c in columns_of(encoder).items() if c} == {kind: [column]}
    # A column that is inferred to be of a kind can be read as that kind, also if it is named.
    named = encoder_of(table, **{kind: [column]})
    assert np.isfinite(named.transform(table)).all()


@pytest.mark.parametrize("name", ["kind_of", "read_times"])
def test_columns_are_looked_at_once_a_fit(name, monkeypatch):
    from skdeepanomaly.tables import _columns

    seen = Counter()
    function = getattr(_columns, name)

    def counted(column):
        seen[column.name] += 1
        return function(column)

    monkeypatch.setattr(_columns, name, counted)
    table = make_table().assign(day="2024-05-31")
    make_detector_pipeline(IsolationForest(), date=["day"], drop=["note"]).fit(table)
    inferred = set(table.columns) - {"day", "note"}
    expected = {"kind_of": inferred, "read_times": {"day"}}[name]
    assert seen == Counter(expected)


def test_a_fit_forgets_the_names_and_kinds_of_the_fit_before():
    table = make_table()
    encoder = encoder_of(table)
    encoder.fit(make_array(table)[:, [1, 0]])
    assert columns_of(encoder)["numeric"] == [0, 1]
    assert columns_of(encoder)["text"] == []
    assert not hasattr(encoder, "feature_names_in_")
    assert [kind for _, _, kind in encoder.transformers[:2]] == ["numeric", "categorical"]


@pytest.mark.parametrize(("kind", "given"), [("number", {}), ("numeric", {"dates": ["when"]})])
def test_unknown_kinds_are_refused(kind, given):
    encoder = TableEncoder([("numbers", StandardScaler(), kind)], given=given)
    with pytest.raises(ValueError, match=r"Expected the kinds numeric.*got '(number|dates)'"):
        encoder.fit(make_table())


def test_columns_can_be_named():
    table = make_table().assign(day="2024-05-31", **{"id": range(300)})
    encoder = encoder_of(
        table, categorical=["count"], text=["shop"], date=["day"], drop=["id", "note"]
    )
    assert columns_of(encoder) == {
        "numeric": ["amount", "share", "constant"],
        "categorical": ["count", "country", "active"],
        "date": ["when", "born", "day"],
        "text": ["shop"],
    }
    # A column of integers may come as floats later.
    floats = table.astype({"count": float})
    np.testing.assert_array_equal(encoder.transform(floats), encoder.transform(table))
    by_index = encoder_of(make_array(table), drop=[-1, 8])
    assert -1 not in by_index.transformers_[0][2]
    assert not by_index.named_transformers_["text"].__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"drop": ["amont"]}, "There is no column 'amont'. Did you mean 'amount'?"),
        ({"text": ["note"], "drop": ["note"]}, "named more than once"),
        ({"date": ["country"]}, "'country' was named in date but holds no dates.*got 'NO'"),
    ],
)
def test_wrong_names_are_refused(params, message):
    table = make_table()
    table["country"] = "NO"
    with pytest.raises(ValueError, match=message):
        encoder_of(table, **params)


@pytest.mark.parametrize("kind", ["numeric", "categorical", "date", "text", "drop"])
@pytest.mark.parametrize("column", ["abc", 3])
def test_columns_outside_of_a_list_are_refused(kind, column):
    with pytest.raises(ValueError, match=rf"{kind} takes a list.*Pass {kind}=\[{column!r}\]"):
        make_detector_pipeline(IsolationForest(), **{kind: column})


REFUSED = {
    "sparse": (lambda X: csr_array(X), "got a sparse matrix. Convert it with X.toarray"),
    "a row": (lambda X: X[0], "got the shape .3,.. Take a single row as X"),
    "names": (lambda X: pd.DataFrame(X, columns=["a", "b", "a"]), "got 2 columns 'a'"),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_tables_of_other_forms_are_refused(what):
    make, message = REFUSED[what]
    X = np.eye(3)
    with pytest.raises(ValueError, match=message):
        make_detector_pipeline(IsolationForest()).fit(make(X))


def test_sparse_rows_are_refused_after_fit_too():
    pipeline = make_detector_pipeline(IsolationForest()).fit(np.eye(3))
    with pytest.raises(ValueError, match="got a sparse matrix"):
        pipeline.score_samples(csr_array(np.eye(3)))
