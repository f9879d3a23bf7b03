"""Detectors that another version of the package saved."""

import numpy as np
import pytest
from conftest import on_two_detectors

from skdeepanomaly import __version__


def load(detector, version):
    """Load what a version of the package would have saved of a detector."""
    state = detector.__getstate__()
    assert state["_skdeepanomaly_version"] == __version__
    loaded = type(detector).__new__(type(detector))
    loaded.__setstate__({**state, "_skdeepanomaly_version": version})
    return loaded


@on_two_detectors
def test_older_and_newer_pickles(name, fitted, rows):
    detector = fitted(name)
    with pytest.warns(UserWarning, match=r"saved by skdeepanomaly 0\.0\.1"):
        older = load(detector, "0.0.1")
    np.testing.assert_array_equal(older.score_samples(rows), detector.score_samples(rows))
    with pytest.raises(ValueError, match=r"99\.0, which is newer than the installed"):
        load(detector, "99.0")
