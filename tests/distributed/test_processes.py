"""Two processes that train one network end with one detector, as good as that of one."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from detectors.effects import mean_over_seeds
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from train_together import DETECTORS, N_PASSES, N_PROCESSES, RANKED, make_rows_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without processes"),
    pytest.mark.xdist_group("processes"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with what each process trained."""
    folder = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={N_PROCESSES}"]
    command += [str(Path(__file__).with_name("train_together.py")), str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", [*(f"{name} 0" for name in DETECTORS), "without a seed"])
def test_all_processes_have_the_same_detector(name, folder):
    first, second = (joblib.load(folder / f"{name}, {rank}") for rank in range(N_PROCESSES))
    _, new, _ = make_rows_of(0)
    np.testing.assert_array_equal(first.score_samples(new), second.score_samples(new))
    assert first[-1].offset_ == second[-1].offset_
    states = [one[-1].net_.module_.state_dict() for one in (first, second)]
    for key, tensor in states[0].items():
        assert torch.equal(tensor, states[1][key])


@pytest.mark.parametrize("name", RANKED)
def test_it_is_as_good_as_that_of_one_process(name, folder):
    def measure(seed):
        X, new, y = make_rows_of(seed)
        together = joblib.load(folder / f"{name} {seed}, 0")
        flagged = (together.predict(X) == -1).mean()
        # As many steps of as many rows.
        params = {"max_epochs": N_PASSES, "random_state": seed}
        whole = clone(DETECTORS[name]).set_params(batch_size=512, **params)
        half = clone(DETECTORS[name]).set_params(**params)
        alone = [make_pipeline(StandardScaler(), whole).fit(X)]
        alone += [
            make_pipeline(StandardScaler(), clone(half)).fit(rows)
            for rows in np.array_split(X, N_PROCESSES)
        ]
        aurocs = [roc_auc_score(y, one.score_samples(new)) for one in (together, *alone)]
        return [flagged, *aurocs]

    flagged, found, whole, *halves = mean_over_seeds(measure)
    assert 0.05 < flagged < 0.15
    assert found > whole - 0.03
    # Each process saw the rows of half of the clusters.
    assert found > np.mean(halves) + 0.05
