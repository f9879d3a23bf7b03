"""Denoising auto-encoder: reconstructs rows from corrupted rows."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from ...engine import DetectorNet
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval
from .._parameters import NOT_NEGATIVE, SHARE
from ._auto_encoder import AutoEncoder
from ._losses import DenoisingLoss


class DenoisingNet(DetectorNet):
    """A net that trains on corrupted rows and compares the output with the clean rows.

    The criterion has a method ``corrupt(x)``. Validation uses rows that are not corrupted.
    """

    def infer(self, x: torch.Tensor, **fit_params: Any) -> Any:
        """Pass rows through the module; in training, corrupt them first."""
        if self.module_.training:
            x = self.criterion_.corrupt(x)
        return super().infer(x, **fit_params)


class DenoisingAutoEncoder(AutoEncoder):
    """Anomaly detection by the error of an auto-encoder that removes noise.

    The training rows are corrupted by Gaussian noise, by values that are set to zero, or by
    both, and a network learns to return the clean rows [1]_ [2]_. The network cannot solve
    this task by copying its input, so it learns the distribution of the rows even if the code
    is wide. The score of a row is the negative mean of the squared errors of its features. By
    default the squared error of each feature is divided by its mean over the training rows.
    The score can also be a mean over several corruptions of the row (``n_corruptions``).

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers of the encoder. The decoder has the same widths in reverse
        order.
    latent_dim : int or "auto", default="auto"
        Width of the code, the output of the encoder. ``"auto"`` is three quarters of the
        number of features, but at most 64.
    noise_std : float or pair of floats, default=(0.05, 1.5)
        Standard deviation of the Gaussian noise, in units of X; 0 means no noise. With a pair
        (low, high) a standard deviation is drawn for each row in each epoch: log-uniformly
        between low and high, or uniformly if low is 0.
    masking_rate : float or array-like of shape (n_features,), default=0.0
        Probability that a value is set to zero, in [0, 1): one number for all features, or
        one for each feature.
    n_corruptions : int, default=0
        Number of corruptions of a row over which its score is averaged. ``fit`` draws the
        corruptions once, with noise levels from the whole range of ``noise_std``; they are
        the same for all rows. With 0 the row is scored without corruption.
    %(activation_parameters)s
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    output_activation : str or None, default=None
        Activation of the output layer. If it is "sigmoid", scale the features to [0, 1].
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature by their mean over the
        training rows (plus 1e-4). With ``n_corruptions`` there is one mean for each feature
        and each corruption.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch that the loss leaves out, in [0, 1): those with the
        largest losses. About the share of anomalies among the training rows, or more, keeps
        the network from learning them.
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : DenoisingNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Reconstructs rows that are not corrupted.
    VariationalAutoEncoder : Adds noise to the code instead of the row.

    Notes
    -----
    Training minimises ``mean((f((x + noise) * mask) - x) ** 2)`` over random noise and masks.
    The target is the whole clean row, also its values that were not corrupted. With
    ``noise_std=0, masking_rate=0, n_corruptions=0`` the detector is :class:`AutoEncoder`.
    Averaging the score over corruptions did not rank the rows of real tables better than
    scoring the clean row, and costs ``n_corruptions`` times as much.

    Departures from the papers: a range of noise levels, as in diffusion models, where the
    papers fix one level; all layers are trained at once, where the papers train layer by
    layer; the papers do not score rows; masking and noise can be combined, where the papers
    use one or the other.

    A custom ``module`` maps rows (n, n_features) to reconstructions of the same shape. The
    detector corrupts the rows; the module does not need to.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and composing
       robust features with denoising autoencoders", ICML 2008.
    .. [2] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol, "Stacked
       denoising autoencoders", Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DenoisingAutoEncoder
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [2, -2, 2, -2]
    >>> detector = DenoisingAutoEncoder(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **AutoEncoder._parameter_constraints,
        "noise_std": [NOT_NEGATIVE, "array-like"],
        "masking_rate": [SHARE, "array-like"],
        "n_corruptions": [Interval(Integral, 0, None, closed="left")],
    }
    # NOTE[DIFF]: the papers train layer by layer; this net trains all layers at once.
    _net_class = DenoisingNet
    _criterion_class: type[torch.nn.Module] = DenoisingLoss
    # More epochs than for an AutoEncoder: the noise is new in each epoch, so the network
    # overfits later.
    _epoch_range = (10, 300)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128, 128),
        latent_dim: int | Literal["auto"] = "auto",
        # NOTE[DIFF]: a range of noise levels; the papers fix one level.
        noise_std: float | Sequence[float] = (0.05, 1.5),
        masking_rate: float | ArrayLike = 0.0,
        n_corruptions: int = 0,
        activation: Activation = "relu",
        dropout: float = 0.0,
        tied: bool = False,
        output_activation: Activation | None = None,
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
            tied=tied,
            output_activation=output_activation,
            standardize_errors=standardize_errors,
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
        self.noise_std = noise_std
        self.masking_rate = masking_rate
        self.n_corruptions = n_corruptions

    def _criterion_params(self):
        levels = np.atleast_1d(_numbers("noise_std", self.noise_std))
        rates = _numbers("masking_rate", self.masking_rate)
        if levels.shape not in ((1,), (2,)) or not 0 <= levels[0] <= levels[-1] < np.inf:
            raise ValueError(
                "noise_std must be a non-negative number or a pair (low, high) of such"
                f" numbers, got {self.noise_std!r}."
            )
        if (
            rates.shape not in ((), (self.n_features_in_,))
            or not ((0 <= rates) & (rates < 1)).all()
        ):
            raise ValueError(
                f"masking_rate must be a number in [0, 1), or {self.n_features_in_} of them,"
                f" one for each feature; got {self.masking_rate!r}."
            )
        return {
            **super()._criterion_params(),
            "noise_std": (float(levels[0]), float(levels[-1])),
            "masking_rate": rates.tolist(),
        }

    def _errors(self, x):
        criterion, module = self.net_.criterion_, self.net_.module_
        if len(criterion.noises):
            return criterion.stacked_errors(module, x)
        return super()._errors(x)

    def _feature_scores(self, x):
        criterion = self.net_.criterion_
        if len(criterion.noises):
            return criterion.mean_feature_scores(self._errors(x))
        return super()._feature_scores(x)

    # NOTE[DIFF]: the papers do not score rows.
    def _score_rows(self, x):
        return self._feature_scores(x).sum(dim=1)

    def _finalize_state(self, X):
        self.net_.criterion_.draw_corruptions(self.n_corruptions, X.shape[1])
        super()._finalize_state(X)


def _numbers(name, values):
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers, got {values!r}.") from error
