"""Base of detectors that score rows by the distance of their codes to a fixed centre."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from ...base import BaseDeepDetector, EncoderMixin
from ...engine import iter_outputs
from ...networks import MLP
from ...utils.types import Activation
from ...utils.validation import check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, WIDTH
from .._pretraining import PRETRAINING_CONSTRAINTS, PRETRAINING_PARAMETERS, PretrainingMixin
from ..reconstruction import ReconstructionLoss
from ._networks import Encoder


class BaseCenterDetector(PretrainingMixin, EncoderMixin, BaseDeepDetector, abstract=True):
    """Base of detectors with an encoder and a fixed centre of the codes.

    The encoder is pre-trained as a part of an auto-encoder. The centre is the mean code of
    the training rows after the pre-training.
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        **PRETRAINING_CONSTRAINTS,
        "latent_dim": [WIDTH],
    }
    _doc_parts = {
        **BaseDeepDetector._doc_parts,
        "pretraining_parameters": PRETRAINING_PARAMETERS,
    }
    _module_class: type[nn.Module] = Encoder
    # NOTE[DIFF]: far fewer steps than in the papers, which train on images.
    _n_steps = 150
    _epoch_range = (1, 150)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int],
        latent_dim: int,
        activation: Activation,
        dropout: float,
        pretrain_epochs: int | Literal["auto"],
        pretrain_lr: float,
        **params: Any,
    ):
        super().__init__(**params)
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _pretraining_nets(self, X):
        # A custom module may return codes of any width, so two rows are encoded to read it.
        latent_dim = next(self._iter_codes(X[:2])).shape[1]
        decoder = self._pretraining_decoder(latent_dim, X.shape[1])
        auto_encoder = nn.Sequential(self.net_.module_, decoder)
        return self._make_pretraining_nets(auto_encoder, self._pretraining_loss(), X)

    def _pretraining_decoder(self, latent_dim: int, n_features: int) -> nn.Module:
        """Return the decoder of the pre-training, from codes to what is reconstructed."""
        dims = [latent_dim, *reversed(check_hidden_dims(self.hidden_dims)), n_features]
        return MLP(dims, activation=self.activation, dropout=self.dropout, bias=False)

    def _pretraining_loss(self) -> nn.Module:
        """Return the loss of the pre-training."""
        return ReconstructionLoss()

    def _initialize_state(self, X):
        """Set the centre to the mean code of the training rows."""
        total = sum(codes.double().sum(dim=0) for codes in self._iter_codes(X))
        center = (total / len(X)).float()
        # NOTE[DIFF]: entries near zero are moved away from zero, as in the authors' code.
        # Weights that are all zero would map every row exactly to a centre of zero.
        near_zero = center.abs() < 0.1
        center[near_zero] = torch.where(center[near_zero] < 0, -0.1, 0.1)
        self.net_.criterion_.center = center.to(self.net_.device)

    def _encode_rows(self, x):
        return self.net_.module_(x)

    def _iter_codes(self, X):
        """Yield the codes (n, latent_dim) of the rows, block by block."""
        for _, codes in iter_outputs(self.net_, X):
            if not isinstance(codes, torch.Tensor) or codes.ndim != 2:
                raise ValueError(
                    f"The module returned {getattr(codes, 'shape', type(codes))};"
                    f" {type(self).__name__} needs codes of shape (n_samples, latent_dim)."
                )
            yield codes
