"""Warnings name the line of the user."""

import warnings

import numpy as np
import pytest
from conftest import make_rows
from sklearn.ensemble import IsolationForest

from skdeepanomaly import (
    AutoEncoder,
    BackupAndRestore,
    ConformalDetector,
    DeepClustering,
    DeepEmbeddedClustering,
    DeepSubspaceClustering,
)


@pytest.mark.parametrize(
    "cls", [DeepClustering, DeepEmbeddedClustering, DeepSubspaceClustering]
)
def test_too_many_clusters_name_the_line_of_the_user(cls):
    X = np.repeat(make_rows(4), 10, axis=0)
    detector = cls(n_clusters=6, max_epochs=1, pretrain_epochs=0, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector.fit(X)
    about = [w for w in caught if "different rows" in str(w.message)]
    assert about
    assert {w.filename for w in about} == {__file__}


FOREST = IsolationForest(n_estimators=2, random_state=0)


def test_too_few_calibration_rows_name_the_line_of_the_user():
    with pytest.warns(UserWarning, match="too few") as caught:
        ConformalDetector(FOREST, alpha=0.01).fit(make_rows(20))
    assert {w.filename for w in caught} == {__file__}


def test_warnings_of_the_last_fit_are_kept():
    rows = make_rows()
    detector = AutoEncoder(max_epochs=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(rows * np.geomspace(1, 1e6, rows.shape[1]))
    assert len(detector.fit_warnings_) == 1
    assert "scales of the columns" in detector.fit_warnings_[0]
    assert detector.fit(rows).fit_warnings_ == []


def test_second_backup_is_refused(tmp_path):
    callbacks = [("a", BackupAndRestore(tmp_path)), ("b", BackupAndRestore(tmp_path))]
    with pytest.raises(ValueError, match="holds 2 BackupAndRestore, expected at most one"):
        AutoEncoder(max_epochs=1, callbacks=callbacks).fit(make_rows())
