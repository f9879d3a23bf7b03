"""Where a detector computes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from conftest import make_detector, with_cases

from skdeepanomaly.detectors.reconstruction import ReconstructionLoss
from skdeepanomaly.engine import DetectorNet


@with_cases("device", ["cuda:99", "nonsense"], smoke="nonsense")
def test_device_that_is_not_there(name, rows, device):
    with pytest.raises(ValueError, match=f"device='{device}' is not there.*Expected one of"):
        make_detector(name, device=device).fit(rows)


def test_device_auto(name, rows):
    detector = make_detector(name, device="auto", max_epochs=1).fit(rows)
    assert detector.net_.device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_model_from_a_gpu_loads_on_a_cpu(name, fitted, rows, monkeypatch):
    """A net that says that it is on "cuda" stands in for a GPU."""
    detector = copy.deepcopy(fitted(name))
    detector.set_params(device="cuda")
    detector.net_.device = "cuda"
    dumped = pickle.dumps(detector)
    # A tensor of torch's would be tagged with its device, and not load elsewhere.
    assert b"torch._utils" not in dumped
    assert b"torch.storage" not in dumped
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="(?i)cuda"):
        loaded = pickle.loads(dumped)
    np.testing.assert_array_equal(loaded.score_samples(rows), fitted(name).score_samples(rows))
    loaded.partial_fit(rows)


def test_validation_rows_go_where_the_network_is():
    module = torch.nn.Linear(2, 2)
    net = DetectorNet(module, ReconstructionLoss, device="meta").initialize()
    assert net.validation_step((torch.ones(3, 2), None))["loss"].device.type == "meta"
