"""What detectors share that measure distances of codes to a fixed centre."""

from numbers import Integral, Real

import torch
from torch import nn

from ...base import BaseDeepDetector, EncoderMixin
from ...engine import iter_outputs
from ...networks import ACTIVATIONS, MLP
from ...utils._compat import Interval, StrOptions
from ...utils.validation import check_hidden_dims
from ..reconstruction._losses import ReconstructionLoss
from ._networks import Encoder


class BaseCenterDetector(EncoderMixin, BaseDeepDetector):
    """An encoder, pre-trained as half of an auto-encoder, and the mean of its codes."""

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "hidden_dims": ["array-like"],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "pretrain_lr": [Interval(Real, 0, None, closed="neither")],
    }
    _module_class = Encoder
    _n_steps = 150
    _epoch_range = (1, 150)

    def __init__(
        self,
        *,
        hidden_dims,
        latent_dim,
        activation,
        dropout,
        pretrain_epochs,
        pretrain_lr,
        **params,
    ):
        super().__init__(**params)
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _module_params(self, n_samples, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _pretraining_nets(self, net, X):
        latent_dim = next(self._iter_codes(net, X[:2])).shape[1]
        dims = [latent_dim, *reversed(check_hidden_dims(self.hidden_dims)), X.shape[1]]
        decoder = MLP(dims, activation=self.activation, dropout=self.dropout, bias=False)
        auto_encoder = nn.Sequential(net.module_, decoder)
        return self._pretraining(auto_encoder, ReconstructionLoss, X, net)

    def _initialize_state(self, net, X):
        """Set the centre to the mean code."""
        total = sum(codes.double().sum(dim=0) for codes in self._iter_codes(net, X))
        center = (total / len(X)).float()
        near_zero = center.abs() < 0.1
        center[near_zero] = torch.where(center[near_zero] < 0, -0.1, 0.1)
        net.criterion_.center = center.to(net.device)

    def _encode_rows(self, net, x):
        return net.module_(x)

    def _iter_codes(self, net, X):
        """Yield the codes of all rows, batch by batch."""
        for _, codes in iter_outputs(net, X):
            if not isinstance(codes, torch.Tensor) or codes.ndim != 2:
                raise ValueError(
                    f"The module returned {getattr(codes, 'shape', type(codes))};"
                    f" {type(self).__name__} needs codes of shape (n_samples, latent_dim)."
                )
            yield codes
