"""Base of the detectors of images: what they add to the tabular detectors."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal

import torch
from torch import nn

from ...base import BaseDeepDetector
from ...engine import DetectorNet, widest_output
from ...engine.types import Module
from ...networks import ACTIVATIONS
from ...utils.types import Activation
from ...utils.validation import StrOptions
from .._parameters import WIDTH
from ._augmentation import AugmentingLoader
from ._rows import IMAGE_SHAPE_ATTRIBUTE, IMAGE_SHAPE_PARAMETER, ImageRowsMixin
from ._stems import MIN_SIDE, STEMS

CHANNELS_PARAMETER = """\
channels : sequence of int, default={channels}
    Channels of the convolutions of the encoder, each of which halves height and width. A
    decoder or generator has the same in reverse order.
latent_dim : int, default={latent_dim}
    Width of the code."""

STEM_PARAMETER = """\
stem : {{"auto", "gradients", "pixels"}}, default={stem}
    What the network sees: ``"pixels"`` are the values of X; ``"gradients"`` are histograms of
    oriented gradients in cells of 4 x 4 pixels, divided by their root mean square length, which
    show the shapes of lines and textures whatever the contrast. ``"auto"`` is ``"gradients"``
    for images of at least 16 x 16 pixels, otherwise ``"pixels"``, also with a custom
    ``module``."""

AUGMENTATION_PARAMETER = """\
augmentation : callable or None, default=None
    Changes the images of a batch, (n, channels, height, width), at random in training: such as
    :class:`~skdeepanomaly.RandomShift`, a transform of torchvision, or a function. What it
    draws from the global generators of torch, numpy or Python follows ``random_state``. Scores
    do not use it."""


class BaseImageDetector(ImageRowsMixin, BaseDeepDetector, abstract=True):
    """Base of detectors of images; a tabular detector, whose method it takes, stands behind it.

    The hooks of the tabular detector stay as they are. Its own parameters, which describe
    another network, are not taken.
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **ImageRowsMixin._parameter_constraints,
        "channels": ["array-like"],
        "latent_dim": [WIDTH],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "augmentation": [callable, None],
    }
    _doc_parts = {
        **BaseDeepDetector._doc_parts,
        "image_shape_parameter": IMAGE_SHAPE_PARAMETER,
        "image_shape_attribute": IMAGE_SHAPE_ATTRIBUTE,
        "channels_parameter": CHANNELS_PARAMETER,
        "stem_parameter": STEM_PARAMETER,
        "augmentation_parameter": AUGMENTATION_PARAMETER,
    }
    _auto_batch_size = 64

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None,
        channels: Sequence[int],
        latent_dim: int,
        activation: Activation,
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None,
        **params: Any,
    ):
        # The constructor of the tabular detector is passed over, with its parameters.
        BaseDeepDetector.__init__(self, **params)
        self.image_shape = image_shape
        self.channels = channels
        self.latent_dim = latent_dim
        self.activation = activation
        self.augmentation = augmentation

    def _module_params(self, n_features):
        return {
            "image_shape": self.image_shape_,
            "channels": self._check_channels(),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
        }

    def _check_channels(self) -> tuple[int, ...]:
        channels = tuple(self.channels)
        if not channels or not all(isinstance(c, Integral) and c > 0 for c in channels):
            raise ValueError(
                "channels must hold positive ints, one for each convolution, got"
                f" {self.channels!r}."
            )
        return tuple(int(c) for c in channels)

    def _net_params(self):
        return {
            **super()._net_params(),
            "iterator_train": AugmentingLoader,
            "iterator_train__augmentation": self.augmentation,
            "iterator_train__image_shape": self.image_shape_,
        }

    def _row_width(self, net: DetectorNet, n_features: int) -> int:
        # The stem holds some arrays as large as the images.
        return max(8 * n_features, widest_output(net.module_, n_features, net.device))


class StemMixin:
    """Mixin of detectors with the parameter ``stem``."""

    stem: Literal["auto", "gradients", "pixels"]
    image_shape_: tuple[int, ...]
    module: Module | None

    _parameter_constraints: dict = {"stem": [StrOptions({"auto", "gradients", "pixels"})]}

    def _resolve_stem(self) -> str:
        if self.stem != "auto":
            return self.stem
        large = min(self.image_shape_[1:]) >= MIN_SIDE
        return "gradients" if large and self.module is None else "pixels"

    def _make_stem(self) -> nn.Module:
        return STEMS[self._resolve_stem()](self.image_shape_)

    def _module_params(self, n_features):
        return {**super()._module_params(n_features), "stem": self._resolve_stem()}
