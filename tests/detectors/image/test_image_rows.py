"""Which images the detectors of this family take, and in which shape they answer."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from conftest import make_detector
from sklearn.base import clone


def short(**params):
    """Make a detector of images whose training is short."""
    return make_detector("ConvAutoEncoder", **{"max_epochs": 2, "latent_dim": 4, **params})


def make_images(n=30, shape=(3, 8, 9), dtype=np.float32, seed=0):
    X = np.random.default_rng(seed).random((n, *shape))
    return np.round(255 * X).astype(np.uint8) if dtype == np.uint8 else X.astype(dtype)


COLOUR = make_images()
GREY = make_images(shape=(8, 9))


@pytest.mark.parametrize(("X", "shape"), [(GREY, (1, 8, 9)), (COLOUR, (3, 8, 9))])
def test_shapes_and_flat_rows_are_the_same_images(X, shape):
    shaped = short().fit(X)
    assert shaped.image_shape_ == shape
    assert shaped.n_features_in_ == np.prod(shape)
    flat = X.reshape(len(X), -1)
    scores = shaped.score_samples(X)
    for asked in (shape, X.shape[1:], list(X.shape[1:])):
        other = short(image_shape=asked).fit(flat)
        assert other.image_shape_ == shape
        np.testing.assert_array_equal(other.score_samples(X), scores)
    np.testing.assert_array_equal(shaped.score_samples(flat), scores)
    np.testing.assert_array_equal(shaped.score_samples(X.reshape(-1, *shape)), scores)


@pytest.mark.parametrize("X", [GREY, COLOUR, COLOUR.reshape(30, -1)])
def test_answers_have_the_shape_that_came_in(X):
    detector = short().fit(X)
    assert detector.reconstruct(X[:4]).shape == X[:4].shape
    contributions = detector.explain(X[:4])
    assert contributions.shape == X[:4].shape
    sums = contributions.reshape(4, -1).sum(axis=1)
    np.testing.assert_allclose(sums, -detector.score_samples(X[:4]), rtol=1e-5)
    flat = detector.explain(X[:4].reshape(4, -1))
    np.testing.assert_array_equal(flat, contributions.reshape(4, -1))


def test_flat_rows_without_a_shape_are_strips():
    detector = short().fit(GREY.reshape(30, -1))
    assert detector.image_shape_ == (1, 1, 72)
    detector.score_samples(GREY.reshape(30, 1, 72))
    with pytest.raises(ValueError, match=r"fitted on images of shape \(1, 1, 72\)"):
        detector.score_samples(GREY)


@pytest.mark.parametrize(
    "as_container",
    [
        list,
        lambda X: X.tolist(),
        torch.from_numpy,
        lambda X: list(torch.from_numpy(X)),
        lambda X: np.array([*list(X), None], dtype=object)[:-1],
        lambda X: pd.Series(list(X)),
        lambda X: np.asfortranarray(X),
        lambda X: X.astype(np.float64),
    ],
)
@pytest.mark.parametrize("X", [GREY, COLOUR])
def test_containers_of_images(X, as_container):
    detector = short().fit(as_container(X))
    expected = short().fit(X).score_samples(X)
    np.testing.assert_array_equal(detector.score_samples(as_container(X)), expected)
    assert detector.reconstruct(as_container(X)).shape == X.shape


def test_memory_maps_are_not_copied(tmp_path):
    np.save(tmp_path / "images.npy", COLOUR)
    X = np.load(tmp_path / "images.npy", mmap_mode="r")
    detector = short().fit(X)
    inside = detector._validate_X(X, reset=False, min_samples=1)
    assert np.shares_memory(inside, X)
    np.testing.assert_array_equal(
        detector.score_samples(X), short().fit(COLOUR).score_samples(COLOUR)
    )


BYTES = make_images(dtype=np.uint8)


@pytest.mark.parametrize(
    "as_container",
    [
        lambda X: X,
        lambda X: X.reshape(len(X), -1),
        lambda X: list(X),
        lambda X: pd.DataFrame(X.reshape(len(X), -1)),
        lambda X: pl.DataFrame(X.reshape(len(X), -1)),
    ],
)
@pytest.mark.filterwarnings("ignore:X (has|does not have) (feature|valid feature) names")
def test_bytes_are_scaled_wherever_they_come_from(as_container):
    before = BYTES.copy()
    detector = short(image_shape=(3, 8, 9)).fit(as_container(BYTES))
    scaled = short(image_shape=(3, 8, 9)).fit(BYTES / 255)
    scores = scaled.score_samples(BYTES / 255)
    np.testing.assert_array_equal(detector.score_samples(as_container(BYTES)), scores)
    np.testing.assert_array_equal(detector.score_samples(BYTES / 255), scores)
    np.testing.assert_array_equal(detector.score_samples(np.float32(BYTES) / 255), scores)
    np.testing.assert_array_equal(scaled.score_samples(BYTES), scores)
    np.testing.assert_array_equal(BYTES, before)


def test_bytes_of_a_frame_that_converts_to_a_read_only_array():
    column = BYTES[:, 0, 0, :1]
    frame = pd.DataFrame(column, columns=["grey"]).convert_dtypes()
    scores = short().fit(frame).score_samples(frame)
    np.testing.assert_array_equal(scores, short().fit(column / 255).score_samples(column / 255))


def test_another_scale_than_in_fit_is_refused():
    detector = short().fit(BYTES)
    for other in (BYTES.astype(int), BYTES.astype(np.float32)):
        with pytest.raises(ValueError, match=r"was fitted on X of dtype uint8.* up to 255"):
            detector.score_samples(other)
        with pytest.raises(ValueError, match="was fitted on X of dtype uint8"):
            detector.partial_fit(other)
    for other in (BYTES / 255 - 0.5, 2 * (BYTES / 255)):
        fitted = short().fit(other)
        with pytest.raises(ValueError, match=r"scales to \[0, 1\], but it was fitted on"):
            fitted.score_samples(BYTES)


def test_a_scale_that_is_no_scale_for_a_network_warns_once():
    message = r"root mean square of X is 1\d\d;.* Do not scale the columns one by one"
    with pytest.warns(UserWarning, match=message) as caught:
        short().fit(BYTES.astype(float))
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_columns_of_different_scale_are_no_reason_to_warn():
    X = COLOUR.copy()
    X[:, :, 0] *= 1e-4
    short().fit(X)


def nan_in(X):
    X = X.copy()
    X[2, 1, 3] = np.nan
    return X


REFUSED = {
    "NaN": ({}, nan_in(COLOUR), "contains NaN"),
    "five axes": ({}, COLOUR[None], r"X has 5 axes; .* takes \(n_samples, height"),
    "no images": ({}, COLOUR[:0], r"0 sample\(s\)"),
    "no pixels": ({}, COLOUR[:, :, :0], r"0 feature\(s\)"),
    "channels last": ({}, np.moveaxis(COLOUR, 1, -1), r"pass np\.moveaxis\(X, -1, 1\)"),
    "mixed shapes": (
        {},
        [np.ones((8, 8)), np.ones((8, 9)), np.ones((8, 8))],
        r"2 different shapes: \(8, 8\), \(8, 9\)\..*resize",
    ),
    "wrong product": (
        {"image_shape": (8, 8)},
        COLOUR.reshape(30, -1),
        r"image_shape=\(8, 8\) needs 64 columns, but X has 216",
    ),
    "another shape": (
        {"image_shape": (8, 9)},
        COLOUR,
        r"X holds images of shape \(3, 8, 9\), but image_shape is \(8, 9\)",
    ),
    "one number": ({"image_shape": (72,)}, GREY, r"image_shape must be \(height, width\)"),
    "zero": ({"image_shape": (0, 8)}, GREY, "positive ints"),
    "fractions": ({"image_shape": (8.0, 9.0)}, GREY, "positive ints"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_fit(case):
    params, X, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        short(**params).fit(X)


@pytest.mark.parametrize(
    ("fitted_on", "X", "message"),
    [
        (COLOUR, COLOUR[:, :, :-1], r"shape \(30, 3, 7, 9\).* fitted on images of shape"),
        (COLOUR, COLOUR.transpose(0, 1, 3, 2), r"shape \(30, 3, 9, 8\)"),
        (COLOUR, COLOUR.reshape(30, 24, 9), r"shape \(30, 24, 9\)"),
        (COLOUR, np.moveaxis(COLOUR, 1, -1), r"pass np\.moveaxis\(X, -1, 1\)"),
        (COLOUR, COLOUR[0], r"A single image needs a first axis: pass X\[None\]"),
        (GREY, GREY[0], r"A single image needs a first axis: pass X\[None\]"),
        (GREY, GREY.reshape(30, -1)[:, :-1], r"has 71 features, but .* is expecting 72"),
        (GREY, nan_in(GREY), "contains NaN"),
    ],
)
def test_refused_after_fit(fitted_on, X, message):
    detector = short().fit(fitted_on)
    for method in (detector.score_samples, detector.explain, detector.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(X)
    assert detector.score_samples(fitted_on).shape == (30,)


def test_an_explicit_shape_settles_what_looks_like_channels_last():
    X = make_images(shape=(8, 9, 3))
    assert short(image_shape=(8, 9, 3)).fit(X).score_samples(X).shape == (30,)


def test_a_failed_fit_keeps_the_former_shape():
    detector = short().fit(COLOUR)
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(nan_in(make_images(shape=(3, 10, 10))))
    assert detector.image_shape_ == (3, 8, 9)
    assert not hasattr(clone(detector), "image_shape_")


@pytest.mark.parametrize("X", [COLOUR, GREY])
def test_detectors_of_rows_name_the_family_of_images(X):
    message = f"dim {X.ndim}, .* by AutoEncoder. The detectors of images"
    with pytest.raises(ValueError, match=message):
        make_detector("AutoEncoder").fit(X)
    with pytest.raises(ValueError, match=re.compile(message)):
        make_detector("AutoEncoder").fit(X.tolist())
