"""Base of detectors that compare local features of images, with heat maps."""

from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from ...base import BaseUntrainedDetector
from ...engine import BLOCK_ROWS
from ...engine.types import Device
from ...utils.types import Contamination, Floats, RandomState
from ...utils.validation import Interval, StrOptions
from ._frozen_encoder import LAYER_CONSTRAINTS, make_layers
from ._patches import PatchFeatures, PatchModel
from ._rows import IMAGE_SHAPE_ATTRIBUTE, IMAGE_SHAPE_PARAMETER, ImageRowsMixin

# The heat maps of the papers are smoothed by 4 pixels, in images of 224 x 224.
SMOOTHING = 4 / 224

LAYER_PARAMETERS = """\
module : torch.nn.Module or None, default=None
    A trained backbone, such as a ResNet of torchvision; it is copied and stays frozen. It
    takes images (n, channels, height, width). With None the local features are fixed:
    oriented gradients in cells of 4 x 4 pixels, or for images with a side shorter than 16
    pixels the 3 x 3 pixels around each pixel. That needs no download and finds defects that
    break a texture; the papers use a backbone trained on ImageNet, which sees far more.
layer : str, list of str or None, default=None
    Names of submodules, as in ``module.named_modules()``, whose outputs are maps
    (n, channels, height, width), the finest first; ``["layer2", "layer3"]`` of a ResNet, for
    example. None is the output of the module."""

SMOOTHING_PARAMETER = """\
smoothing : float or "auto", default="auto"
    Standard deviation, in pixels, of the Gaussian filter over heat maps; 0 is none. ``"auto"``
    is 1/56 of the shorter side of the images, the 4 pixels of the paper for images of
    224 x 224. Scores do not depend on it."""


class BasePatchDetector(ImageRowsMixin, BaseUntrainedDetector):
    """Base of detectors that compare local features of images."""

    _parameter_constraints: dict = {
        **BaseUntrainedDetector._parameter_constraints,
        **ImageRowsMixin._parameter_constraints,
        **LAYER_CONSTRAINTS,
        "smoothing": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    }
    _doc_parts = {
        **BaseUntrainedDetector._doc_parts,
        "image_shape_parameter": IMAGE_SHAPE_PARAMETER,
        "image_shape_attribute": IMAGE_SHAPE_ATTRIBUTE,
        "layer_parameters": LAYER_PARAMETERS,
        "smoothing_parameter": SMOOTHING_PARAMETER,
    }
    _patch_size = 1

    module_: PatchModel

    def __init__(
        self,
        *,
        module: torch.nn.Module | None,
        layer: str | list[str] | tuple[str, ...] | None,
        image_shape: Sequence[int] | None,
        smoothing: float | Literal["auto"],
        contamination: Contamination,
        device: Device,
        random_state: RandomState,
    ):
        self.module = module
        self.layer = layer
        self.image_shape = image_shape
        self.smoothing = smoothing
        self.contamination = contamination
        self.device = device
        self.random_state = random_state

    def anomaly_map(self, X: ArrayLike) -> Floats:
        """Return how far each pixel is from normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Images, in any shape that ``score_samples`` takes.

        Returns
        -------
        maps : ndarray of shape (n_samples, height, width), float64
            Distances, interpolated between the places of the local features and smoothed. They
            have the same unit in all images, so that one threshold serves all.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        """
        maps = self._map_rows(lambda x: self.module_.maps(x), X)
        np.nan_to_num(maps, copy=False, nan=float(np.finfo(np.float32).max))
        if not self._sigma:
            return maps
        return gaussian_filter(maps, (0, self._sigma, self._sigma), mode="nearest")

    def explain(self, X: ArrayLike) -> Floats:
        """Return the share of each pixel in the anomaly score of each image.

        The score is not a sum over pixels. The shares are those of :meth:`anomaly_map`, scaled
        so that they sum to ``-score_samples``, and are the same in all channels. To compare
        pixels of different images, use :meth:`anomaly_map`.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images.

        Returns
        -------
        contributions : ndarray of the shape of X, float64
            Contributions, in units of the score, not negative.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, as in ``score_samples``.
        """
        maps = self.anomaly_map(X)
        totals = maps.sum(axis=(1, 2))
        n_channels = self.image_shape_[0]
        scale = -self.score_samples(X) / np.where(totals > 0, totals, 1) / n_channels
        shares = np.repeat((maps * scale[:, None, None])[:, None], n_channels, axis=1)
        return self._shape_like(shares.reshape(len(shares), -1), X)

    def _make_features(self, X: np.ndarray, device: str) -> tuple[PatchFeatures, int, int]:
        """Return the module of local features, and its numbers of channels and places."""
        side = min(self.image_shape_[1:])
        self._sigma = SMOOTHING * side if self.smoothing == "auto" else self.smoothing
        layers = make_layers(self, self.image_shape_)
        layers.try_on(X.shape[1])
        features = PatchFeatures(layers, self._patch_size).to(device)
        _, n_channels, height, width = features(self._to_tensor(X[:2], device)).shape
        return features, n_channels, height * width

    def _feature_blocks(self, features: PatchFeatures, X: np.ndarray, device: str) -> Iterator:
        """Yield the patches (n, n_places, n_channels) of one block of images after another."""
        for start in range(0, len(X), BLOCK_ROWS[0]):
            block = self._to_tensor(X[start : start + BLOCK_ROWS[0]], device)
            yield features(block).flatten(2).transpose(1, 2)

    @staticmethod
    def _to_tensor(X: np.ndarray, device: str) -> torch.Tensor:
        return torch.from_numpy(np.array(X, dtype=np.float32, order="C")).to(device)
