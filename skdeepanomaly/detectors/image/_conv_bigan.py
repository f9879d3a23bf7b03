"""Convolutional BiGAN: a generator, an encoder, and a discriminator of pairs."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from .._parameters import NOT_NEGATIVE
from ..adversarial import BiGAN
from ._base import BaseImageDetector, StemMixin
from ._networks import ConvBiGANNetwork


class ConvBiGAN(StemMixin, BaseImageDetector, BiGAN):
    """Anomaly detection in images with a convolutional bidirectional GAN.

    A generator learns to generate images from random codes, and an encoder learns to find the
    code of an image, both against a discriminator of pairs of an image and a code [1]_. The
    score is a weighted sum of the error of the reconstruction of an image, and of its error in
    the features of the discriminator [2]_.

    Parameters
    ----------
    %(image_shape_parameter)s
    channels : sequence of int, default=(16, 32)
        Channels of the convolutions of encoder and discriminator, each of which halves height
        and width. The generator has the same in reverse order.
    latent_dim : int, default=16
        Width of the code.
    stem : {"auto", "gradients", "pixels"}, default="auto"
        What the score compares of an image and its reconstruction: ``"pixels"`` are the values
        of X; ``"gradients"`` are histograms of oriented gradients, as in
        :class:`ConvAutoEncoder`. ``"auto"`` is ``"gradients"`` for images of at least 16 x 16
        pixels, otherwise ``"pixels"``. The networks see pixels.
    %(augmentation_parameter)s
    cycle_weight : float, default=100.0
        Weight of the squared reconstruction error in the loss of encoder and generator;
        0 gives the BiGAN of the paper. The error of a pixel in [0, 1] is small beside the
        loss of the discriminator, hence the large default.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score, in [0, 1]. The weight of the error in
        the features of the discriminator is ``1 - alpha``.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` trains generator and encoder. Its
        learning rate is ``optimizer_d__lr``, or ``lr`` if this is not set.
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid".
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds encoder, generator and
        discriminator. In ``history_``, ``train_loss`` is the loss of generator and encoder,
        and ``discriminator_loss`` is the loss of the discriminator.
    %(image_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    BiGAN : The same for rows of tables, with notes on the method.
    ConvGAN : Has no encoder, and searches for the code.
    ConvAutoEncoder : Only the reconstruction, without a discriminator.

    Notes
    -----
    X of dtype uint8 is scaled to [0, 1]; scale other images to about this range as a whole, not
    column by column.

    The departures from the papers are those of :class:`BiGAN`; besides, there is no batch
    normalisation, and the score compares gradients by default.

    ``explain`` is a heat map of integrated gradients.

    A custom ``module`` has the methods that :class:`BiGAN` names. A class is called with
    ``image_shape``, ``channels``, ``latent_dim`` and ``activation``, as far as its constructor
    takes them.

    References
    ----------
    .. [1] J. Donahue, P. Krähenbühl, T. Darrell, "Adversarial feature learning",
       ICLR 2017.
    .. [2] H. Zenati, C. S. Foo, B. Lecouat, G. Manek, V. R. Chandrasekhar, "Efficient
       GAN-based anomaly detection", ICLR 2018 workshop.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvBiGAN
    >>> digits = load_digits()
    >>> zeros, ones = (digits.images[digits.target == d] / 16 for d in (0, 1))
    >>> detector = ConvBiGAN(random_state=0).fit(zeros)
    >>> bool((detector.predict(ones) == -1).mean() > 0.9)
    True
    """

    _parameter_constraints: dict = {
        **BaseImageDetector._parameter_constraints,
        **StemMixin._parameter_constraints,
        "cycle_weight": [NOT_NEGATIVE],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "optimizer_d": [callable],
    }
    # The tabular detector takes "auto", too.
    latent_dim: int
    _module_class = ConvBiGANNetwork
    _auto_batch_size = 64
    _n_steps = 800
    _epoch_range = (5, 200)

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None = None,
        channels: Sequence[int] = (16, 32),
        latent_dim: int = 16,
        stem: Literal["auto", "gradients", "pixels"] = "auto",
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        # NOTE[DIFF]: the BiGAN of the papers has no reconstruction error in its loss.
        cycle_weight: float = 100.0,
        alpha: float = 0.9,
        optimizer_d: Optimizer = torch.optim.Adam,
        activation: Activation = "leaky_relu",
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 1e-3,
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
        self.optimizer_d = optimizer_d
        self.cycle_weight = cycle_weight
        self.alpha = alpha

    def _criterion_params(self):
        return {**super()._criterion_params(), "stem": self._make_stem()}
