"""Convolutional networks of the detectors of images. Rows go in and come out flat."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ...networks import ACTIVATIONS
from ..adversarial._networks import BiGANNetwork, GANNetwork
from ..reconstruction._networks import VariationalNetwork
from ._stems import STEMS, Shape

Pair = tuple[int, int]
# Each layer halves the height and the width by a kernel of 3 and a stride of 2. An axis of
# length 1, as in a strip, has nothing to halve.
KERNEL, STRIDE, PADDING = 3, 2, 1
# Width of the last hidden layer of a discriminator of pairs.
PAIR_FEATURES = 128


def as_images(x: Tensor, shape: Shape) -> Tensor:
    """Return flat rows (n, n_features) as images (n, channels, height, width).

    The values of a pixel lie beside each other in memory, in which convolutions are faster.
    """
    images = x.reshape(x.shape[0], *shape)
    return images.contiguous(memory_format=torch.channels_last)


def halved(shape: Shape, channels: int) -> Shape:
    """Return the shape of the output of a layer."""
    return channels, -(-shape[1] // STRIDE), -(-shape[2] // STRIDE)


def _geometry(shape: Shape) -> tuple[Pair, Pair, Pair]:
    """Return kernel, stride and padding of a layer on images of a shape."""
    first, second = ((KERNEL, STRIDE, PADDING) if size > 1 else (1, 1, 0) for size in shape[1:])
    return (first[0], second[0]), (first[1], second[1]), (first[2], second[2])


def _shapes(image_shape: Shape, channels: Sequence[int]) -> list[Shape]:
    shapes = [image_shape]
    for n_channels in channels:
        shapes.append(halved(shapes[-1], n_channels))
    return shapes


class ConvLayers(nn.Module):
    """Convolutions that halve height and width; flat rows go in, flat features come out.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of an image. Any height and width will do.
    channels : sequence of int
        Channels of the layers.
    activation : str, default="relu"
        Activation after each layer, a key of ``ACTIVATIONS``.
    bias : bool, default=True
        Whether the layers have biases.

    Attributes
    ----------
    output_shape : tuple of three ints
        Shape of the output before it is flattened.
    n_outputs : int
        Number of values of the output.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        *,
        activation: str = "relu",
        bias: bool = True,
    ):
        super().__init__()
        shapes = _shapes(image_shape, channels)
        layers: list[nn.Module] = []
        for before, after in pairwise(shapes):
            kernel, stride, padding = _geometry(before)
            conv = nn.Conv2d(before[0], after[0], kernel, stride, padding, bias=bias)
            layers += [conv, ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers)
        self.image_shape = image_shape
        self.output_shape = shapes[-1]
        self.n_outputs = shapes[-1][0] * shapes[-1][1] * shapes[-1][2]

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to features (n, n_outputs)."""
        return self.layers(as_images(x, self.image_shape)).flatten(1)


class ConvEncoder(nn.Sequential):
    """Convolutions and a linear layer, from rows to codes.

    Parameters
    ----------
    image_shape, channels, activation, bias
        As in :class:`ConvLayers`.
    latent_dim : int
        Width of the code.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        bias: bool = True,
    ):
        layers = ConvLayers(image_shape, channels, activation=activation, bias=bias)
        super().__init__(layers, nn.Linear(layers.n_outputs, latent_dim, bias=bias))


class ConvDecoder(nn.Module):
    """A linear layer and transposed convolutions, from codes to rows.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of the images to make.
    channels : sequence of int
        Channels of the layers of the encoder, whose order is reversed here.
    latent_dim : int
        Width of the code.
    activation : str, default="relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    bias : bool, default=True
        Whether the layers have biases.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        bias: bool = True,
    ):
        super().__init__()
        shapes = _shapes(image_shape, channels)[::-1]
        self.smallest = shapes[0]
        n_inputs = shapes[0][0] * shapes[0][1] * shapes[0][2]
        layers: list[nn.Module] = [ACTIVATIONS[activation]()]
        for small, large in pairwise(shapes):
            kernel, stride, padding = _geometry(large)
            # What a transposed convolution lacks of the size that the encoder halved.
            rows, columns = (
                large[1 + i] - ((small[1 + i] - 1) * stride[i] - 2 * padding[i] + kernel[i])
                for i in range(2)
            )
            conv = nn.ConvTranspose2d(
                small[0], large[0], kernel, stride, padding, (rows, columns), bias=bias
            )
            layers += [conv, ACTIVATIONS[activation]()]
        self.project = nn.Linear(latent_dim, n_inputs, bias=bias)
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        # ``flatten`` goes through the logical order of the axes, whatever the memory format.
        return self.layers(as_images(self.project(z), self.smallest)).flatten(1)


class ConvAutoEncoderNetwork(nn.Module):
    """A convolutional auto-encoder of images, or of their gradients.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of an image.
    channels : sequence of int
        Channels of the layers of the encoder. The decoder has the same in reverse order.
    latent_dim : int
        Width of the code.
    activation : str, default="relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    stem : str, default="pixels"
        What is encoded and rebuilt, a key of ``STEMS``.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        stem: str = "pixels",
    ):
        super().__init__()
        self.stem = STEMS[stem](image_shape)
        shape = self.stem.output_shape
        self.encoder = ConvEncoder(shape, channels, latent_dim, activation=activation)
        self.decoder = ConvDecoder(shape, channels, latent_dim, activation=activation)
        # Makes pictures of codes. It learns from codes that are detached, so that nothing
        # else depends on it.
        self.painter = None
        if stem != "pixels":
            # Half of the channels are enough for pictures, and take a third of the time.
            half = [-(-c // 2) for c in channels]
            self.painter = ConvDecoder(image_shape, half, latent_dim, activation=activation)

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(self.stem(x))

    def paint(self, x: Tensor) -> Tensor:
        """Return pictures (n, n_features) of the codes of rows."""
        decoder = self.decoder if self.painter is None else self.painter
        return decoder(self.encode(x))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Rebuild the output of the stem for rows.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        rebuilt : Tensor of shape (n, n_outputs)
            The rebuilt output of the stem.
        pictures : Tensor of shape (n, n_features)
            Pictures of the codes; only in training, and only if the stem is not the pixels.
        """
        z = self.encode(x)
        if self.training and self.painter is not None:
            return self.decoder(z), self.painter(z.detach())
        return self.decoder(z)


class ConvEncoderNetwork(nn.Module):
    """A convolutional encoder without biases, for one-class methods.

    As in :class:`~skdeepanomaly.detectors.one_class.Encoder`, biases would allow to map all
    images to the same code.

    Parameters
    ----------
    image_shape, channels, latent_dim, stem
        As in :class:`ConvAutoEncoderNetwork`.
    activation : str, default="leaky_relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "leaky_relu",
        stem: str = "pixels",
    ):
        super().__init__()
        self.stem = STEMS[stem](image_shape)
        self.encoder = ConvEncoder(
            self.stem.output_shape, channels, latent_dim, activation=activation, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(self.stem(x))


class ConvVariationalNetwork(VariationalNetwork):
    """A convolutional encoder to a distribution of codes, and a decoder to one of images.

    Parameters
    ----------
    image_shape, channels, latent_dim, activation
        As in :class:`ConvAutoEncoderNetwork`.
    n_parameters : int, default=2
        Number of parameters of the distribution of one value, as in
        :class:`~skdeepanomaly.detectors.reconstruction.VariationalNetwork`.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        n_parameters: int = 2,
        activation: str = "relu",
    ):
        # The base would make an encoder and a decoder of flat rows.
        nn.Module.__init__(self)
        self.latent_dim = latent_dim
        self.encoder = ConvEncoder(image_shape, channels, 2 * latent_dim, activation=activation)
        decoded = (n_parameters * image_shape[0], *image_shape[1:])
        self.decoder = ConvDecoder(decoded, channels, latent_dim, activation=activation)


class ConvGANNetwork(GANNetwork):
    """A generator of images and a discriminator of images, with convolutions.

    Parameters
    ----------
    image_shape, channels, latent_dim
        As in :class:`ConvAutoEncoderNetwork`. The channels are those of the discriminator, and
        in reverse order those of the generator.
    activation : str, default="leaky_relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "leaky_relu",
    ):
        # The base would make networks of flat rows.
        nn.Module.__init__(self)
        self.latent_dim = latent_dim
        self.generator = ConvDecoder(image_shape, channels, latent_dim, activation=activation)
        self.discriminator_body = ConvLayers(image_shape, channels, activation=activation)
        self.discriminator_head = nn.Linear(self.discriminator_body.n_outputs, 1)


class PairFeatures(nn.Module):
    """The hidden layers of a discriminator of pairs of an image and a code.

    Parameters
    ----------
    image_shape, channels, latent_dim, activation
        As in :class:`ConvGANNetwork`.
    n_outputs : int
        Width of the last hidden layer.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        n_outputs: int,
        *,
        activation: str = "leaky_relu",
    ):
        super().__init__()
        self.n_features = image_shape[0] * image_shape[1] * image_shape[2]
        self.layers = ConvLayers(image_shape, channels, activation=activation)
        self.joint = nn.Sequential(
            nn.Linear(self.layers.n_outputs + latent_dim, n_outputs), ACTIVATIONS[activation]()
        )

    def forward(self, pairs: Tensor) -> Tensor:
        """Map pairs (n, n_features + latent_dim) to features (n, n_outputs)."""
        x, z = pairs[:, : self.n_features], pairs[:, self.n_features :]
        return self.joint(torch.cat([self.layers(x), z], dim=1))


class ConvBiGANNetwork(BiGANNetwork):
    """An encoder, a generator and a discriminator of pairs of images and codes.

    Parameters
    ----------
    image_shape, channels, latent_dim, activation
        As in :class:`ConvGANNetwork`.
    """

    def __init__(
        self,
        image_shape: Shape,
        channels: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "leaky_relu",
    ):
        # The base would make networks of flat rows.
        nn.Module.__init__(self)
        self.latent_dim = latent_dim
        self.encoder = ConvEncoder(image_shape, channels, latent_dim, activation=activation)
        self.generator = ConvDecoder(image_shape, channels, latent_dim, activation=activation)
        self.discriminator_body = PairFeatures(
            image_shape, channels, latent_dim, PAIR_FEATURES, activation=activation
        )
        self.discriminator_head = nn.Linear(PAIR_FEATURES, 1)
