"""Meta-estimators under scikit-learn's global settings of the output of transformers."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_detector, make_planted
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    AutoEncoder,
    ClusterwiseDetector,
    ConformalDetector,
    FeedbackDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnsupervisedSearch,
    as_classifier,
    explain_columns,
    make_detector_pipeline,
)

X, Y = make_planted(n_inliers=150, n_outliers=15)
FRAME = pd.DataFrame(X, columns=list("abcdef"))
FOREST = IsolationForest(n_estimators=5, random_state=0)
INNER = {"alone": FOREST, "pipeline": make_pipeline(StandardScaler(), FOREST)}
META = {
    "thresholded": lambda detector: ThresholdedDetector(detector, random_state=0),
    "conformal": lambda detector: ConformalDetector(detector, random_state=0),
    "feedback": FeedbackDetector,
    "threshold search": lambda detector: ThresholdSearchCV(detector, cv=2, random_state=0),
    "search": lambda detector: UnsupervisedSearch(detector, [{}], cv=2, random_state=0),
    "npd": lambda detector: UnsupervisedSearch(
        detector, [{}], criterion="npd", cv=2, random_state=0
    ),
    "classifier": as_classifier,
    "clusterwise": lambda detector: ClusterwiseDetector(
        detector=FOREST,
        n_clusters=2,
        encoder=PCA(2) if detector is FOREST else make_pipeline(StandardScaler(), PCA(2)),
        random_state=0,
    ),
}


@pytest.fixture(params=["pandas", "polars"])
def output(request):
    with config_context(transform_output=request.param):
        yield request.param


@pytest.mark.parametrize(
    ("inner", "rows"),
    [("alone", X), ("pipeline", X), ("pipeline", FRAME)],
    ids=["alone, array", "pipeline, array", "pipeline, frame"],
)
@pytest.mark.parametrize("kind", META)
def test_scores_are_the_same_whatever_transformers_give(kind, inner, rows, output):
    def scores():
        detector = META[kind](INNER[inner]).fit(rows, Y)
        if kind == "feedback":
            judged = detector.query(rows, n=4, strategy="diverse")
            taken = rows.iloc[judged] if rows is FRAME else rows[judged]
            detector.add_feedback(taken, Y[judged])
            assert len(detector.remove_feedback(indices=0).verdicts_.y) == 3
        return detector.decision_function(rows)

    found = scores()
    assert type(found) is np.ndarray
    with config_context(transform_output="default"):
        np.testing.assert_allclose(found, scores(), rtol=1e-12)


def test_explanations_are_the_same_whatever_transformers_give(output):
    pipeline = make_pipeline(StandardScaler(), make_detector("AutoEncoder", max_epochs=1))
    detector = ThresholdedDetector(pipeline, random_state=0)
    found = explain_columns(detector.fit(FRAME), FRAME)
    with config_context(transform_output="default"):
        pd.testing.assert_frame_equal(found, explain_columns(detector.fit(FRAME), FRAME))


def test_feedback_on_a_table(output):
    table = FRAME.assign(kind=np.where(X[:, 0] > 0, "in", "out"))
    inner = make_detector_pipeline(AutoEncoder(hidden_dims=(4,), max_epochs=1, random_state=0))
    detector = FeedbackDetector(inner).fit(table)
    rows = detector.query(table, n=5)
    detector.add_feedback(table.iloc[rows], Y[rows])
    assert np.isfinite(detector.score_samples(table)).all()
