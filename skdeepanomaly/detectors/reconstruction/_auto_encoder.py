"""Auto-encoder: anomalies have a large reconstruction error."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from ...engine import mean_over_rows, numpy_layers
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...networks import ACTIVATIONS
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import StrOptions
from ._base import BaseAutoEncoder
from ._losses import ReconstructionLoss
from ._networks import AutoEncoderNetwork


class AutoEncoder(BaseAutoEncoder):
    """Anomaly detection by the reconstruction error of an auto-encoder.

    An encoder maps a row to a code, and a decoder learns to reconstruct the row from the
    code [1]_ [2]_. If the reconstruction error of a row is large, the row does not follow the
    dependencies between the features that the training rows have. The score of a row is the
    negative mean of the squared errors of its features. By default the squared error of each
    feature is divided by the mean squared error of the feature over the training rows.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int or "auto", default="auto"
        Width of the code, the output of the encoder. ``"auto"`` is three quarters of the
        number of features, but at most 64.
    %(activation_parameters)s
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    output_activation : str or None, default=None
        Activation of the output layer. If it is "sigmoid", scale the features to [0, 1].
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature by their mean over
        the training rows (plus 1e-4). Otherwise features that have large errors in all rows
        decide the score alone.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch that the loss leaves out, in [0, 1): those with the
        largest losses. About the share of anomalies among the training rows, or more, keeps
        the network from learning them.
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    DenoisingAutoEncoder : Learns to reconstruct rows from corrupted rows.
    VariationalAutoEncoder : Gives each row a likelihood, and can draw new rows.
    AdversarialAutoEncoder : Gives the codes a known distribution.
    DeepSVDD : Learns codes in which normal rows lie close together.
    BiGAN : Learns to generate normal rows, and to encode rows.

    Notes
    -----
    For an L2 penalty pass ``optimizer__weight_decay``.

    Departures from the papers: the code is wide by default and the training is short, because
    the rows of most tables are then ranked better than with a narrow code;
    ``standardize_errors`` divides the errors of each feature by their mean (see the ablations
    in the benchmarks of the documentation).

    A custom ``module`` maps rows (n, n_features) to reconstructions of the same shape.

    References
    ----------
    .. [1] S. Hawkins, H. He, G. Williams, R. Baxter, "Outlier detection using replicator
       neural networks", DaWaK 2002.
    .. [2] C. C. Aggarwal, "Outlier Analysis", 2nd ed., Springer 2017, section 3.6.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import AutoEncoder
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [2, -2, 2, -2]
    >>> detector = AutoEncoder(latent_dim=2, contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> detector.predict(X[:3])
    array([-1,  1,  1])
    """

    _parameter_constraints: dict = {
        **BaseAutoEncoder._parameter_constraints,
        "tied": ["boolean"],
        "output_activation": [StrOptions(set(ACTIVATIONS)), None],
        "standardize_errors": ["boolean"],
    }
    _module_class: type[torch.nn.Module] = AutoEncoderNetwork
    _criterion_class: type[torch.nn.Module] = ReconstructionLoss

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        # NOTE[DIFF]: three quarters of the features, where the papers use a narrow code.
        latent_dim: int | Literal["auto"] = "auto",
        activation: Activation = "relu",
        dropout: float = 0.0,
        tied: bool = False,
        output_activation: Activation | None = None,
        # NOTE[DIFF]: the papers add up the errors of all features as they are.
        standardize_errors: bool = True,
        # NOTE[DIFF]: the papers count all rows.
        trimmed_fraction: float = 0.0,
        n_members: int = 1,
        max_samples: int | float | None = None,
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
            hidden_dims=hidden_dims,
            latent_dim=latent_dim,
            activation=activation,
            dropout=dropout,
            trimmed_fraction=trimmed_fraction,
            n_members=n_members,
            max_samples=max_samples,
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
        self.tied = tied
        self.output_activation = output_activation
        self.standardize_errors = standardize_errors

    def _module_params(self, n_features):
        return {
            **super()._module_params(n_features),
            "tied": self.tied,
            "output_activation": self.output_activation,
        }

    def _errors(self, x):
        """Return the squared errors (n, n_features) whose mean is the scale of a feature."""
        return self.net_.criterion_.squared_errors(self.net_.module_(x), x)

    def _row_scorer(self):
        module, criterion = self.net_.module_, self.net_.criterion_
        rebuild = None
        is_plain = type(module) is AutoEncoderNetwork and not module._forward_hooks
        # A subclass may score rows in another way.
        is_plain &= type(self)._score_rows is AutoEncoder._score_rows
        if is_plain and type(criterion) is ReconstructionLoss:
            rebuild = numpy_layers(module.encoder, module.decoder)
        if rebuild is None:
            return super()._row_scorer()
        # Without standardised errors there are none.
        variances = criterion.variances.numpy().copy() if criterion.variances.numel() else 1.0

        def score(row: np.ndarray) -> float:
            x = row.astype(np.float32)
            with np.errstate(all="ignore"):
                errors = np.square(rebuild(x) - x) / variances
                score = -float(errors.mean())
            return score if math.isfinite(score) else float(np.finfo(np.float64).min)

        return score

    def _finalize_state(self, X):
        criterion = self.net_.criterion_
        criterion.variances = torch.empty(0, device=self.net_.device)
        if self.standardize_errors:
            # The floor 1e-4 is the square of 0.01, a hundredth of the standard deviation of
            # a standardised feature. Without it, a feature that is reconstructed almost
            # exactly would decide the score alone.
            criterion.variances = mean_over_rows(self.net_, X, self._errors) + 1e-4
