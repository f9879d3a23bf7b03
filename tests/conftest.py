"""Settings and data that all tests share."""

import os
import signal

# Before scikit-learn is imported: one of its checks is skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest
import torch
from toy_detector import LinearAutoEncoder

from skdeepanomaly.base import BaseDeepDetector
from skdeepanomaly.utils import all_detectors

torch.set_num_threads(1)


def with_mapped_labels(cls):
    """Make a class that reads any labels as -1, 0 and +1, and missing ones as a few -1."""

    def _validate_y(self, y, n_samples, first):
        if y is None:
            y = np.arange(n_samples) < max(1, n_samples // 20)
            y = -y.astype(int)
        elif (y := np.asarray(y)).ndim == 1:
            y = np.unique(y, return_inverse=True)[1] % 3 - 1
        return cls._validate_y(self, y, n_samples, first)

    names = {"__module__": __name__, "__qualname__": f"Mapped{cls.__name__}"}
    names["__doc__"] = cls.__doc__
    kind = type(cls.__name__, (cls,), {**names, "_validate_y": _validate_y})
    # Where pickle looks for it.
    globals()[kind.__qualname__] = kind
    return kind


EXPORTED = dict(all_detectors())
DEEP = {name: cls for name, cls in EXPORTED.items() if issubclass(cls, BaseDeepDetector)}
LABELLED = {name: cls for name, cls in DEEP.items() if cls._labels}
# What the common checks run on: those that read labels can be handed any, or none. The
# detector that the contributing guide builds must keep the contract, too.
DETECTORS = {
    **{name: with_mapped_labels(cls) if cls._labels else cls for name, cls in DEEP.items()},
    "LinearAutoEncoder": LinearAutoEncoder,
}


def make_detector(name, *, classes=DETECTORS, **params):
    """Make a detector whose training is short."""
    short = {"max_epochs": 3, "pretrain_epochs": 1, "random_state": 0}
    known = classes[name]().get_params()
    detector = classes[name](**{n: value for n, value in short.items() if n in known})
    return detector.set_params(**params)


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
