"""What the convolutional auto-encoder rebuilds, and what its scores and pictures show."""

import numpy as np
import pytest
import torch
from conftest import make_detector
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from torch import nn

from skdeepanomaly import ConvAutoEncoder
from skdeepanomaly.detectors.image import ImageReconstructionLoss, PixelStem
from skdeepanomaly.engine import BLOCK_ROWS
from skdeepanomaly.engine._blocks import BLOCK_VALUES


def texture(n, seed, contrast=(0.3, 1.0), upright=True):
    """Draw images of stripes with a random phase and contrast."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, size=(n, 1, 1))
    waves = np.sin(np.arange(16) * 1.2 + phases) * np.ones((1, 16, 1))
    waves = waves if upright else waves.transpose(0, 2, 1)
    X = 0.5 + 0.5 * rng.uniform(*contrast, size=(n, 1, 1)) * waves
    return X + 0.05 * rng.normal(size=X.shape)


@pytest.mark.parametrize(
    ("stem", "shape", "seen"),
    [
        ("auto", (16, 16), "GradientStem"),
        ("auto", (15, 40), "PixelStem"),
        ("auto", (1, 300), "PixelStem"),
        ("pixels", (16, 16), "PixelStem"),
        ("gradients", (8, 8), "GradientStem"),
    ],
)
def test_the_stem_follows_the_size(stem, shape, seen):
    X = np.random.default_rng(0).random((10, *shape))
    detector = make_detector("ConvAutoEncoder", stem=stem, max_epochs=1).fit(X)
    assert type(detector.net_.module_.stem).__name__ == seen
    assert type(detector.net_.criterion_.stem).__name__ == seen


def test_gradients_see_the_direction_of_faint_stripes():
    for seed in range(2):
        X_test = np.concatenate([texture(60, seed + 10), texture(60, seed + 20, upright=False)])
        y = np.repeat([1, 0], 60)
        detector = ConvAutoEncoder(channels=(8, 16), max_epochs=20, random_state=seed)
        detector.fit(texture(150, seed))
        assert roc_auc_score(y, detector.score_samples(X_test)) > 0.99


@pytest.mark.parametrize("stem", ["pixels", "gradients"])
def test_the_heat_map_is_where_the_defect_is(stem):
    X, defects = texture(200, 0), texture(20, 1)
    defects[:, 4:12, 4:12] = texture(20, 2, upright=False)[:, 4:12, 4:12]
    detector = ConvAutoEncoder(stem=stem, channels=(8, 16), max_epochs=30, random_state=0)
    maps = detector.fit(X).explain(defects)
    sums = maps.sum(axis=(1, 2))
    np.testing.assert_allclose(sums, -detector.score_samples(defects), rtol=1e-4)
    inside = maps[:, 4:12, 4:12].mean(axis=(1, 2))
    outside = (sums - 64 * inside) / (256 - 64)
    assert np.median(inside / outside) > 1.5


def test_pictures_of_codes_resemble_the_images_and_do_not_change_scores(monkeypatch):
    digits = load_digits()
    X = np.kron(digits.images[digits.target == 2] / 16, np.ones((2, 2)))
    params = {"channels": (8, 16), "max_epochs": 30, "batch_size": 8, "random_state": 0}
    detector = ConvAutoEncoder(**params).fit(X)
    pictures = detector.reconstruct(X)
    assert np.square(pictures - X).mean() < 0.7 * np.square(X - X.mean(axis=0)).mean()
    monkeypatch.setattr(
        ImageReconstructionLoss,
        "forward",
        lambda self, output, x: self.squared_errors(output, x).mean() + 0 * output[1].sum(),
    )
    without = ConvAutoEncoder(**params).fit(X)
    assert np.abs(without.reconstruct(X) - pictures).max() > 0.1
    np.testing.assert_array_equal(without.score_samples(X), detector.score_samples(X))


def test_noise_is_removed():
    X = texture(200, 0, contrast=(0.9, 1.0))
    noisy = X[:50] + 0.3 * np.random.default_rng(1).normal(size=X[:50].shape)
    params = {"stem": "pixels", "channels": (8, 16), "max_epochs": 40, "random_state": 0}
    detector = ConvAutoEncoder(noise_std=0.3, **params).fit(X)
    assert np.square(detector.reconstruct(noisy) - X[:50]).mean() < 0.5 * 0.3**2
    masked = ConvAutoEncoder(masking_rate=0.5, **params).fit(X)
    assert not np.array_equal(masked.score_samples(X), detector.score_samples(X))


def test_errors_are_compared_with_the_energy_of_the_image():
    loss = ImageReconstructionLoss(stem=PixelStem((1, 2, 2)))
    x = torch.tensor([[1.0, 1, 1, 1], [2, 2, 2, 2], [0, 0, 0, 0], [40, 40, 40, 40]])
    loss.set_energy_range(x[:2])
    torch.testing.assert_close(loss.energy_range, torch.tensor([0.25, 4.0]))
    scores = loss.feature_scores(x - 1, x).sum(dim=1)
    torch.testing.assert_close(scores, torch.tensor([1, 0.25, 4, 0.25]))
    loss.set_energy_range(torch.zeros(3, 4))
    torch.testing.assert_close(loss.energy_range, torch.tensor([0.25, 4.0]))


def test_empty_images_alone_can_be_fitted():
    detector = make_detector("ConvAutoEncoder").fit(np.zeros((20, 8, 8)))
    assert np.isfinite(detector.score_samples(np.zeros((2, 8, 8)))).all()


def test_a_module_of_ones_own_rebuilds_pixels():
    X = np.random.default_rng(0).random((30, 16, 16))
    detector = ConvAutoEncoder(module=nn.Linear(256, 256), max_epochs=2, random_state=0).fit(X)
    assert detector.reconstruct(X).shape == X.shape
    with pytest.raises(ValueError, match="a reconstruction must have the shape"):
        detector.set_params(stem="gradients").fit(X)


def test_blocks_count_what_layers_hold_not_what_comes_in():
    X = np.random.default_rng(0).random((2100, 28, 28), dtype=np.float32)
    detector = make_detector("ConvAutoEncoder", channels=(64,), stem="pixels", max_epochs=1)
    detector.fit(X[:50])
    assert detector.net_.width == 64 * 14 * 14
    sizes = set()
    detector.net_.module_.register_forward_hook(lambda m, x, out: sizes.add(len(out)))
    detector.score_samples(X)
    assert sizes == {*BLOCK_ROWS[:2]}
    assert BLOCK_ROWS[2] * detector.net_.width > BLOCK_VALUES > BLOCK_ROWS[1] * 64 * 14 * 14


def test_digits():
    digits = load_digits()
    X, y = digits.images / 16, digits.target
    for number in (3, 8):
        train = np.flatnonzero(y == number)[:120]
        test = np.setdiff1d(np.arange(len(X)), train)
        detector = ConvAutoEncoder(max_epochs=60, random_state=0).fit(X[train])
        assert roc_auc_score(y[test] == number, detector.score_samples(X[test])) > 0.95
