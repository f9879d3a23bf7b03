"""Verdicts that were exported from a report, as rows of the detector's container."""

import copy
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from skdeepanomaly import AnomalyReport, FeedbackDetector, make_detector_pipeline
from skdeepanomaly.utils._compat import take_rows

FOREST = IsolationForest(n_estimators=5, random_state=0)
GIVEN = ["anomaly", "normal", "?", "anomaly", "normal"]


def make_table(n=120):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=n, freq="h")
    table = pd.DataFrame(
        {
            "amount": rng.normal(size=n),
            "single": rng.normal(size=n).astype("float32"),
            "count": rng.integers(0, 9, n),
            "long": rng.integers(2**60, 2**61, n),
            "name": rng.choice(["a", "b"], n),
            "kind": pd.Categorical(rng.choice(["u", "v"], n)),
            "paid": rng.random(n) < 0.5,
            "time": days + pd.to_timedelta(1, "ns"),
            "local": days.tz_localize("Europe/Helsinki"),
        }
    )
    table.loc[::7, "amount"] = np.nan
    table.loc[1, "amount"] = np.inf
    return table


def to_polars(table):
    return pl.from_pandas(table.assign(time=table["time"].dt.floor("us")))


CONTAINERS = {
    "pandas": lambda table: table,
    "polars": to_polars,
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "numpy": lambda table: table[["single", "count"]].to_numpy(),
    "objects": lambda table: table[["count", "single", "name"]].to_numpy(dtype=object),
}


def export(report, path, **changes):
    """Write the file that the page of a report exports; return the judged rows."""
    content = json.loads(report.json())
    shown = content["rows"][: len(GIVEN)]
    verdicts = [
        {"row": row["row"], "verdict": verdict, "cells": row["cells"]}
        for row, verdict in zip(shown, GIVEN, strict=True)
    ]
    file = {
        "format": "skdeepanomaly-verdicts",
        "version": 1,
        "exact": content["exact"],
        "columns": [column["label"] for column in content["columns"]],
        "verdicts": verdicts,
    }
    path.write_text(json.dumps(file | changes))
    return [row["row"] for row in shown]


@pytest.mark.filterwarnings("ignore:Not all was understood")
@pytest.mark.parametrize("container", list(CONTAINERS))
def test_rows_of_a_file_are_the_rows_that_were_judged(container, tmp_path):
    X = CONTAINERS[container](make_table())
    detector = FeedbackDetector(make_detector_pipeline(FOREST)).fit(X)
    before = detector.score_samples(X)
    path = tmp_path / "verdicts.json"
    judged = export(AnomalyReport(detector, X, random_state=0), path)
    labels = [-1, 1, 0, -1, 1]
    expected = clone(detector).fit(X).add_feedback(take_rows(X, judged), labels)
    detector.add_feedback_from(path)
    assert detector.verdicts_.y.tolist() == expected.verdicts_.y.tolist()
    np.testing.assert_array_equal(detector.score_samples(X), expected.score_samples(X))
    assert not np.array_equal(detector.score_samples(X), before)
    # They are the same rows: verdicts on the rows of X take their place.
    detector.add_feedback(take_rows(X, judged), np.negative(labels))
    assert sorted(detector.verdicts_.y) == sorted(-expected.verdicts_.y)
    detector.remove_feedback().add_feedback_from(path, X)
    np.testing.assert_array_equal(detector.score_samples(X), expected.score_samples(X))


@pytest.fixture(scope="module")
def judged_table():
    """Return a detector, the rows that it was fitted to, and a report on them."""
    X = make_table()[["amount", "kind", "name"]].fillna({"amount": 0.0})
    X.loc[1, "amount"] = 5.0
    detector = FeedbackDetector(make_detector_pipeline(FOREST)).fit(X)
    return detector, X, AnomalyReport(detector, X, random_state=0)


@pytest.fixture
def fitted(judged_table):
    """Return the same with a detector that may be changed."""
    detector, X, report = judged_table
    return copy.deepcopy(detector), X, report


def test_unseen_categories_are_kept(fitted, tmp_path):
    detector, X, _ = fitted
    X = X.assign(kind=X["kind"].astype(object))
    X.loc[1, "kind"] = "new"
    report = AnomalyReport(detector, X, random_state=0)
    judged = export(report, tmp_path / "verdicts.json")
    assert 1 in judged
    detector.add_feedback_from(tmp_path / "verdicts.json")
    assert "new" in detector.verdicts_.X["kind"].tolist()


def test_hidden_columns_need_the_rows(fitted, tmp_path):
    detector, X, _ = fitted
    path = tmp_path / "verdicts.json"
    judged = export(AnomalyReport(detector, X, hide=["name"], random_state=0), path)
    with pytest.raises(ValueError, match=r"does not hold all values.*add_feedback_from\(path"):
        detector.add_feedback_from(path)
    detector.add_feedback_from(path, X)
    pd.testing.assert_frame_equal(detector.verdicts_.X, X.iloc[np.delete(judged, 2)])


def test_long_texts_are_cut_and_need_the_rows(fitted, tmp_path):
    detector, X, _ = fitted
    X = X.assign(name=["long " * 100] * len(X))
    path = tmp_path / "verdicts.json"
    export(AnomalyReport(detector, X, random_state=0), path)
    with pytest.raises(ValueError, match="does not hold all values"):
        detector.add_feedback_from(path)
    assert len(detector.add_feedback_from(path, X).verdicts_.y) == 4


def test_infinite_numbers_among_texts_need_the_rows(tmp_path):
    X = make_table()[["amount", "name"]].to_numpy(dtype=object)
    detector = FeedbackDetector(make_detector_pipeline(FOREST)).fit(X)
    path = tmp_path / "verdicts.json"
    export(AnomalyReport(detector, X, random_state=0), path)
    with pytest.raises(ValueError, match="does not hold all values"):
        detector.add_feedback_from(path)


def test_sparse_rows(tmp_path):
    X = csr_matrix(np.random.default_rng(0).normal(size=(80, 3)))
    detector = FeedbackDetector(FOREST).fit(X)
    path = tmp_path / "verdicts.json"
    export(AnomalyReport(detector, X, random_state=0), path)
    assert detector.add_feedback_from(path, X).verdicts_.X.shape == (4, 3)


def test_other_rows_are_refused(fitted, tmp_path):
    detector, X, report = fitted
    path = tmp_path / "verdicts.json"
    export(report, path)
    with pytest.raises(ValueError, match=r"Row \d+ of X is not that of the report: column"):
        detector.add_feedback_from(path, X[::-1])
    with pytest.raises(ValueError, match="but X has 1 rows"):
        detector.add_feedback_from(path, X[:1])
    with pytest.raises(ValueError, match="a column 'name', which X has not"):
        detector.add_feedback_from(path, X[["amount", "kind"]])
    assert len(detector.verdicts_.y) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "it is 'other', version 1"),
        ({"version": 2}, "version 2"),
        ({"verdicts": [{"row": 1, "verdict": "maybe", "cells": []}]}, "verdict 'maybe'"),
        ({"verdicts": [{"verdict": "normal", "cells": []}]}, "it lacks 'row'"),
        ({"columns": ["amount"]}, "cannot be made from the file"),
        (
            {
                "columns": ["amount", "kind", "name"],
                "verdicts": [{"row": 1, "verdict": "normal", "cells": ["much", "u", "a"]}],
            },
            "cannot be made from the file",
        ),
    ],
)
def test_wrong_files(changes, message, fitted, tmp_path):
    detector, _, report = fitted
    path = tmp_path / "verdicts.json"
    export(report, path, **changes)
    with pytest.raises(ValueError, match=message):
        detector.add_feedback_from(path)
    assert len(detector.verdicts_.y) == 0


def test_what_is_no_file_of_verdicts(fitted, tmp_path):
    detector, _, _ = fitted
    path = tmp_path / "verdicts.json"
    for text in ("<html>", "[]", "{}"):
        path.write_text(text)
        with pytest.raises(ValueError, match="to be a file of verdicts that a report exported"):
            detector.add_feedback_from(path)
    with pytest.raises(FileNotFoundError):
        detector.add_feedback_from(tmp_path / "missing.json")


def test_a_file_without_verdicts_changes_nothing(fitted, tmp_path):
    detector, _, report = fitted
    path = tmp_path / "verdicts.json"
    export(report, path, verdicts=[])
    assert len(detector.add_feedback_from(path).verdicts_.y) == 0
