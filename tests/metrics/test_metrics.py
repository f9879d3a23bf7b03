"""Metrics and scorers whose positive class is the anomaly."""

import pickle

import numpy as np
import pytest
from conftest import make_planted
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdeepanomaly
from skdeepanomaly import (
    as_classifier,
    evaluate,
    outlier_average_precision_score,
    outlier_cost,
    outlier_f1_score,
    outlier_partial_roc_auc_score,
    outlier_precision_at_n_score,
    outlier_roc_auc_score,
    outlier_scorers,
)

X, Y = make_planted()
FOREST = IsolationForest(n_estimators=30, random_state=0).fit(X)


class Inverted(IsolationForest):
    """Takes anomalies for normal rows, and the other way round."""

    def decision_function(self, X):
        return -super().decision_function(X)

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


INVERTED = Inverted(n_estimators=30, random_state=0).fit(X)
OF_RANKING = ["roc_auc", "average_precision", "partial_roc_auc", "precision_at_n"]


def test_every_metric_is_public():
    functions = [name for name in skdeepanomaly.__all__ if name.startswith("outlier_")]
    assert len(functions) == len(outlier_scorers) + 1


@pytest.mark.parametrize("name", outlier_scorers)
def test_scorers_have_the_right_sign_whatever_the_labels(name):
    scorer = outlier_scorers[name]
    value = scorer(FOREST, X, Y)
    assert value == scorer(FOREST, X, (Y == -1).astype(int)) == scorer(FOREST, X, Y == -1)
    assert value > scorer(INVERTED, X, Y)
    assert pickle.loads(pickle.dumps(scorer))(FOREST, X, Y) == value


def test_scorers_agree_with_scikit_learn_on_anomalies():
    is_anomaly, scores = Y == -1, -FOREST.score_samples(X)
    assert outlier_scorers["roc_auc"](FOREST, X, Y) == roc_auc_score(is_anomaly, scores)
    expected = average_precision_score(is_anomaly, scores)
    assert outlier_scorers["average_precision"](FOREST, X, Y) == pytest.approx(expected)
    expected = f1_score(is_anomaly, FOREST.predict(X) == -1)
    assert outlier_scorers["f1"](FOREST, X, Y) == expected


@pytest.mark.parametrize("name", OF_RANKING)
def test_rows_that_nobody_judged_are_left_out(name):
    some = Y.copy()
    some[::3] = 0
    judged = some != 0
    scorer = outlier_scorers[name]
    assert scorer(FOREST, X, some) == pytest.approx(scorer(FOREST, X[judged], Y[judged]))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1], "holds only 1, which may mean normal"),
        (None, "y_true is None.*Pass labels"),
        ([0, 0, 0], r"no anomalies, only \[0\]"),
        ([-1, -1, 0], r"no normal rows, only \[-1, 0\]"),
        ([0, 1, 2], "must hold -1 .* got 0, 1, 2"),
        (["a", "b", "a"], "got 'a', 'b'"),
    ],
)
def test_truth_that_cannot_be_read(y, message):
    with pytest.raises(ValueError, match=message):
        outlier_roc_auc_score(y, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=message):
        outlier_f1_score(y, [1, 1, -1])


def test_predictions_that_cannot_be_read():
    with pytest.raises(ValueError, match=r"predict gives them; got \[0, 1\]"):
        outlier_f1_score([1, -1], [0, 1])
    with pytest.raises(ValueError, match="y_score contains NaN"):
        outlier_roc_auc_score([1, -1], [0.0, np.nan])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        outlier_roc_auc_score([1, -1], [0.0, 1.0, 2.0])


def test_precision_at_n():
    y, scores = [1, -1, 1, -1, 1], [0.1, 0.9, 0.8, 0.7, 0.2]
    assert outlier_precision_at_n_score(y, scores) == 0.5
    assert outlier_precision_at_n_score(y, scores, n=1) == 1.0
    assert outlier_precision_at_n_score(y, scores, n=3) == pytest.approx(2 / 3)
    # Ties count by their share, whatever the order of the rows.
    assert outlier_precision_at_n_score([1, -1, 1, -1], [1.0, 1.0, 1.0, 1.0], n=1) == 0.5
    for n in (0, 6):
        with pytest.raises(ValueError, match=f"between 1 and the number of rows 5, got {n}"):
            outlier_precision_at_n_score(y, scores, n=n)


def test_cost_and_partial_area_follow_their_parameters():
    y, labels = [1, 1, -1, -1], [-1, 1, -1, 1]
    assert outlier_cost(y, labels) == (10 + 1) / 4
    assert outlier_cost(y, labels, missed=2.0, false_alarm=4.0) == 1.5
    scores = -FOREST.score_samples(X)
    whole = outlier_partial_roc_auc_score(Y, scores, max_fpr=1.0)
    assert whole == pytest.approx(outlier_roc_auc_score(Y, scores))
    assert whole != pytest.approx(outlier_partial_roc_auc_score(Y, scores))


def test_scorers_in_searches():
    pipeline = make_pipeline(StandardScaler(), IsolationForest(n_estimators=20, random_state=0))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    scores = cross_validate(pipeline, X, Y, scoring=outlier_scorers, cv=folds)
    assert all(np.isfinite(scores[f"test_{name}"]).all() for name in outlier_scorers)
    grid = {"isolationforest__contamination": [0.01, 0.05, 0.4]}
    search = GridSearchCV(pipeline, grid, scoring=outlier_scorers["f1"], cv=folds).fit(X, Y)
    assert search.best_params_ == {"isolationforest__contamination": 0.05}


def test_evaluate():
    # With some normal rows labelled as anomalies, no metric is perfect.
    y = np.where(np.arange(len(Y)) < 20, -1, Y)
    table = evaluate(FOREST, X, y, n_bootstraps=20, random_state=0)
    assert set(table) == {name.removeprefix("neg_") for name in outlier_scorers}
    for name, row in table.items():
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["low"] < row["high"]
    scores = -FOREST.score_samples(X)
    assert table["roc_auc"]["value"] == outlier_roc_auc_score(y, scores)
    assert table["average_precision"]["value"] == outlier_average_precision_score(y, scores)
    few = {"n_bootstraps": 3}
    seeded = evaluate(FOREST, X, Y, random_state=0, **few)
    assert seeded == evaluate(FOREST, X, Y == -1, random_state=0, **few)
    before = pickle.dumps(np.random.get_state())
    assert evaluate(FOREST, X, Y, **few) != evaluate(FOREST, X, Y, **few)
    assert pickle.dumps(np.random.get_state()) == before


def test_intervals_are_as_wide_as_theory_says():
    rows, labels = make_planted(n_inliers=400, n_outliers=100, seed=9)
    far, near = (-FOREST.score_samples(rows[labels == label]) for label in (-1, 1))
    flagged = FOREST.predict(rows) == -1
    missed, false_alarms = np.mean(~flagged[labels == -1]), np.mean(flagged[labels == 1])
    # The variances of the means of 100 and of 400 draws; that of the area is DeLong's.
    variances = missed * (1 - missed) / 100, false_alarms * (1 - false_alarms) / 400
    wins = (far[:, None] > near) + 0.5 * (far[:, None] == near)
    deviations = {
        "balanced_accuracy": np.sqrt(np.sum(variances)) / 2,
        "cost": np.sqrt(variances[0] * (10 * 0.2) ** 2 + variances[1] * 0.8**2),
        "roc_auc": np.sqrt(wins.mean(axis=1).var() / 100 + wins.mean(axis=0).var() / 400),
    }
    table = evaluate(FOREST, rows, labels, n_bootstraps=100, random_state=0)
    for name, deviation in deviations.items():
        width = table[name]["high"] - table[name]["low"]
        assert width == pytest.approx(2 * 1.96 * deviation, rel=0.5)


def test_classifiers_whose_scores_are_the_other_way_round_are_refused():
    y = (Y == -1).astype(int)
    classifier = as_classifier(IsolationForest(n_estimators=10, random_state=0)).fit(X, y)
    with pytest.raises(ValueError, match="is a classifier, whose decision function is high"):
        outlier_scorers["roc_auc"](classifier, X, y)
    with pytest.raises(ValueError, match="is a classifier"):
        evaluate(classifier, X, y)
    with pytest.raises(ValueError, match="scikit-learn's own metrics"):
        outlier_scorers["f1"](classifier, X, y)
    signed = as_classifier(IsolationForest(n_estimators=10, random_state=0)).fit(X, Y)
    assert outlier_scorers["roc_auc"](signed, X, y) > 0.7


@pytest.mark.parametrize(
    ("params", "message"),
    [({"confidence": 95}, "confidence must be in"), ({"n_bootstraps": 0}, "at least 1, got 0")],
)
def test_evaluate_refuses_what_makes_no_interval(params, message):
    with pytest.raises(ValueError, match=message):
        evaluate(FOREST, X, Y, **params)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        evaluate(FOREST, X, Y[1:])
