"""Random changes of the images of a batch."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ConvAutoEncoder, GaussianNoise, RandomFlip, RandomShift
from skdeepanomaly.detectors.image._augmentation import AugmentingLoader


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_shifts_move_all_channels_together_and_repeat_the_border():
    columns = torch.arange(6.0).expand(2, 5, 6)
    rows = torch.arange(5.0)[:, None].expand(5, 6)
    images = torch.stack([torch.cat([columns, rows[None]])] * 300)
    moved = RandomShift(2)(images)
    assert moved.shape == images.shape
    seen = set()
    for image in moved:
        down, right = int(image[2, 2, 0] - 2), int(image[0, 0, 2] - 2)
        seen.add((down, right))
        expected = (torch.arange(6.0) + right).clamp(0, 5)
        torch.testing.assert_close(image[0], expected.expand(5, 6))
        torch.testing.assert_close(image[1], image[0])
        torch.testing.assert_close(image[2, :, 0], (torch.arange(5.0) + down).clamp(0, 4))
    assert seen == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


@pytest.mark.parametrize(("horizontal", "axis"), [(True, -1), (False, -2)])
def test_flips(horizontal, axis):
    images = torch.rand(400, 3, 4, 5)
    flipped = RandomFlip(0.25, horizontal=horizontal)(images)
    is_flipped = (flipped != images).flatten(1).any(dim=1)
    torch.testing.assert_close(flipped[is_flipped], images[is_flipped].flip(axis))
    assert 0.15 < is_flipped.float().mean() < 0.35


def test_noise_is_independent():
    noise = GaussianNoise(0.3)(torch.zeros(50, 2, 8, 8))
    assert 0.28 < noise.std() < 0.32
    assert abs(np.corrcoef(noise[:, 0].flatten(), noise[:, 1].flatten())[0, 1]) < 0.1


def test_the_loader_changes_batches_and_keeps_labels():
    class Dataset:
        X, y = np.arange(24.0).reshape(4, 6), np.array([1, -1, 0, 1])

    loader = AugmentingLoader(
        Dataset, 2, augmentation=lambda images: 2 * images, image_shape=(1, 2, 3)
    )
    (first, labels), (second, _) = loader
    torch.testing.assert_close(torch.cat([first, second]), torch.tensor(2 * Dataset.X).float())
    assert labels.tolist() == [1, -1]


def bars(n, places, seed):
    """Draw images of a bright bar at one of some places, with noise."""
    rng = np.random.default_rng(seed)
    X = 0.1 * rng.random((n, 8, 8))
    X[np.arange(n), :, rng.choice(places, n)] += 1
    return X


def test_shifts_in_training_make_shifted_images_normal():
    gains = []
    for seed in range(3):
        normal, shifted = bars(60, [3, 4], seed), bars(60, [2, 5], seed + 10)
        anomalies = bars(60, [2, 5], seed + 20).transpose(0, 2, 1)
        y, X_test = np.repeat([1, 0], 60), np.concatenate([shifted, anomalies])
        aurocs = [
            roc_auc_score(
                y,
                ConvAutoEncoder(
                    channels=(8, 16),
                    max_epochs=60,
                    augmentation=augmentation,
                    random_state=seed,
                )
                .fit(normal)
                .score_samples(X_test),
            )
            for augmentation in (None, RandomShift(1))
        ]
        gains.append(aurocs[1] - aurocs[0])
    assert np.mean(gains) > 0.1
