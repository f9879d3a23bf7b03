"""Features of images from a frozen torch module."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import Tensor, nn

from ...base import FixedModuleMixin, RowsMixin
from ...engine import check_device
from ...engine.types import Device
from ...utils.validation import StrOptions
from ._frozen_layers import FrozenLayers, LocalPatterns
from ._rows import ImageRowsMixin

LAYER_CONSTRAINTS: dict = {"module": [nn.Module, None], "layer": [str, list, tuple, None]}


class FrozenEncoder(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ImageRowsMixin,
    FixedModuleMixin,
    RowsMixin,
    BaseEstimator,
):
    """Features of images, from a torch module that is evaluated and never trained.

    It makes features for any detector from a backbone of torchvision or timm, or from the
    network of a fitted detector (``net_.module_``). The module is copied; it runs in evaluation
    mode and without gradients, so that no weight and no statistic of a batch normalisation
    changes. The features of an image do not depend on the other images of X.

    Parameters
    ----------
    module : torch.nn.Module or None, default=None
        The module. With None there are fixed local features: oriented gradients, or for
        images with a side shorter than 16 pixels the 3 x 3 pixels around each pixel. They
        need no download; a trained backbone tells images apart far better.
    layer : str, list of str or None, default=None
        Names of submodules, as in ``module.named_modules()``, whose outputs are the features,
        one after the other. None is the output of the module.
    pool : {"mean", "max"} or None, default="mean"
        How an output with more than two axes becomes one row: the mean or the maximum over
        the places of a map (n, channels, height, width) or over the tokens of a sequence
        (n, tokens, channels). None keeps all values.
    image_shape : tuple of ints or None, default=None
        Shape of an image, (height, width) or (channels, height, width), where X has flat rows
        and the module takes images. X of shape (n_samples, height, width) or
        (n_samples, channels, height, width) needs none. With None, flat rows go to the module
        as they are.
    device : str or torch.device, default="cpu"
        Device of the module. ``"auto"`` is a GPU if there is one, otherwise the CPU.

    Attributes
    ----------
    module_ : torch.nn.Module
        The frozen copy of the module.
    device_ : str
        Device of the module.
    image_shape_ : tuple of three ints
        Number of channels, height and width of an image.
    n_features_in_ : int
        Number of values of an image.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X, if all of them are strings.

    See Also
    --------
    PatchCore : Compares local features of such a module, and shows where a defect is.
    PaDiM : The same, with a Gaussian distribution for each place.

    Notes
    -----
    Images of dtype uint8 are scaled to [0, 1], all others are used as they are. If a backbone
    was trained on images that were standardised channel by channel, do that before.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdeepanomaly import FrozenEncoder
    >>> backbone = torch.nn.Sequential(
    ...     torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 8, 3)
    ... )
    >>> X = load_digits().images / 16
    >>> FrozenEncoder(backbone, layer="1").fit_transform(X).shape
    (1797, 16)
    >>> detector = make_pipeline(FrozenEncoder(backbone), LocalOutlierFactor(novelty=True))
    >>> detector.fit(X[:200]).predict(X[200:]).shape
    (1597,)
    """

    _parameter_constraints: dict = {
        **ImageRowsMixin._parameter_constraints,
        **LAYER_CONSTRAINTS,
        "pool": [StrOptions({"mean", "max"}), None],
        "device": [str, torch.device],
    }

    def __init__(
        self,
        module: torch.nn.Module | None = None,
        *,
        layer: str | list[str] | tuple[str, ...] | None = None,
        pool: Literal["mean", "max"] | None = "mean",
        image_shape: Sequence[int] | None = None,
        device: Device = "cpu",
    ):
        self.module = module
        self.layer = layer
        self.pool = pool
        self.image_shape = image_shape
        self.device = device

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Copy the module, and see that it takes images of this shape.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, or flat rows; only their shape matters.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or X is not valid, or if the module does not take such images.
        """
        self._validate_params()
        rows: np.ndarray = self._validate_X(X, reset=True, min_samples=1)
        is_flat = len(self._given_shape) < 2 and self.image_shape is None
        layers = make_layers(self, None if is_flat else self.image_shape_)
        outputs = layers.try_on(rows.shape[1])
        widths = [pool_places(output, self.pool).shape[1] for output in outputs]
        self._pool_ = self.pool
        self._set_module(layers, rows.shape[1], check_device(self.device))
        self._n_features_out = sum(widths)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the features of images.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images of the shape that ``fit`` saw, or flat rows.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), float32
            Features.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If X is not valid, or has another shape than in ``fit``.
        """
        return self._map_rows(self._encode_rows, X, dtype="float32")

    def _encode_rows(self, x: Tensor) -> Tensor:
        return torch.cat([pool_places(output, self._pool_) for output in self.module_(x)], 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def make_layers(estimator: BaseEstimator, input_shape: tuple[int, ...] | None) -> FrozenLayers:
    """Return the frozen layers that the parameters of an estimator name.

    Parameters
    ----------
    estimator : object
        Has ``module``, ``layer`` and ``image_shape_``.
    input_shape : tuple of int or None
        Shape of the inputs of the module; None leaves rows flat.

    Returns
    -------
    layers : FrozenLayers
        The layers.
    """
    layer = estimator.layer
    names = () if layer is None else (layer,) if isinstance(layer, str) else tuple(layer)
    if layer is not None and (not names or not all(isinstance(n, str) for n in names)):
        raise ValueError(
            f"layer must be the name of a submodule, or a list of names, got {layer!r}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"layer names a submodule twice: {layer!r}.")
    module = estimator.module
    if module is None:
        module = LocalPatterns(estimator.image_shape_)
    return FrozenLayers(module, names, input_shape)


def pool_places(output: Tensor, pool: str | None) -> Tensor:
    """Return an output of a layer as one row for each image.

    Parameters
    ----------
    output : torch.Tensor of shape (n, channels), (n, tokens, channels) or (n, channels, ...)
        The output.
    pool : {"mean", "max"} or None
        What is computed over tokens or places; None keeps all values.

    Returns
    -------
    rows : torch.Tensor of shape (n, n_features)
        The rows.
    """
    if output.ndim == 2 or pool is None:
        return output.flatten(1)
    places = output.transpose(1, 2) if output.ndim == 3 else output.flatten(2)
    return places.mean(dim=2) if pool == "mean" else places.amax(dim=2)
