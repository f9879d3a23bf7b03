"""A plain pipeline of scikit-learn, for tables of all libraries and odd values."""

import datetime
import pickle
import sys
import uuid
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_tables import CONTAINERS, columns_of, make_table
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
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


def test_wrong_scaler_is_refused():
    with pytest.raises(ValueError, match="must be \"soft\" or a transformer, got 'hard'"):
        make_detector_pipeline(IsolationForest(), scaler="hard")


def test_pipeline_is_plain_scikit_learn():
    table = make_table()
    detector = AutoEncoder(max_epochs=1, random_state=0)
    pipeline = make_detector_pipeline(detector)
    assert type(pipeline) is Pipeline
    assert repr(pipeline).startswith("Pipeline(steps=[('encode',")
    assert "categorical" in pipeline._repr_html_()
    scores = clone(pipeline).fit(table).score_samples(table)
    assert not hasattr(detector, "net_")
    restored = pickle.loads(pickle.dumps(pipeline.fit(table)))
    np.testing.assert_array_equal(restored.score_samples(table), scores)
    np.testing.assert_array_equal(pipeline.feature_names_in_, table.columns)
    named = make_detector_pipeline(detector, drop=["note"])
    assert "given={'drop': ['note']}" in repr(clone(named)[0])


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


# In a half of the table some shops occur only once.
@pytest.mark.filterwarnings("ignore:Not all was understood:UserWarning")
def test_pipeline_can_be_searched():
    table, y = make_table(), np.repeat([1, -1, 1], 100)
    grid = {
        "detector__n_neighbors": [5, 9],
        "encode__text__ngramencoder__n_components": [2],
        "encode__numeric__softscaler": [StandardScaler()],
        "encode__category__onehotencoder__max_categories": [3],
        "encode__given": [{"drop": ["share"]}],
    }
    pipeline = make_detector_pipeline(LocalOutlierFactor(novelty=True))
    search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=2, error_score="raise")
    best = search.fit(table, y).best_estimator_
    names = list(best[0].get_feature_names_out())
    assert "text__note_1" in names
    assert "text__note_2" not in names
    assert "numeric__share" not in names
    assert sum(name.startswith("category__shop") for name in names) == 3
    ThresholdedDetector(pipeline, calibration_size=0.3).fit(table).predict(table)


ODD_VALUES = {
    "missing": [None] * 5,
    "strings": ["odd"] * 5,
    "mixed": ["odd", 1, None, 2.5, datetime.date(1900, 1, 1)],
    "huge": [np.inf, -np.inf, 1e300, -1e300, np.nan],
}


@pytest.mark.filterwarnings("ignore:Column .* is read as:UserWarning")
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


MANY_IDENTIFIERS = {
    "uuid": lambda rng, n: [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(n)],
    "address": lambda rng, n: [".".join(map(str, ip)) for ip in rng.integers(256, size=(n, 4))],
    "mail": lambda rng, n: [f"u{i}@example.org" for i in rng.integers(10**9, size=n)],
    "digits": lambda rng, n: list(map(str, rng.integers(10**8, 10**9, size=n))),
    "half": lambda rng, n: [f"id{i}" if i % 2 else "-" for i in rng.integers(10**9, size=n)],
    "row numbers": lambda rng, n: rng.permutation(n) + 10 * n,
    "row numbers of a part": lambda rng, n: rng.permutation(3 * n)[:n] + 10 * n,
}


@pytest.mark.parametrize("what", list(MANY_IDENTIFIERS))
def test_identifiers_do_not_matter(what):
    rng = np.random.default_rng(0)
    make = MANY_IDENTIFIERS[what]
    table, new = (pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"]) for n in (600, 500))
    detector = AutoEncoder(max_epochs=10, random_state=0)
    without = make_detector_pipeline(detector).fit(table).predict(new)
    with pytest.warns(UserWarning, match="column 'id'.*occur only once|'id' is left out"):
        pipeline = make_detector_pipeline(detector).fit(table.assign(id=make(rng, 600)))
    flagged = pipeline.predict(new.assign(id=make(rng, 500)))
    assert abs((flagged == -1).mean() - (without == -1).mean()) < 0.1


@pytest.mark.parametrize("numbers", ["repeated", "wide"])
def test_whole_numbers_that_repeat_or_lie_far_apart_are_quantities(numbers):
    rng = np.random.default_rng(0)
    values = {"repeated": rng.integers(1000, size=600), "wide": rng.integers(10**9, size=600)}
    encoder = make_detector_pipeline(IsolationForest())[0]
    assert encoder.fit(pd.DataFrame({"n": values[numbers]})).column_kinds_ == {"n": "numeric"}


@pytest.mark.filterwarnings("ignore:Not all was understood:UserWarning")
def test_tables_of_identifiers_alone_are_refused():
    with pytest.raises(ValueError, match="No column is left to encode"):
        make_detector_pipeline(IsolationForest()).fit(pd.DataFrame({"id": range(100)}))


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
    before = explain_columns(pipeline, table[:50])
    after = explain_columns(pipeline, table[:50].assign(price="odd", day="odd"))
    assert list(after.columns) == list(table.columns)
    # Values that cannot be read are missing, where none was missing before.
    rise = (after - before).mean()
    assert (rise[["price", "day"]] > 5 * before.mean().sum()).all()


def test_missing_skrub_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skrub", None)
    with pytest.raises(ImportError, match=r'pip install "skdeepanomaly\[table\]"'):
        make_detector_pipeline(IsolationForest(), clean=True)
