"""Transformer auto-encoder: steps that do not follow from the others are anomalies."""

from typing import Any, Literal

import torch

from ...base import DecoderMixin
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from .._parameters import SHARE, WIDTH
from ._base import BaseWindowDetector
from ._losses import MaskedWindowLoss
from ._networks import TransformerAutoEncoderNetwork


class TransformerAutoEncoder(DecoderMixin, BaseWindowDetector):
    """Anomaly detection in windows of series by rebuilding masked steps with a transformer.

    In training, steps of a window are hidden at random, and a small transformer [1]_ learns to
    restore them from the others [2]_. To score a window, each of its steps is hidden once, in a
    few passes that hide different steps; the score is the negative mean squared error.

    Parameters
    ----------
    %(n_channels_parameter)s
    hidden_dim : int, default=32
        Width of the transformer; a multiple of ``n_heads``.
    n_heads : int, default=4
        Number of attention heads.
    n_layers : int, default=2
        Number of layers.
    mask_rate : float, default=0.25
        Probability that a step is hidden in training, in [0, 1). At least one step is. With 0
        nothing is ever hidden, and the network learns to copy.
    %(n_last_steps_parameter)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(window_shape_attribute)s
    %(common_attributes)s

    See Also
    --------
    RecurrentAutoEncoder : Rebuilds windows from a short code.
    SlidingWindowDetector : Cuts a series into windows, and gives each time stamp a score.

    Notes
    -----
    Scale each channel before windows are cut, as :class:`SlidingWindowDetector` does.

    ``reconstruct`` has each step as it is restored where it is hidden.

    Departures from the papers: steps are hidden one by one and not as stretches; the network is
    small; scores need a few passes (one in four steps is hidden at a time), so that every step
    is judged without being seen.

    A custom ``module`` maps flat rows (n, n_features) to what is restored, of the same shape;
    it has to hide steps by itself. A class is called with ``window_shape``, ``hidden_dim``,
    ``n_heads``, ``n_layers`` and ``mask_rate``, as far as its constructor takes them.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    .. [2] G. Zerveas et al., "A transformer-based framework for multivariate time series
       representation learning", KDD 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import TransformerAutoEncoder
    >>> t = np.random.default_rng(0).uniform(0, 100, size=(300, 1)) + np.arange(20)
    >>> windows = np.sin(t / 3)[:, :, None]
    >>> detector = TransformerAutoEncoder(max_epochs=20, random_state=0).fit(windows)
    >>> jumps = windows[:5].copy()
    >>> jumps[:, 15] += 2
    >>> usual = np.median(detector.score_samples(windows))
    >>> bool(detector.score_samples(jumps).max() < usual)
    True
    """

    _parameter_constraints: dict = {
        **BaseWindowDetector._parameter_constraints,
        "n_heads": [WIDTH],
        "n_layers": [WIDTH],
        "mask_rate": [SHARE],
    }
    _module_class = TransformerAutoEncoderNetwork
    _criterion_class = MaskedWindowLoss

    def __init__(
        self,
        *,
        n_channels: int | None = None,
        hidden_dim: int = 32,
        n_heads: int = 4,
        n_layers: int = 2,
        mask_rate: float = 0.25,
        n_last_steps: int | None = None,
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
            n_channels=n_channels,
            hidden_dim=hidden_dim,
            n_last_steps=n_last_steps,
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
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.mask_rate = mask_rate

    def _module_params(self, n_features):
        if self.hidden_dim % self.n_heads:
            raise ValueError(
                f"hidden_dim={self.hidden_dim} is no multiple of n_heads={self.n_heads}: each"
                " head takes an equal part of the width."
            )
        return {
            **super()._module_params(n_features),
            "n_heads": self.n_heads,
            "n_layers": self.n_layers,
            "mask_rate": self.mask_rate,
        }
