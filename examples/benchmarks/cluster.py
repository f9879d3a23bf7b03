"""Benchmark of seconds and memory against rows: one core, two processes, a Dask cluster.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/cluster.py [--rows 10000,100000,1000000]
           [--folder DIR] [--out FILE.inc] [--plot FILE.png]

Writes tables of 30 columns as Parquet folders. An auto-encoder is trained on each: by ``fit``
on the whole table, and by ``fit_chunks`` on the folder, with one pass over the rows. It then
scores them: the whole table in one process, in two processes of joblib, and in a Dask cluster
of two processes that read the folder. Each step runs in a process of its own, which reads the
rows, too. Prints the seconds of the step, those of the CPU in all of its processes, and the
peak of the anonymous resident memory of its main process (RssAnon, Linux only), less that
before the step.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skdeepanomaly import AutoEncoder
from skdeepanomaly.distributed import fit_chunks

N_FEATURES = 30
FILE_ROWS = 100_000
NAMES = [f"c{i}" for i in range(N_FEATURES)]
STEPS = {
    "fit": "fit, whole table",
    "fit_chunks": "fit_chunks, Parquet",
    "score": "score, one process",
    "score_two": "score, two processes",
    "score_dask": "score, Dask cluster of two",
}


def write_folder(folder, n_rows):
    """Write correlated rows to Parquet files, one after the other to save memory."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(8, N_FEATURES)).astype(np.float32)
    for start in range(0, n_rows, FILE_ROWS):
        hidden = rng.normal(size=(min(FILE_ROWS, n_rows - start), 8)).astype(np.float32)
        rows = np.tanh(hidden @ mix / 3)
        table = pa.Table.from_arrays([pa.array(column) for column in rows.T], names=NAMES)
        pq.write_table(table, folder / f"{start:010}.parquet")


def read_folder(folder):
    """Return the whole table as a float32 array, file by file."""
    parts = [pd.read_parquet(file).to_numpy(np.float32) for file in sorted(folder.iterdir())]
    return np.concatenate(parts)


class Memory:
    """The peak of the anonymous resident memory of this process while a block runs."""

    def __enter__(self):
        self.start = self.peak = self.now()
        self.stop = threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.watcher.join()

    def watch(self):
        while not self.stop.wait(0.005):
            self.peak = max(self.peak, self.now())

    @staticmethod
    def now():
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("RssAnon is not in /proc/self/status: this needs Linux.")


def cpu_seconds():
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def scores_by_two(detector, X):
    parts = np.array_split(X, 8)
    score = joblib.delayed(detector.score_samples)
    return np.concatenate(joblib.Parallel(n_jobs=2)(map(score, parts)))


def scores_by_dask(detector, folder):
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    def score(part):
        return pd.Series(detector.score_samples(part.to_numpy(np.float32)), part.index)

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        rows = dd.read_parquet(folder, split_row_groups=True)
        return rows.map_partitions(score, meta=(None, "f8")).compute().to_numpy()


def measure(step, folder, model):
    """Run a step in this process; print its seconds, CPU seconds and MiB."""
    detector = AutoEncoder(max_epochs=1, batch_size=1024, random_state=0)
    if not step.startswith("fit"):
        detector = joblib.load(model)
    start, cpu = time.perf_counter(), cpu_seconds()
    with Memory() as memory:
        if step == "fit_chunks":
            fit_chunks(detector, folder, n_passes=1)
        elif step == "score_dask":
            scores_by_dask(detector, folder)
        else:
            X = read_folder(folder)
            if step == "fit":
                detector.fit(X)
            elif step == "score":
                detector.score_samples(X)
            else:
                scores_by_two(detector, X)
    seconds = time.perf_counter() - start
    if step == "score_two":
        # Its processes are waited for, so that their seconds count.
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
    if step == "fit":
        joblib.dump(detector, model)
    print(f"{seconds:.2f},{cpu_seconds() - cpu:.2f},{memory.peak - memory.start:.0f}")


def draw(path, results):
    """Draw CPU seconds and memory over rows."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8))
    for step, label in STEPS.items():
        rows = [n for n, s in results if s == step]
        style = {"marker": "o", "linestyle": "-" if step.startswith("fit") else "--"}
        for ax, which in zip(axes, (1, 2), strict=True):
            ax.plot(rows, [results[n, step][which] for n in rows], label=label, **style)
    axes[0].set(ylabel="CPU seconds of all processes")
    axes[1].set(ylabel="peak memory of the main process, MiB")
    for ax in axes:
        ax.set(xscale="log", yscale="log", xlabel="rows of 30 columns")
        ax.grid(alpha=0.3)
    axes[0].legend(fontsize="small", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--folder", type=Path, help="where the tables are written")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    parser.add_argument("--plot", type=Path, help="draw the curves to this file")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        step, folder, model = options.measure
        measure(step, Path(folder), Path(model))
        return
    results = {}
    table = [["rows", "step", "seconds", "CPU seconds", "peak memory, MiB"]]
    for n_rows in map(int, options.rows.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
            folder, model = Path(temporary) / "rows", Path(temporary) / "model"
            write_folder(folder, n_rows)
            for step in options.steps.split(","):
                command = [sys.executable, __file__, "--measure", step, folder, model]
                output = subprocess.run(command, check=True, capture_output=True, text=True)
                cells = output.stdout.split()[-1].split(",")
                results[n_rows, step] = [float(cell) for cell in cells]
                table.append([f"{n_rows:,}", STEPS[step], *cells])
                print(": ".join(table[-1]), flush=True)
    if options.out:
        body = ["    * - " + "\n      - ".join(cells) for cells in table]
        head = [".. list-table::", "    :header-rows: 1", ""]
        options.out.write_text("\n".join(head + body) + "\n")
    if options.plot:
        draw(options.plot, results)


if __name__ == "__main__":
    main()
