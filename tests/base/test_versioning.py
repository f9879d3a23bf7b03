"""Detectors that another version of the package saved."""

import pickle

import numpy as np
import pytest


def test_older_and_newer_pickles(name, fitted, rows, monkeypatch):
    monkeypatch.setattr("skdeepanomaly.base._detector.__version__", "0.0.1")
    older = pickle.dumps(fitted(name))
    monkeypatch.setattr("skdeepanomaly.base._detector.__version__", "99.0")
    newer = pickle.dumps(fitted(name))
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by skdeepanomaly 0\.0\.1"):
        loaded = pickle.loads(older)
    np.testing.assert_array_equal(loaded.score_samples(rows), fitted(name).score_samples(rows))
    with pytest.raises(ValueError, match=r"99\.0, which is newer than the installed"):
        pickle.loads(newer)
