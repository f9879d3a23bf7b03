"""Train where there is torch, serve where there is none.

    python examples/serve_onnx.py model.onnx
    python examples/serve_without_torch.py model.onnx    # needs numpy and onnxruntime alone

The first program writes the detector, and beside it, as ``model.npz``, some rows with their
labels and scores, which the second one compares with what it computes. The first one also
prints how long a single row takes in both. The options ``--large`` and ``--rounds`` serve to
measure more.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, ThresholdedDetector, to_onnx


def seconds(function, n_rounds):
    """Return the median time of a call."""
    times = []
    for _ in range(n_rounds + 10):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    # The first calls prepare memory.
    return statistics.median(times[10:])


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("path", type=Path, help="the file to write, such as model.onnx")
parser.add_argument("--rounds", type=int, default=200, help="calls for each time")
parser.add_argument("--large", type=int, default=0, metavar="N", help="time N rows, too")
options = parser.parse_args()
torch.set_num_threads(1)

# Benign tumours are normal here; malignant ones are what is looked for.
X, y = load_breast_cancer(return_X_y=True)
normal = X[y == 1]
pipeline = make_pipeline(StandardScaler(), AutoEncoder(random_state=0))
detector = ThresholdedDetector(pipeline, "quantile", random_state=0).fit(normal[:250])

to_onnx(detector, options.path, X=X)
rows = np.concatenate([normal[250:], X[y == 0]]).astype(np.float32)
np.savez(
    options.path.with_suffix(".npz"),
    rows=rows,
    label=detector.predict(rows),
    score=detector.score_samples(rows),
)
print(f"{options.path}: {options.path.stat().st_size / 1000:.0f} kB")

settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(options.path, settings)
row = rows[:1]
there = seconds(lambda: detector.score_samples(row), options.rounds)
here = seconds(lambda: session.run(["score"], {"X": row}), options.rounds)
print(f"one row: score_samples {1e3 * there:.3f} ms, onnxruntime {1e3 * here:.3f} ms")
print(f"ratio: {there / here:.0f}")
if options.large:
    many = np.resize(rows, (options.large, rows.shape[1]))
    there = seconds(lambda: detector.score_samples(many), 5)
    here = seconds(lambda: session.run(["score"], {"X": many}), 5)
    print(f"{options.large} rows: score_samples {there:.3f} s, onnxruntime {here:.3f} s")
