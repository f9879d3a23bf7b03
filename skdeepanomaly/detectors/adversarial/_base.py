"""Base of detectors whose networks play against each other."""

import torch

from ...base import BaseDeepDetector, GeneratorMixin
from ...engine import AdversarialNet
from ...utils._compat import StrOptions
from ...utils.validation import check_hidden_dims
from .._parameters import SHARE, WIDTH, half_latent_dim


class BaseAdversarialDetector(GeneratorMixin, BaseDeepDetector, abstract=True):
    """A generator and a discriminator, each with an optimiser of its own."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "hidden_dims": ["array-like"],
        "latent_dim": [WIDTH, StrOptions({"auto"})],
        "dropout": [SHARE],
        "optimizer_d": [callable],
    }
    _net_class = AdversarialNet
    _optimizers = ("optimizer", "optimizer_d")
    _optimizer_defaults = {"betas": (0.5, 0.999)}

    def __init__(
        self, *, hidden_dims, latent_dim, dropout, optimizer_d=torch.optim.Adam, **params
    ):
        super().__init__(**params)
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.dropout = dropout
        self.optimizer_d = optimizer_d

    def _auto_latent_dim(self, n_features: int) -> int:
        """Return the width of the code that "auto" stands for."""
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
