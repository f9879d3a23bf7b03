"""The way from a meta-estimator down to the detector inside."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import ThresholdedDetector, as_classifier, outlier_scorers
from skdeepanomaly.utils.nesting import nested, nested_rows

FOREST = IsolationForest(n_estimators=2, random_state=0)
PIPELINE = make_pipeline(StandardScaler(), FOREST)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 2)), rng.normal(0, 9, size=(20, 2))])
    return X, np.repeat([1, -1], [60, 20])


WRAPPED = {
    "alone": (FOREST, []),
    "pipeline": (PIPELINE, ["Pipeline"]),
    "frozen": (lambda X, y: FrozenEstimator(PIPELINE.fit(X)), ["FrozenEstimator", "Pipeline"]),
    "meta-estimator": (
        ThresholdedDetector(PIPELINE, random_state=0),
        ["ThresholdedDetector", "Pipeline"],
    ),
    "search": (
        GridSearchCV(
            FOREST,
            {"max_samples": [8]},
            scoring=outlier_scorers["f1"],
            cv=[(range(80), range(80))],
        ),
        ["GridSearchCV"],
    ),
    "classifier": (
        TunedThresholdClassifierCV(as_classifier(FOREST), cv=2),
        ["TunedThresholdClassifierCV", "DetectorClassifier"],
    ),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_the_last_part_is_the_detector(kind, data):
    estimator, around = WRAPPED[kind]
    fitted = estimator(*data) if kind == "frozen" else estimator.fit(*data)
    names = [type(part).__name__ for part in nested(fitted)]
    # The trees of the forest are no detectors.
    assert names == [*around, "IsolationForest"]


def test_many_classifiers_hold_no_single_detector(data):
    calibrated = CalibratedClassifierCV(as_classifier(FOREST), cv=2).fit(*data)
    assert nested(calibrated) == [calibrated]


def test_rows_are_transformed_on_the_way(data):
    X, _ = data
    fitted = ThresholdedDetector(PIPELINE, random_state=0).fit(X)
    seen = [rows for _, rows in nested_rows(fitted, X)]
    assert seen[0] is X
    assert seen[1] is X
    np.testing.assert_array_equal(seen[2], fitted.detector_[0].transform(X))


def test_an_unfitted_detector_is_refused():
    with pytest.raises(NotFittedError):
        nested(ThresholdedDetector(FOREST))
