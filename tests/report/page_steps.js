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
