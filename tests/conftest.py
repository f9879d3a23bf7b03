"""Options, settings and data that all tests share."""

import os
import random
import runpy
import signal
import sys
from pathlib import Path

# Before scikit-learn is imported: one of its checks is skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from sklearn.ensemble import IsolationForest
from toy_detector import LinearAutoEncoder

from skdeepanomaly import AutoEncoder
from skdeepanomaly.base import BaseDeepDetector, BaseUntrainedDetector
from skdeepanomaly.detectors.image import ImageRowsMixin
from skdeepanomaly.utils import all_detectors

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    parser.addoption(
        "--seed-shift",
        type=int,
        default=0,
        metavar="N",
        help="add N to every integer seed, in the tests and in what they test",
    )
    parser.addoption(
        "--fuzz-cases",
        type=int,
        default=None,
        metavar="N",
        help="draw N other cases in each test of test_fuzz.py; --hypothesis-seed chooses them",
    )


def pytest_configure(config):
    """Say how many cases are drawn; shift the seeds before test modules draw their data."""
    n_cases = config.getoption("--fuzz-cases")
    settings.register_profile(
        "fuzz",
        # The cases are always the same, unless their number is asked for.
        derandomize=n_cases is None,
        max_examples=n_cases or (36 if config.getoption("--slow") else 6),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzz")
    shift = config.getoption("--seed-shift")
    if not shift:
        return
    folder = str(Path(__file__).with_name("shifted_seeds"))
    # Some tests hand sys.path to the processes that they start.
    sys.path.insert(0, folder)
    # A process that was started with the variable, such as xdist's, is shifted already.
    if "SEED_SHIFT" not in os.environ:
        os.environ["SEED_SHIFT"] = str(shift)
        paths = [folder, os.environ.get("PYTHONPATH")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        runpy.run_path(os.path.join(folder, "sitecustomize.py"))


def pytest_report_header(config):
    shift = config.getoption("--seed-shift")
    return f"all seeds are shifted by {shift}" if shift else None


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out; send all tests of a detector to one of xdist's workers."""
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
    for item in items:
        name = item.callspec.params.get("name") if hasattr(item, "callspec") else None
        if name in DETECTORS:
            # The fixture ``fitted`` then fits each detector once, not once a worker.
            item.add_marker(pytest.mark.xdist_group(name))


def subclass(cls, prefix, **members):
    """Make a subclass that has the class's name; pickle finds it under another one."""
    members |= {"__doc__": cls.__doc__, "__module__": __name__}
    members["__qualname__"] = f"{prefix}{cls.__qualname__}"
    made = type(cls.__name__, (cls,), members)
    globals()[made.__qualname__] = made
    return made


def with_mapped_labels(cls):
    """Make a class that reads any labels as -1, 0 and +1, and missing ones as a few -1."""

    def _validate_y(self, y, n_samples, first):
        if y is None:
            y = np.arange(n_samples) < max(1, n_samples // 20)
            y = -y.astype(int)
        elif (y := np.asarray(y)).ndim == 1:
            y = np.unique(y, return_inverse=True)[1] % 3 - 1
        return cls._validate_y(self, y, n_samples, first)

    return subclass(cls, "Mapped", _validate_y=_validate_y)


EXPORTED = dict(all_detectors())
DEEP = {name: cls for name, cls in EXPORTED.items() if issubclass(cls, BaseDeepDetector)}
# Those without gradient steps: no epochs, no partial_fit.
UNTRAINED = {
    name: cls for name, cls in EXPORTED.items() if issubclass(cls, BaseUntrainedDetector)
}
IMAGE = {name: cls for name, cls in DEEP.items() if issubclass(cls, ImageRowsMixin)}
LABELLED = {name: cls for name, cls in DEEP.items() if cls._labels}
# What the common checks run on: those that read labels can be handed any, or none. The
# detector that the contributing guide builds must keep the contract, too.
DETECTORS = {
    **{name: with_mapped_labels(cls) if cls._labels else cls for name, cls in DEEP.items()},
    "LinearAutoEncoder": LinearAutoEncoder,
}
# Those that may have several networks.
SEVERAL = [name for name, cls in DETECTORS.items() if "n_members" in cls().get_params()]
# Input is validated in the base class alone: these two, one of them with labels, are tested
# with all of it, each other detector with one case.
THOROUGHLY_TESTED = ["LinearAutoEncoder", "DevNet"]
# One detector of each class of net, of each way to score and to train, and of each kind of
# data: for long tests of what depends on no method.
KINDS = [
    "ALAD",
    "AdversarialAutoEncoder",
    "AutoEncoder",
    "BiGAN",
    "ConvGAN",
    "DeepClustering",
    "DeepEmbeddedClustering",
    "DeepNeighborDistance",
    "DeepSVDD",
    "DevNet",
    "GAN",
    "NeuTraL",
    "RecurrentForecaster",
    "VariationalAutoEncoder",
]
on_two_detectors = pytest.mark.parametrize("name", THOROUGHLY_TESTED)

# What makes training and scoring short.
SHORT = {
    "max_epochs": 3,
    "pretrain_epochs": 1,
    "hidden_dims": (16,),
    "channels": (4,),
    "n_fourier_features": 32,
    "max_landmarks": 64,
    "max_reference_rows": 256,
    "n_moved": 500,
    "n_starts": 8,
    "query_steps": 2,
    "random_state": 0,
    # Of an ensemble.
    "detectors": [
        ("network", AutoEncoder(hidden_dims=(16,), max_epochs=1)),
        ("forest", IsolationForest(n_estimators=3)),
    ],
}


def with_cases(argument, cases, smoke):
    """Parametrize a test: two detectors with all cases, each other one with ``smoke``."""
    pairs = [
        (name, case)
        for name in DETECTORS
        for case in cases
        if case == smoke or name in THOROUGHLY_TESTED
    ]
    return pytest.mark.parametrize(("name", argument), pairs)


def make_detector(name, *, classes=DETECTORS, **params):
    """Make a detector that is small and whose training is short."""
    known = classes[name]().get_params()
    short = {n: value for n, value in SHORT.items() if n in known}
    if isinstance(known.get("latent_dim"), int):
        short["latent_dim"] = min(16, known["latent_dim"])
    return classes[name](**{**short, **params})


def numbered_rows(n_rows, n_features=4):
    """Make rows that hold their own index in every column."""
    return np.repeat(np.arange(n_rows, dtype=np.float32)[:, None], n_features, axis=1)


def make_rows(n_rows=150, n_features=5, seed=0):
    """Draw standardised rows on a curved, two-dimensional sheet, in float32."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_rows, 2))
    mixed = hidden @ np.random.default_rng(1).normal(size=(2, n_features))
    X = np.tanh(mixed) + 0.05 * rng.normal(size=mixed.shape)
    return (X / X.std(axis=0)).astype(np.float32)


def make_planted(n_inliers=500, n_outliers=25, n_features=6, seed=0):
    """Draw rows on a sheet and outliers in the same box; return X and y (-1: outlier)."""
    rng = np.random.default_rng(seed)
    inliers = make_rows(n_inliers, n_features, seed)
    low, high = inliers.min(axis=0), inliers.max(axis=0)
    outliers = rng.uniform(low, high, size=(n_outliers, n_features))
    X = np.concatenate([inliers, outliers]).astype(np.float32)
    y = np.repeat([1, -1], [n_inliers, n_outliers])
    return X, y


def make_kin(seed=0):
    """Draw rows, a family of anomalies close to them, and rows to rank with their labels.

    Return normal rows, anomalies, and other rows of both kinds with y (-1: anomaly).
    """
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(600, 5))
    kin = rng.normal(size=(150, 5)) * 0.3 + [1, -1, 1, -1, 1]
    X_test = np.concatenate([rows[300:], kin[50:]])
    y_test = np.repeat([1, -1], [300, 100])
    return *(part.astype(np.float32) for part in (rows[:300], kin[:50], X_test)), y_test


def make_rays(X, n_rays=5, n_steps=8):
    """Walk from the farthest row's distance outwards; return (n_rays, n_steps, n_features)."""
    lengths = np.linalg.norm(X, axis=1)
    directions = X[:n_rays] / lengths[:n_rays, None] * lengths.max()
    return directions[:, None] * np.logspace(0.5, 15, n_steps)[:, None]


def global_states():
    """Return the states of the generators of Python, numpy and torch."""
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), (kind, keys.tolist(), rest), torch.get_rng_state().tolist()


@pytest.fixture(scope="session", autouse=True)
def heeded_ctrl_c():
    """Let Ctrl-C raise, also in a process that was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def rows():
    return make_rows()


@pytest.fixture(scope="session")
def fitted(rows):
    """Return a function that gives a fitted detector by name; do not change it."""
    cache = {}

    def get(name):
        if name not in cache:
            cache[name] = make_detector(name).fit(rows)
        return cache[name]

    return get


@pytest.fixture(params=list(DETECTORS))
def name(request):
    """Run a test once for each detector."""
    return request.param


class Killed(BaseException):
    """Stands in for the end of the process."""


def failing_after(n_calls, function, error):
    """Make a function that raises an error at its call number ``n_calls + 1``."""
    calls = []

    def call_or_fail(*args, **kwargs):
        if len(calls) == n_calls:
            raise error
        calls.append(args)
        return function(*args, **kwargs)

    return call_or_fail
