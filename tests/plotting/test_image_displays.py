"""Tests of the displays of images and codes: they show what the detectors return."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from conftest import make_detector, make_planted
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdeepanomaly import (
    LatentDisplay,
    ReconstructionDisplay,
    SampleDisplay,
    SampleRecorder,
    ThresholdedDetector,
)

DIGITS = load_digits().images[:120] / 16
COLOURS = np.random.default_rng(0).uniform(size=(60, 3, 8, 10))


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def detector():
    return make_detector("ConvAutoEncoder").fit(DIGITS)


@pytest.fixture(scope="module")
def generator():
    recorder = SampleRecorder([0, 2, 3, 9], n_samples=5, random_state=1)
    return make_detector("ConvGAN", callbacks=[recorder]).fit(DIGITS)


def shown(images):
    """Return the values that tiles show."""
    return np.array([image.get_array() for image in images])


def row_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


# Reconstructions.


def test_reconstructions_of_the_worst_images(detector):
    display = ReconstructionDisplay.from_estimator(detector, DIGITS, n_images=3)
    scores = detector.decision_function(DIGITS)
    worst = np.argsort(scores)[:3]
    rebuilt = detector.reconstruct(DIGITS[worst])
    expected = {
        "input": DIGITS[worst],
        "rebuilt": rebuilt,
        "error": rebuilt - DIGITS[worst],
        "heat map": detector.explain(DIGITS[worst]),
    }
    assert list(display.images_) == list(expected)
    for title, values in expected.items():
        np.testing.assert_allclose(shown(display.images_[title]), values, atol=1e-6)
    assert row_labels(display) == [f"image {i}\ndecision {scores[i]:.3g}" for i in worst]
    colors = [label.get_color() for label in display.ax_.get_yticklabels()]
    assert colors == ["tab:red" if scores[i] < 0 else "black" for i in worst]
    assert display.ax_.get_title() == "ConvAutoEncoder"


def test_tiles_lie_in_a_grid_from_the_top(detector):
    display = ReconstructionDisplay.from_estimator(detector, DIGITS, n_images=3)
    extents = np.array([[tile.get_extent() for tile in c] for c in display.images_.values()])
    left, right, bottom, top = np.moveaxis(extents, -1, 0)
    assert (np.diff(left, axis=0) > right[0, 0] - left[0, 0]).all()
    assert (top[:, 1:] > bottom[:, :-1]).all()
    (x0, x1), (y0, y1) = display.ax_.get_xlim(), display.ax_.get_ylim()
    # The vertical axis points down, and all tiles are in sight.
    assert x0 < left.min() < right.max() < x1
    assert y1 < top.min() < bottom.max() < y0


def test_colours_are_shared_in_a_column(detector):
    display = ReconstructionDisplay.from_estimator(detector, DIGITS, n_images=4)
    limits = {t: {tile.get_clim() for tile in c} for t, c in display.images_.items()}
    assert all(len(found) == 1 for found in limits.values())
    assert limits["input"] == limits["rebuilt"]
    ((low, high),) = limits["error"]
    assert low == -high == -np.abs(shown(display.images_["error"])).max()
    ((low, high),) = limits["heat map"]
    assert (low, high) == (0, shown(display.images_["heat map"]).max())
    assert [bar.mappable for bar in display.colorbars_] == [
        display.images_[title][0] for title in ("error", "heat map")
    ]


@pytest.mark.parametrize("as_bytes", [False, True])
def test_reconstructions_in_colours(as_bytes):
    X = (COLOURS * 255).astype(np.uint8) if as_bytes else COLOURS
    detector = make_detector("ConvAutoEncoder").fit(X)
    display = ReconstructionDisplay.from_estimator(detector, X, n_images=2)
    worst = np.argsort(detector.score_samples(X))[:2]
    # Colours are shown as they are, those of bytes on the scale of the detector.
    inputs = np.moveaxis(COLOURS[worst], 1, -1)
    np.testing.assert_allclose(shown(display.images_["input"]), inputs, atol=1 / 255)
    errors = detector.reconstruct(X[worst]) - np.moveaxis(inputs, -1, 1)
    # One channel is shown: errors of two channels do not cancel.
    largest = np.abs(errors).max(axis=1)
    np.testing.assert_allclose(np.abs(shown(display.images_["error"])), largest, atol=0.01)
    maps = detector.explain(X[worst]).sum(axis=1)
    np.testing.assert_allclose(shown(display.images_["heat map"]), maps)
    np.testing.assert_allclose(
        shown(display.images_["heat map"]).sum(axis=(1, 2)),
        -detector.score_samples(X[worst]),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["ConvDeepSVDD", "ConvGAN", "ConvVariationalAutoEncoder"])
def test_every_detector_of_images_is_drawn(name):
    detector = make_detector(name, max_epochs=1).fit(DIGITS[:40])
    display = ReconstructionDisplay.from_estimator(detector, DIGITS[:5], n_images=9)
    titles = list(display.images_)
    assert titles[0] == "input"
    assert titles[-1] == "heat map"
    assert ("rebuilt" in titles) == hasattr(detector, "reconstruct")
    assert len(display.images_["input"]) == 5
    # Heat maps with a sign have white at zero.
    low, high = display.images_["heat map"][0].get_clim()
    if shown(display.images_["heat map"]).min() < 0:
        assert low == -high
    display.figure_.canvas.draw()


def test_reconstructions_inside_of_pipelines(detector):
    flat = DIGITS.reshape(len(DIGITS), -1) * 16
    inside = make_detector("ConvAutoEncoder", image_shape=(8, 8))
    pipeline = make_pipeline(FunctionTransformer(lambda X: X / 16), inside).fit(flat)
    wrapped = ThresholdedDetector(pipeline, calibration_size=None).fit(flat)
    for outer in (pipeline, wrapped):
        display = ReconstructionDisplay.from_estimator(outer, flat, n_images=2)
        worst = np.argsort(outer.decision_function(flat))[:2]
        np.testing.assert_array_equal(display.positions, worst)
        # As the detector sees them.
        np.testing.assert_allclose(shown(display.images_["input"]), DIGITS[worst])
        assert display.ax_.get_title() == "ConvAutoEncoder"


def test_reconstructions_of_a_detector_of_tables():
    flat = DIGITS.reshape(len(DIGITS), -1)
    detector = make_detector("AutoEncoder", standardize_errors=False).fit(flat)
    display = ReconstructionDisplay.from_estimator(detector, flat, image_shape=(8, 8))
    worst = np.argsort(detector.decision_function(flat))[:5]
    np.testing.assert_allclose(shown(display.images_["input"]), DIGITS[worst])
    with pytest.raises(ValueError, match=r"shape \(64,\) are no images of shape \(64,\).*pass"):
        ReconstructionDisplay.from_estimator(detector, flat)
    with pytest.raises(ValueError, match=r"\(64,\) are no images of shape \(8, 9\)"):
        ReconstructionDisplay.from_estimator(detector, flat, image_shape=(8, 9))


def test_reconstructions_that_are_there(detector):
    rebuilt, maps = detector.reconstruct(DIGITS), detector.explain(DIGITS)
    scores = detector.decision_function(DIGITS)
    given = ReconstructionDisplay.from_images(DIGITS, rebuilt, maps, scores=scores)
    drawn = ReconstructionDisplay.from_estimator(detector, DIGITS)
    for title, images in drawn.images_.items():
        np.testing.assert_allclose(shown(given.images_[title]), shown(images), atol=1e-6)
    assert row_labels(given) == row_labels(drawn)
    bare = ReconstructionDisplay.from_images(DIGITS, n_images=2)
    assert list(bare.images_) == ["input"]
    assert row_labels(bare) == ["image 0", "image 1"]
    with pytest.raises(ValueError, match=r"have one shape, got \(120, 8, 8\), \(3, 8, 8\)"):
        ReconstructionDisplay.from_images(DIGITS, rebuilt[:3])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ReconstructionDisplay.from_images(DIGITS, scores=[1.0])
    with pytest.raises(ValueError, match="n_images must be at least 1, got 0"):
        ReconstructionDisplay.from_images(DIGITS, n_images=0)


def test_reconstruction_display_refuses_other_detectors():
    forest = IsolationForest(n_estimators=5, random_state=0).fit(DIGITS.reshape(120, -1))
    with pytest.raises(ValueError, match="IsolationForest has no explain or reconstruct"):
        ReconstructionDisplay.from_estimator(forest, DIGITS.reshape(120, -1))


# Samples.


def test_samples_at_one_moment(generator):
    display = SampleDisplay.from_estimator(generator, n_samples=7, random_state=3)
    assert [len(row) for row in display.images_] == [3, 3, 1]
    tiles = [tile for row in display.images_ for tile in row]
    np.testing.assert_allclose(shown(tiles), generator.sample(7, random_state=3))
    assert len({tile.get_clim() for tile in tiles}) == 1
    assert display.ax_.get_title() == "ConvGAN"


def test_samples_as_training_goes_on(generator):
    display = SampleDisplay.from_training(generator)
    # Epoch 9 was not reached.
    assert row_labels(display) == ["epoch 0", "epoch 2", "epoch 3"]
    last = generator.sample(5, random_state=1)
    np.testing.assert_allclose(shown(display.images_[-1]), last)
    assert not np.allclose(shown(display.images_[0]), last)
    pipeline = make_pipeline(FunctionTransformer(), generator)
    assert row_labels(SampleDisplay.from_training(pipeline)) == row_labels(display)


def test_samples_of_colours_and_of_tables():
    recorder = SampleRecorder([1], n_samples=2)
    detector = make_detector("ConvGAN", callbacks=[recorder], max_epochs=1).fit(COLOURS)
    display = SampleDisplay.from_training(detector)
    assert shown(display.images_[0]).shape == (2, 8, 10, 3)
    table = make_detector("GAN", max_epochs=1).fit(DIGITS.reshape(120, -1))
    drawn = SampleDisplay.from_estimator(table, n_samples=4, image_shape=(8, 8))
    assert shown(drawn.images_[0]).shape == (2, 8, 8)
    with pytest.raises(ValueError, match="are no images of shape"):
        SampleDisplay.from_estimator(table)


def test_sample_display_refuses_what_it_cannot_show(detector):
    with pytest.raises(ValueError, match="ConvAutoEncoder has no sample: expected a detector"):
        SampleDisplay.from_estimator(detector)
    silent = make_detector("ConvGAN", max_epochs=1, callbacks=[SampleRecorder([5])]).fit(DIGITS)
    with pytest.raises(ValueError, match="ConvGAN has no recorded samples: put a SampleRec"):
        SampleDisplay.from_training(silent)


# Codes.


@pytest.fixture(scope="module")
def planted():
    return make_planted(200, 20)


def test_codes_of_a_table_coloured_by_the_score(planted):
    X, _ = planted
    detector = make_pipeline(StandardScaler(), make_detector("AutoEncoder", latent_dim=4))
    display = LatentDisplay.from_estimator(detector.fit(X), X)
    codes = detector[-1].encode(detector[:-1].transform(X))
    pca = PCA(2).fit(codes.astype(float))
    np.testing.assert_allclose(display.points, pca.transform(codes), atol=1e-5)
    scores = detector.decision_function(X)
    (points,) = display.points_
    # The most abnormal rows are drawn last, over the others.
    order = np.argsort(-scores, kind="stable")
    np.testing.assert_allclose(points.get_array(), scores[order])
    np.testing.assert_allclose(points.get_offsets(), display.points[order])
    share = pca.explained_variance_ratio_[0]
    assert display.ax_.get_xlabel() == f"Principal component 1 ({share:.0%} of the variance)"
    assert display.ax_.get_title() == "AutoEncoder"
    assert display.colorbar_.mappable.get_clim() == (scores.min(), scores.max())


def test_codes_with_the_truth(planted):
    X, y = planted
    detector = make_detector("AutoEncoder", latent_dim=2).fit(X)
    y = np.where(np.arange(220) < 50, 0, y)
    display = LatentDisplay.from_estimator(detector, X, y, name="given")
    np.testing.assert_allclose(display.points, detector.encode(X)[50:])
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["normal: 150", "anomaly: 20"]
    assert [len(points.get_offsets()) for points in display.points_] == [150, 20]
    # Both classes have one scale of colours.
    assert len({points.get_clim() for points in display.points_}) == 1
    scores = detector.decision_function(X)[y == -1]
    np.testing.assert_allclose(np.sort(display.points_[1].get_array()), np.sort(scores))
    display.figure_.canvas.draw()


def test_codes_of_images(detector):
    display = LatentDisplay.from_estimator(detector, DIGITS)
    assert display.points.shape == (120, 2)


def test_codes_of_any_width_and_scores_of_any_range():
    rng = np.random.default_rng(0)
    scores = np.append(rng.normal(3, 1, 300), -1e5)
    single = LatentDisplay.from_codes(rng.normal(size=(301, 1)), scores, score_name="depth")
    np.testing.assert_array_equal(single.points[:, 1], scores)
    assert single.ax_.get_ylabel() == single.colorbar_.ax.get_ylabel() == "depth"
    # One extreme score does not turn all others to one colour.
    norm = single.points_[0].norm
    assert np.ptp(norm(np.sort(scores)[1:])) > 0.1
    assert (
        np.ptp(
            LatentDisplay.from_codes(rng.normal(size=(301, 3)), scores)
            .plot(scale="linear")
            .points_[0]
            .norm(np.sort(scores)[1:])
        )
        < 0.01
    )
    equal = LatentDisplay.from_codes(np.ones((5, 3)), np.arange(5.0))
    assert (equal.points == 0).all()
    equal.figure_.canvas.draw()
    with pytest.raises(ValueError, match=r"of 3 values need at least 2 rows.* got 1"):
        LatentDisplay.from_codes([[1.0, 2.0, 3.0]], [1.0])
    with pytest.raises(ValueError, match="Input codes contains NaN"):
        LatentDisplay.from_codes([[np.nan, 2.0]], [1.0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LatentDisplay.from_codes([[1.0, 2.0]], [1.0, 2.0])


def test_latent_display_refuses_detectors_without_codes(generator):
    with pytest.raises(ValueError, match="ConvGAN has no encode: expected a detector that has"):
        LatentDisplay.from_estimator(generator, DIGITS)


# What they have in common.


@pytest.mark.parametrize("cls", [ReconstructionDisplay, SampleDisplay, LatentDisplay])
def test_image_displays_draw_where_they_are_told(cls, detector, generator):
    _, ax = plt.subplots()
    arguments = (generator,) if cls is SampleDisplay else (detector, DIGITS)
    display = cls.from_estimator(*arguments, ax=ax, name="given")
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_title() == "given"
    n_figures = len(plt.get_fignums())
    assert display.plot() is display
    assert len(plt.get_fignums()) == n_figures + 1
    display.figure_.canvas.draw()


@pytest.mark.parametrize("shape", [(1, 1, 60), (2, 8, 8), (4, 8, 8), (3, 40, 8), (8, 30)])
def test_images_of_any_shape(shape):
    X = np.random.default_rng(0).uniform(-1, 3, size=(4, *shape))
    display = ReconstructionDisplay.from_images(X, X / 2, -X)
    channels = X.reshape(4, -1, *shape[-2:])
    if channels.shape[1] != 3:
        # Channels that are no colours are shown by their mean.
        np.testing.assert_allclose(shown(display.images_["input"]), channels.mean(axis=1))
    assert shown(display.images_["heat map"]).shape == (4, *shape[-2:])
    display.figure_.canvas.draw()


def test_images_without_contrast():
    black = np.zeros((2, 8, 8))
    display = ReconstructionDisplay.from_images(black, black, black)
    assert (shown(display.images_["error"]) == 0).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize("kind", [list, torch.from_numpy])
def test_images_in_other_containers(detector, kind):
    display = ReconstructionDisplay.from_estimator(detector, kind(DIGITS))
    expected = ReconstructionDisplay.from_estimator(detector, DIGITS)
    np.testing.assert_array_equal(display.positions, expected.positions)
    np.testing.assert_array_equal(display.images, expected.images)


@pytest.mark.parametrize("cls", [ReconstructionDisplay, SampleDisplay, LatentDisplay])
def test_image_displays_name_missing_matplotlib(cls, detector, generator, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    arguments = (generator,) if cls is SampleDisplay else (detector, DIGITS)
    with pytest.raises(ImportError, match=r'pip install "skdeepanomaly\[plot\]"'):
        cls.from_estimator(*arguments)
