"""Benchmark of how the times of all detectors of tables grow with rows and columns.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/growth.py [--detectors NAME,NAME]
           [--rows 1000,10000,100000] [--columns 20,100,1000] [--times FILE.csv]
           [--out FILE.inc] [--plot FILE.png]

Each detector is fitted with its defaults, on one thread: to tables of 20 columns and more and
more rows, and to 1,000 rows of more and more columns, which it then scores. Times are those of
the processor, which other programs hardly disturb. An isolation forest and a plain torch loop
of 3,000 steps, with the network of an auto-encoder, are measured in the same run, because times
depend on the machine. With ``--times`` the run goes on where the file stops.
"""

import argparse
import csv
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest

from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork, ReconstructionLoss
from skdeepanomaly.utils import all_detectors

N_COLUMNS = 20
N_ROWS = 1000
# Rows that are scored at once, and the least seconds for which scoring is repeated.
N_SCORED = 2000
LEAST_SECONDS = 0.5
KNOWN_ANOMALIES = 50
REFERENCES = ["plain torch loop", "IsolationForest"]


class PlainLoop(BaseEstimator):
    """An auto-encoder in plain torch: 3,000 steps of 256 rows, and the errors of rows."""

    def fit(self, X, y=None):
        """Train the network."""
        torch.manual_seed(0)
        rows = torch.from_numpy(X)
        self.module_ = AutoEncoderNetwork(
            X.shape[1], hidden_dims=(128, 128), latent_dim=max(1, 3 * X.shape[1] // 4)
        )
        self.criterion_ = ReconstructionLoss()
        optimizer = torch.optim.Adam(self.module_.parameters(), fused=True)
        for _ in range(3000):
            x = rows[torch.randint(len(rows), (min(256, len(rows)),))]
            optimizer.zero_grad()
            self.criterion_(self.module_(x), x).backward()
            optimizer.step()
        return self

    def score_samples(self, X):
        """Return the negative mean squared errors."""
        with torch.inference_mode():
            x = torch.from_numpy(X)
            return -self.criterion_.squared_errors(self.module_(x), x).mean(dim=1).numpy()


def tabular_detectors():
    """Return the detectors of tables by name, and the two to compare with."""
    found = {
        name: cls()
        for name, cls in all_detectors()
        if cls.__module__.split(".")[2] not in ("image", "sequence")
    }
    for detector in found.values():
        if "random_state" in detector.get_params():
            detector.set_params(random_state=0)
    references = [PlainLoop(), IsolationForest(random_state=0)]
    return {**dict(zip(REFERENCES, references, strict=True)), **found}


def draw_rows(n_rows, n_columns, seed):
    """Draw rows around a curved sheet of six dimensions, in float32."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(1).normal(size=(6, n_columns))
    X = np.tanh(rng.normal(size=(n_rows, 6)) @ mix) + 0.1 * rng.normal(size=(n_rows, n_columns))
    return (X / X.std(axis=0)).astype(np.float32)


def seconds_of_fit(detector, n_rows, n_columns):
    """Fit a copy; return it and the seconds."""
    X = draw_rows(n_rows, n_columns, 0)
    y = None
    if getattr(detector, "_labels", None) == "required":
        # What is known of real tables are a few anomalies.
        y = np.where(np.arange(n_rows) < KNOWN_ANOMALIES, -1, 0)
        X[:KNOWN_ANOMALIES] *= 3
    fitted, start = clone(detector), time.process_time()
    fitted.fit(X, y)
    return fitted, time.process_time() - start


def rows_per_second(fitted, n_columns):
    """Score new rows again and again; return the largest number of rows in a second."""
    X = draw_rows(N_SCORED, n_columns, 1)
    fitted.score_samples(X[:100])
    best, spent = 0.0, 0.0
    while spent < LEAST_SECONDS:
        start = time.process_time()
        fitted.score_samples(X)
        taken = time.process_time() - start
        best, spent = max(best, N_SCORED / taken), spent + taken
    return best


def measure(options):
    """Return (seconds of the fit, rows scored in a second) by detector, rows and columns."""
    times = {}
    if options.times and options.times.exists():
        with options.times.open(newline="") as file:
            for name, n_rows, n_columns, fit, rate in csv.reader(file):
                times[name, int(n_rows), int(n_columns)] = float(fit), float(rate)
    detectors = tabular_detectors()
    names = options.detectors.split(",") if options.detectors else list(detectors)
    sizes = [(n_rows, N_COLUMNS) for n_rows in options.rows]
    sizes += [(N_ROWS, n) for n in options.columns if (N_ROWS, n) not in sizes]
    for n_rows, n_columns in sizes:
        for name in names:
            key = name, n_rows, n_columns
            if key in times:
                continue
            fitted, fit = seconds_of_fit(detectors[name], n_rows, n_columns)
            times[key] = fit, rows_per_second(fitted, n_columns)
            print(f"{name}, {n_rows:,} x {n_columns}: {fit:.1f} s, {times[key][1]:,.0f}/s")
            if options.times:
                with options.times.open("a", newline="") as file:
                    csv.writer(file).writerow([*key, *times[key]])
    return names, times


def write_table(path, names, times, options):
    """Write a list table of the times."""
    head = ["detector", *(f"fit {n:,} x {N_COLUMNS}, s" for n in options.rows)]
    head += [f"fit {N_ROWS:,} x {n:,}, s" for n in options.columns if n != N_COLUMNS]
    head += [f"rows/s, {n:,} columns" for n in options.columns]
    table = [head]
    for name in names:
        fits = [times[name, n, N_COLUMNS][0] for n in options.rows]
        fits += [times[name, N_ROWS, n][0] for n in options.columns if n != N_COLUMNS]
        rates = [times[name, N_ROWS, n][1] for n in options.columns]
        table.append([name, *(f"{s:.1f}" for s in fits), *(f"{r:,.0f}" for r in rates)])
    body = ["    * - " + "\n      - ".join(cells) for cells in table]
    top = [".. list-table::", "    :header-rows: 1", ""]
    path.write_text("\n".join(top + body) + "\n")


def draw(path, names, times, options):
    """Draw seconds of a fit over rows, and rows scored in a second over columns."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 7))
    for i, name in enumerate(names):
        style = {"color": plt.cm.tab20(i % 20), "linestyle": ["-", "--", ":"][i // 20]}
        if name in REFERENCES:
            style = {"color": "black", "linestyle": "-" if name == REFERENCES[0] else "--"}
        left.plot(options.rows, [times[name, n, N_COLUMNS][0] for n in options.rows], **style)
        rates = [times[name, N_ROWS, n][1] for n in options.columns]
        right.plot(options.columns, rates, label=name, **style)
    left.set(xlabel=f"training rows of {N_COLUMNS} columns", ylabel="fit, s")
    right.set(xlabel="columns", ylabel="rows scored in a second")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3)
    right.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--detectors", help="names, separated by commas; all by default")
    parser.add_argument("--rows", type=numbers, default=[1000, 10_000, 100_000])
    parser.add_argument("--columns", type=numbers, default=[20, 100, 1000])
    parser.add_argument("--times", type=Path, help="read and write the times here")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    parser.add_argument("--plot", type=Path, help="draw the curves to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names, times = measure(options)
    if options.out:
        write_table(options.out, names, times, options)
    if options.plot:
        draw(options.plot, names, times, options)


if __name__ == "__main__":
    main()
