"""Tests of the displays: they show what metrics, detectors and histories hold."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_detector, make_planted
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import det_curve, precision_recall_curve, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import OneClassSVM

from skdeepanomaly import (
    ContributionDisplay,
    LossDisplay,
    OutlierDetCurveDisplay,
    OutlierPrecisionRecallDisplay,
    OutlierRocCurveDisplay,
    ScoreDisplay,
    ThresholdDisplay,
    ThresholdedDetector,
    outlier_average_precision_score,
    outlier_f1_score,
    outlier_precision_score,
    outlier_recall_score,
    outlier_roc_auc_score,
    outlier_scorers,
)

CURVES = [OutlierRocCurveDisplay, OutlierPrecisionRecallDisplay, OutlierDetCurveDisplay]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def planted():
    X, y = make_planted(200, 20)
    return X.astype(np.float64), y


@pytest.fixture(scope="module")
def forest(planted):
    return IsolationForest(n_estimators=30, contamination=0.05, random_state=0).fit(planted[0])


@pytest.fixture(scope="module")
def deep(planted):
    return make_detector("AutoEncoder", train_split=0.2).fit(planted[0])


def counts(bars):
    """Return the counts that filled steps show, from left to right."""
    return bars[0].get_xy()[1:-1:2, 1][: len(bars[0].get_xy()) // 4]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def drawn(line):
    return np.column_stack(line.get_data())


# Scores.


def test_score_display_counts_rows_and_marks_what_is_flagged(planted, forest):
    X, _ = planted
    display = ScoreDisplay.from_estimator(forest, X, bins=20)
    n_flagged = int((forest.predict(X) == -1).sum())
    expected, edges = np.histogram(forest.decision_function(X), 20)
    np.testing.assert_array_equal(counts(display.bars_[0]), expected)
    assert legend(display) == [f"flagged: {n_flagged} ({n_flagged / len(X):.1%})"]
    assert display.threshold_line_.get_xdata() == [0, 0]
    (shade,) = [p for p in display.ax_.patches if p not in display.bars_[0]]
    # The anomalies lie to the left of the threshold.
    assert shade.get_x() <= edges[0]
    assert shade.get_x() + shade.get_width() == 0
    assert display.ax_.get_title() == "IsolationForest"
    assert display.ax_.get_xlabel() == "Decision function"


@pytest.mark.parametrize("labels", [{-1: -1, 1: 1}, {-1: 1, 1: 0}, {-1: True, 1: False}])
def test_score_display_tells_the_classes_apart(planted, forest, labels):
    X, y = planted
    given = [labels[label] for label in y]
    display = ScoreDisplay.from_estimator(forest, X, given, bins=20)
    assert legend(display)[:2] == ["normal: 200", "anomaly: 20"]
    edges = np.histogram_bin_edges(forest.decision_function(X), 20)
    for bars, label in zip(display.bars_, (1, -1), strict=True):
        expected, _ = np.histogram(forest.decision_function(X[y == label]), edges)
        np.testing.assert_array_equal(counts(bars), expected)


def test_score_display_shows_rows_that_nobody_judged(planted, forest):
    X, y = planted
    display = ScoreDisplay.from_estimator(forest, X, np.where(np.arange(220) < 150, 0, y))
    assert legend(display)[:3] == ["normal: 50", "not judged: 150", "anomaly: 20"]


def test_score_display_of_any_scores(planted, forest):
    X, _ = planted
    display = ScoreDisplay.from_scores(
        forest.score_samples(X), threshold=forest.offset_, score_name="score_samples"
    )
    n_flagged = int((forest.predict(X) == -1).sum())
    assert legend(display)[0].startswith(f"flagged: {n_flagged} ")
    assert display.ax_.get_xlabel() == "score_samples"
    bare = ScoreDisplay.from_scores(forest.score_samples(X), threshold=None, density=True)
    assert bare.threshold_line_ is None
    assert bare.ax_.get_legend() is None
    assert bare.ax_.get_ylabel() == "Density"
    assert bare.bars_[0][0].get_xy()[:, 1].max() > 1
    # A threshold beyond the scores is still in the picture.
    far = ScoreDisplay.from_scores([1.0, 2.0, 3.0], threshold=-5)
    assert far.ax_.get_xlim()[0] == -5


def test_score_display_squeezes_long_tails():
    scores = np.concatenate([np.random.default_rng(0).normal(3, 1, 500), [-1e5, -1e3]])
    display = ScoreDisplay.from_scores(scores, log=True)
    assert (display.ax_.get_xscale(), display.ax_.get_yscale()) == ("asinh", "log")
    assert counts(display.bars_[0]).sum() == len(scores)
    # The bulk is more than a line: no bar holds most of the rows.
    assert counts(display.bars_[0]).max() < 0.8 * len(scores)
    assert 0 in display.ax_.get_xticks()
    assert ScoreDisplay.from_scores(scores, scale="linear").ax_.get_xscale() == "linear"
    assert ScoreDisplay.from_scores(scores[:500]).ax_.get_xscale() == "linear"
    assert ScoreDisplay.from_scores(np.ones(5)).ax_.get_xscale() == "linear"


def test_scores_that_overflow_stay_the_lowest():
    scores = np.append(np.arange(50.0), np.finfo(np.float64).min)
    display = ScoreDisplay.from_scores(scores, threshold=0.5)
    assert display.scores.argmin() == 50
    assert display.ax_.get_xlim()[0] > -10
    assert legend(display) == ["flagged: 2 (3.9%)"]
    display.figure_.canvas.draw()


# Curves.


DETECTORS = {
    "forest": IsolationForest(n_estimators=30, random_state=0),
    "novelty": LocalOutlierFactor(novelty=True),
    "pipeline": make_pipeline(StandardScaler(), OneClassSVM(nu=0.1)),
    "wrapped": ThresholdedDetector(IsolationForest(n_estimators=30, random_state=0)),
    "deep": make_detector("AutoEncoder"),
}


def assert_curves(roc, pr, det, y, y_score):
    """Check that three displays show the anomalies as the positive class."""
    is_anomaly = y == -1
    assert roc.roc_auc == pytest.approx(outlier_roc_auc_score(y, y_score))
    assert pr.average_precision == pytest.approx(outlier_average_precision_score(y, y_score))
    np.testing.assert_array_equal(
        drawn(roc.line_), np.transpose(roc_curve(is_anomaly, y_score)[:2])
    )
    precision, recall, _ = precision_recall_curve(is_anomaly, y_score)
    np.testing.assert_array_equal(drawn(pr.line_), np.transpose([recall, precision]))
    # Versions of scikit-learn differ in how many of the points on a straight line they keep.
    points = np.transpose(det_curve(is_anomaly, y_score)[:2])
    shown = np.transpose([det.fpr, det.fnr])
    assert len(drawn(det.line_)) == len(shown)
    assert all(np.abs(points - point).sum(axis=1).min() < 1e-12 for point in shown)


@pytest.mark.parametrize("name", list(DETECTORS))
def test_curves_have_the_right_sign(planted, name):
    X, y = planted
    # Anomalies so far out that every detector ranks them first.
    X = np.where((y == -1)[:, None], 10 * X, X)
    detector = DETECTORS[name].fit(X[y == 1])
    y_score = -detector.decision_function(X)
    assert outlier_roc_auc_score(y, y_score) > 0.9
    assert_curves(*(cls.from_estimator(detector, X, y) for cls in CURVES), y, y_score)


def test_curves_leave_out_rows_that_nobody_judged(planted, forest):
    X, y = planted
    y_score = -forest.decision_function(X)
    half = [cls.from_estimator(forest, X, np.where(np.arange(220) % 2, y, 0)) for cls in CURVES]
    assert_curves(*half, y[1::2], y_score[1::2])
    assert len(half[2].fpr) > 2


@pytest.mark.parametrize("cls", CURVES)
def test_curves_from_predictions(cls, planted, forest):
    X, y = planted
    y_score = -forest.decision_function(X)
    _, ax = plt.subplots()
    display = cls.from_estimator(forest, X, y, ax=ax, curve_kwargs={"color": "green"})
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.line_.get_color() == "green"
    assert display.ax_.get_legend().get_lines()[0].get_color() == "green"
    assert legend(display)[0].startswith("IsolationForest")
    assert ax.get_xlabel().endswith("(Positive label: anomaly)")
    # 0/1, with 1 for anomalies, are other labels of the same rows.
    binary = cls.from_predictions((y == -1).astype(int), y_score)
    np.testing.assert_array_equal(drawn(binary.line_), drawn(display.line_))
    assert legend(binary)[0].startswith("Detector")
    assert legend(cls.from_predictions(y, y_score, name="Mine"))[0].startswith("Mine")


def test_chance_levels(planted, forest):
    roc, pr = (
        display.from_estimator(forest, *planted, plot_chance_level=True)
        for display in CURVES[:2]
    )
    np.testing.assert_array_equal(drawn(roc.chance_level_), [[0, 0], [1, 1]])
    np.testing.assert_allclose(drawn(pr.chance_level_), [[0, 20 / 220], [1, 20 / 220]])


# Thresholds.


def test_threshold_display_agrees_with_the_metrics(planted, forest):
    X, y = planted
    display = ThresholdDisplay.from_estimator(forest, X, y)
    scores = forest.decision_function(X)
    for i in range(0, len(display.scores), 17):
        # A threshold just above a score flags it, as predict would.
        flagged = np.where(scores < np.nextafter(display.scores[i], np.inf), -1, 1)
        for values, metric in [
            (display.precision, outlier_precision_score),
            (display.recall, outlier_recall_score),
            (display.f1, outlier_f1_score),
        ]:
            assert values[i] == pytest.approx(metric(y, flagged))
        assert display.flagged[i] == pytest.approx(np.mean(flagged == -1))
    for line, values in zip(
        display.lines_, (display.precision, display.recall, display.f1), strict=True
    ):
        np.testing.assert_array_equal(drawn(line), np.transpose([display.scores, values]))
        # The values at a score hold up to the next score.
        assert line.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(display.threshold_line_.get_xdata(), [0, 0])
    f1 = outlier_scorers["f1"](forest, X, y)
    assert f"threshold (F1: {f1:.2f})" in legend(display)
    assert f"F1 (best: {display.f1.max():.2f})" in legend(display)
    assert display.f1.max() >= f1


def test_threshold_display_over_the_flagged_share(planted, forest):
    X, y = planted
    y01 = (y == -1).astype(int)
    display = ThresholdDisplay.from_estimator(forest, X, y01, x="flagged", linewidth=3)
    np.testing.assert_array_equal(display.lines_[1].get_xdata(), display.flagged)
    assert display.lines_[1].get_linewidth() == 3
    share = np.mean(forest.predict(X) == -1)
    np.testing.assert_allclose(display.threshold_line_.get_xdata(), share)
    assert display.ax_.get_xlabel() == "Share of rows flagged"
    assert display.flagged[-1] == display.recall[-1] == 1


def test_threshold_display_of_any_scores():
    scores, y = [-2.0, -1.0, -1.0, 1.0, 2.0, 9.0], [-1, 1, -1, -1, 1, 0]
    display = ThresholdDisplay.from_scores(scores, y, threshold=-2.0)
    # Equal scores make one threshold; the row that nobody judged makes none.
    np.testing.assert_array_equal(display.scores, [-2, -1, 1, 2])
    np.testing.assert_allclose(display.recall, [1 / 3, 2 / 3, 1, 1])
    np.testing.assert_allclose(display.precision, [1, 2 / 3, 3 / 4, 3 / 5])
    np.testing.assert_allclose(display.flagged, [1 / 5, 3 / 5, 4 / 5, 1])
    # The lowest score is the threshold, and nothing lies below it.
    assert "threshold (F1: 0.00)" in legend(display)
    assert ThresholdDisplay.from_scores(scores, y, threshold=None).threshold_line_ is None
    none_right = ThresholdDisplay.from_scores([-9e5, -1, 0, 1, 2], [1, 1, 0, 0, 0])
    assert none_right.ax_.get_xscale() == "asinh"
    with pytest.raises(ValueError, match="x must be 'score' or 'flagged', got 'share'"):
        display.plot(x="share")
    with pytest.raises(ValueError, match=r"scale must be 'auto', .* got 'log'"):
        display.plot(scale="log")


# Losses.


def test_loss_display_shows_the_history(deep):
    display = LossDisplay.from_estimator(deep)
    assert legend(display) == ["training", "validation"]
    for line, key in zip(display.lines_, ("train_loss", "valid_loss"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(line.get_ydata(), deep.history_[:, key])
    assert display.ax_.get_title() == "AutoEncoder"
    assert display.plot(log=True, name="deep").ax_.get_yscale() == "log"
    assert display.ax_.get_title() == "deep"


def test_loss_display_finds_the_history_inside(planted):
    X, y = planted
    pipeline = make_pipeline(StandardScaler(), make_detector("AutoEncoder", max_epochs=1))
    search = GridSearchCV(
        ThresholdedDetector(pipeline),
        {"threshold": ["mad", "iqr"]},
        scoring=outlier_scorers["roc_auc"],
        cv=2,
    )
    order = np.random.default_rng(0).permutation(len(X))
    search.fit(X[order], y[order])
    inner = search.best_estimator_.detector_[-1]
    for detector in (search, search.best_estimator_, search.best_estimator_.detector_):
        display = LossDisplay.from_estimator(detector)
        np.testing.assert_array_equal(
            drawn(display.lines_[0]), [[1, inner.history_[0]["train_loss"]]]
        )
        assert display.lines_[0].get_marker() == "o"


def test_loss_display_shows_every_loss(planted):
    detector = make_detector("BiGAN").fit(planted[0])
    display = LossDisplay.from_estimator(detector)
    assert legend(display) == ["training", "discriminator"]
    np.testing.assert_array_equal(
        display.losses["discriminator_loss"], detector.history_[:, "discriminator_loss"]
    )


def test_loss_display_leaves_gaps_where_no_rows_were_held_out(planted):
    detector = make_detector("AutoEncoder", max_epochs=1).fit(planted[0])
    detector.set_params(train_split=0.2).partial_fit(planted[0])
    losses = LossDisplay.from_estimator(detector).losses
    assert np.isnan(losses["valid_loss"]).tolist() == [True, False]


def test_loss_display_needs_a_history(forest):
    with pytest.raises(ValueError, match="IsolationForest has no history_: expected a deep"):
        LossDisplay.from_estimator(forest)
    with pytest.raises(NotFittedError):
        LossDisplay.from_estimator(make_detector("AutoEncoder"))
    with pytest.raises(NotFittedError):
        LossDisplay.from_estimator(ThresholdedDetector(make_detector("AutoEncoder")))


# Contributions.


def bar_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_contribution_display_shows_the_largest_and_the_sum(planted, deep):
    X, _ = planted
    expected = deep.explain(X[[7]])[0]
    display = ContributionDisplay.from_estimator(deep, X, row=7, max_features=4)
    order = np.argsort(-np.abs(expected))
    lengths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(lengths[:4], expected[order[:4]])
    assert sum(lengths) == pytest.approx(-deep.score_samples(X[[7]])[0])
    assert bar_labels(display)[0] == f"x{order[0]} = {X[7, order[0]]:.4g}"
    assert bar_labels(display)[4] == "2 other features"
    # The largest is at the top.
    assert display.ax_.yaxis_inverted()
    assert display.ax_.get_title() == "AutoEncoder, row 7"
    last = ContributionDisplay.from_estimator(deep, X, row=-1)
    assert last.ax_.get_title() == f"AutoEncoder, row {len(X) - 1}"
    np.testing.assert_allclose(last.contributions, deep.explain(X[[-1]])[0])
    assert len(last.bars_) == 6


def test_contribution_display_tells_signs_apart():
    display = ContributionDisplay(contributions=[-2.0, 1.0, 0.5], values=["red", 3, np.nan])
    display.plot(max_features=2)
    assert bar_labels(display) == ["x0 = red", "x1 = 3", "1 other feature"]
    assert [bar.get_width() for bar in display.bars_] == [-2, 1, 0.5]
    assert len({bar.get_facecolor() for bar in display.bars_}) == 3
    display = ContributionDisplay(contributions=[1.0], feature_names=["a"]).plot(color="k")
    assert bar_labels(display) == ["a"]


def test_contributions_that_are_there():
    table = pd.DataFrame({"colour": ["red", "blue"], "size": [1.5, 2.0]}, index=[7, 8])
    contributions = pd.DataFrame({"colour": [1.0, -2.0], "size": [3.0, 1.0]}, index=[7, 8])
    display = ContributionDisplay.from_contributions(contributions, table, row=1)
    assert bar_labels(display) == ["colour = blue", "size = 2"]
    assert [bar.get_width() for bar in display.bars_] == [-2, 1]
    assert display.ax_.get_title() == "Row 1"
    bare = ContributionDisplay.from_contributions([[1.0, 2.0]])
    assert bar_labels(bare) == ["x1", "x0"]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_contributions_behind_a_scaler_have_the_original_names_and_values(planted, frame):
    X, _ = planted
    X = 100 * X + 5
    table = frame(dict(zip("abcdef", X.T, strict=True)))
    detector = make_detector("AutoEncoder")
    pipeline = make_pipeline(StandardScaler(), detector).fit(table)
    expected = pipeline[-1].explain(pipeline[:-1].transform(table[3:4]))[0]
    top = np.abs(expected).argmax()
    wrapped = ThresholdedDetector(pipeline, calibration_size=None).fit(table)
    for given in (pipeline, wrapped):
        display = ContributionDisplay.from_estimator(given, table, row=3)
        np.testing.assert_allclose(display.contributions, expected)
        assert bar_labels(display)[0] == f"{'abcdef'[top]} = {X[3, top]:.4g}"


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_contributions_of_an_array_have_the_names_of_the_fit(planted):
    X, _ = planted
    table = pd.DataFrame(X, columns=list("abcdef"))
    wrapped = ThresholdedDetector(make_detector("AutoEncoder"), calibration_size=None)
    display = ContributionDisplay.from_estimator(wrapped.fit(table), X)
    values = dict(zip("abcdef", X[0], strict=True))
    assert set(bar_labels(display)) == {f"{name} = {x:.4g}" for name, x in values.items()}


def test_contributions_of_encoded_columns_have_the_encoded_names(planted):
    X, _ = planted
    table = pd.DataFrame({"size": X[:, 0], "colour": np.where(X[:, 1] > 0, "red", "blue")})
    encoder = ColumnTransformer(
        [("numbers", StandardScaler(), ["size"]), ("words", OneHotEncoder(), ["colour"])],
        verbose_feature_names_out=False,
    )
    pipeline = make_pipeline(encoder, make_detector("AutoEncoder")).fit(table)
    labels = bar_labels(ContributionDisplay.from_estimator(pipeline, table, row=0))
    red = float(X[0, 1] > 0)
    assert {f"colour_red = {red:.4g}", f"colour_blue = {1 - red:.4g}"} < set(labels)


def test_contributions_behind_a_transformer_without_names(planted):
    X, _ = planted
    pipeline = make_pipeline(
        FunctionTransformer(lambda X: X[:, :2] * 2), make_detector("AutoEncoder")
    )
    display = ContributionDisplay.from_estimator(pipeline.fit(X), X)
    assert set(bar_labels(display)) == {f"x{i} = {2 * X[0, i]:.4g}" for i in range(2)}
    named = ContributionDisplay.from_estimator(pipeline, X, feature_names=["a", "b"])
    assert {label[:2] for label in bar_labels(named)} == {"a ", "b "}


def test_contribution_display_of_a_pipeline_without_transformers(planted):
    pipeline = make_pipeline(make_detector("AutoEncoder")).fit(planted[0])
    assert len(ContributionDisplay.from_estimator(pipeline, planted[0]).bars_) == 6


def test_contribution_display_refuses_what_it_cannot_show(planted, forest, deep):
    X, _ = planted
    with pytest.raises(ValueError, match=r"IsolationForest has no explain\(X\): expected a"):
        ContributionDisplay.from_estimator(forest, X)
    with pytest.raises(ValueError, match="There is no row 220: X has 220 rows"):
        ContributionDisplay.from_estimator(deep, X, row=220)
    with pytest.raises(ValueError, match=r"of 6 features, and feature_names has 2\. Exp"):
        ContributionDisplay.from_estimator(deep, X, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="There is no row -2: X has 1 rows"):
        ContributionDisplay.from_contributions([[1.0, 2.0]], row=-2)
    with pytest.raises(ValueError, match=r"of 2 features, and X has 3\. Expected one for each"):
        ContributionDisplay.from_contributions([[1.0, 2.0]], [[1, 2, 3]])
    with pytest.raises(ValueError, match="max_features must be at least 1, got 0"):
        ContributionDisplay.from_estimator(deep, X, max_features=0)


# What they have in common.


@pytest.mark.parametrize("cls", [ScoreDisplay, ThresholdDisplay, *CURVES])
def test_labels_and_classifiers_are_refused(cls, planted, forest):
    X, y = planted
    with pytest.raises(ValueError, match="y_true holds only 1, which may mean normal"):
        cls.from_estimator(forest, X, np.ones(220))
    with pytest.raises(ValueError, match="y_true holds no anomalies"):
        cls.from_estimator(forest, X, np.zeros(220))
    with pytest.raises(ValueError, match="y_true must hold -1"):
        cls.from_estimator(forest, X, np.arange(220))
    if cls is not ScoreDisplay:
        with pytest.raises(ValueError, match="y_true is None"):
            cls.from_estimator(forest, X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cls.from_estimator(forest, X, y[:-1])
    with pytest.raises(ValueError, match="GaussianNB is a classifier, whose decision"):
        cls.from_estimator(GaussianNB().fit(X, y), X, y)
    draw = getattr(cls, "from_scores", None) or (lambda s, y: cls.from_predictions(y, s))
    with pytest.raises(ValueError, match="contains NaN"):
        draw(np.where(y == 1, 0.0, np.nan), y)


def test_all_draw_where_they_are_told(planted, forest, deep):
    X, y = planted
    for cls in (ScoreDisplay, ThresholdDisplay, *CURVES, LossDisplay, ContributionDisplay):
        arguments = (deep,) if cls is LossDisplay else (deep, X)
        arguments += (y,) if cls not in (LossDisplay, ContributionDisplay) else ()
        _, ax = plt.subplots()
        display = cls.from_estimator(*arguments, ax=ax, name="given")
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        assert "given" in (legend(display)[0] if cls in CURVES else ax.get_title())
        n_figures = len(plt.get_fignums())
        assert display.plot() is display
        assert len(plt.get_fignums()) == n_figures + 1
        display.figure_.canvas.draw()


def test_missing_matplotlib_is_named_with_the_extra(planted, deep, monkeypatch):
    X, y = planted
    drawn_before = ScoreDisplay.from_estimator(deep, X)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    message = r'drawn with matplotlib, .* pip install "skdeepanomaly\[plot\]"'
    for cls in (ScoreDisplay, ThresholdDisplay, *CURVES, LossDisplay, ContributionDisplay):
        arguments = (
            (deep,)
            if cls is LossDisplay
            else (deep, X, y)[: 2 if cls is ContributionDisplay else 3]
        )
        with pytest.raises(ImportError, match=message):
            cls.from_estimator(*arguments)
    with pytest.raises(ImportError, match=message):
        drawn_before.plot()
