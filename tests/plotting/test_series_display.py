"""A series above its scores."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import SeriesDisplay, SlidingWindowDetector, UnivariateDetector


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def series():
    t = np.arange(300)
    X = np.column_stack([np.sin(t / 5), np.cos(t / 5)])
    X[200:204] += 4
    X[250] -= 4
    y = np.ones(300, dtype=int)
    y[200:204] = y[250] = -1
    return X, y


def test_what_is_drawn(series):
    X, y = series
    detector = SlidingWindowDetector(UnivariateDetector(), window=6).fit(X[:150])
    display = SeriesDisplay.from_estimator(detector, X, y)
    above, below = display.axes_
    assert [len(line.get_xdata()) for line in above.lines] == [300, 300]
    np.testing.assert_array_equal(
        display.score_line_.get_ydata(), detector.decision_function(X)
    )
    np.testing.assert_array_equal(
        display.flags_.get_xdata(), np.flatnonzero(detector.predict(X) == -1)
    )
    # Two spans in both axes, the first one from half a step before to half a step after.
    assert len(display.spans_) == 4
    assert display.spans_[0].get_x() == 199.5
    assert display.spans_[0].get_width() == 4
    assert above.get_title() == "SlidingWindowDetector"
    assert below.get_ylabel() == "Decision function"
    assert [t.get_text() for t in below.get_legend().get_texts()] == ["flagged", "anomaly"]


def test_dates_and_names_of_channels(series):
    X, y = series
    frame = pd.DataFrame(X, columns=["load", "heat"])
    frame.index = pd.date_range("2024-01-01", periods=300, freq="h")
    detector = make_pipeline(
        StandardScaler().set_output(transform="pandas"), UnivariateDetector()
    )
    display = SeriesDisplay.from_estimator(detector.fit(frame), frame, y)
    assert display.lines_[0].get_xdata()[0] == np.datetime64("2024-01-01")
    texts = display.axes_[0].get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["load", "heat"]
    assert display.axes_[1].get_xlabel() == "Time"
    display.figure_.canvas.draw()
    given = SeriesDisplay.from_scores(X, -X[:, 0], time=np.arange(300) / 4, threshold=None)
    assert given.lines_[0].get_xdata()[-1] == 74.75
    assert given.flags_ is None
    assert given.spans_ == []
    assert given.axes_[1].get_legend() is None


def test_in_given_axes(series):
    X, y = series
    figure, axes = plt.subplots(1, 2)
    display = SeriesDisplay.from_scores(X, -np.abs(X[:, 0]), y, threshold=-2, axes=axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match=r"axes must be two.* got 1"):
        display.plot(axes[0])


def test_wrong_input(series):
    X, y = series
    with pytest.raises(ValueError, match="a list of 2 series, expected one"):
        SeriesDisplay.from_estimator(UnivariateDetector().fit(X), [X, X])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SeriesDisplay.from_scores(X, y[:5])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SeriesDisplay.from_scores(X, y, time=np.arange(5))
    with pytest.raises(ValueError, match="is a classifier"):
        SeriesDisplay.from_estimator(LogisticRegression().fit(X, y), X)
