"""Base class of the auto-encoders."""

from collections.abc import Sequence
from typing import Any, Literal

from ...base import BaseDeepDetector, DecoderMixin, EncoderMixin
from ...utils.types import Activation
from ...utils.validation import StrOptions, check_hidden_dims
from .._members import MembersMixin
from .._parameters import NETWORK_CONSTRAINTS, SHARE, WIDTH, wide_latent_dim


class BaseAutoEncoder(
    MembersMixin, EncoderMixin, DecoderMixin, BaseDeepDetector, abstract=True
):
    """Base of detectors whose network encodes rows and reconstructs them from the code."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        **MembersMixin._parameter_constraints,
        "latent_dim": [WIDTH, StrOptions({"auto"})],
        "trimmed_fraction": [SHARE],
    }
    # At most 100 epochs. On a few hundred rows more epochs overfit: the errors of the training
    # rows, and with them the threshold, become too small for new normal rows, and the network
    # learns to reconstruct the anomalies among the training rows, too.
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int],
        latent_dim: int | Literal["auto"],
        activation: Activation,
        dropout: float,
        trimmed_fraction: float,
        n_members: int,
        max_samples: int | float | None,
        **params: Any,
    ):
        super().__init__(**params)
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.trimmed_fraction = trimmed_fraction
        self.n_members = n_members
        self.max_samples = max_samples

    def _module_params(self, n_features):
        latent_dim = self.latent_dim
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": wide_latent_dim(n_features) if latent_dim == "auto" else latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
            **self._member_params(),
        }

    def _criterion_params(self):
        return {"trimmed_fraction": self.trimmed_fraction, **self._member_params()}

    def _encode_rows(self, x):
        codes = super()._encode_rows(x)
        # Those of several networks stand side by side.
        return codes if self.net_.criterion_.n_members == 1 else codes.flatten(1)

    def _reconstruct_rows(self, x):
        return self.net_.criterion_.mean_of_members(super()._reconstruct_rows(x))
