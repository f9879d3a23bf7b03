"""Benchmark of the speed of detectors, against a torch loop written by hand and PyOD.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/speed.py [--rounds 7] [--quick]
           [--out FILE.rst]

The two cases of a comparison run alternately, in several rounds. Seconds are medians over the
rounds. A ratio is the median of the ratios within each round, because the speed of the machine
may change between rounds. Comparisons with PyOD are left out if it is not installed.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.utils.validation import check_array

from skdeepanomaly import AutoEncoder
from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork, ReconstructionLoss

# What the package imports of scikit-learn, which takes longer than the package.
SKLEARN_PARTS = (
    "cluster",
    "compose",
    "covariance",
    "decomposition",
    "ensemble",
    "feature_extraction.text",
    "impute",
    "isotonic",
    "linear_model",
    "manifold",
    "mixture",
    "neighbors",
    "pipeline",
    "svm",
    "utils.validation",
)
NETWORK = {"hidden_dims": (64, 32), "latent_dim": 8}


def make_rows(n_rows, n_features):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_rows, n_features)).astype(np.float32)


def train_loop(X, batch_size, epochs):
    """Train the same network in plain torch, and return a threshold."""
    torch.manual_seed(0)
    rows = torch.from_numpy(X)
    module = AutoEncoderNetwork(X.shape[1], **NETWORK)
    criterion = ReconstructionLoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    module.train()
    for _ in range(epochs):
        order = torch.randperm(len(rows))
        for start in range(0, len(rows), batch_size):
            x = rows[order[start : start + batch_size]]
            optimizer.zero_grad()
            criterion(module(x), x).backward()
            optimizer.step()
    scores = score_bare(module.eval(), criterion, X)
    return np.quantile(scores, 0.9)


def score_bare(module, criterion, X, block=8192):
    scores = np.empty(len(X), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(X), block):
            x = torch.from_numpy(X[start : start + block])
            scores[start : start + block] = (
                criterion.feature_scores(module(x), x).sum(dim=1).numpy()
            )
    return scores


def make_detector(batch_size, epochs):
    return AutoEncoder(
        **NETWORK, max_epochs=epochs, batch_size=batch_size, lr=1e-3, random_state=0
    )


def make_pyod(n_features, epochs):
    from pyod.models.auto_encoder import AutoEncoder as PyODAutoEncoder

    return PyODAutoEncoder(
        epoch_num=epochs,
        batch_size=256,
        hidden_neuron_list=[64, 32, 8],
        batch_norm=False,
        dropout_rate=0,
        lr=1e-3,
        verbose=0,
        device="cpu",
    )


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(ours, other, rounds):
    """Return the median seconds of both functions and the median of ours / other."""
    ours(), other()
    pairs = [(seconds(ours), seconds(other)) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def repeated(function, times):
    def run():
        for _ in range(times):
            function()

    return run


def import_seconds(code):
    timed = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
    parts = ", ".join(f"sklearn.{part}" for part in SKLEARN_PARTS)
    base = f"import torch, skorch, {parts}\n"
    out = subprocess.run([sys.executable, "-c", base + timed], capture_output=True, check=True)
    return float(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a smoke test on small data")
    parser.add_argument("--out", help="also write the table to this file")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    shrink = 50 if options.quick else 1
    table = []

    def row(what, ours, other, ratio, bound):
        table.append([what, f"{ours:.4g}", f"{other:.4g}", f"{ratio:.2f}", bound])
        print(" | ".join(table[-1]), flush=True)

    X, small = make_rows(50_000 // shrink, 30), make_rows(500, 10)
    for what, rows, batch_size, epochs, bound in (
        ("fit 50,000 x 30, batch 256, 5 epochs / torch loop", X, 256, 5, "<= 1.10"),
        ("fit 500 x 10, batch 32, 100 epochs / torch loop", small, 32, 100, "<= 1.25"),
    ):
        figures = compare(
            lambda rows=rows, b=batch_size, e=epochs: make_detector(b, e).fit(rows),
            lambda rows=rows, b=batch_size, e=epochs: train_loop(rows, b, e),
            rounds,
        )
        row(what, *figures, bound)

    detector = make_detector(256, 1).fit(X)
    module, criterion = detector.net_.module_, detector.net_.criterion_
    many, one = make_rows(1_000_000 // shrink, 30), X[:1]

    def bare():
        return score_bare(module, criterion, many)

    figures = compare(lambda: detector.score_samples(many), bare, rounds)
    row("score_samples 1,000,000 x 30 / bare module", *figures, "<= 1.11")

    def bare_row():
        check_array(one, dtype=np.float32)
        score_bare(module, criterion, one)

    figures = compare(
        repeated(lambda: detector.score_samples(one), 2000 // shrink),
        repeated(bare_row, 2000 // shrink),
        rounds,
    )
    row("2,000 x score_samples of one row / bare module + check_array", *figures, "<= 3")

    try:
        make_pyod(30, 1)
    except ImportError:
        print("PyOD is not installed: its rows are left out")
    else:
        figures = compare(
            lambda: make_detector(256, 5).fit(X), lambda: make_pyod(30, 5).fit(X), rounds
        )
        row("fit 50,000 x 30, 5 epochs / PyOD AutoEncoder", *figures, "<= 0.40")
        peer = make_pyod(30, 1).fit(X)
        figures = compare(
            lambda: detector.score_samples(many), lambda: peer.decision_function(many), 3
        )
        row("score_samples 1,000,000 x 30 / PyOD AutoEncoder", *figures, "<= 0.125")

    times = sorted(import_seconds("import skdeepanomaly") for _ in range(rounds))
    added = statistics.median(times)
    table.append(
        [
            "import, beyond that of torch, skorch, scikit-learn",
            f"{added:.3f}",
            "",
            "",
            "<= 0.1 s",
        ]
    )
    print(" | ".join(table[-1]))

    if options.out:
        head = [".. list-table::", "    :header-rows: 1", ""]
        columns = ["case / reference", "ours, s", "reference, s", "ratio", "bound"]
        body = ["    * - " + "\n      - ".join(cells) for cells in [columns, *table]]
        Path(options.out).write_text("\n".join(head + body) + "\n")


if __name__ == "__main__":
    main()
