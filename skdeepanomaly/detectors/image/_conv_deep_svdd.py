"""Deep SVDD with a convolutional encoder."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from .._pretraining import PRETRAINING_CONSTRAINTS, PRETRAINING_PARAMETERS
from ..one_class import DeepSVDD
from ._base import BaseImageDetector, StemMixin
from ._losses import ImageReconstructionLoss
from ._networks import ConvDecoder, ConvEncoderNetwork


class ConvDeepSVDD(StemMixin, BaseImageDetector, DeepSVDD):
    """Deep support vector data description of images.

    A convolutional encoder is pre-trained as a part of an auto-encoder, and then learns to map
    normal images close to a fixed centre [1]_. The score of an image is the negative squared
    distance of its code to the centre.

    Parameters
    ----------
    %(image_shape_parameter)s
    %(channels_parameter)s
    %(stem_parameter)s
    %(augmentation_parameter)s
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid". With a bounded one ("tanh" and "sigmoid") all codes can
        collapse to the centre.
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere around the centre; some training images may
        lie outside of it. With False the mean squared distance to the centre is minimised.
    nu : float, default=0.1
        Upper bound of the share of training images outside of the sphere, in (0, 1]. It is
        used only if ``soft_boundary`` is True.
    %(pretraining_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` and
        ``criterion_.radius`` describe the sphere.
    %(image_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    DeepSVDD : The same for rows of tables, with notes on the method.
    ConvAutoEncoder : Scores images by what it cannot rebuild.

    Notes
    -----
    X of dtype uint8 is scaled to [0, 1]; scale other images to about this range as a whole, not
    column by column.

    The departures from the paper are those of :class:`DeepSVDD`. Besides, the layers have
    strides instead of pooling and no batch normalisation, and the network sees oriented
    gradients by default. The decoder of the pre-training rebuilds what the network sees.

    ``explain`` is a heat map of integrated gradients.

    A custom ``module`` maps flat rows (n, n_features) to codes (n, any width). A class is
    called with ``image_shape``, ``channels``, ``latent_dim``, ``activation`` and ``stem``, as
    far as its constructor takes them.

    References
    ----------
    .. [1] L. Ruff et al., "Deep one-class classification", ICML 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvDeepSVDD
    >>> digits = load_digits()
    >>> zeros, ones = (digits.images[digits.target == d] / 16 for d in (0, 1))
    >>> detector = ConvDeepSVDD(random_state=0).fit(zeros)
    >>> bool((detector.predict(ones) == -1).mean() > 0.9)
    True
    """

    _parameter_constraints: dict = {
        **BaseImageDetector._parameter_constraints,
        **StemMixin._parameter_constraints,
        **PRETRAINING_CONSTRAINTS,
        "soft_boundary": ["boolean"],
        "nu": [Interval(Real, 0, 1, closed="right")],
    }
    _doc_parts = {
        **BaseImageDetector._doc_parts,
        "pretraining_parameters": PRETRAINING_PARAMETERS,
    }
    _module_class = ConvEncoderNetwork

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None = None,
        channels: Sequence[int] = (32, 64),
        latent_dim: int = 32,
        stem: Literal["auto", "gradients", "pixels"] = "auto",
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        activation: Activation = "leaky_relu",
        soft_boundary: bool = False,
        nu: float = 0.1,
        pretrain_epochs: int | Literal["auto"] = "auto",
        pretrain_lr: float = 2e-3,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 3e-4,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        train_split: TrainSplit | None = None,
        callbacks: Callbacks | None = None,
        contamination: Contamination = 0.1,
        warm_start: bool = False,
        device: Device = "cpu",
        compile: bool = False,
        verbose: int = 0,
        random_state: RandomState = None,
        **component__param: Any,
    ):
        super().__init__(
            image_shape=image_shape,
            channels=channels,
            latent_dim=latent_dim,
            activation=activation,
            augmentation=augmentation,
            module=module,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            train_split=train_split,
            callbacks=callbacks,
            contamination=contamination,
            warm_start=warm_start,
            device=device,
            compile=compile,
            verbose=verbose,
            random_state=random_state,
            **component__param,
        )
        self.stem = stem
        self.soft_boundary = soft_boundary
        self.nu = nu
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _pretraining_decoder(self, latent_dim, n_features):
        shape = self._make_stem().output_shape
        return ConvDecoder(
            shape, self._check_channels(), latent_dim, activation=self.activation, bias=False
        )

    def _pretraining_loss(self):
        return ImageReconstructionLoss(stem=self._make_stem())
