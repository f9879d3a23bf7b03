"""Deep SVDD, the variational auto-encoder and the GANs on images."""

import numpy as np
import pytest
import torch
from conftest import make_detector
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ConvDeepSVDD, ConvGAN, ConvVariationalAutoEncoder
from skdeepanomaly.detectors.image import GradientStem, ImageReconstructionLoss


@pytest.fixture(scope="module")
def digits():
    """Return images of 0, and other images with their truth (1: a 0)."""
    data = load_digits()
    X, is_zero = data.images / 16, data.target == 0
    train = np.flatnonzero(is_zero)[:120]
    test = np.setdiff1d(np.arange(len(X)), train)[::3]
    return X[train], X[test], is_zero[test]


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (ConvDeepSVDD, {}),
        (ConvDeepSVDD, {"soft_boundary": True}),
        (ConvVariationalAutoEncoder, {"max_epochs": 40}),
        (ConvVariationalAutoEncoder, {"max_epochs": 40, "likelihood": "gaussian"}),
        (ConvGAN, {"max_epochs": 60}),
    ],
)
def test_digits(digits, cls, params):
    X, X_test, y = digits
    detector = cls(random_state=0, **params).fit(X)
    assert roc_auc_score(y, detector.score_samples(X_test)) > 0.95


@pytest.mark.parametrize("stem", ["pixels", "gradients"])
def test_the_pretraining_rebuilds_what_the_encoder_sees(stem):
    X = np.random.default_rng(0).random((40, 3, 16, 12), dtype=np.float32)
    detector = make_detector("ConvDeepSVDD", stem=stem, channels=(3, 5)).fit(X)
    rows = torch.from_numpy(X.reshape(40, -1))
    (net,) = detector._pretraining_nets(X.reshape(40, -1))
    assert isinstance(net.criterion_, ImageReconstructionLoss)
    seen = detector.net_.module_.stem(rows)
    rebuilt = net.module_(rows)
    assert rebuilt.shape == seen.shape
    torch.testing.assert_close(net.criterion_(rebuilt, rows), (rebuilt - seen).square().mean())
    weights = dict(detector.net_.module_.named_parameters())
    assert not [name for name in weights if "bias" in name]
    assert net.module_[0] is detector.net_.module_


def test_augmentation_is_in_the_pretraining_too():
    seen = []

    def record(images):
        seen.append(len(images))
        return images

    X = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
    params = {"augmentation": record, "pretrain_epochs": 3, "max_epochs": 2, "batch_size": 40}
    make_detector("ConvDeepSVDD", **params).fit(X)
    assert len(seen) == 5


def test_the_likelihood_follows_the_range(digits):
    X, _, _ = digits
    cases = [
        ({}, X, "Bernoulli"),
        ({}, (255 * X).astype(np.uint8), "Bernoulli"),
        ({}, 2 * X, "Gaussian"),
        ({}, X - 0.5, "Gaussian"),
        ({"augmentation": torch.nn.Identity()}, X, "Gaussian"),
        ({"likelihood": "gaussian"}, X, "Gaussian"),
    ]
    for params, images, expected in cases:
        detector = make_detector("ConvVariationalAutoEncoder", max_epochs=1, **params).fit(
            images
        )
        assert type(detector.net_.criterion_.likelihood).__name__ == f"{expected}Likelihood"
        made = detector.sample(3, random_state=0)
        assert np.isfinite(made).all()
        # Expected images, not draws of zeros and ones.
        assert len(np.unique(made)) > 50


def test_samples_have_the_mean_of_the_images(digits):
    X, _, _ = digits
    for cls in (ConvVariationalAutoEncoder, ConvGAN):
        detector = cls(channels=(8, 16), max_epochs=60, random_state=0).fit(X)
        made = detector.sample(200, random_state=0)
        assert np.corrcoef(made.mean(axis=0).ravel(), X.mean(axis=0).ravel())[0, 1] > 0.7
        np.testing.assert_array_equal(detector.sample(200, random_state=0), made)


def test_the_query_starts_at_the_best_code_and_compares_what_the_stem_sees():
    X = np.random.default_rng(0).random((30, 16, 16), dtype=np.float32)
    detector = make_detector("ConvGAN", n_starts=50, query_steps=0).fit(X)
    module, criterion = detector.net_.module_, detector.net_.criterion_
    assert isinstance(criterion.stem, GradientStem)
    stem = GradientStem((1, 16, 16))
    with torch.no_grad():
        made = stem(module.generate(criterion.codes))
        errors = torch.cdist(stem(torch.from_numpy(X.reshape(30, -1))), made, p=1).min(dim=1)[0]
    np.testing.assert_allclose(-detector.score_samples(X), errors, rtol=1e-4)


def test_more_steps_find_more_similar_images():
    X = np.random.default_rng(0).random((30, 8, 8), dtype=np.float32)
    few, many = (
        make_detector("ConvGAN", n_starts=4, query_steps=n).fit(X).score_samples(X)
        for n in (0, 10)
    )
    assert (many > few).mean() > 0.9
