"""Networks of images of any size, and what they see of an image."""

import numpy as np
import pytest
import torch
from torch import nn

from skdeepanomaly.detectors.image import (
    ConvAutoEncoderNetwork,
    ConvDecoder,
    ConvEncoder,
    ConvLayers,
    GradientStem,
    PixelStem,
)

SHAPES = [
    *((1, size, size) for size in (1, 2, 3, 5, 8, 9, 28, 33)),
    *((3, 8, 13), (3, 31, 16), (2, 1, 40), (1, 40, 1), (4, 2, 7)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("channels", [(3,), (4, 6), (2, 3, 4)])
def test_what_is_encoded_can_be_decoded(shape, channels):
    x = torch.rand(4, int(np.prod(shape)))
    codes = ConvEncoder(shape, channels, 5)(x)
    assert codes.shape == (4, 5)
    assert ConvDecoder(shape, channels, 5)(codes).shape == x.shape
    layers = ConvLayers(shape, channels)
    assert layers(x).shape == (4, layers.n_outputs)
    halves = [-(-size // 2 ** len(channels)) for size in shape[1:]]
    assert layers.output_shape == (channels[-1], *halves)


def test_flat_rows_are_read_as_channels_rows_columns():
    shape = (2, 5, 4)
    x = torch.rand(3, 40)
    layers = ConvLayers(shape, (3,))
    expected = layers.layers(x.reshape(3, *shape)).reshape(3, -1)
    torch.testing.assert_close(layers(x), expected)
    decoder = ConvDecoder(shape, (3,), 2)
    z = torch.rand(3, 2)
    images = decoder.layers(decoder.project(z).reshape(3, *decoder.smallest))
    torch.testing.assert_close(decoder(z), images.reshape(3, -1))


def test_without_biases_zero_is_mapped_to_zero():
    encoder = ConvEncoder((1, 8, 8), (3, 4), 5, activation="leaky_relu", bias=False)
    assert not encoder(torch.zeros(2, 64)).any()
    assert not ConvDecoder((1, 8, 8), (3, 4), 5, bias=False)(torch.zeros(2, 5)).any()


def stripes(angle, size=32, contrast=1.0):
    """Make an image of stripes whose brightness grows in a direction, in degrees."""
    rows, columns = np.mgrid[:size, :size] / size
    turned = np.deg2rad(angle)
    ramp = columns * np.cos(turned) + rows * np.sin(turned)
    return torch.tensor(contrast * ramp, dtype=torch.float32).reshape(1, -1)


@pytest.mark.parametrize("direction", range(8))
def test_gradients_go_to_their_direction(direction):
    stem = GradientStem((1, 32, 32))
    cells = stem(stripes(45 * direction)).reshape(8, 8, 8)
    inside = cells[:, 1:-1, 1:-1]
    assert (inside.argmax(dim=0) == direction).all()
    # The neighbours get a fourth of it, all others nothing.
    share = inside.mean(dim=(1, 2)) / inside.max()
    expected = torch.zeros(8)
    expected[[direction, direction - 1, (direction + 1) % 8]] = torch.tensor([1, 0.25, 0.25])
    torch.testing.assert_close(share, expected, atol=1e-3, rtol=0)


def test_gradients_do_not_depend_on_brightness_and_contrast():
    stem = GradientStem((1, 28, 28))
    x = torch.rand(5, 784)
    torch.testing.assert_close(stem(0.5 * x + 0.5), stem(x), atol=3e-2, rtol=0)
    assert stem(torch.full((2, 784), 0.7)).abs().max() < 1e-6
    lengths = stem(x).reshape(5, 8, -1).square().sum(dim=1).mean(dim=1)
    torch.testing.assert_close(lengths, torch.ones(5), atol=2e-2, rtol=0)


def test_the_gradients_of_each_channel_count():
    stem = GradientStem((2, 16, 16))
    x = torch.zeros(1, 2, 16, 16)
    x[:, 1] = torch.arange(16.0)
    cells = stem(x.flatten(1)).reshape(2, 8, 4, 4)
    assert not cells[0].any()
    assert cells[1, 0].all()


@pytest.mark.parametrize("stem", [PixelStem((2, 10, 9)), GradientStem((2, 10, 9))])
def test_values_are_spread_over_the_pixels_that_they_come_from(stem):
    values = torch.rand(3, *stem.output_shape)
    spread = stem.spread(values.flatten(1)).reshape(3, 2, 10, 9)
    torch.testing.assert_close(spread.sum(dim=(1, 2, 3)), values.sum(dim=(1, 2, 3)))
    corner = torch.zeros(1, *stem.output_shape)
    corner[0, 0, 0, 0] = 1
    spread = stem.spread(corner.flatten(1)).reshape(2, 10, 9)
    assert not spread[1].any()
    assert not spread[0, 5:].any()
    assert not spread[0, :, 5:].any()
    assert (spread >= 0).all()


def test_the_slope_of_gradients_is_finite_everywhere():
    stem = GradientStem((1, 16, 16))
    x = torch.zeros(2, 256)
    x[1, 100:] = 1
    x.requires_grad_()
    stem(x).square().sum().backward()
    assert x.grad.isfinite().all()


def test_small_differences_of_place_are_smoothed_in_large_images_only():
    differences = torch.zeros(1, 256)
    differences[0, 100:102] = torch.tensor([1.0, -1.0])
    smooth = PixelStem((1, 16, 16)).smooth(differences)
    assert smooth.square().sum() < 0.2 * differences.square().sum()
    torch.testing.assert_close(PixelStem((1, 8, 32)).smooth(differences), differences)


def test_pictures_come_in_training_alone_and_leave_the_codes_alone():
    network = ConvAutoEncoderNetwork((1, 16, 16), (4,), 3, stem="gradients")
    x = torch.rand(4, 256)
    rebuilt, pictures = network.train()(x)
    assert rebuilt.shape == (4, 128)
    assert pictures.shape == x.shape
    pictures.square().sum().backward()
    touched = {
        name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None
    }
    assert touched == {"painter"}
    assert isinstance(network.eval()(x), torch.Tensor)
    assert isinstance(
        ConvAutoEncoderNetwork((1, 8, 8), (4,), 3).train()(x[:, :64]), torch.Tensor
    )


def test_no_layer_normalises_a_batch():
    network = ConvAutoEncoderNetwork((1, 16, 16), (4,), 3, stem="gradients")
    assert not [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
