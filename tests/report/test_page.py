"""The page of a report in a real browser."""

import json

import numpy as np
import pandas as pd
import pytest
from browser import run_in_page
from sklearn.ensemble import IsolationForest

from skdeepanomaly import (
    AnomalyReport,
    AutoEncoder,
    FeedbackDetector,
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


SCRIPT = """
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector) => [...document.querySelectorAll(selector)];
  const names = () => $$("#table [data-open]").map((button) => Number(button.dataset.open));
  const send = (element, type) => element.dispatchEvent(new Event(type, { bubbles: true }));
  const set = (element, value, type) => { element.value = value; send(element, type); };
  const hacked = window.hacked;
  report("title", $("h1").textContent);
  report("status", $("#status").textContent);
  report("first", names());

  // Sorting, by a click and by the keyboard's button, both ways.
  const column = (name) => $$("#table thead button").find((b) => b.textContent.startsWith(name));
  $("#all").click();
  set($("#filter"), "all", "change");
  const sorted = [];
  for (let i = 0; i < 2; i++) {
    column("amount").click();
    sorted.push(names());
    report("aria-sort " + i, column("amount").parentElement.getAttribute("aria-sort"));
  }
  report("sorted", sorted);
  report("focus", document.activeElement === column("amount"));
  column("Score").click();

  // Search and filter.
  set($("#search"), "ID-17 ", "input");
  report("none", [names(), $("#status").textContent]);
  set($("#search"), "ID-17", "input");
  report("search", names());
  set($("#search"), "", "input");
  set($("#filter"), "anomalies", "change");
  report("anomalies", names());
  set($("#filter"), "proposed", "change");
  report("proposed", names());
  set($("#filter"), "all", "change");
  const next = $$(".tools button").find((button) => button.textContent === "Next");
  next.click();
  report("second page", [names(), $("#status").textContent]);

  // The slider, to each of its steps, and back.
  set($("#filter"), "flagged", "change");
  const slider = $("#threshold");
  const steps = [];
  for (const step of [0, 1, 5, 40]) {
    set(slider, step, "input");
    steps.push({
      text: $("#readout").textContent, shown: names().length,
      precision: $("#precision").textContent, recall: $("#recall").textContent,
      f1: $("#f1").textContent, said: slider.getAttribute("aria-valuetext"),
    });
  }
  report("steps", steps);
  const start = performance.now();
  for (let step = 0; step < 20; step++) set(slider, step, "input");
  report("milliseconds", (performance.now() - start) / 20);
  $("#reset").click();
  report("reset", names());

  // A row that is open, and its code.
  $("#table [data-open]").click();
  report("open", $(".inside").textContent);
  report("expanded", $("#table [data-open]").getAttribute("aria-expanded"));
  report("bars", $$(".inside .contribution span").map((span) => span.textContent));
  report("cells", $$(".inside tbody tr").map((tr) => [tr.cells[0].textContent, tr.cells[1].textContent]));
  let copied;
  document.execCommand = () => { copied = $("textarea").value; return true; };
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  $$(".inside button").find((button) => button.textContent === "Copy as Python").click();
  report("python", copied);

  // Verdicts, in the table and in an open row; the file that is saved.
  const parts = [];
  window.Blob = class { constructor(texts) { parts.push(texts.join("")); } };
  URL.createObjectURL = () => "data:,";
  HTMLAnchorElement.prototype.click = function () { report("file", this.download); };
  report("disabled", $("#export").disabled);
  const selects = $$("#table select");
  set(selects[0], "anomaly", "change");
  set($$("#table tr.row select")[1], "normal", "change");
  set($$("#table tr.row select")[2], "?", "change");
  $("#next").click();
  report("next", names().filter((name) => $('[data-open="' + name + '"]').getAttribute("aria-expanded") === "true"));
  report("count", $("#verdict-count").textContent);
  $("#export").click();
  report("exported", parts[0]);
  report("printed", $$("[data-verdict-of]").slice(0, 3).map((cell) => cell.textContent));
  report("kept", Object.keys(localStorage).map((key) => localStorage.getItem(key)));
  $("#clear").click();
  report("cleared", [$("#verdict-count").textContent, Object.keys(localStorage).map((key) => localStorage.getItem(key))]);

  // Columns, and what a reader of the screen is told.
  $("#column-cards .more").click();
  report("cards", $$(".card h3").map((title) => title.textContent));
  report("unnamed", $$("button, select, input, [role=img], [role=region]").filter((element) =>
    !(element.textContent.trim() || element.getAttribute("aria-label") || (element.labels && element.labels.length))).map((e) => e.outerHTML));
  report("heads", $$("th").filter((th) => !th.scope).length);
  report("hacked", [hacked === undefined, window.hacked === undefined, $$("img").length]);
"""


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
    assert sorted(found["anomalies"]) == sorted(i for i in rows if i >= 380)
    assert sorted(found["proposed"]) == sorted(
        i for i, row in rows.items() if "proposed" in row
    )
    assert len(found["proposed"]) == 10


def test_the_slider_counts_as_python_does(found, case):
    _, table, y, detector = case
    worst = np.argsort(detector.decision_function(table), kind="stable")
    for step, k in zip(found["steps"], [0, 1, 5, 40], strict=True):
        hits = np.sum(y[worst[:k]] == -1)
        assert step["text"].startswith(f"{k} of 400 rows")
        assert step["said"].startswith(f"{k} rows flagged")
        assert step["shown"] == min(k, 25)
        assert step["precision"] == ("–" if k == 0 else f"{hits / k:.3f}")
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
    frame = case[0]._repr_html_()
    page = f"<!doctype html><meta http-equiv='x' content=\"script-src 'sha256-0'\"><body>{frame}</body>\n</html>"
    found, console = run_in_page(
        page, "report('frames', document.querySelectorAll('iframe').length)", tmp_path
    )
    assert found["frames"] == 1
    assert console == []


OTHERS = """
  report("sections", [...document.querySelectorAll("section")].map((section) => section.id));
  report("rows", document.querySelectorAll("#table tr.row").length);
  report("pictures", [...document.querySelectorAll("#table img")].map((image) => image.alt));
  report("spans", document.querySelectorAll("#series svg")[0]?.querySelectorAll(".span").length);
  const filter = document.getElementById("filter");
  const counts = {};
  for (const option of filter ? filter.options : []) {
    filter.value = option.value;
    filter.dispatchEvent(new Event("change"));
    counts[option.value] = document.getElementById("status").textContent;
  }
  report("counts", counts);
"""


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
