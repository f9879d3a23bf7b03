"""Codes, reconstructions, samples and clusters."""

import numpy as np
import pytest
from conftest import DETECTORS, global_states, make_rows
from sklearn.exceptions import NotFittedError

CAN = {
    ability: [name for name in DETECTORS if hasattr(DETECTORS[name], ability)]
    for ability in ("encode", "reconstruct", "sample", "predict_cluster")
}


@pytest.mark.parametrize("name", CAN["encode"])
def test_codes(name, fitted, rows):
    codes = fitted(name).encode(rows)
    assert codes.dtype == np.float32
    assert codes.ndim == 2
    assert len(codes) == len(rows)
    np.testing.assert_array_equal(fitted(name).encode(rows[70:71]), codes[70:71])
    assert np.ptp(codes, axis=0).max() > 0


@pytest.mark.parametrize("name", CAN["reconstruct"])
def test_reconstructions(name, fitted, rows):
    rebuilt = fitted(name).reconstruct(rows)
    assert rebuilt.shape == rows.shape
    assert rebuilt.dtype == np.float32
    np.testing.assert_array_equal(fitted(name).reconstruct(rows[70:71]), rebuilt[70:71])
    trained = DETECTORS[name](random_state=0).fit(rows)
    error = np.square(trained.reconstruct(rows) - rows).mean()
    assert error < 0.5 * rows.var(axis=0).mean()


@pytest.mark.parametrize("name", CAN["sample"])
def test_samples(name, fitted, rows):
    drawn = fitted(name).sample(40, random_state=1)
    assert drawn.shape == (40, 5)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(fitted(name).sample(40, random_state=1), drawn)
    before = global_states()
    assert not np.array_equal(fitted(name).sample(40), fitted(name).sample(40))
    assert global_states() == before
    assert len(np.unique(drawn, axis=0)) == 40
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        fitted(name).sample(0)
    with pytest.raises(NotFittedError):
        DETECTORS[name]().sample()


@pytest.mark.parametrize("name", CAN["predict_cluster"])
def test_clusters(name):
    X = np.concatenate([make_rows(80) + shift for shift in (-6, 6)]).astype(np.float32)
    detector = DETECTORS[name](n_clusters=2, random_state=0).fit(X)
    clusters = detector.predict_cluster(X)
    assert clusters.dtype.kind == "i"
    assert detector.cluster_centers_.shape[0] == 2
    assert len(set(clusters[:80])) == len(set(clusters[80:])) == 1
    assert clusters[0] != clusters[-1]
    np.testing.assert_array_equal(detector.predict_cluster(X[70:71]), clusters[70:71])
