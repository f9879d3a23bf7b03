"""Torch's global settings: no number depends on them, and they stay as they were."""

import copy
import pickle
import threading
import warnings
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from conftest import IMAGE, KINDS, make_detector
from torch import nn

from skdeepanomaly.engine import torch_defaults


@contextmanager
def changed(read, write, value):
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)


def dtype(value):
    return changed(torch.get_default_dtype, torch.set_default_dtype, value)


def precision(value):
    return changed(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, value
    )


@contextmanager
def device(value):
    torch.set_default_device(value)
    try:
        yield
    finally:
        torch.set_default_device(None)


def deterministic():
    read = torch.are_deterministic_algorithms_enabled
    return changed(read, torch.use_deterministic_algorithms, True)


@contextmanager
def detected_anomalies():
    with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly():
        yield


SETTINGS = {
    "float64": lambda: dtype(torch.float64),
    "bfloat16": lambda: dtype(torch.bfloat16),
    "set_default_device": lambda: device("meta"),
    "with device": lambda: torch.device("meta"),
    "medium": lambda: precision("medium"),
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": deterministic,
    "anomalies": detected_anomalies,
}


@contextmanager
def all_settings():
    with ExitStack() as stack:
        for setting in SETTINGS.values():
            stack.enter_context(setting())
        yield


def settings_now():
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_float32_matmul_precision(),
        torch.backends.mkldnn.matmul.fp32_precision,
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
    )


def outputs(detector, rows):
    """Call everything that computes with the network."""
    found = [detector.score_samples(rows), detector.explain(rows[:5])]
    for method in ("encode", "reconstruct", "predict_cluster"):
        if hasattr(detector, method):
            found.append(getattr(detector, method)(rows))
    if hasattr(detector, "sample"):
        found.append(detector.sample(3, random_state=0))
    return found


def check_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def check_nothing_depends_on(setting, detector, rows):
    expected = outputs(detector, rows)
    further = pickle.loads(pickle.dumps(detector)).partial_fit(rows)
    with setting():
        before = settings_now()
        check_equal(outputs(detector, rows), expected)
        refitted = copy.deepcopy(detector).fit(rows)
        loaded = pickle.loads(pickle.dumps(detector)).partial_fit(rows)
        assert settings_now() == before
    check_equal(outputs(refitted, rows), expected)
    check_equal(outputs(loaded, rows), outputs(further, rows))
    assert all(p.dtype == torch.float32 for p in refitted.net_.module_.parameters())


@pytest.mark.parametrize("name", KINDS)
def test_no_number_depends_on_torch_settings(name, fitted, rows):
    check_nothing_depends_on(all_settings, fitted(name), rows)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_no_number_depends_on_one_setting(setting, fitted, rows):
    check_nothing_depends_on(setting, fitted("GAN"), rows)


def test_what_was_loaded_in_inference_mode_can_be_trained(fitted, rows):
    with torch.inference_mode():
        loaded = pickle.loads(pickle.dumps(fitted("AutoEncoder")))
    assert loaded.partial_fit(rows).n_epochs_ == 2 * fitted("AutoEncoder").n_epochs_


def test_rows_and_modules_that_were_made_under_other_settings(rows):
    def fit():
        return make_detector("AutoEncoder", module=nn.Linear(5, 5)).fit(torch.tensor(rows))

    torch.manual_seed(0)
    expected = fit().score_samples(rows)
    torch.manual_seed(0)
    with torch.inference_mode():
        found = fit().score_samples(torch.tensor(rows))
    np.testing.assert_array_equal(found, expected)


def test_an_extreme_row_can_be_explained_while_anomalies_are_detected(fitted):
    rows = np.full((1, 5), 1e25)
    expected = fitted("GOAD").explain(rows)
    with detected_anomalies():
        np.testing.assert_array_equal(fitted("GOAD").explain(rows), expected)


def test_settings_come_back_after_an_error():
    def fail():
        with torch_defaults():
            assert torch.get_default_dtype() == torch.float32
            assert torch.empty(1).device.type == "cpu"
            raise ZeroDivisionError

    with all_settings():
        before = settings_now()
        with pytest.raises(ZeroDivisionError):
            fail()
        assert settings_now() == before


@pytest.mark.parametrize("value", ["bf16", "tf32"])
@pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="torch before 2.9")
def test_precision_that_was_set_by_its_newer_names(value):
    products = torch.backends.mkldnn.matmul
    before = products.fp32_precision
    products.fp32_precision = value
    try:
        with torch_defaults():
            assert torch.get_float32_matmul_precision() == "highest"
            assert products.fp32_precision == "ieee"
        assert products.fp32_precision == value
    finally:
        products.fp32_precision = before


@pytest.mark.parametrize("value", ["bf16", "tf32"])
@pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="torch before 2.9")
def test_precision_of_convolutions(value):
    convolutions = torch.backends.mkldnn.conv, torch.backends.cudnn.conv
    before = [each.fp32_precision for each in convolutions]
    values = [value, "tf32"]
    try:
        for each, given in zip(convolutions, values, strict=True):
            each.fp32_precision = given
        with torch_defaults():
            assert [each.fp32_precision for each in convolutions] == ["ieee", "ieee"]
        assert [each.fp32_precision for each in convolutions] == values
    finally:
        for each, given in zip(convolutions, before, strict=True):
            each.fp32_precision = given


@pytest.mark.parametrize("name", IMAGE)
def test_no_score_of_images_depends_on_torch_settings(name):
    X = np.random.default_rng(0).random((60, 16, 16), dtype=np.float32)
    check_nothing_depends_on(all_settings, make_detector(name).fit(X), X)


def test_the_last_thread_puts_the_setting_back():
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with torch_defaults():
            inside.set()
            leave.wait()

    with dtype(torch.float64):
        thread = threading.Thread(target=stay)
        with torch_defaults():
            thread.start()
            inside.wait()
        # This thread is out, the other one is not.
        assert torch.get_default_dtype() == torch.float32
        leave.set()
        thread.join()
        assert torch.get_default_dtype() == torch.float64
