"""Measure false alarms and delays of the detection of drift.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/drift.py RESULTS.csv
           [--methods ks,mmd,page_hinkley,adwin] [--out FILE.inc]

Every result is a row of RESULTS.csv, and is not computed again if it is there. A run has a
reference and a stream of its own; all settings of DriftDetector are the defaults.

- level: a stream of 10,000 updates without drift. The share of streams with an alarm should be
  0.05.
- delay: after 1,000 updates without drift, values are shifted by one standard deviation: at
  once; over 1,000 updates; or for 1,000 updates, back for 1,000, and again. The shift of
  lognormal values is one of their logarithms.
- digits: a stream of five classes of scikit-learn's digits, then of the other five. What is
  watched is all 64 pixels, or the scores of a detector that is fitted to half of the reference.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdeepanomaly import AutoEncoder, DriftDetector

N_REFERENCE = 2000
N_QUIET = 1000
FIELDS = ["part", "method", "case", "run", "alarms", "first", "missed"]
N_RUNS = {"level": 100, "delay": 20, "digits": 10}
# "mmd" simulates anew for each reference, which takes long.
N_RUNS_MMD = {"level": 20, "delay": 5, "digits": 5}
METHODS = ("ks", "mmd", "page_hinkley", "adwin")


def autoregressive(rng, n, weight=0.9):
    noise = rng.normal(size=n + 200)
    return lfilter([np.sqrt(1 - weight**2)], [1, -weight], noise)[200:]


# A stream, what is done to it after the shift, and the parameters.
STREAMS = {
    "normal": (lambda rng, n: rng.normal(size=n), lambda x: x, {}),
    "lognormal": (lambda rng, n: rng.normal(size=n), np.exp, {}),
    "AR(1) 0.9": (autoregressive, lambda x: x, {}),
    "AR(1) 0.9, block=1": (autoregressive, lambda x: x, {"block": 1}),
}
SHIFTS = {
    "abrupt": np.r_[np.zeros(N_QUIET), np.ones(4000)],
    "gradual": np.r_[np.zeros(N_QUIET), np.linspace(0, 1, 1000), np.ones(3000)],
    "recurring": np.repeat([0.0, 1.0, 0.0, 1.0], 1000),
}


def watch(method, values, params, seed):
    drift = DriftDetector(method=method, random_state=seed, **params)
    drift.fit(values[:N_REFERENCE])
    return drift.update_many(values[N_REFERENCE:])


def measure_level(method, case, run):
    make, change, params = STREAMS[case]
    values = change(make(np.random.default_rng(run), N_REFERENCE + 10_000))
    alarms = watch(method, values, params, 0)
    return {"alarms": int(alarms.sum()), "first": "", "missed": ""}


def delays_of(alarms, starts, ends):
    """Return the number of updates from each start to the first alarm, if there is one."""
    found = np.flatnonzero(alarms)
    firsts = [found[(found >= a) & (found < b)] for a, b in zip(starts, ends, strict=True)]
    return [one[0] - a + 1 for one, a in zip(firsts, starts, strict=True) if len(one)]


def measure_delay(method, case, run):
    stream, kind = case.split("; ")
    make, change, params = STREAMS[stream]
    shifts = SHIFTS[kind]
    values = make(np.random.default_rng(run), N_REFERENCE + len(shifts))
    values[N_REFERENCE:] += shifts
    alarms = watch(method, change(values), params, 0)
    starts = [1000, 3000] if kind == "recurring" else [N_QUIET]
    ends = [2000, 4000] if kind == "recurring" else [len(shifts)]
    delays = delays_of(alarms, starts, ends)
    first = float(np.mean(delays)) if delays else ""
    before = int(alarms[:N_QUIET].sum())
    return {"alarms": before, "first": first, "missed": len(starts) - len(delays)}


def measure_digits(method, case, run):
    rng = np.random.default_rng(run)
    X, y = load_digits(return_X_y=True)
    known = np.isin(y, rng.permutation(10)[:5])
    rows, others = (rng.permutation(np.flatnonzero(one)) for one in (known, ~known))
    n_quiet = len(rows) - 600
    values = X[np.r_[rows, others]]
    detector = {
        "pixels": None,
        "scores, IsolationForest": IsolationForest(random_state=run),
        "scores, AutoEncoder": make_pipeline(MinMaxScaler(), AutoEncoder(random_state=run)),
    }[case]
    on = "inputs" if detector is None else "scores"
    drift = DriftDetector(detector, method=method, on=on, random_state=0).fit(values[:600])
    alarms = drift.update_many(values[600:])
    delays = delays_of(alarms, [n_quiet], [len(alarms)])
    return {
        "alarms": int(alarms[:n_quiet].sum()),
        "first": delays[0] if delays else "",
        "missed": 1 - len(delays),
    }


PARTS = {
    "level": (measure_level, list(STREAMS)),
    "delay": (measure_delay, [f"{s}; {k}" for s in list(STREAMS)[:-1] for k in SHIFTS]),
    "digits": (
        measure_digits,
        ["pixels", "scores, IsolationForest", "scores, AutoEncoder"],
    ),
}


def n_runs(part, method):
    return (N_RUNS_MMD if method == "mmd" else N_RUNS)[part]


def list_table(title, rows):
    """Return a table in reStructuredText; the first row is its head."""
    lines = [f".. list-table:: {title}", "    :header-rows: 1", ""]
    return "\n".join(lines + ["    * - " + "\n      - ".join(row) for row in rows])


def share_with_alarms(found):
    return f"{np.mean([int(one['alarms']) > 0 for one in found]):.2f}"


def delay_text(found):
    """Return the median delay, and how many changes were missed."""
    delays = [float(one["first"]) for one in found if one["first"] != ""]
    missed = sum(int(one["missed"]) for one in found)
    text = f"{np.median(delays):.0f}" if delays else "none"
    return text + (f" (missed {missed})" if missed else "")


def summarize(results):
    titles = {
        "level": "share of streams with a false alarm in 10,000 updates; stated 0.05",
        "delay": "median delay in updates",
        "digits": "digits: median delay in updates; share of runs with a false alarm before",
    }
    tables = []
    for part, (_, cases) in PARTS.items():
        own = [r for r in results if r["part"] == part]
        methods = [m for m in METHODS if any(r["method"] == m for r in own)]
        rows = [["", *methods]]
        for case in cases:
            rows.append([case])
            for method in methods:
                found = [r for r in own if (r["method"], r["case"]) == (method, case)]
                text = share_with_alarms(found) if part == "level" else delay_text(found)
                if part == "digits":
                    text += f"; {share_with_alarms(found)}"
                rows[-1].append(text)
        title = f"{titles[part]}; {N_RUNS[part]} runs each, {N_RUNS_MMD[part]} of mmd"
        tables.append(list_table(title, rows))
    return "\n\n".join(tables)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--out", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    # Of a memory that is taken for longer than it is.
    warnings.filterwarnings("ignore", message="The reference has")
    results = []
    if options.results.exists():
        with options.results.open() as file:
            results = list(csv.DictReader(file))
    done = {(r["part"], r["method"], r["case"], r["run"]) for r in results}
    with options.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not results:
            writer.writeheader()
        for part, (measure, cases) in PARTS.items():
            for method in options.methods.split(","):
                for case in cases:
                    for run in range(n_runs(part, method)):
                        key = (part, method, case, str(run))
                        if key in done:
                            continue
                        row = dict(zip(FIELDS, key, strict=False))
                        row |= measure(method, case, run)
                        writer.writerow(row)
                        file.flush()
                        results.append({name: str(value) for name, value in row.items()})
    summary = summarize(results)
    print(summary)
    if options.out:
        options.out.write_text(summary + "\n")


if __name__ == "__main__":
    main()
