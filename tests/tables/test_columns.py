"""Kinds of columns: inferred once a fit, or given by name."""

import datetime
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_tables import CONTAINERS, KINDS, columns_of, encoder_of, make_array, make_table
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, explain_columns, make_detector_pipeline
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
        (pl.Series([datetime.time(12)]), "time"),
        (pd.Series([datetime.time(12), None], dtype=object), "time"),
        (pd.Series([datetime.time(12)], dtype="time64[us][pyarrow]"), "time"),
        (pd.Series(["12:30", "13:00", "23:59"] * 20), "time"),
        (pd.Series(["1.5", "-2e3", "0"]), "numeric"),
        (pd.Series([str(3 * i) for i in range(99)]), "numeric"),
        (pd.Series(["1", "0"] * 50), "categorical"),
        (pd.Series([f"0{i}" for i in range(50)] * 2), "categorical"),
        (pd.Series([str(1000 + i) for i in range(50)] * 2), "categorical"),
        (pd.Series(["2024-05-31", "2024-06-01 12:30"]), "date"),
        (pd.Series(["20240531"] * 3), "categorical"),
        (np.array(["one word", "more words"]), "categorical"),
        (pd.Series([f"id{i}" for i in range(99)] * 2), "categorical"),
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


def test_kinds_are_inferred_once_a_fit(monkeypatch):
    from skdeepanomaly.tables import _columns

    seen = Counter()
    function = _columns.kind_of

    def counted(column):
        seen[column.name] += 1
        return function(column)

    monkeypatch.setattr(_columns, "kind_of", counted)
    table = make_table().assign(day="2024-05-31")
    make_detector_pipeline(IsolationForest(), date=["day"], drop=["note"]).fit(table)
    assert seen == Counter(set(table.columns) - {"day", "note"})


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
        "drop": ["note", "id"],
    }
    # A column of integers may come as floats later.
    floats = table.astype({"count": float})
    np.testing.assert_array_equal(encoder.transform(floats), encoder.transform(table))
    by_index = encoder_of(make_array(table), drop=[-1, 8])
    assert columns_of(by_index)["drop"] == [8, 11]
    assert not by_index.named_transformers_["text"].__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"drop": ["amont"]}, "There is no column 'amont'. Did you mean 'amount'?"),
        ({"text": ["note"], "drop": ["note"]}, "named more than once"),
        ({"date": ["country"]}, "'country' is read as date, but 300 .* such as 'NO'"),
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


ONE_BAD = {
    "a mark for missing": ("n/a", np.arange(2000) / 7, "numeric"),
    "below a limit": ("<0.5", np.arange(2000) / 7, "numeric"),
    "in strings": ("ND", [f"{i / 7:.3f}" for i in range(2000)], "numeric"),
    "in dates": ("unknown", list(pd.date_range("2024", periods=2000, freq="9h")), "date"),
    "in times": ("noon", [datetime.time(i % 24) for i in range(2000)], "time"),
}


@pytest.mark.parametrize("what", list(ONE_BAD))
def test_kind_follows_most_of_the_values(what):
    bad, values, kind = ONE_BAD[what]
    table = pd.DataFrame({"good": 0.0, "c": pd.Series(list(values), dtype=object)})
    table.loc[7, "c"] = bad
    with pytest.warns(UserWarning, match=rf"'c' is read as {kind}, but 1 .*0.05%.*'{bad}'"):
        encoder = encoder_of(table)
    assert encoder.column_kinds_ == {"good": "numeric", "c": kind}
    clean = encoder_of(table.assign(c=table["c"].mask(table["c"] == bad, None)))
    np.testing.assert_array_equal(
        encoder.transform(table.drop(index=7)), clean.transform(table.drop(index=7))
    )


@pytest.mark.parametrize("n_bad", [1, 30])
def test_one_bad_string_does_not_hide_a_number_far_out(n_bad):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(2000, 2)), columns=["a", "b"]).astype(object)
    table.iloc[:n_bad, 0] = "n/a"
    with pytest.warns(UserWarning, match="'a' is read as numeric"):
        pipeline = make_detector_pipeline(IsolationForest(random_state=0)).fit(table)
    far, near = pipeline.score_samples(pd.DataFrame({"a": [500.0, 0.1], "b": 0.1}))
    assert far < near - 0.1


LOST = {
    "numeric": ("1,234.50", "999.99"),
    "date": ("31/12/2024", "2024-12-31"),
    "time": ("24:30", "23:30"),
}


@pytest.mark.parametrize("kind", list(LOST))
def test_lost_values_of_a_named_kind_are_told(kind):
    bad, good = LOST[kind]
    named = {kind: ["c"]}
    for n_bad in (2, 100, 299):
        table = pd.DataFrame({"c": [bad] * n_bad + [good] * (300 - n_bad)})
        if n_bad == 2:
            encoder = encoder_of(table, **named)
        else:
            with pytest.warns(UserWarning, match=f"'c' is read as {kind}, but {n_bad} .*{bad}"):
                encoder = encoder_of(table, **named)
        assert encoder.column_summaries_[0].unread == pytest.approx(n_bad / 300)
    with pytest.raises(ValueError, match=f"'c' is read as {kind}, but 300 .*{bad}.*another"):
        encoder_of(pd.DataFrame({"c": [bad] * 300}), **named)


def test_lost_values_of_new_rows_are_told():
    pipeline = make_detector_pipeline(IsolationForest()).fit(make_table()[["amount", "when"]])
    new = make_table(3)[["amount", "when"]].astype(object)
    new["amount"] = ["1,234.50", "9,999,999.00", 5.0]
    with pytest.warns(UserWarning, match=r"'amount' is read as numeric, but 2 .*'1,234.50'"):
        pipeline.predict(new)


def test_what_was_understood_can_be_shown():
    table = make_table()[["amount", "share", "shop", "note"]].assign(id=np.arange(300))
    table["code"] = [f"a{i}" if i < 30 else "b" for i in range(300)]
    with pytest.warns(UserWarning, match="'id' is left out") as caught:
        encoder = encoder_of(table, drop=["note"])
    # One warning tells of all columns.
    assert len(caught) == 1
    assert "column 'code' 10% occur only once" in str(caught[0].message)
    shop, note, code = (encoder.column_summaries_[i] for i in (2, 3, 5))
    assert shop.missing == pytest.approx(table["shop"].isna().mean())
    assert (note.kind, note.reason) == ("drop", "named")
    assert code.unseen == 0.1
    lines = encoder.describe_columns().split("\n")
    assert lines[0].split() == ["column", "kind", "because", "missing", "unread", "unseen"]
    assert lines[1].split() == ["amount", "numeric", "float64", "-", "-", "-"]
    assert lines[-1].split() == ["code", "categorical", "values", "-", "-", "10.00%"]
    # To be named ends the warning.
    encoder_of(table, drop=["note", "id"], categorical=["code"])


LABELS = {
    "range": [0, 1, 2],
    "whole numbers": [30, 10, 20],
    "mixed": ["a", 1, 2.5],
    "tuples": [("a", 1), ("a", 2), ("b", 1)],
    "dates": list(pd.date_range("2024", periods=3)),
    "booleans": [True, False, None],
}


@pytest.mark.parametrize("labels", list(LABELS))
def test_labels_are_names_whatever_their_type(labels):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, 3)) * [1, 2, 3] + [0, 50, 500])
    table.columns = pd.Index(LABELS[labels], dtype=object, tupleize_cols=labels == "tuples")
    detector = AutoEncoder(max_epochs=3, random_state=0)
    pipeline = make_detector_pipeline(detector).fit(table)
    scores = pipeline.score_samples(table)
    moved = table.iloc[:, [2, 0, 1]]
    np.testing.assert_array_equal(pipeline.score_samples(moved), scores)
    further = moved.set_axis([*moved.columns[:2], "further"], axis=1)
    further = pd.concat([moved, further.iloc[:, 2:]], axis=1)
    np.testing.assert_array_equal(pipeline.score_samples(further), scores)
    explained = explain_columns(pipeline, table).to_numpy()[:, [2, 0, 1]]
    np.testing.assert_array_equal(explain_columns(pipeline, moved), explained)
    with pytest.raises(ValueError, match="columns of fit, got none labelled"):
        pipeline.predict(table.iloc[:, 1:])
    if labels == "range":
        # The columns of an array are labelled so, too.
        np.testing.assert_array_equal(pipeline.score_samples(table.to_numpy()), scores)
    else:
        with pytest.raises(ValueError, match="got an array, whose columns have no labels"):
            pipeline.predict(table.to_numpy())
    label = LABELS[labels][1]
    dropped = encoder_of(moved, drop=[label])
    assert dropped.column_kinds_[label] == "drop"
    np.testing.assert_array_equal(
        dropped.transform(moved), encoder_of(moved.drop(columns=[label])).transform(moved)
    )
    with pytest.raises(ValueError, match="There is no column 7"):
        encoder_of(table, drop=[7])


def test_indices_are_no_labels_of_named_columns():
    with pytest.raises(ValueError, match=r"There is no column 0. Give the label of a column"):
        encoder_of(make_table(), drop=[0])


def test_equal_numbers_are_one_category_whatever_their_scale():
    train = pd.DataFrame({"code": [Decimal("12.000"), Decimal("7.125"), Decimal("12")] * 20})
    pipeline = make_detector_pipeline(IsolationForest(random_state=0), categorical=["code"])
    scores = pipeline.fit(train).score_samples(train)
    for same in [12, 12.0, Decimal("12"), Decimal("12.0"), "12"]:
        alone = pd.DataFrame({"code": [same]}, dtype=object)
        np.testing.assert_array_equal(pipeline.score_samples(alone), scores[:1])
    assert pipeline[0].column_summaries_[0].unseen == 0
