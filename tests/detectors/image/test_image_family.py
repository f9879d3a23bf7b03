"""What all detectors of images have in common, on images of many shapes."""

import pickle

import numpy as np
import pytest
import torch
from conftest import IMAGE, make_detector

every_image_detector = pytest.mark.parametrize("name", IMAGE)


def draw_images(n, shape, seed=0):
    """Draw smooth images in [0, 1]: a bright bar at a random place on a dark ground."""
    rng = np.random.default_rng(seed)
    X = 0.1 * rng.random((n, *shape))
    for image, place in zip(X, rng.integers(0, shape[-1], size=n), strict=True):
        image[..., place] += 0.8
    return X.astype(np.float32)


SHAPES = [(8, 8), (17, 9), (3, 8, 11), (1, 30), (30, 1), (2, 1, 7), (1, 1, 1), (2, 3), (28, 28)]


@every_image_detector
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_height_and_width(name, shape):
    X = draw_images(12, shape)
    detector = make_detector(name, max_epochs=1).fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert detector.explain(X[:2]).shape == (2, *shape)
    for method, given in (("reconstruct", X[:2]), ("sample", 2)):
        if hasattr(detector, method):
            made = getattr(detector, method)(given)
            assert made.shape == (2, *shape)
            assert np.isfinite(made).all()


@every_image_detector
def test_images_and_flat_rows_give_the_same_bits(name):
    X = draw_images(40, (3, 8, 9))
    flat = X.reshape(len(X), -1)
    scores = make_detector(name).fit(X).score_samples(X)
    detector = make_detector(name, image_shape=(3, 8, 9)).fit(flat)
    np.testing.assert_array_equal(detector.score_samples(flat), scores)
    np.testing.assert_array_equal(detector.score_samples(X), scores)
    np.testing.assert_array_equal(make_detector(name).fit_predict(X), detector.predict(flat))
    further = [
        make_detector(name, image_shape=asked).fit(rows).partial_fit(rows).score_samples(rows)
        for asked, rows in (
            (None, np.tile(X, (2, 1, 1, 1))),
            ((3, 8, 9), np.tile(flat, (2, 1))),
        )
    ]
    np.testing.assert_array_equal(*further)


@every_image_detector
@pytest.mark.parametrize("shape", [(8, 8), (3, 20, 17)])
def test_a_score_does_not_depend_on_the_other_images(name, shape):
    X = draw_images(1100, shape)
    detector = make_detector(name, max_epochs=1).fit(X[:100])
    scores = detector.score_samples(X)
    for rows in ([7], [0, 1099, 700], range(70), range(1, 1100), range(1099, -1, -1)):
        np.testing.assert_array_equal(detector.score_samples(X[list(rows)]), scores[list(rows)])


@every_image_detector
def test_a_pickle_answers_alike(name):
    X = draw_images(30, (16, 16))
    detector = make_detector(name).fit(X)
    loaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(loaded.score_samples(X), detector.score_samples(X))
    np.testing.assert_array_equal(loaded.explain(X), detector.explain(X))


@every_image_detector
@pytest.mark.parametrize("channels", [(), (0,), (2.5,)])
def test_channels_that_are_none_are_refused(name, channels):
    with pytest.raises(ValueError, match="channels must hold positive ints"):
        make_detector(name, channels=channels).fit(draw_images(10, (8, 8)))


@every_image_detector
def test_the_pixels_of_the_border_are_no_reason_to_warn(name):
    X = draw_images(30, (8, 8))
    X[:, 0] = 0
    X[:, -1] *= 1e-4
    make_detector(name, max_epochs=1).fit(X)


@every_image_detector
def test_augmentation_is_for_training_alone(name):
    seen = []

    def record(images):
        assert images.shape[1:] == (3, 8, 9)
        seen.append(len(images))
        return images + 0.1 * torch.rand_like(images)

    X = draw_images(40, (3, 8, 9))
    plain = make_detector(name).fit(X).score_samples(X)
    detector = make_detector(name, augmentation=record).fit(X)
    n_steps = len(seen)
    assert n_steps >= detector.n_epochs_
    scores = detector.score_samples(X)
    detector.explain(X[:2])
    assert len(seen) == n_steps
    assert not np.array_equal(scores, plain)
    again = make_detector(name, augmentation=record).fit(X).score_samples(X)
    np.testing.assert_array_equal(again, scores)
    other = make_detector(name, augmentation=record, random_state=1).fit(X).score_samples(X)
    assert not np.array_equal(other, scores)


@every_image_detector
def test_augmentation_may_change_between_fits(name):
    X = draw_images(60, (8, 8))
    seen = []

    def record(images):
        seen.append(len(images))
        return images

    detector = make_detector(name, augmentation=torch.nn.Identity()).fit(X)
    detector.set_params(augmentation=record).partial_fit(X)
    assert seen
    n_steps = len(seen)
    detector.set_params(augmentation=None).partial_fit(X)
    assert len(seen) == n_steps


@pytest.mark.parametrize(
    "wrong", [lambda x: x[:, :, 1:], lambda x: None, lambda x: x.flatten(1)]
)
def test_an_augmentation_that_changes_the_shape_is_refused(wrong):
    detector = make_detector("ConvAutoEncoder", augmentation=wrong)
    with pytest.raises(ValueError, match=r"augmentation returned .*expected a tensor"):
        detector.fit(draw_images(20, (8, 8)))
