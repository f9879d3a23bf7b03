"""What a report holds, and what it does not."""

import base64
import datetime
import json
import re
import struct
import subprocess
import sys
import webbrowser

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import global_states
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags

from skdeepanomaly import (
    AnomalyReport,
    AutoEncoder,
    ConformalDetector,
    ConvAutoEncoder,
    EnsembleDetector,
    FeedbackDetector,
    RecurrentAutoEncoder,
    SlidingWindowDetector,
    ThresholdedDetector,
    UnivariateDetector,
    explain_columns,
    make_detector_pipeline,
)
from skdeepanomaly.report import _page


def make_table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": rng.normal(size=n),
            "age": rng.integers(20, 60, n),
            "country": rng.choice(["FI", "SE", "NO"], n, p=[0.6, 0.3, 0.1]),
            "day": pd.date_range("2024-01-01", periods=n, freq="D"),
        }
    )


@pytest.fixture(scope="module")
def pipeline():
    """Return a detector of tables of :func:`make_table`."""
    detector = AutoEncoder(max_epochs=20, contamination=0.05, random_state=0)
    return make_detector_pipeline(detector).fit(make_table())


def content_of(*args, random_state=0, **kwargs):
    return json.loads(AnomalyReport(*args, random_state=random_state, **kwargs).json())


def odd_table():
    table = make_table(seed=1)
    table.loc[5, "amount"] = 300.0
    table.loc[6, "country"] = "XX"
    table.loc[7, "amount"] = np.nan
    table.loc[8, "day"] = pd.Timestamp("1999-05-01")
    return table


@pytest.fixture(scope="module")
def odd_content(pipeline):
    """Return the content of a report on :func:`odd_table`."""
    return content_of(pipeline, odd_table())


def test_scores_flags_and_order_are_those_of_the_detector(pipeline):
    table = odd_table()
    content = content_of(pipeline, table, max_rows=50)
    scores = pipeline.score_samples(table)
    order = np.argsort(scores, kind="stable")[:50]
    rows = content["rows"]
    assert [row["row"] for row in rows] == order.tolist()
    np.testing.assert_allclose([row["score"] for row in rows], -scores[order], rtol=1e-5)
    assert [row["flagged"] for row in rows] == (pipeline.predict(table)[order] == -1).tolist()
    assert content["scores"]["threshold"] == pytest.approx(-pipeline[-1].offset_, rel=1e-6)
    assert sum(content["scores"]["counts"]) == len(table)


def test_contributions_are_those_of_explain_columns(pipeline):
    table = odd_table()
    content = content_of(pipeline, table, max_rows=20)
    places = [row["row"] for row in content["rows"]]
    expected = explain_columns(pipeline, table.iloc[places]).to_numpy()
    shown = [row["contributions"] for row in content["rows"]]
    np.testing.assert_allclose(shown, expected, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        (5, "amount", "is 300, above all normal rows compared (usually -1."),
        (6, "country", "is XX, which none of the normal rows compared has (most often FI)"),
        (7, "amount", "is missing, as in no normal row compared"),
        (8, "day", "is 1999-05-01, below all normal rows compared (usually 2024-01-"),
    ],
)
def test_reasons_in_words(row, column, text, odd_content):
    reasons = next(shown for shown in odd_content["rows"] if shown["row"] == row)["reasons"]
    assert reasons[0][0] == column
    assert reasons[0][1].startswith(text)


def test_summary_names_the_first_row_and_why(pipeline):
    table = make_table(seed=2)
    table.loc[9, "country"] = "XX"
    content = content_of(pipeline, table)
    assert "row 9, which was flagged: its country is XX" in " ".join(content["summary"])


def test_normal_ranges_come_from_rows_that_are_not_flagged(pipeline, odd_content):
    table = odd_table()
    normal = table[pipeline.predict(table) == 1]
    column = odd_content["columns"][1]
    expected = np.quantile(normal["age"], [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    np.testing.assert_allclose([float(q) for q in column["quantiles"]], expected, rtol=1e-3)
    assert [sum(part) for part in column["counts"]] == [len(normal), len(table) - len(normal)]
    country = odd_content["columns"][2]
    for name, n in zip(country["bins"], country["counts"][0], strict=True):
        assert n == (normal["country"] == name).sum()


def test_similar_rows_are_normal_and_near():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    X[200:] += 30
    X[0] = [0, 0, 12]
    X[399] = [30, 30, 42]
    detector = LocalOutlierFactor(novelty=True, contamination=0.01).fit(X)
    content = content_of(detector, X, max_rows=2)
    assert {row["row"] for row in content["rows"]} == {0, 399}
    for row in content["rows"]:
        near = [content["normal_rows"][k]["row"] for k in row["nearest"]]
        assert len(near) == 3
        assert all((place < 200) == (row["row"] == 0) for place in near)
        assert (detector.predict(X[near]) == 1).all()


def test_the_grid_of_thresholds_with_labels(pipeline):
    table = odd_table()
    y = np.where(np.arange(len(table)) % 7 == 0, -1, 1)
    y[:10] = 0
    y[5] = -1
    scores = -pipeline.score_samples(table)
    grid = content_of(pipeline, table, y)["scores"]["grid"]
    n_flagged = np.sum(pipeline.predict(table) == -1)
    assert [k for k, *_ in grid if k == n_flagged]
    assert grid[-1][0] == len(table)
    for k, threshold, found, wrong in grid:
        above = np.argsort(-scores, kind="stable")[:k]
        if k != n_flagged:
            assert np.sum(scores > threshold) == k
        assert (found, wrong) == (np.sum(y[above] == -1), np.sum(y[above] == 1))


def test_no_threshold_between_equal_scores():
    X = np.repeat([0.0, 1.0, 9.0], [50, 30, 3])[:, None]
    detector = UnivariateDetector(contamination=0.05).fit(X)
    grid = content_of(detector, X)["scores"]["grid"]
    assert {k for k, *_ in grid} <= {0, 3, 33, 53, 83}


DETECTORS = [
    IsolationForest(random_state=0),
    LocalOutlierFactor(novelty=True),
    OneClassSVM(nu=0.1),
    make_pipeline(StandardScaler(), PCA(3), AutoEncoder(max_epochs=2, random_state=0)),
    ThresholdedDetector(AutoEncoder(max_epochs=2, random_state=0), random_state=0),
    ConformalDetector(IsolationForest(random_state=0), random_state=0),
    EnsembleDetector([("a", IsolationForest(random_state=0)), ("b", UnivariateDetector())]),
    FeedbackDetector(IsolationForest(random_state=0)),
]


# LocalOutlierFactor says so of every frame of polars.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    ("detector", "container"),
    [
        pytest.param(detector, container, id=f"{type(detector).__name__}-{container}")
        for detector in DETECTORS
        for container in ("array", "polars", "sparse")
        if container != "sparse" or get_tags(detector).input_tags.sparse
    ],
)
def test_any_detector_and_container(detector, container):
    X = np.random.default_rng(0).normal(size=(200, 4))
    X[3] = 12
    if container == "polars":
        X = pl.DataFrame(X, schema=list("abcd"))
    if container == "sparse":
        X = csr_matrix(X)
    fitted = detector.fit(X)
    report = AnomalyReport(fitted, X, random_state=0)
    content = json.loads(report.json())
    assert content["scores"]["n_flagged"] == np.sum(fitted.predict(X) == -1)
    names = [column["name"] for column in content["columns"]]
    assert names == (list("abcd") if container == "polars" else ["x0", "x1", "x2", "x3"])
    assert any(row["row"] == 3 for row in content["rows"])
    assert "<table" in report._html()
    is_known = all("contributions" in row for row in content["rows"])
    assert content["explained"] == is_known


def test_without_explain_reasons_are_values_out_of_range():
    X = np.random.default_rng(0).normal(size=(300, 3))
    X[3] = [0, 40, 0]
    content = content_of(IsolationForest(random_state=0).fit(X), X)
    row = next(row for row in content["rows"] if row["row"] == 3)
    assert [name for name, _ in row["reasons"]] == ["x1"]
    assert "cannot say what each column adds" in " ".join(content["notes"])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda d: ThresholdedDetector(d, "zscore"), "by the rule ZScoreThreshold() from"),
        (lambda d: ConformalDetector(d, alpha=0.2), "at most about 20 % of new normal rows"),
        (lambda d: d.set_params(contamination=0.05), "contamination=0.05: about 5 % of the"),
        (lambda d: OneClassSVM(nu=0.3), "nu=0.3"),
    ],
)
def test_how_the_threshold_was_found(make, text):
    X = np.random.default_rng(0).normal(size=(200, 2))
    facts = dict(content_of(make(IsolationForest(random_state=0)).fit(X), X)["facts"])
    assert text in facts["Threshold"]


def test_verdicts_of_a_feedback_detector_are_told_and_rows_proposed():
    X = np.random.default_rng(0).normal(size=(200, 2))
    detector = FeedbackDetector(IsolationForest(random_state=0)).fit(X)
    detector.add_feedback(X[:2], [1, -1])
    content = content_of(detector, X)
    assert "moved by 2 verdicts" in dict(content["facts"])["Threshold"]
    proposed = {row["row"]: row["proposed"] for row in content["rows"] if "proposed" in row}
    assert sorted(proposed, key=proposed.get) == detector.query(X).tolist()


def test_same_input_and_seed_give_the_same_file(pipeline, tmp_path):
    table = odd_table()
    before = global_states()
    pages = [AnomalyReport(pipeline, table, random_state=3)._html() for _ in range(2)]
    assert global_states() == before
    assert pages[0] == pages[1]
    AnomalyReport(pipeline, table, random_state=3).write_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == pages[0]


def test_hidden_columns_do_not_reach_the_file(pipeline):
    table = odd_table().assign(secret=[f"secret-{i}" for i in range(400)])
    table.loc[5, "secret"] = "secret-5"
    table.index = pd.Index([f"person-{i}" for i in range(400)], name="person")
    with pytest.warns(UserWarning, match="secret"):
        detector = make_detector_pipeline(AutoEncoder(max_epochs=2, random_state=0)).fit(table)
    everything = AnomalyReport(detector, table, random_state=0)
    assert "secret-" in everything._html()
    assert "person-" in everything._html()
    report = AnomalyReport(detector, table, hide=["secret", "person"], random_state=0)
    for text in (report._html(), report.json()):
        assert "secret" not in text
        assert "person" not in text
    content = json.loads(report.json())
    row = content["rows"][0]
    full = explain_columns(detector, table.iloc[[row["row"]]]).iloc[0]
    assert row["others"] == pytest.approx(full["secret"], rel=1e-3, abs=1e-9)
    assert not content["exact"]


def test_hidden_columns_of_arrays_by_position_and_by_name():
    X = np.random.default_rng(0).normal(size=(100, 3))
    detector = IsolationForest(random_state=0).fit(X)
    by_place = content_of(detector, X, hide=[1])
    by_name = content_of(detector, X, names=["a", "b", "c"], hide=["b"])
    assert [column["name"] for column in by_place["columns"]] == ["x0", "x2"]
    assert [column["name"] for column in by_name["columns"]] == ["a", "c"]


def test_markup_in_the_data_is_escaped(pipeline):
    table = odd_table().rename(columns={"age": "<b>age</b>"})
    table.loc[5, "country"] = "</script><script>alert(1)</script>&"
    detector = make_detector_pipeline(AutoEncoder(max_epochs=2, random_state=0)).fit(table)
    page = AnomalyReport(detector, table, title="<i>title</i>", random_state=0)._html()
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "alert(1)" in page
    assert "<b>age" not in page
    assert "<i>title" not in page
    block = re.search(r'<script type="application/json" id="content">(.*?)</script>', page)
    assert not set("<>&") & set(block[1])
    rows = json.loads(block[1])["rows"]
    assert any("</script><script>alert(1)</script>&" in row["cells"] for row in rows)


def test_readable_without_a_script(pipeline):
    page = AnomalyReport(pipeline, odd_table(), random_state=0)._html()
    before_data = page.split('<script type="application/json"')[0]
    assert "<b>country</b> is XX, which none of the normal rows" in before_data


def test_many_rows_and_columns_stay_small():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 50))
    detector = AutoEncoder(max_epochs=1, random_state=0).fit(X[:500])
    page = AnomalyReport(detector, X, random_state=0)._html()
    # The number of rows does not matter beyond those that are compared.
    assert len(page) < 2_000_000
    wide = rng.normal(size=(300, 200))
    wide[0, 150] = 50
    detector = AutoEncoder(max_epochs=1, random_state=0).fit(wide)
    content = content_of(detector, wide)
    assert len(content["columns"]) == 60
    assert "x150" in [column["name"] for column in content["columns"]]
    assert "140 columns of 200" in " ".join(content["notes"])


def test_two_detectors_are_compared():
    X = np.random.default_rng(0).normal(size=(300, 3))
    pair = [
        IsolationForest(contamination=0.1, random_state=0).fit(X),
        AutoEncoder(max_epochs=2, contamination=0.05, random_state=0).fit(X),
    ]
    content = json.loads(AnomalyReport.compare(pair, X, random_state=0).json())
    first, second = (detector.predict(X) == -1 for detector in pair)
    assert content["comparison"]["counts"] == {
        "both": np.sum(first & second),
        "first": np.sum(first & ~second),
        "second": np.sum(~first & second),
        "neither": np.sum(~first & ~second),
    }
    assert np.sum(content["comparison"]["grid"]) == 300
    assert f"flagged {first.sum()} and AutoEncoder {second.sum()}" in content["summary"][0]
    shown = {row["row"] for row in content["rows"]}
    assert set(np.flatnonzero(first | second)) <= shown
    for row in content["rows"]:
        assert row["flagged"] == first[row["row"]]
        assert row["second"]["flagged"] == second[row["row"]]
    same = json.loads(AnomalyReport.compare([pair[0]] * 2, X, random_state=0).json())
    assert same["comparison"]["correlation"] == 1
    assert np.trace(same["comparison"]["grid"]) == 300


def test_images_have_heat_maps():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 8, 8)) * 0.1
    X[7, :3, :3] = 3
    detector = ConvAutoEncoder(max_epochs=2, random_state=0).fit(X[10:])
    shaped = content_of(detector, X)
    assert shaped["kind"] == "images"
    assert all(row["image"].startswith("data:image/png;base64,") for row in shaped["rows"])
    assert all(row["heat"].startswith("data:image/png;base64,") for row in shaped["rows"])
    flat = ConvAutoEncoder(max_epochs=2, image_shape=(8, 8), random_state=0)
    flat = content_of(flat.fit(X[10:].reshape(70, -1)), X.reshape(80, -1))
    assert [row["image"] for row in flat["rows"]] == [row["image"] for row in shaped["rows"]]


def test_windows_have_heat_maps():
    X = np.random.default_rng(0).normal(size=(60, 12, 2))
    detector = RecurrentAutoEncoder(max_epochs=1, random_state=0).fit(X)
    content = content_of(detector, X)
    assert content["kind"] == "windows"
    assert len({row["heat"] for row in content["rows"]}) == len(content["rows"])


def test_series_have_spans():
    index = pd.date_range("2024-01-01", periods=600, freq="h")
    X = pd.DataFrame({"level": np.sin(np.arange(600) / 5)}, index=index)
    detector = SlidingWindowDetector(UnivariateDetector(), window=8, contamination=0.01).fit(X)
    X.iloc[200:204] += 3
    content = content_of(detector, X)
    flagged = detector.predict(X) == -1
    spans = sorted(content["spans"], key=lambda span: span["from"])
    marked = np.concatenate([np.arange(span["from"], span["to"]) for span in spans])
    assert marked.tolist() == np.flatnonzero(flagged).tolist()
    assert content["spans"][0]["start"] == str(index[content["spans"][0]["from"]])
    assert content["lines"][0]["name"] == "level"
    assert max(content["lines"][0]["high"]) == pytest.approx(X["level"].max(), rel=1e-4)
    named = content_of(detector, X.assign(level=X["level"]), names=["height"])
    assert named["lines"][0]["name"] == "height"
    assert content_of(detector, X, hide=["level"])["lines"] == []
    with pytest.raises(ValueError, match="hide names the channel 'other'"):
        AnomalyReport(detector, X, hide=["other"])
    with pytest.raises(ValueError, match="names has 2 names, expected one for each of 1"):
        AnomalyReport(detector, X, names=["a", "b"])
    with pytest.raises(ValueError, match="list of 2 series"):
        AnomalyReport(detector, [X, X])


def test_open_writes_a_file_and_shows_it(pipeline, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    report = AnomalyReport(pipeline, odd_table(), random_state=0)
    path = report.open()
    try:
        assert shown == [path.as_uri()]
        assert path.read_text("utf-8") == report._html()
    finally:
        path.unlink()


def test_lone_surrogates_are_written(tmp_path):
    texts = pd.Series(["\ud800", "x"] * 25, dtype=object)
    X = pd.DataFrame({"a": np.arange(50.0), "b": texts})
    detector = make_detector_pipeline(IsolationForest(random_state=0), categorical=["b"])
    report = AnomalyReport(detector.fit(X), X, random_state=0)
    report.write_html(tmp_path / "report.html")
    assert "\\ud800" in (tmp_path / "report.html").read_text("utf-8")


class NoNumbers(IsolationForest):
    def decision_function(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"max_rows": 0}, "max_rows must be an integer of at least 1, got 0"),
        ({"hide": ["agee"]}, "hide names the column 'agee'.*Did you mean 'age'"),
        ({"names": ["a"]}, "names has 1 names, expected one for each of 4"),
        ({"y": [1, -1]}, "y has 2 labels, expected one for each of 400 rows"),
    ],
)
def test_wrong_parameters(kwargs, message, pipeline):
    with pytest.raises(ValueError, match=message):
        AnomalyReport(pipeline, make_table(), **kwargs)


def test_wrong_detectors():
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ValueError, match="LogisticRegression is a classifier"):
        AnomalyReport(LogisticRegression().fit(X, X[:, 0] > 0), X)
    with pytest.raises(ValueError, match="has no decision_function"):
        AnomalyReport(LocalOutlierFactor().fit(X), X)
    detector = IsolationForest(random_state=0).fit(X)
    detector.__class__ = NoNumbers
    with pytest.raises(ValueError, match="is NaN for 60 rows"):
        AnomalyReport(detector, X)
    with pytest.raises(ValueError, match="takes two detectors, got 1"):
        AnomalyReport.compare([detector], X)


def test_without_jinja2_the_error_names_the_extra(pipeline, monkeypatch):
    report = AnomalyReport(pipeline, make_table(), random_state=0)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _page._template.cache_clear()
    with pytest.raises(ImportError, match=r'pip install "skdeepanomaly\[report\]"'):
        report._repr_html_()
    assert json.loads(report.json())["format"] == "skdeepanomaly-report"


@pytest.mark.slow
def test_a_wheel_has_the_template(tmp_path):
    root = str(tmp_path)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", root, "."]
    subprocess.run(command, check=True)
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", *map(str, tmp_path.glob("*.whl"))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in ("template.html.jinja", "report.js", "report.css"):
        assert f"skdeepanomaly/report/{name}" in listed


def test_every_kind_of_column():
    rng = np.random.default_rng(0)
    n = 300
    words = np.array("sales clerk senior driver night nurse office chief".split())
    table = pd.DataFrame(
        {
            "time": [datetime.time(h) for h in rng.integers(8, 18, n).tolist()],
            "text": [" ".join(rng.choice(words, k)) for k in rng.integers(2, 6, n)],
            "paid": rng.random(n) < 0.5,
            "constant": 5.0,
            "empty": np.nan,
            "number": [f"{x:.3f}" for x in rng.normal(size=n)],
        }
    )
    detector = make_detector_pipeline(
        AutoEncoder(max_epochs=10, random_state=0), text=["text"], categorical=["empty"]
    ).fit(table)
    new = table.copy()
    new["empty"] = new["empty"].astype(object)
    new.loc[0, "time"] = datetime.time(3)
    new.loc[1, "text"] = "word " * 100
    new.loc[2, "constant"] = 9.0
    new.loc[3, "empty"] = "full"
    content = content_of(detector, new, max_rows=300)
    columns = {column["name"]: column for column in content["columns"]}
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds == {
        "time": "time",
        "text": "text",
        "paid": "categorical",
        "constant": "numeric",
        "empty": "categorical",
        "number": "numeric",
    }
    assert columns["time"]["ends"] == ["08:00", "17:00"]
    assert columns["constant"]["usual"] == "5"
    assert columns["empty"]["usual"] == "no values"
    assert columns["text"]["usual"].endswith("characters")
    reasons = {row["row"]: dict(row["reasons"]) for row in content["rows"]}
    assert reasons[0]["time"].startswith("is 03:00, below all normal rows")
    assert "500 characters (usually" in reasons[1]["text"]
    assert reasons[2]["constant"].startswith("is 9, above all normal rows compared (usually 5)")
    assert reasons[3]["empty"].startswith("is full, which none of the normal rows")
    told = [shown["text"] for shown in reasons.values() if "text" in shown]
    assert any(text.endswith("whose wording is unusual") for text in told)


def test_a_column_without_normal_values():
    X = np.random.default_rng(0).normal(size=(100, 2))
    X[:, 1] = np.nan
    X[5] = [40, 3]
    detector = IsolationForest(contamination=0.01, random_state=0).fit(X)
    content = content_of(detector, X)
    assert content["columns"][1]["usual"] == "no values"
    row = next(row for row in content["rows"] if row["row"] == 5)
    assert ["x1", "is 3, where the normal rows have no value"] in row["reasons"]


class Brightest(OutlierMixin, BaseEstimator):
    """A detector of images without ``explain``."""

    def fit(self, X, y=None):
        self.offset_ = -np.quantile(self._brightness(X), 0.9)
        return self

    def _brightness(self, X):
        return np.reshape(X, (len(X), -1)).mean(axis=1)

    def decision_function(self, X):
        return -self._brightness(X) - self.offset_

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


def test_colours_and_channels_of_images():
    X = np.random.default_rng(0).random(size=(40, 3, 160, 6))
    detector = Brightest().fit(X)
    content = content_of(detector, X)
    assert content["kind"] == "images"
    assert "cannot say which parts" in " ".join(content["notes"])
    # So many large images become smaller: means of four pixels, in one direction.
    header = base64.b64decode(content["rows"][0]["image"].partition(",")[2])[16:26]
    assert struct.unpack(">IIBB", header) == (6, 40, 8, 2)
    with pytest.raises(ValueError, match="hide takes columns of a table, and X holds images"):
        AnomalyReport(detector, X, hide=["a"])


def test_no_rows_are_refused(pipeline):
    with pytest.raises(ValueError, match="X has no rows"):
        AnomalyReport(pipeline, make_table()[:0])


def test_warnings_of_the_training_are_notes():
    X = np.random.default_rng(0).normal(size=(60, 2)) * [1, 1e4]
    with pytest.warns(UserWarning, match="scales of the columns"):
        detector = AutoEncoder(max_epochs=1, random_state=0).fit(X)
    pipeline = ThresholdedDetector(FrozenEstimator(detector)).fit(X)
    for reported in (detector, pipeline):
        notes = json.loads(AnomalyReport(reported, X).json())["notes"]
        assert any(note.startswith("Training: The scales of the columns") for note in notes)
    notes = json.loads(AnomalyReport(detector, X, names=["a", "b"], hide=["b"]).json())["notes"]
    assert not any("scales" in note for note in notes)
