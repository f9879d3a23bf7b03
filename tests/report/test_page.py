"""The page of a report in a real browser."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import run_in_page
from sklearn.ensemble import IsolationForest

from skdeepanomaly import (
    AnomalyReport,
    AutoEncoder,
    ConvAutoEncoder,
    FeedbackDetector,
    SlidingWindowDetector,
    UnivariateDetector,
    explain_columns,
    make_detector_pipeline,
)

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='hacked = 2'> & \"<!--"


@pytest.fixture(scope="module")
def case():
    """Return a report on a table with hostile cells, its rows, labels and detector."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "amount": rng.normal(size=400),
            HOSTILE: rng.choice(["a", "b"], 400),
            "day": pd.date_range("2024-01-01", periods=400, freq="D"),
            **{f"x{i}": rng.normal(size=400) for i in range(8)},
        },
        index=[f"id-{i}" for i in range(399)] + [HOSTILE],
    )
    detector = make_detector_pipeline(AutoEncoder(max_epochs=20, random_state=0))
    detector = FeedbackDetector(detector).fit(table)
    table.iloc[399, 0] = 1e6
    table.iloc[399, 1] = HOSTILE
    table.iloc[3, 0] = np.nan
    y = np.where(np.arange(400) >= 380, -1, 1)
    report = AnomalyReport(detector, table, y, title=HOSTILE, random_state=0)
    return report, table, y, detector


SCRIPT = Path(__file__).with_name("page_steps.js").read_text()


@pytest.fixture(scope="module")
def found(case, tmp_path_factory):
    """Return what the script saw, with the console of the browser."""
    values, console = run_in_page(case[0]._html(), SCRIPT, tmp_path_factory.mktemp("page"))
    return values | {"console": console}


def test_the_page_is_silent_and_asks_for_nothing(found):
    assert found["console"] == []
    assert found["requests"] == []
    assert found["violations"] == []


def test_what_looks_like_markup_is_text(found, case):
    assert found["hacked"] == [True, True, 0]
    assert found["title"] == HOSTILE
    assert found["cards"].count(HOSTILE) == 1
    assert f"399 ({HOSTILE}) is flagged" in found["open"]
    assert [HOSTILE, HOSTILE] in found["cells"]


def test_flagged_rows_come_first_worst_first(found, case):
    _, table, _, detector = case
    worst = np.argsort(detector.decision_function(table), kind="stable")
    flagged = np.sum(detector.predict(table) == -1)
    assert found["first"] == worst[: min(25, flagged)].tolist()
    assert found["status"] == f"Rows 1 to 25 of {flagged}"
    assert found["second page"] == [worst[25:50].tolist(), "Rows 26 to 50 of 200"]
    assert found["reset"] == found["first"]


def test_sorting(found, case):
    content = json.loads(case[0].json())
    amounts = {row["row"]: row["cells"][0] for row in content["rows"]}
    ascending, descending = found["sorted"]
    present = [amount for amount in amounts.values() if amount is not None]
    assert [amounts[row] for row in ascending] == sorted(present)[:25]
    assert [amounts[row] for row in descending] == sorted(present, reverse=True)[:25]
    assert [found["aria-sort 0"], found["aria-sort 1"]] == ["ascending", "descending"]
    assert found["focus"]


def test_search_and_filter(found, case):
    content = json.loads(case[0].json())
    rows = {row["row"]: row for row in content["rows"]}
    assert found["none"] == [[], "No row fits."]
    expected = [i for i, row in rows.items() if "id-17" in row["index"]]
    assert sorted(found["search"]) == sorted(expected)
    proposed = [i for i, row in rows.items() if "proposed" in row]
    assert sorted(found["anomalies"]) == sorted(i for i in rows if i >= 380)
    assert sorted(found["proposed"]) == sorted(proposed)
    assert len(found["proposed"]) == 10


def test_the_slider_counts_as_python_does(found, case):
    _, table, y, detector = case
    worst = np.argsort(detector.decision_function(table), kind="stable")
    for step, k in zip(found["steps"], [0, 1, 5, 40], strict=True):
        hits = np.sum(y[worst[:k]] == -1)
        assert step["text"].startswith(f"{k} of 400 rows")
        assert step["said"].startswith(f"{k} rows flagged")
        assert step["shown"] == min(k, 25)
        assert step["precision"] == ("\N{EN DASH}" if k == 0 else f"{hits / k:.3f}")
        assert step["recall"] == f"{hits / 20:.3f}"
        assert step["f1"] == f"{2 * hits / (k + 20):.3f}"


def test_the_page_reacts_at_once(found):
    assert found["milliseconds"] < 100


def test_an_open_row_says_why(found, case):
    _, table, _, detector = case
    assert found["expanded"] == "true"
    contributions = explain_columns(detector, table.iloc[[399]]).iloc[0]
    largest = contributions.max()
    assert float(found["bars"][0].replace(",", "")) == pytest.approx(largest, rel=0.01)
    assert found["cells"][0][0] == contributions.idxmax()
    assert "above all normal rows compared" in found["open"]


def test_a_row_as_python_code(found, case):
    namespace = {"pd": pd}
    exec(found["python"], namespace)
    row = namespace["row"].iloc[0]
    assert row["amount"] == 1e6
    assert row[HOSTILE] == HOSTILE


def test_exported_verdicts_reach_the_detector(found, case, tmp_path):
    _, table, _, detector = case
    assert found["disabled"]
    assert found["count"].startswith("Judged: 1 anomalies, 1 normal, 1 not sure")
    assert found["printed"] == ["anomaly", "normal", "?"]
    path = tmp_path / found["file"]
    path.write_text(found["exported"])
    rows = found["first"][:2]
    expected = FeedbackDetector(detector.detector).fit(table[:399])
    read = FeedbackDetector(detector.detector).fit(table[:399]).add_feedback_from(path)
    expected.add_feedback(table.iloc[rows], [-1, 1])
    np.testing.assert_array_equal(read.score_samples(table), expected.score_samples(table))


def test_the_next_row_is_the_first_proposal_without_a_verdict(found, case):
    rows = json.loads(case[0].json())["rows"]
    judged = found["first"][:3]
    left = [row for row in rows if "proposed" in row and row["row"] not in judged]
    assert found["next"] == [min(left, key=lambda row: row["proposed"])["row"]]


def test_verdicts_are_kept_by_the_browser_until_they_are_forgotten(found):
    first = found["first"]
    kept = {str(first[0]): "anomaly", str(first[1]): "normal", str(first[2]): "?"}
    assert [json.loads(text) for text in found["kept"]] == [kept]
    assert found["cleared"] == ["No row has a verdict yet.", ["{}"]]


def test_controls_have_names_and_tables_have_heads(found):
    assert found["unnamed"] == []
    assert found["heads"] == 0


def test_a_notebook_shows_the_page_in_a_frame(case, tmp_path):
    # In the frame the page may not keep anything, and must work all the same.
    notebook = make_page(case[0]._repr_html_())
    script = "report('frames', document.querySelectorAll('iframe').length)"
    found, console = run_in_page(notebook, script, tmp_path)
    assert found["frames"] == 1
    assert console == []


def make_page(body):
    policy = "<meta name='policy' content=\"script-src 'sha256-0'\">"
    return f"<!doctype html>\n<html><head>{policy}</head><body>{body}</body>\n</html>"


def test_the_browser_tells_of_errors_and_requests(tmp_path):
    # Else the tests above could not fail.
    broken = "<script>missing()</script>"
    frame = f'<iframe sandbox="allow-scripts" srcdoc="{broken}"></iframe>'
    image = "<img src='http://example.com/a.png'>"
    page = make_page(broken + frame + image)
    found, console = run_in_page(page, "report('done', true)", tmp_path)
    assert sum("missing is not defined" in line for line in console) == 2
    assert found["requests"] == ["http://example.com/a.png"]


OTHERS = Path(__file__).with_name("other_steps.js").read_text()


@pytest.mark.slow
def test_two_detectors(tmp_path):
    X = np.random.default_rng(0).normal(size=(300, 4))
    pair = [
        IsolationForest(random_state=0, contamination=share).fit(X) for share in (0.1, 0.05)
    ]
    pair[1].set_params(random_state=1).fit(X[:, ::-1])
    report = AnomalyReport.compare(pair, X, random_state=0)
    found, console = run_in_page(report._html(), OTHERS, tmp_path)
    flagged = [detector.predict(X) == -1 for detector in pair]
    cases = {
        "both": flagged[0] & flagged[1],
        "first": flagged[0] & ~flagged[1],
        "second": ~flagged[0] & flagged[1],
    }
    assert console == []
    assert "comparison" in found["sections"]
    for name, rows in cases.items():
        n = int(rows.sum())
        assert found["counts"][name].endswith(f" of {n}") or (
            n == 0 and found["counts"][name] == "No row fits."
        )


@pytest.mark.slow
def test_images(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8, 8))
    detector = ConvAutoEncoder(max_epochs=1, contamination=0.1, random_state=0).fit(X[:50])
    report = AnomalyReport(detector, X, random_state=0)
    found, console = run_in_page(report._html(), OTHERS, tmp_path)
    n_flagged = np.sum(detector.predict(X) == -1)
    assert console == []
    assert found["rows"] == n_flagged
    worst = np.argmin(detector.decision_function(X))
    assert found["pictures"][:2] == [f"Row {worst}", "Where it is unusual"]
    assert len(found["pictures"]) == 2 * n_flagged
    assert found["violations"] == []


@pytest.mark.slow
def test_series(tmp_path):
    X = np.sin(np.arange(400) / 5)[:, None]
    detector = SlidingWindowDetector(UnivariateDetector(), window=8).fit(X)
    X[200:204] += 3
    report = AnomalyReport(detector, X, random_state=0)
    found, console = run_in_page(report._html(), OTHERS, tmp_path)
    assert console == []
    assert found["sections"] == ["overview", "scores", "rows"]
    content = json.loads(report.json())
    assert found["spans"] == found["spans at last"] == len(content["spans"])
    # The marked spans are those of the threshold that the slider was moved to.
    n_flagged, _ = content["scores"]["grid"][found["place"]]
    assert n_flagged != content["scores"]["n_flagged"]
    flagged = np.zeros(402, dtype=int)
    flagged[1 + np.argsort(detector.score_samples(X))[:n_flagged]] = 1
    assert found["spans after"] == np.sum(np.diff(flagged) == 1)
