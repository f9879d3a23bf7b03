"""A detector as a classifier inside scikit-learn's ensembles of classifiers."""

import pytest
from conftest import make_planted
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    IsolationForest,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import as_classifier

X, Y = make_planted(300, 40)
DETECTORS = IsolationForest(random_state=0), LocalOutlierFactor(novelty=True)
ENSEMBLES = {
    "voting": lambda members: VotingClassifier(members),
    "stacking": lambda members: StackingClassifier(members),
    "bagging": lambda members: BaggingClassifier(members[0][1], 3, random_state=0),
    "soft": lambda members: VotingClassifier(
        [(name, CalibratedClassifierCV(member)) for name, member in members], voting="soft"
    ),
}


def make_ensemble(kind, **params):
    members = [as_classifier(detector, **params) for detector in DETECTORS]
    return ENSEMBLES[kind]([(str(i), member) for i, member in enumerate(members)])


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_labels_0_and_1(kind):
    ensemble = make_ensemble(kind).fit(X, Y == -1)
    assert balanced_accuracy_score(Y == -1, ensemble.predict(X)) > 0.6


@pytest.mark.parametrize("kind", ENSEMBLES)
@pytest.mark.parametrize(
    ("params", "message"),
    [({}, "of y are 1, which marks anomalies"), ({"anomaly_label": -1}, "none of the labels")],
)
def test_labels_that_an_ensemble_encodes_are_refused_with_what_to_do(kind, params, message):
    with pytest.raises(ValueError, match=message) as caught:
        make_ensemble(kind, **params).fit(X, Y)
    assert "VotingClassifier" in str(caught.value)
    assert "use 1 for anomalies and 0 for normal rows" in str(caught.value)


@pytest.mark.parametrize("kind", ["voting", "stacking", "bagging"])
def test_the_label_as_the_ensemble_encodes_it(kind):
    ensemble = make_ensemble(kind, anomaly_label=0).fit(X, Y)
    assert balanced_accuracy_score(Y, ensemble.predict(X)) > 0.6
