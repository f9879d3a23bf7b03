"""Convolutional auto-encoder: images that are rebuilt badly are anomalies."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch

from ...engine import spread_tensor
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from .._parameters import NOT_NEGATIVE, SHARE
from ..reconstruction import DenoisingAutoEncoder
from ._base import BaseImageDetector, StemMixin
from ._losses import ImageReconstructionLoss
from ._networks import ConvAutoEncoderNetwork


class ConvAutoEncoder(StemMixin, BaseImageDetector, DenoisingAutoEncoder):
    """Anomaly detection in images by a convolutional auto-encoder.

    Convolutions encode an image to a short code, and transposed convolutions learn to rebuild
    the image from it [1]_ [2]_. What is rebuilt decides what counts as an anomaly, and
    ``stem`` chooses it: oriented gradients show the shapes of lines and textures, pixels show
    brightness and colour. The score of an image is the negative mean squared error of what is
    rebuilt. With ``noise_std`` or ``masking_rate`` the network learns to remove noise.

    Parameters
    ----------
    %(image_shape_parameter)s
    %(channels_parameter)s
    %(stem_parameter)s
    %(augmentation_parameter)s
    noise_std : float or pair of floats, default=0.0
        Standard deviation of Gaussian noise, in units of X, that the network learns to remove.
        With a pair (low, high) a standard deviation is drawn for each image in each epoch.
    masking_rate : float, default=0.0
        Probability that a value is set to zero, in [0, 1); the network learns to restore it.
    activation : str, default="relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid".
    trimmed_fraction : float, default=0.0
        Share of the images of a batch that the loss leaves out, in [0, 1): those with the
        largest losses. About the share of anomalies among the training images, or more, keeps
        the network from learning them.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DenoisingNet
        The trained skorch net; its ``module_`` is the network.
    %(image_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : The same for rows of tables.
    ConvVariationalAutoEncoder : Gives each image a likelihood, and draws new images.
    ConvDeepSVDD : Learns codes in which normal images lie close together.

    Notes
    -----
    X of dtype uint8 is scaled to [0, 1]; scale other images to about this range as a whole, not
    column by column.

    With ``stem="gradients"``, ``reconstruct`` returns pictures of the codes. They are made by a
    decoder that learns beside the others from codes that are detached, so that the scores do
    not depend on it; ``train_loss`` has its squared error as a second term.

    ``explain`` is a heat map, the exact terms of the score: errors of pixels, or errors of
    cells of gradients, each spread evenly over the pixels of its cell. For images far from all
    training images, whose scores get a penalty with gradients, it has the terms of the penalty.

    Departures from the papers: gradients can be rebuilt instead of pixels; all layers are
    trained at once; the code is short, and there is no pooling.

    A custom ``module`` maps flat rows (n, n_features) to what is rebuilt, flat and of the same
    shape with ``stem="pixels"``. A class is called with ``image_shape``, ``channels``,
    ``latent_dim``, ``activation`` and ``stem``, as far as its constructor takes them.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Ciresan, J. Schmidhuber, "Stacked convolutional auto-encoders
       for hierarchical feature extraction", ICANN 2011.
    .. [2] N. Dalal, B. Triggs, "Histograms of oriented gradients for human detection",
       CVPR 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvAutoEncoder
    >>> digits = load_digits()
    >>> zeros, ones = (digits.images[digits.target == d] / 16 for d in (0, 1))
    >>> detector = ConvAutoEncoder(random_state=0).fit(zeros)
    >>> detector.image_shape_
    (1, 8, 8)
    >>> float((detector.predict(ones) == -1).mean())
    1.0
    >>> detector.explain(ones).shape == ones.shape
    True
    """

    _parameter_constraints: dict = {
        **BaseImageDetector._parameter_constraints,
        **StemMixin._parameter_constraints,
        "noise_std": [NOT_NEGATIVE, "array-like"],
        "trimmed_fraction": [SHARE],
        "masking_rate": [SHARE],
    }
    # The tabular detector takes "auto", too.
    latent_dim: int
    _module_class = ConvAutoEncoderNetwork
    _criterion_class = ImageReconstructionLoss
    _n_steps = 500
    _epoch_range = (5, 100)
    # Not parameters here: errors of the border, which never changes, would decide the score.
    standardize_errors = False
    n_corruptions = 0

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None = None,
        channels: Sequence[int] = (32, 64),
        latent_dim: int = 16,
        stem: Literal["auto", "gradients", "pixels"] = "auto",
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        noise_std: float | Sequence[float] = 0.0,
        masking_rate: float = 0.0,
        activation: Activation = "relu",
        # NOTE[DIFF]: the papers count all images.
        trimmed_fraction: float = 0.0,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 2e-3,
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
        self.trimmed_fraction = trimmed_fraction
        self.stem = stem
        self.noise_std = noise_std
        self.masking_rate = masking_rate

    def _criterion_params(self):
        return {**super()._criterion_params(), "stem": self._make_stem()}

    def _finalize_state(self, X):
        super()._finalize_state(X)
        self.net_.criterion_.set_energy_range(spread_tensor(X, self.net_.device))

    def _is_unbounded(self):
        # Gradients are divided by their length, so that their errors are bounded.
        return self.net_.criterion_.stem.relative

    def _feature_scores(self, x):
        return self.net_.criterion_.stem.spread(super()._feature_scores(x))

    def _reconstruct_rows(self, x):
        module = self.net_.module_
        return module.paint(x) if hasattr(module, "paint") else module(x)
