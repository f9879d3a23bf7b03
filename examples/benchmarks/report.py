"""Time of a report on 100,000 rows, against one scoring and the explanations it shows.

Processor time, medians of five rounds. ``python examples/benchmarks/report.py``
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from skdeepanomaly import AnomalyReport, AutoEncoder, DeepSVDD, NeuTraL, explain_columns

N_SHOWN = 200


def seconds(function, *arguments):
    """Return the processor time of a call."""
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def score_and_explain(detector, X):
    """Do what a report cannot do without."""
    worst = np.argsort(detector.score_samples(X))[:N_SHOWN]
    explain_columns(detector, X[worst])


def make_report(detector, X):
    """Make a report and its page."""
    report = AnomalyReport(detector, X, max_rows=N_SHOWN, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        report.write_html(Path(folder) / "report.html")


X = np.random.default_rng(0).normal(size=(100_000, 50)).astype(np.float32)
for cls in (AutoEncoder, DeepSVDD, NeuTraL):
    detector = cls(max_epochs=1, random_state=0).fit(X[:20_000])
    rounds = [
        (seconds(make_report, detector, X), seconds(score_and_explain, detector, X))
        for _ in range(6)
    ][1:]
    report, needed = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(
        f"{cls.__name__:12} {report:.2f} s, {report / needed:.2f} times scoring and explaining"
    )
