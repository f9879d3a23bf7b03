"""Equal rows have equal scores, bit for bit, wherever they stand in a table."""

import numpy as np
import pytest
from conftest import (
    DETECTORS,
    EXPORTED,
    IMAGE,
    SEVERAL,
    UNTRAINED,
    make_detector,
    make_rows,
)

# Processors differ in the widths of layers at which they round rows by their position.
WIDTHS = [
    {"hidden_dims": (9, 6), "latent_dim": 5, "n_fourier_features": 9},
    {"hidden_dims": (16,), "latent_dim": 10, "n_fourier_features": 13},
]
MORE = [
    ("RegressionResidual", {"model": "additive"}),
    ("RegressionResidual", {"model": "linear"}),
    ("GAN", {"score_type": "discriminator", "spectral_norm": True}),
    ("AdversarialAutoEncoder", {"score_type": "both", "tied": True}),
    ("DeepOneClassSVM", {"joint": False}),
    ("AutoEncoder", {"n_members": 3, "tied": True}),
    *((name, {"n_members": 3}) for name in SEVERAL),
]


@pytest.mark.parametrize(
    ("name", "params"), [*((name, {}) for name in DETECTORS), *MORE], ids=str
)
def test_score_does_not_depend_on_the_position(name, params):
    known = DETECTORS[name]().get_params()
    for n_features, widths in zip((7, 27), WIDTHS, strict=True):
        widths = {n: value for n, value in widths.items() if n in known}
        X = make_rows(40, n_features)
        detector = make_detector(name, **widths | params, max_epochs=1).fit(X)
        for row in X[:5]:
            scores = detector.score_samples(np.tile(row, (64, 1)))
            np.testing.assert_array_equal(scores, scores[0])


IMAGES = [
    *((name, {}) for name in IMAGE),
    *((name, {}) for name in UNTRAINED),
    ("ConvAutoEncoder", {"stem": "pixels"}),
    ("ConvDeepSVDD", {"stem": "pixels"}),
    ("ConvBiGAN", {"stem": "pixels"}),
    ("ConvGAN", {"score_type": "mix"}),
    ("ConvVariationalAutoEncoder", {"score_type": "elbo"}),
]


@pytest.mark.parametrize(("name", "params"), IMAGES, ids=str)
@pytest.mark.parametrize("shape", [(28, 28), (3, 16, 16)], ids=str)
def test_score_of_an_image_does_not_depend_on_the_position(name, params, shape):
    X = np.random.default_rng(0).random((40, *shape), dtype=np.float32)
    known = EXPORTED[name]().get_params()
    small = {"channels": (9, 5), "latent_dim": 5, "max_epochs": 1}
    params = {n: value for n, value in small.items() if n in known} | params
    detector = make_detector(name, classes=EXPORTED, **params).fit(X)
    for image in X[:3]:
        scores = detector.score_samples(np.repeat(image[None], 64, axis=0))
        np.testing.assert_array_equal(scores, scores[0])
    # Among others, and in a block of another size.
    expected = detector.score_samples(X)
    many = detector.score_samples(np.concatenate([X] * 26))
    np.testing.assert_array_equal(many, np.tile(expected, 26))
