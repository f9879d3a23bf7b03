"""Convolutional GAN: a generator of images that anomalies do not resemble."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions
from .._parameters import WIDTH
from ..adversarial import GAN
from ._base import BaseImageDetector, StemMixin
from ._networks import ConvGANNetwork


class ConvGAN(StemMixin, BaseImageDetector, GAN):
    """Anomaly detection in images with a convolutional generative adversarial network.

    A generator of transposed convolutions learns to generate images from random codes, and a
    convolutional discriminator learns to separate real images from generated ones [1]_. By
    default the score of an image is the error of a short query: how far the image is from the
    most similar image that the generator makes of ``n_starts`` codes, and of those that
    ``query_steps`` gradient steps reach from there [2]_. ``sample`` generates images.

    Parameters
    ----------
    %(image_shape_parameter)s
    channels : sequence of int, default=(16, 32)
        Channels of the convolutions of the discriminator, each of which halves height and
        width. The generator has the same in reverse order.
    latent_dim : int, default=16
        Width of the code.
    stem : {"auto", "gradients", "pixels"}, default="auto"
        What the query compares: ``"pixels"`` are the values of X; ``"gradients"`` are
        histograms of oriented gradients, as in :class:`ConvAutoEncoder`. ``"auto"`` is
        ``"gradients"`` for images of at least 16 x 16 pixels, otherwise ``"pixels"``. Generator
        and discriminator see pixels.
    %(augmentation_parameter)s
    score_type : {"query", "discriminator", "mix"}, default="query"
        Parts of the anomaly score: ``"query"`` is the error of the query;
        ``"discriminator"`` is ``-log D(x)``; ``"mix"`` is the mean of both, each divided by its
        mean over the training images.
    n_starts : int, default=512
        Number of codes that are drawn once. Each query starts at the best of them.
    query_steps : int, default=0
        Number of gradient steps of each query.
    query_lr : float, default=0.1
        Learning rate of the query.
    optimizer_d : class of torch.optim.Optimizer, default=torch.optim.Adam
        Optimiser of the discriminator; ``optimizer`` trains the generator. Its learning rate
        is ``optimizer_d__lr``, or ``lr`` if this is not set.
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid".
    %(common_parameters)s

    Attributes
    ----------
    net_ : AdversarialNet
        The trained skorch net; its ``module_`` holds generator and discriminator. In
        ``history_``, ``train_loss`` is the loss of the generator, and
        ``discriminator_loss`` is the loss of the discriminator.
    %(image_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    GAN : The same for rows of tables, with notes on the method.
    ConvBiGAN : Learns an encoder, so that no query is needed.
    ConvAutoEncoder : Ranks images better, and is faster.

    Notes
    -----
    X of dtype uint8 is scaled to [0, 1]; scale other images to about this range as a whole, not
    column by column.

    The discriminator of a plain GAN does not rank images: it learns to separate real images
    from those of the generator, and anomalies are neither. The query is the score that works,
    and few starts and no step are enough of it where gradients are compared: see the
    benchmark of images in the documentation.

    Departures from the papers: there is no batch normalisation, because the scores of images
    must not depend on each other, and the output is linear, because X may have any scale. The
    query starts at the best of ``n_starts`` codes, which are the same for all images, where
    AnoGAN takes 500 steps from a random one. It compares gradients by default, and no features
    of the discriminator. If an optimiser has a parameter ``betas``, its default here is
    (0.5, 0.999).

    ``explain`` is a heat map of integrated gradients.

    A custom ``module`` has the methods that :class:`GAN` names. A class is called with
    ``image_shape``, ``channels``, ``latent_dim`` and ``activation``, as far as its constructor
    takes them.

    References
    ----------
    .. [1] A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep
       convolutional generative adversarial networks", ICLR 2016.
    .. [2] T. Schlegl, P. Seeböck, S. M. Waldstein, U. Schmidt-Erfurth, G. Langs,
       "Unsupervised anomaly detection with generative adversarial networks to guide
       marker discovery", IPMI 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvGAN
    >>> digits = load_digits()
    >>> zeros, ones = (digits.images[digits.target == d] / 16 for d in (0, 1))
    >>> detector = ConvGAN(random_state=0).fit(zeros)
    >>> bool((detector.predict(ones) == -1).mean() > 0.9)
    True
    >>> detector.sample(2, random_state=0).shape
    (2, 8, 8)
    """

    _parameter_constraints: dict = {
        **BaseImageDetector._parameter_constraints,
        **StemMixin._parameter_constraints,
        "score_type": [StrOptions({"query", "discriminator", "mix"})],
        "n_starts": [WIDTH],
        "query_steps": [Interval(Integral, 0, None, closed="left")],
        "query_lr": [Interval(Real, 0, None, closed="neither")],
        "optimizer_d": [callable],
    }
    # The tabular detector takes "auto", too.
    latent_dim: int
    _module_class = ConvGANNetwork
    _n_steps = 800
    _epoch_range = (5, 200)
    # Not parameters here. Background rows, which are moved by noise, are no help with images.
    alpha = 0.5
    feature_weight = 0.0
    background = 0.0
    background_scales = (0.3, 5.0)
    label_smoothing = 0.0
    r1_weight = 0.0

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None = None,
        channels: Sequence[int] = (16, 32),
        latent_dim: int = 16,
        stem: Literal["auto", "gradients", "pixels"] = "auto",
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        score_type: Literal["query", "discriminator", "mix"] = "query",
        # NOTE[DIFF]: AnoGAN starts at one random code and takes 500 steps.
        n_starts: int = 512,
        query_steps: int = 0,
        query_lr: float = 0.1,
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
        self.score_type = score_type
        self.n_starts = n_starts
        self.query_steps = query_steps
        self.query_lr = query_lr

    def _criterion_params(self):
        return {**super()._criterion_params(), "stem": self._make_stem()}
