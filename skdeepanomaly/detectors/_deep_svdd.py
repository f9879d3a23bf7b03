"""Deep SVDD: normal rows lie in a small sphere of a learned space."""

from numbers import Integral, Real

import numpy as np
import torch
from torch import nn

from ..base import BaseDeepDetector
from ..engine import iter_outputs
from ..losses import DeepSVDDLoss, ReconstructionLoss
from ..mixins import EncoderMixin
from ..networks import ACTIVATIONS, MLP, Encoder
from ..utils._compat import Interval, StrOptions
from ..utils.validation import check_hidden_dims


class DeepSVDD(EncoderMixin, BaseDeepDetector):
    """Deep support vector data description.

    An encoder, pre-trained as half of an auto-encoder, learns to map normal rows close
    to a fixed centre [1]_. The score of a row is the negative squared distance of its
    code to the centre.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; the decoder of the pre-training mirrors
        them.
    latent_dim : int, default=512
        Width of the code.
    activation : str, default="leaky_relu"
        Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
        "silu", "tanh", "sigmoid". The paper advises against bounded ones, with which
        all codes can collapse to the centre.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training, in [0, 1).
    soft_boundary : bool, default=False
        Whether to minimise the radius of a sphere that may leave rows outside, in place
        of the mean distance.
    nu : float, default=0.1
        With ``soft_boundary``: upper bound of the share of training rows outside of the
        sphere, in (0, 1].
    pretrain_epochs : int or "auto", default="auto"
        Epochs of the auto-encoder; 0 leaves the pre-training out. ``"auto"`` makes as
        many as it takes for about 500 optimiser steps, at least 2.
    pretrain_lr : float, default=2e-3
        Learning rate of the auto-encoder.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the encoder, ``criterion_.center`` and
        ``criterion_.radius`` are the sphere.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Scores by the reconstruction error.

    Notes
    -----
    Departures from the paper: the default network and the number of steps are chosen
    for tables. There is no weight decay unless ``optimizer__weight_decay`` sets one. The
    radius of the soft boundary starts as the (1 - nu) quantile of all distances to the
    centre and follows each batch, as in the authors' code after its warm-up. With a soft
    boundary the score is the distance less the squared radius, as in that code.

    Entries of the centre nearer to zero than 0.1 are set to +-0.1, as in the authors'
    code, because zero weights would map all rows to a zero centre. ``partial_fit`` goes
    on with the centre of the first fit.

    The pre-training uses the optimiser of the second phase and its nested parameters, but
    for the learning rate, and no callbacks.

    A custom ``module`` maps rows (n, n_features) to codes (n, any width).

    References
    ----------
    .. [1] L. Ruff et al., "Deep one-class classification", ICML 2018; the hard boundary
       is equation 4, the soft one equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepSVDD
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[0] = [5, -5, 5, -5]
    >>> detector = DeepSVDD(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "hidden_dims": ["array-like"],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "soft_boundary": ["boolean"],
        "nu": [Interval(Real, 0, 1, closed="right")],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "pretrain_lr": [Interval(Real, 0, None, closed="neither")],
    }
    _module_class = Encoder
    _criterion_class = DeepSVDDLoss
    _n_steps = 150
    _epoch_range = (1, 150)
    _pretrain_steps = 500

    def __init__(
        self,
        *,
        hidden_dims=(128,),
        latent_dim=512,
        activation="leaky_relu",
        dropout=0.0,
        soft_boundary=False,
        nu=0.1,
        pretrain_epochs="auto",
        pretrain_lr=2e-3,
        module=None,
        optimizer=torch.optim.Adam,
        lr=3e-4,
        max_epochs="auto",
        batch_size="auto",
        train_split=None,
        callbacks=None,
        contamination=0.1,
        warm_start=False,
        device="cpu",
        compile=False,
        verbose=0,
        random_state=None,
        **component__param,
    ):
        super().__init__(
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
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.soft_boundary = soft_boundary
        self.nu = nu
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def _module_params(self, n_samples, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {"soft_boundary": self.soft_boundary, "nu": self.nu}

    def _pretraining_nets(self, net, X):
        latent_dim = next(self._iter_codes(net, X[:2])).shape[1]
        epochs = self.pretrain_epochs
        if epochs == "auto":
            epochs = self._epochs_for(self._pretrain_steps, len(X), (2, self._pretrain_steps))
        if epochs == 0:
            return []
        dims = [latent_dim, *reversed(check_hidden_dims(self.hidden_dims)), X.shape[1]]
        decoder = MLP(dims, activation=self.activation, dropout=self.dropout, bias=False)
        auto_encoder = self._build_net(
            nn.Sequential(net.module_, decoder),
            ReconstructionLoss,
            X,
            net.device,
            lr=self.pretrain_lr,
            max_epochs=epochs,
            **{
                name: value
                for name, value in self._nested_params().items()
                if name.startswith(("optimizer__", "iterator_")) and name != "optimizer__lr"
            },
        )
        return [auto_encoder.initialize()]

    def _initialize_state(self, net, X):
        """Set the centre to the mean code, and the radius to a quantile of distances."""
        total = sum(codes.double().sum(dim=0) for codes in self._iter_codes(net, X))
        center = (total / len(X)).float()
        near_zero = center.abs() < 0.1
        center[near_zero] = torch.where(center[near_zero] < 0, -0.1, 0.1)
        net.criterion_.center = center.to(net.device)
        if self.soft_boundary:
            squared = [net.criterion_.distances(c) for c in self._iter_codes(net, X)]
            distances = torch.cat(squared).sqrt().cpu().numpy()
            net.criterion_.radius.fill_(float(np.quantile(distances, 1 - self.nu)))

    def _encode_rows(self, net, x):
        return net.module_(x)

    def _iter_codes(self, net, X):
        """Yield the codes of all rows, batch by batch."""
        for _, codes in iter_outputs(net, X):
            if not isinstance(codes, torch.Tensor) or codes.ndim != 2:
                raise ValueError(
                    f"The module returned {getattr(codes, 'shape', type(codes))}; DeepSVDD"
                    " needs codes of shape (n_samples, latent_dim)."
                )
            yield codes
