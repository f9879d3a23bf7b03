(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("content").textContent);
  const byId = (id) => document.getElementById(id);
  const PAGE_SIZE = 25;
  const FEW_COLUMNS = 8;
  const FEW_CARDS = 9;
  const VERDICTS = ["", "anomaly", "normal", "?"];
  document.documentElement.classList.add("js");

  // ---- Elements. All texts of the data become text nodes, never markup.
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return element;
  }
  const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  // ---- Numbers in words.
  function num(value, digits) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size >= 1e12 || size < 1e-4)) return value.toExponential(3);
    const options = { maximumSignificantDigits: Number.isInteger(value) ? 21 : digits || 4 };
    options.useGrouping = size >= 10000;
    return value.toLocaleString("en-US", options);
  }
  const percent = (part) => (part === 0 ? "0 %" : num(100 * part, part < 0.1 ? 2 : 3) + " %");
  function cellText(value) {
    if (value === null) return "missing";
    if (typeof value === "number") return num(value, 6);
    // Dates without a time of day come from some libraries with midnight.
    return String(value).replace(/^(\d{4}-\d\d-\d\d)[ T]00:00:00(\.0+)?$/, "$1");
  }
  const rowName = (row) => String(row.row) + (row.index === undefined ? "" : " (" + row.index + ")");

  // ---- State.
  const rows = data.rows || [];
  const columns = data.columns || [];
  const scores = data.scores;
  const unit = data.kind === "series" ? "time stamp" : "row";
  const hasLabels = scores.anomalies !== undefined;
  const comparison = data.comparison || null;
  const state = {
    flagged: scores.n_flagged, sort: "score", down: true, filter: "flagged", text: "",
    page: 0, all: false, open: null,
  };
  const isFlagged = (row) => row.rank < state.flagged;
  const say = (text) => { byId("said").textContent = text; };

  // ---- Verdicts, kept by the browser where it allows that.
  const key = "skdeepanomaly-verdicts-" + data.id;
  let verdicts = {};
  try {
    const kept = JSON.parse(window.localStorage.getItem(key) || "{}");
    for (const row of rows) {
      if (VERDICTS.indexOf(kept[row.row]) > 0) verdicts[row.row] = kept[row.row];
    }
  } catch (error) { verdicts = {}; }
  function keep() {
    try { window.localStorage.setItem(key, JSON.stringify(verdicts)); } catch (error) { /* a frame without storage */ }
    showVerdicts();
  }
  function setVerdict(row, verdict) {
    if (verdict) verdicts[row.row] = verdict;
    else delete verdicts[row.row];
    keep();
  }
  const judged = () => rows.filter((row) => verdicts[row.row]);
  function exported() {
    return {
      format: "skdeepanomaly-verdicts", version: 1, report: data.id, title: data.title,
      exact: Boolean(data.exact), columns: columns.map((column) => column.label),
      verdicts: judged().map((row) => ({ row: row.row, verdict: verdicts[row.row], cells: row.cells || null })),
    };
  }
  function showVerdicts() {
    for (const cell of document.querySelectorAll("[data-verdict-of]")) {
      cell.textContent = verdicts[cell.dataset.verdictOf] || "";
    }
    for (const select of document.querySelectorAll("select[data-verdict]")) {
      select.value = verdicts[select.dataset.verdict] || "";
    }
    const counts = VERDICTS.slice(1).map((verdict) => judged().filter((row) => verdicts[row.row] === verdict).length);
    byId("verdict-count").textContent = judged().length
      ? "Judged: " + counts[0] + " anomalies, " + counts[1] + " normal, " + counts[2] + " not sure; "
        + (rows.length - judged().length) + " rows of this report are left."
      : "No row has a verdict yet.";
    for (const id of ["export", "copy-verdicts", "clear"]) byId(id).disabled = judged().length === 0;
  }
  function save(name, text) {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = h("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
  function copy(text, what) {
    const done = () => say(what + " copied.");
    const byHand = () => {
      const area = h("textarea", { class: "hidden" });
      area.value = text;
      document.body.append(area);
      area.select();
      const worked = document.execCommand("copy");
      area.remove();
      if (worked) done(); else say("This browser does not let the page copy.");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }
  function verdictSelect(row) {
    const select = h("select", {
      "data-verdict": row.row, "aria-label": "Verdict on row " + rowName(row),
      onchange: () => setVerdict(row, select.value), onclick: (event) => event.stopPropagation(),
    }, VERDICTS.map((verdict) => h("option", { value: verdict }, verdict || "–")));
    select.value = verdicts[row.row] || "";
    return select;
  }

  // ---- Scores: a histogram whose threshold is the slider.
  const WIDTH = 960, HEIGHT = 230, LEFT = 46, RIGHT = 14, TOP = 12, BOTTOM = 42;
  const onAxis = (value) => (scores.scale.width === null
    ? value : Math.asinh((value - scores.scale.center) / scores.scale.width));
  const ends = [onAxis(scores.edges[0]), onAxis(scores.edges[scores.edges.length - 1])];
  function across(value) {
    const place = (onAxis(value) - ends[0]) / (ends[1] - ends[0]);
    return LEFT + Math.min(1, Math.max(0, place)) * (WIDTH - LEFT - RIGHT);
  }
  let cutLine, cutLabel, normalClip, flagClip;
  function drawHistogram() {
    const most = Math.max(1, ...scores.counts);
    const height = (n) => (n ? (Math.log1p(n) / Math.log1p(most)) * (HEIGHT - TOP - BOTTOM) : 0);
    const bars = (counts, name) => counts.map((n, i) => n ? svg("rect", {
      class: name, x: across(scores.edges[i]) + 0.5, y: HEIGHT - BOTTOM - height(n),
      width: Math.max(1, across(scores.edges[i + 1]) - across(scores.edges[i]) - 1), height: height(n),
    }, svg("title", {}, num(n) + " " + unit + "s, " + num(scores.edges[i]) + " to " + num(scores.edges[i + 1]))) : null);
    const ticks = [];
    const axis = scores.scale.width === null ? 6 : 5;
    for (let i = 0; i <= axis; i++) {
      const place = ends[0] + (i / axis) * (ends[1] - ends[0]);
      const value = scores.scale.width === null ? place : Math.sinh(place) * scores.scale.width + scores.scale.center;
      ticks.push(svg("text", {
        x: across(value), y: HEIGHT - BOTTOM + 16,
        "text-anchor": i === 0 ? "start" : i === axis ? "end" : "middle",
      }, num(value, 3)));
    }
    const levels = [1, 10, 100, 1000, 10000, 100000, 1000000].filter((n) => n <= most);
    const clip = (id) => { const rect = svg("rect", { y: 0, height: HEIGHT }); return [svg("clipPath", { id }, rect), rect]; };
    let one, two;
    [one, normalClip] = clip("clip-normal");
    [two, flagClip] = clip("clip-flag");
    cutLine = svg("line", { class: "cut", y1: TOP - 6, y2: HEIGHT - BOTTOM });
    cutLabel = svg("text", { y: TOP + 2 }, "threshold");
    byId("histogram").append(
      h("div", { class: "legend" },
        h("span", { style: { "--color": "var(--normal)" } }, "not flagged"),
        h("span", { style: { "--color": "var(--flag)" } }, "flagged"),
        hasLabels ? h("span", { class: "outlined", style: { "--color": "var(--text)" } }, "labelled anomalies") : null),
      svg("svg", {
        viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img",
        "aria-label": "Histogram of the anomaly scores of " + num(scores.n) + " " + unit + "s; the counts are on a logarithmic scale.",
      }, svg("defs", {}, one, two),
        levels.map((n) => [
          svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM - height(n), y2: HEIGHT - BOTTOM - height(n) }),
          svg("text", { x: LEFT - 6, y: HEIGHT - BOTTOM - height(n) + 4, "text-anchor": "end" }, num(n)),
        ]),
        svg("g", { "clip-path": "url(#clip-normal)" }, bars(scores.counts, "bar-normal")),
        svg("g", { "clip-path": "url(#clip-flag)" }, bars(scores.counts, "bar-flag")),
        hasLabels ? bars(scores.anomalies, "bar-truth") : null,
        svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }),
        ticks, cutLine, cutLabel,
        svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "anomaly score; " + unit + "s are counted on a logarithmic scale")));
  }
  function gridPlace() { return scores.grid.findIndex((point) => point[0] === state.flagged); }
  function showThreshold() {
    const point = scores.grid[gridPlace()];
    const [n, threshold] = point;
    const x = across(threshold);
    cutLine.setAttribute("x1", x);
    cutLine.setAttribute("x2", x);
    const left = x > WIDTH - 120;
    cutLabel.setAttribute("x", left ? x - 6 : x + 6);
    cutLabel.setAttribute("text-anchor", left ? "end" : "start");
    normalClip.setAttribute("x", 0);
    normalClip.setAttribute("width", x);
    flagClip.setAttribute("x", x);
    flagClip.setAttribute("width", WIDTH - x);
    const parts = [h("b", {}, num(n)), " of " + num(scores.n) + " " + unit + "s (" + percent(n / scores.n) + ") are flagged, with a score above ", h("b", {}, num(threshold, 5)), "."];
    if (hasLabels) {
      const [, , found, wrong] = point;
      const precision = found + wrong ? found / (found + wrong) : null;
      const recall = scores.n_anomalies ? found / scores.n_anomalies : null;
      const f1 = found ? (2 * found) / (found + wrong + scores.n_anomalies) : 0;
      const rate = (value) => (value === null ? "–" : value.toFixed(3));
      parts.push(" Precision ", h("b", { id: "precision" }, rate(precision)), ", recall ", h("b", { id: "recall" }, rate(recall)),
        ", F1 ", h("b", { id: "f1" }, rate(f1)), ": " + num(found) + " of " + num(scores.n_anomalies) + " labelled anomalies are found.");
    }
    if (data.kind === "series" && n !== scores.n_flagged) parts.push(" The table of spans is that of the detector’s threshold.");
    if (n > rows.length && rows.length) parts.push(" Only the " + num(rows.length) + " most unusual rows are in this report.");
    byId("readout").replaceChildren(...parts);
    const slider = byId("threshold");
    slider.value = gridPlace();
    slider.setAttribute("aria-valuetext", num(n) + " rows flagged, threshold " + num(threshold, 5));
    byId("reset").disabled = n === scores.n_flagged;
  }
  function startSlider() {
    const slider = byId("threshold");
    slider.max = scores.grid.length - 1;
    slider.addEventListener("input", () => {
      state.flagged = scores.grid[Number(slider.value)][0];
      state.page = 0;
      showThreshold();
      showCut(scores.grid[Number(slider.value)][1]);
      if (rows.length) showRows();
    });
    byId("reset").addEventListener("click", () => {
      state.flagged = scores.n_flagged;
      showThreshold();
      showCut(scores.threshold);
      if (rows.length) showRows();
    });
  }

  // ---- Rows.
  const ordered = columns.map((column, i) => i).sort((a, b) => columns[b].weight - columns[a].weight || a - b);
  const searchable = rows.map((row) => [rowName(row), ...(row.cells || []).map(cellText)].join("\n").toLowerCase());
  const largest = rows.map((row) => Math.max(0, ...(row.contributions || [])));
  const FILTERS = {
    flagged: ["flagged rows", isFlagged],
    all: ["all rows of this report", () => true],
    unjudged: ["rows without a verdict", (row) => !verdicts[row.row]],
    judged: ["rows with a verdict", (row) => Boolean(verdicts[row.row])],
  };
  if (rows.some((row) => row.proposed !== undefined)) FILTERS.proposed = ["rows that query proposes", (row) => row.proposed !== undefined];
  if (hasLabels) FILTERS.anomalies = ["labelled anomalies", (row) => row.label === -1];
  if (comparison) {
    FILTERS.both = ["flagged by both", (row) => isFlagged(row) && row.second.flagged];
    FILTERS.first = ["only flagged by " + comparison.names[0], (row) => isFlagged(row) && !row.second.flagged];
    FILTERS.second = ["only flagged by " + comparison.names[1], (row) => !isFlagged(row) && row.second.flagged];
  }
  const SORTS = { row: (row) => row.row, score: (row) => row.score, flag: (row) => (isFlagged(row) ? 1 : 0),
    label: (row) => -row.label, second: (row) => row.second.score, verdict: (row) => verdicts[row.row] || "" };
  function compareValues(a, b) {
    // Missing values come last, whatever the direction.
    if (a === null || b === null) return a === b ? 0 : a === null ? Infinity : -Infinity;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
  }
  function chosen() {
    const test = FILTERS[state.filter][1];
    const words = state.text.toLowerCase();
    const found = rows.filter((row, i) => test(row) && searchable[i].includes(words));
    const value = SORTS[state.sort] || ((row) => row.cells[Number(state.sort)]);
    return found.sort((a, b) => {
      const order = compareValues(value(a), value(b));
      if (Math.abs(order) === Infinity) return order;
      return (state.down ? -order : order) || a.rank - b.rank;
    });
  }
  function heading(name, text, isNumber) {
    const active = state.sort === name;
    return h("th", { scope: "col", "aria-sort": active ? (state.down ? "descending" : "ascending") : false, class: isNumber ? "number" : false },
      h("button", {
        type: "button", "data-sort": name,
        onclick: () => {
          state.down = active ? !state.down : name === "score" || name === "flag" || name === "second";
          state.sort = name;
          state.page = 0;
          showRows();
          const again = document.querySelector('[data-sort="' + name + '"]');
          if (again) again.focus();
        },
      }, text + (active ? (state.down ? " ▾" : " ▴") : "")));
  }
  let table, status, previous, following;
  function startRows() {
    const search = h("input", { type: "search", id: "search", oninput: () => { state.text = search.value; state.page = 0; showRows(); } });
    const filter = h("select", { id: "filter", onchange: () => { state.filter = filter.value; state.page = 0; showRows(); } },
      Object.entries(FILTERS).map(([name, [text]]) => h("option", { value: name }, text)));
    if (!rows.some(isFlagged)) state.filter = "all";
    filter.value = state.filter;
    const all = h("input", { type: "checkbox", id: "all", onchange: () => { state.all = all.checked; showRows(); } });
    status = h("span", { id: "status", role: "status" });
    previous = h("button", { type: "button", onclick: () => { state.page -= 1; showRows(); } }, "Previous");
    following = h("button", { type: "button", onclick: () => { state.page += 1; showRows(); } }, "Next");
    table = h("table", { id: "table" });
    byId("browser").append(
      h("div", { class: "tools" },
        h("label", {}, "Show ", filter), h("label", {}, "Search ", search),
        columns.length > FEW_COLUMNS ? h("label", {}, all, "all " + columns.length + " columns") : null),
      data.explained && columns.length ? h("p", { class: "hint" }, "The darker a cell, the more its column adds to the score of the row. Open a row to see why.") : null,
      h("div", { class: "browser", tabindex: "0", role: "region", "aria-label": "Rows" }, table),
      h("div", { class: "tools" }, previous, following, status));
  }
  function visibleColumns() {
    return state.all ? columns.map((column, i) => i) : ordered.slice(0, FEW_COLUMNS);
  }
  function showRows() {
    const found = chosen();
    const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const start = state.page * PAGE_SIZE;
    const some = found.slice(start, start + PAGE_SIZE);
    const shown = visibleColumns();
    const isNumber = (j) => columns[j].places !== undefined && columns[j].kind === "numeric";
    const pictures = data.kind === "images" || data.kind === "windows";
    const head = h("thead", {}, h("tr", {},
      heading("row", "Row"), heading("score", "Score", true), heading("flag", "Flagged"),
      hasLabels ? heading("label", "Label") : null,
      comparison ? heading("second", comparison.names[1], true) : null,
      heading("verdict", "Verdict"),
      columns.length ? h("th", { scope: "col", class: "plain" }, "Mainly because") : null,
      pictures ? h("th", { scope: "col" }, h("button", { type: "button", disabled: true }, "Picture")) : null,
      shown.map((j) => heading(String(j), columns[j].name, isNumber(j)))));
    const body = h("tbody", {});
    for (const row of some) body.append(...rowElements(row, shown, isNumber, pictures));
    table.replaceChildren(h("caption", { class: "hidden" }, "Rows of the report"), head, body);
    previous.disabled = state.page === 0;
    following.disabled = state.page >= pages - 1;
    status.textContent = found.length
      ? "Rows " + (start + 1) + " to " + (start + some.length) + " of " + found.length
      : "No row fits.";
  }
  const why = (row) => (row.reasons.length ? row.reasons[0].join(" ") : "no column stands out");
  const LABELS = { "-1": "anomaly", 0: "not judged", 1: "normal" };
  function rowElements(row, shown, isNumber, pictures) {
    const i = rows.indexOf(row);
    const open = state.open === row.row;
    const button = h("button", { type: "button", class: "open", "aria-expanded": String(open), "data-open": row.row }, (open ? "▾ " : "▸ ") + rowName(row));
    const line = h("tr", {
      class: "row",
      onclick: () => {
        state.open = open ? null : row.row;
        showRows();
        const again = document.querySelector('[data-open="' + row.row + '"]');
        if (again) again.focus({ preventScroll: true });
      },
    },
    h("th", { scope: "row" }, button), h("td", { class: "number" }, num(row.score)),
    h("td", { class: isFlagged(row) ? "flagged" : false }, isFlagged(row) ? "⚑ yes" : "no"),
    hasLabels ? h("td", {}, LABELS[row.label]) : null,
    comparison ? h("td", { class: "number" + (row.second.flagged ? " flagged" : "") }, num(row.second.score) + (row.second.flagged ? " ⚑" : "")) : null,
    h("td", {}, verdictSelect(row)),
    columns.length ? h("td", { class: "why", title: why(row) }, why(row)) : null,
    pictures ? h("td", { class: "picture" }, h("img", { src: row.image, alt: "Row " + row.row }), " ", row.heat ? h("img", { src: row.heat, alt: "Where it is unusual" }) : null) : null,
    shown.map((j) => {
      const part = row.contributions && largest[i] > 0 ? Math.max(0, row.contributions[j]) / largest[i] : 0;
      const text = cellText(row.cells[j]);
      return h("td", {
        class: (isNumber(j) ? "number" : "") + (part > 0.02 ? " shaded" : ""), title: text,
        style: part > 0.02 ? { "--share": part.toFixed(3) } : {},
      }, text);
    }));
    if (!open) return [line];
    return [line, h("tr", {}, h("td", { class: "detail", colspan: String(6 + shown.length + 3) }, details(row)))];
  }
  function strip(column, place, text) {
    if (column.places) {
      const far = place !== null && (place < column.places[0] || place > column.places[6]);
      return h("div", {},
        h("div", { class: "strip", role: "img", "aria-label": "usual: " + column.usual },
          h("i", { style: { left: percentPlace(column.places[1]), right: percentPlace(1 - column.places[5]) } }),
          place === null ? null : h("b", { class: far ? "far" : false, style: { left: percentPlace(Math.min(1, Math.max(0, place))) } })),
        h("div", { class: "small" }, "usual: " + column.usual));
    }
    const had = place === null ? "" : percent(place) + " of the normal rows have this value; ";
    return h("div", { class: "small" }, had + "usual: " + column.usual);
  }
  const percentPlace = (part) => (100 * part).toFixed(1) + "%";
  function contributionCell(value, most) {
    return h("td", {}, h("div", { class: "contribution" }, h("span", {}, num(value, 3)),
      h("div", { class: "track" }, h("i", { class: value < 0 ? "less" : false, style: { "--share": most ? (Math.abs(value) / most).toFixed(3) : 0 } }))));
  }
  function details(row) {
    const parts = row.contributions;
    const order = columns.map((column, j) => j);
    if (parts) order.sort((a, b) => parts[b] - parts[a] || a - b);
    const most = parts ? Math.max(...parts.map(Math.abs), Math.abs(row.others || 0)) : 0;
    const second = row.second_contributions;
    const mostSecond = second ? Math.max(...second.map(Math.abs)) : 0;
    const near = (row.nearest || []).map((k) => data.normal_rows[k]);
    const head = h("tr", {}, h("th", { scope: "col" }, "Column"), h("th", { scope: "col" }, "Value"),
      parts ? h("th", { scope: "col" }, "Adds to the score") : null,
      second ? h("th", { scope: "col" }, "Adds to " + comparison.names[1]) : null,
      h("th", { scope: "col" }, "Beside the normal rows"),
      near.map((other) => h("th", { scope: "col", class: "near" }, "Similar normal row " + other.row)));
    const lines = order.map((j) => h("tr", {},
      h("th", { scope: "row" }, columns[j].name), h("td", {}, cellText(row.cells[j])),
      parts ? contributionCell(parts[j], most) : null,
      second ? contributionCell(second[j], mostSecond) : null,
      h("td", { class: "range" }, strip(columns[j], row.places[j])),
      near.map((other) => h("td", { class: "near" }, cellText(other.cells[j])))));
    if (parts && row.others) lines.push(h("tr", {}, h("th", { scope: "row" }, "columns not shown"), h("td", {}), contributionCell(row.others, most), second ? h("td", {}) : null, h("td", {}), near.map(() => h("td", { class: "near" }))));
    return h("div", { class: "inside", onclick: (event) => event.stopPropagation() },
      h("h3", {}, "Row " + rowName(row) + (isFlagged(row) ? " is flagged" : " is not flagged") + ", score " + num(row.score)),
      row.reasons && row.reasons.length
        ? h("ul", {}, row.reasons.map(([name, text]) => h("li", {}, h("b", {}, name), " " + text)))
        : null,
      row.image ? h("div", { class: "pictures" },
        h("figure", {}, h("img", { src: row.image, alt: "Row " + row.row }), h("figcaption", {}, "Row " + row.row)),
        row.heat ? h("figure", {}, h("img", { src: row.heat, alt: "Where it is unusual" }), h("figcaption", {}, "Brighter: adds more to the score")) : null,
        row.similar ? h("figure", {}, h("img", { src: row.similar, alt: "Similar normal row " + row.similar_row }), h("figcaption", {}, "Similar normal row " + row.similar_row)) : null) : null,
      h("p", { class: "buttons" }, h("label", {}, "Verdict ", verdictSelect(row)),
        h("button", { type: "button", onclick: () => copy(asPython(row), "Python code") }, "Copy as Python")),
      columns.length ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Columns of row " + rowName(row) }, h("table", {}, h("thead", {}, head), h("tbody", {}, lines))) : null);
  }
  function pythonValue(value) {
    if (value === null) return "None";
    if (value === true) return "True";
    if (value === false) return "False";
    if (value === "Infinity") return 'float("inf")';
    if (value === "-Infinity") return 'float("-inf")';
    return typeof value === "number" ? String(value) : JSON.stringify(value);
  }
  function asPython(row) {
    const note = "# Row " + row.row + " of the report " + JSON.stringify(data.title) + "\n";
    if (!row.cells || !columns.length) return note + "row = X[[" + row.row + "]]\n";
    if (data.container === "numpy") return note + "row = np.array([[" + row.cells.map((v) => (v === null ? "np.nan" : pythonValue(v))).join(", ") + "]])\n";
    const cells = columns.map((column, j) => "    " + pythonValue(column.label) + ": " + pythonValue(row.cells[j]) + ",\n").join("");
    const made = { pandas: "pd.DataFrame([{", polars: "pl.DataFrame([{", pyarrow: "pa.Table.from_pylist([{" }[data.container];
    return note + "row = " + made + "\n" + cells + "}])\n";
  }
  function openRow(row) {
    state.filter = "all";
    state.text = "";
    byId("filter").value = "all";
    byId("search").value = "";
    state.open = row.row;
    state.page = Math.floor(chosen().indexOf(row) / PAGE_SIZE);
    showRows();
    const button = document.querySelector('[data-open="' + row.row + '"]');
    button.scrollIntoView({ block: "center" });
    button.focus({ preventScroll: true });
  }
  function startVerdicts() {
    byId("next").addEventListener("click", () => {
      const left = rows.filter((row) => !verdicts[row.row]);
      const first = (row) => (row.proposed === undefined ? 1e9 + row.rank : row.proposed);
      left.sort((a, b) => first(a) - first(b));
      if (left.length) openRow(left[0]);
      else say("All rows of this report have a verdict.");
    });
    const name = "verdicts-" + data.id + ".json";
    byId("export").addEventListener("click", () => { save(name, JSON.stringify(exported(), null, 1)); say("Verdicts saved."); });
    byId("copy-verdicts").addEventListener("click", () => copy(JSON.stringify(exported(), null, 1), "Verdicts"));
    byId("clear").addEventListener("click", () => { verdicts = {}; keep(); });
    byId("verdict-code").textContent = "detector = FeedbackDetector(detector).fit(X_train)\n"
      + 'detector.add_feedback_from("' + name + '"' + (data.exact ? "" : ", X") + ")"
      + (data.exact ? "" : "  # X: the rows of this report");
    showVerdicts();
  }

  // ---- Columns: normal against flagged rows.
  function card(column) {
    const [normal, flagged] = column.counts;
    const total = (counts) => Math.max(1, counts.reduce((a, b) => a + b, 0));
    const shares = [normal.map((n) => n / total(normal)), flagged.map((n) => n / total(flagged))];
    const most = Math.max(1e-9, ...shares[0], ...shares[1]);
    const missing = column.missing.some((part) => part > 0)
      ? " Missing: " + percent(column.missing[0]) + " of the normal, " + percent(column.missing[1]) + " of the flagged rows." : "";
    const what = column.what ? column.what + " of the " + column.kind : column.kind;
    let chart;
    if (column.places) {
      const w = 320, tall = 90, step = w / column.bins.length;
      chart = h("div", {}, svg("svg", { viewBox: "0 0 " + w + " " + (tall + 18), role: "img", "aria-label": "Distribution of " + column.name + " in normal and flagged rows" },
        column.bins.map((bin, i) => shares.map((part, side) => svg("rect", {
          class: side ? "bar-flag" : "bar-normal", x: i * step + 1 + side * (step / 2 - 1), width: step / 2 - 1,
          y: tall - (part[i] / most) * (tall - 4), height: (part[i] / most) * (tall - 4),
        }, svg("title", {}, bin + ": " + percent(shares[0][i]) + " of the normal, " + percent(shares[1][i]) + " of the flagged rows")))),
        svg("line", { class: "axis", x1: 0, x2: w, y1: tall, y2: tall }),
        svg("text", { x: step, y: tall + 14 }, column.ends[0]), svg("text", { x: w - step, y: tall + 14, "text-anchor": "end" }, column.ends[1])));
    } else {
      chart = h("div", { class: "pairs" }, column.bins.map((bin, i) => [h("span", { title: bin }, bin),
        h("span", { title: percent(shares[0][i]) + " of the normal, " + percent(shares[1][i]) + " of the flagged rows" },
          h("div", { class: "track" }, h("i", { class: "less", style: { "--share": (shares[0][i] / most).toFixed(3) } })),
          h("div", { class: "track" }, h("i", { style: { "--share": (shares[1][i] / most).toFixed(3) } })))]));
    }
    return h("div", { class: "card" }, h("h3", {}, column.name),
      h("p", { class: "small" }, what + (data.explained ? "; " + percent(column.weight) + " of what speaks for an anomaly." : ".") + missing), chart);
  }
  function startColumns() {
    const cards = h("div", { class: "cards" });
    const show = (n) => cards.replaceChildren(...ordered.slice(0, n).map((j) => card(columns[j])));
    const more = h("button", { type: "button", class: "more", onclick: () => { show(columns.length); more.remove(); } }, "Show all " + columns.length + " columns");
    byId("column-cards").append(
      h("p", { class: "hint" }, (data.explained ? "The columns that drive the flags come first. " : "")
        + "Shares are of the normal and of the flagged rows; the outermost bars hold all values beyond the ends."),
      h("div", { class: "legend" }, h("span", { style: { "--color": "var(--normal)" } }, "normal rows"), h("span", { style: { "--color": "var(--flag)" } }, "flagged rows")),
      cards);
    show(FEW_CARDS);
    if (columns.length > FEW_CARDS) byId("column-cards").append(h("p", { class: "buttons" }, more));
  }

  // ---- Series: lines, with the flagged spans marked.
  let showCut = () => {};
  // The spans at a threshold, from the line of the scores: its pieces with a score above it.
  function spansAbove(threshold) {
    if (state.flagged === scores.n_flagged) return data.spans;
    const highest = data.score_line.high, m = highest.length, found = [];
    let last = null;
    highest.forEach((value, i) => {
      if (value === null || !(value > threshold)) { last = null; return; }
      if (last === null) {
        last = { from: Math.floor((i / m) * scores.n), score: value };
        found.push(last);
      }
      last.to = Math.floor(((i + 1) / m) * scores.n);
      last.score = Math.max(last.score, value);
    });
    return found;
  }
  function drawSeries() {
    const panels = [];
    const n = scores.n, w = 960, tall = 120, left = 60;
    const x = (i) => left + (i / Math.max(1, n)) * (w - left - 10);
    const panel = (line, threshold) => {
      const values = line.low.concat(line.high, threshold === null ? [] : [threshold]).filter((v) => v !== null);
      const low = Math.min(...values), high = Math.max(...values);
      const y = (v) => tall - 8 - ((v - low) / (high - low || 1)) * (tall - 16);
      const m = line.low.length;
      let path = "", pen = "M";
      for (let i = 0; i < m; i++) {
        if (line.low[i] === null) { pen = "M"; continue; }
        const here = x(((i + 0.5) / m) * n).toFixed(1);
        path += pen + here + " " + y(line.low[i]).toFixed(1) + "L" + here + " " + y(line.high[i]).toFixed(1);
        pen = "L";
      }
      const marks = svg("g", {});
      const picture = svg("svg", { viewBox: "0 0 " + w + " " + tall, role: "img" },
        marks,
        svg("path", { class: "curve", d: path }),
        threshold === null ? null : cut(y),
        svg("text", { x: left - 6, y: 14, "text-anchor": "end" }, num(high, 3)),
        svg("text", { x: left - 6, y: tall - 4, "text-anchor": "end" }, num(low, 3)));
      panels.push([line.name, marks, picture]);
      return h("figure", { class: "line" }, h("figcaption", {}, line.name), picture);
    };
    const mark = (spans) => panels.forEach(([name, marks, picture]) => {
      picture.setAttribute("aria-label", name + ", from " + data.ends[0] + " to " + data.ends[1] + ", with " + spans.length + " flagged spans");
      marks.replaceChildren(...spans.map((span) => svg("rect", { class: "span", x: x(span.from), width: Math.max(2, x(span.to) - x(span.from)), y: 0, height: tall },
        svg("title", {}, (span.start === undefined ? "" : span.start + " to " + span.end + ", ") + "score " + num(span.score)))));
    });
    const cut = (y) => {
      const line = svg("line", { class: "cut", x1: left, x2: w - 10 });
      showCut = (threshold) => {
        line.setAttribute("y1", y(threshold));
        line.setAttribute("y2", y(threshold));
        mark(spansAbove(threshold));
      };
      return line;
    };
    byId("series").append(
      h("div", { class: "legend" }, h("span", { style: { "--color": "var(--flag)" } }, "flagged spans")),
      ...data.lines.map((line) => panel(line, null)),
      panel(Object.assign({ name: "anomaly score, with the threshold" }, data.score_line), scores.threshold),
      h("p", { class: "ends" }, h("span", {}, data.ends[0]), h("span", {}, data.ends[1])));
    showCut(scores.threshold);
  }

  drawHistogram();
  startSlider();
  showThreshold();
  if (data.kind !== "series") {
    startRows();
    showRows();
    startVerdicts();
  } else {
    drawSeries();
  }
  if (columns.length) startColumns();
  const saved = new Date(document.lastModified);
  byId("saved").textContent = saved.toLocaleString();
})();
