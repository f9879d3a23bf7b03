"""Base class of detectors with generative adversarial networks."""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector, GeneratorMixin
from ...engine import AdversarialNet
from ...engine.types import Optimizer
from ...utils.validation import StrOptions, check_hidden_dims
from .._parameters import SHARE, WIDTH, half_latent_dim


class BaseAdversarialDetector(GeneratorMixin, BaseDeepDetector, abstract=True):
    """Base of detectors with a generator and a discriminator, each with its own optimiser."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "hidden_dims": ["array-like"],
        "latent_dim": [WIDTH, StrOptions({"auto"})],
        "dropout": [SHARE],
        "optimizer_d": [callable],
    }
    _net_class = AdversarialNet
    _optimizers = ("optimizer", "optimizer_d")
    # NOTE[DIFF]: Adam's betas. A first beta below the default 0.9 is usual for GANs, because
    # the gradients of each player change as the other one learns.
    _optimizer_defaults = {"betas": (0.5, 0.999)}

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int],
        latent_dim: int | Literal["auto"],
        dropout: float,
        optimizer_d: Optimizer = torch.optim.Adam,
        **params: Any,
    ):
        super().__init__(**params)
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.dropout = dropout
        self.optimizer_d = optimizer_d

    def _auto_latent_dim(self, n_features: int) -> int:
        """Return the width of the code for ``latent_dim="auto"``."""
        return half_latent_dim(n_features)

    def _module_params(self, n_features):
        latent_dim = self.latent_dim
        if latent_dim == "auto":
            latent_dim = self._auto_latent_dim(n_features)
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": latent_dim,
            "dropout": self.dropout,
        }
