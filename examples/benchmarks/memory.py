"""Benchmark of the memory that fitting and scoring a large memory map take.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/memory.py [--rows 10000000] [--folder DIR]
           [--out FILE.rst]

Writes a float32 map of 30 columns, fits a detector for one epoch and scores all rows, each
step in its own process. Prints the peak of the anonymous resident memory (RssAnon, Linux
only), less the memory in use before the step. The pages of the map are in the cache of the
kernel and do not count.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import joblib
import numpy as np

from skdeepanomaly import AutoEncoder

N_FEATURES = 30


def anonymous_mib():
    """Return the anonymous resident memory of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("RssAnon is not in /proc/self/status: this needs Linux.")


def peak_mib(function):
    """Return the peak of anonymous memory while a function runs, less the start, in MiB."""
    start = peak = anonymous_mib()
    stop = threading.Event()

    def watch():
        nonlocal peak
        while not stop.wait(0.005):
            peak = max(peak, anonymous_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        stop.set()
        watcher.join()
    return peak - start


def write_map(path, n_rows):
    """Write correlated rows to a memory map, block by block to save memory."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(8, N_FEATURES)).astype(np.float32)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, N_FEATURES))
    for start in range(0, n_rows, 100_000):
        block = rng.normal(size=(min(100_000, n_rows - start), 8)).astype(np.float32)
        X[start : start + len(block)] = block @ mix
    X.flush()


def measure(what, folder):
    """Fit or score in this process, and print the peak of its memory in MiB."""
    X = np.load(folder / "rows.npy", mmap_mode="r")
    if what == "fit":
        detector = AutoEncoder(max_epochs=1, batch_size=1024, random_state=0)
        print(f"{peak_mib(lambda: detector.fit(X)):.0f}")
        joblib.dump(detector, folder / "detector.joblib")
    elif what == "fit with train_split":
        detector = AutoEncoder(max_epochs=1, batch_size=1024, train_split=0.1, random_state=0)
        print(f"{peak_mib(lambda: detector.fit(X)):.0f}")
    else:
        detector = joblib.load(folder / "detector.joblib")
        print(f"{peak_mib(lambda: detector.score_samples(X)):.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where the map is written")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.folder)
        return
    table = [["what", "peak, MiB"]]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        write_map(Path(folder) / "rows.npy", options.rows)
        for what in ("fit", "fit with train_split", "score"):
            command = [sys.executable, __file__, "--measure", what, "--folder", folder]
            peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            table.append([f"{what}, {options.rows:,} x {N_FEATURES}", peak.strip()])
            print(": ".join(table[-1]), flush=True)
    if options.out:
        body = ["    * - " + "\n      - ".join(cells) for cells in table]
        head = [".. list-table::", "    :header-rows: 1", ""]
        options.out.write_text("\n".join(head + body) + "\n")


if __name__ == "__main__":
    main()
