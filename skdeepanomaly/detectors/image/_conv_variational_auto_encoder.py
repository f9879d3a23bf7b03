"""Variational auto-encoder with convolutions."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal

import torch

from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions
from .._parameters import NOT_NEGATIVE, SHARE, WIDTH
from ..reconstruction import VariationalAutoEncoder
from ..reconstruction._losses import LIKELIHOODS
from ._base import BaseImageDetector
from ._networks import ConvVariationalNetwork


class ConvVariationalAutoEncoder(BaseImageDetector, VariationalAutoEncoder):
    """Anomaly detection in images by a convolutional variational auto-encoder.

    Convolutions encode an image to a distribution of codes, which is kept close to the standard
    normal distribution, and transposed convolutions decode a code to a distribution of
    images [1]_. The score of an image is its reconstruction probability [2]_. New images can be
    drawn.

    Parameters
    ----------
    %(image_shape_parameter)s
    %(channels_parameter)s
    %(augmentation_parameter)s
    likelihood : {"auto", "gaussian", "bernoulli"}, default="auto"
        Distribution of a pixel given the code: ``"gaussian"`` is normal, with a mean and a
        variance from the decoder; ``"bernoulli"`` is binary, for pixels in [0, 1].
        ``"auto"`` is ``"bernoulli"`` if all training images are in [0, 1] and no
        ``augmentation`` can move them out of it, otherwise ``"gaussian"``.
    beta : float, default=1.0
        Weight, in the loss, of the divergence of the codes from the standard normal
        distribution.
    warmup : float, default=0.0
        Share of the epochs of a fit during which the weight of the divergence rises linearly
        from 0 to ``beta``, in [0, 1].
    score_type : {"reconstruction_probability", "elbo", "error"}, \
default="reconstruction_probability"
        The score, as in :class:`VariationalAutoEncoder`.
    n_draws : int, default=10
        Number of codes of an image that the first two scores average over.
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
    net_ : AnnealedNet
        The trained skorch net; its ``module_`` is the network.
    %(image_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    VariationalAutoEncoder : The same for rows of tables, with notes on the method.
    ConvAutoEncoder : Each image has one code, and gradients can be rebuilt.
    ConvGAN : Draws sharper images.

    Notes
    -----
    X of dtype uint8 is scaled to [0, 1]; scale other images to about this range as a whole, not
    column by column.

    The departures from the papers are those of :class:`VariationalAutoEncoder`. Besides,
    ``sample`` returns the expected image of a random code, because independent noise in each
    pixel would hide it.

    ``explain`` is a heat map, the exact terms of the score, except for ``score_type="elbo"``.

    A custom ``module`` has the methods that :class:`VariationalAutoEncoder` names. A class is
    called with ``image_shape``, ``channels``, ``latent_dim``, ``activation`` and
    ``n_parameters``, as far as its constructor takes them.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] J. An, S. Cho, "Variational autoencoder based anomaly detection using
       reconstruction probability", SNU Data Mining Center, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdeepanomaly import ConvVariationalAutoEncoder
    >>> digits = load_digits()
    >>> zeros, ones = (digits.images[digits.target == d] / 16 for d in (0, 1))
    >>> detector = ConvVariationalAutoEncoder(random_state=0).fit(zeros)
    >>> bool((detector.predict(ones) == -1).mean() > 0.9)
    True
    >>> detector.sample(2, random_state=0).shape
    (2, 8, 8)
    """

    _parameter_constraints: dict = {
        **BaseImageDetector._parameter_constraints,
        "likelihood": [StrOptions({"auto", *LIKELIHOODS})],
        "beta": [NOT_NEGATIVE],
        "warmup": [Interval(Real, 0, 1, closed="both")],
        "score_type": [StrOptions({"reconstruction_probability", "elbo", "error"})],
        "n_draws": [WIDTH],
        "trimmed_fraction": [SHARE],
    }
    # The tabular detector takes "auto", too.
    latent_dim: int
    _module_class = ConvVariationalNetwork
    _n_steps = 500
    _epoch_range = (5, 100)

    def __init__(
        self,
        *,
        image_shape: Sequence[int] | None = None,
        channels: Sequence[int] = (32, 64),
        latent_dim: int = 16,
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        likelihood: Literal["auto", "gaussian", "bernoulli"] = "auto",
        beta: float = 1.0,
        warmup: float = 0.0,
        score_type: Literal[
            "reconstruction_probability", "elbo", "error"
        ] = "reconstruction_probability",
        n_draws: int = 10,
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
        self.likelihood = likelihood
        self.beta = beta
        self.warmup = warmup
        self.score_type = score_type
        self.n_draws = n_draws

    def _resolve_likelihood(self) -> str:
        if self.likelihood != "auto":
            return self.likelihood
        low, high = self._value_range or (0, 1)
        is_unit = 0 <= low <= high <= 1 and self.augmentation is None
        return "bernoulli" if is_unit else "gaussian"

    def _criterion_params(self):
        return {**super()._criterion_params(), "likelihood": self._resolve_likelihood()}

    def _module_params(self, n_features):
        n_parameters = LIKELIHOODS[self._resolve_likelihood()].n_parameters
        return {**super()._module_params(n_features), "n_parameters": n_parameters}

    def _sample_rows(self, n_samples):
        # NOTE[DIFF]: the expected image of a drawn code, without the noise of each pixel.
        module = self.net_.module_
        codes = torch.randn(n_samples, module.latent_dim, device=self.net_.device)
        return self.net_.criterion_.likelihood.mean(module.decode(codes))
