"""Regression residuals: anomaly detection by predicting each feature from the others."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ...base import BaseDeepDetector, DecoderMixin
from ...engine import BLOCK_ROWS, map_in_blocks, mean_over_rows
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import StrOptions, check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, SHARE
from ._losses import ResidualLoss
from ._networks import AdditivePredictor, MaskedPredictor

HIDDEN_DIMS = {"linear": (), "additive": (32, 8), "mlp": (128, 128)}


def _is_additive(detector):
    """Return whether predictions are sums of contributions, as ``contributions`` needs."""
    if hasattr(detector, "net_"):
        return hasattr(detector.net_.module_, "contributions")
    if detector.module is not None:
        return hasattr(detector.module, "contributions")
    return detector.model != "mlp"


class RegressionResidual(DecoderMixin, BaseDeepDetector):
    r"""Anomaly detection by the residuals of each feature, predicted from the others.

    One network learns to predict each feature of normal rows from the other features
    [1]_ [2]_. A row is abnormal if its features differ from their predictions, even if each
    value alone is common. The score of a row is the negative mean of the residuals of its
    features. Each residual is divided by the mean residual of the feature over the training
    rows.

    Parameters
    ----------
    model : {"mlp", "additive", "linear"}, default="mlp"
        The model that predicts. ``"mlp"`` is a multilayer perceptron that gets the row with
        the predicted feature hidden. ``"additive"`` is a neural additive model [3]_: a
        prediction is a sum of functions of single features. ``"linear"`` is a linear
        model. For the last two, :meth:`contributions` returns the terms of the sums.
    hidden_dims : sequence of int or "auto", default="auto"
        Widths of the hidden layers of the MLP, or of the small network of each input feature
        in the additive model. The last width of the small networks is the number of basis
        functions of a feature. ``"auto"`` is (128, 128) for the MLP and (32, 8) for the
        additive model. A linear model has no hidden layers and ignores this parameter.
    %(activation_parameters)s
    mask_rate : float, default=0.5
        Upper bound of the share of features that is hidden from the MLP in training, in
        [0, 1). One random feature of each row is always hidden; of the other features a
        share is hidden that is drawn between 0 and this number.
    errors : {"absolute", "squared"}, default="absolute"
        Whether rows are scored by absolute or by squared residuals. The network is trained
        on squared residuals in both cases.
    standardize_errors : bool, default=True
        Whether the score divides the residuals of each feature by their mean over the
        training rows (plus 1e-2, or plus 1e-4 for squared residuals). Without it, features
        that cannot be predicted dominate the score.
    trimmed_fraction : float, default=0.0
        Share of the rows of a batch that the loss leaves out, in [0, 1): those with the
        largest residuals. About the share of anomalies among the training rows, or more, keeps
        the network from learning them.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Reconstructs each feature from all features, through a code.

    Notes
    -----
    Let :math:`f_j` be the prediction of feature :math:`j` from the other features. With the
    default ``errors`` the score of a row :math:`x` is

    .. math:: -\frac{1}{d} \sum_j \frac{|x_j - f_j(x_{-j})|}{s_j},
       \qquad s_j = \frac{1}{n} \sum_i |x_{ij} - f_j(x_{i,-j})| + 0.01.

    The prediction of a feature never depends on this feature. The MLP gets the row with zeros
    in place of hidden values, and a mask of the hidden features. To score a row it needs as
    many passes as there are features, up to 128. If there are more features, a pass hides each
    128th of them, and a feature is predicted from those that its pass shows. The additive
    model is

    .. math:: f_j(x_{-j}) = b_j + \sum_{i \neq j} w_{ij}^\top \phi_i(x_i),

    with a small network :math:`\phi_i` for each input feature. All small networks are
    evaluated as one batched product.

    If there is only one feature, or if the features are independent, the predictions are
    constants, and the score depends on the distances to these constants.

    Departures from the papers:

    - One network predicts all features; [1]_ and [2]_ train separate models for each
      feature. With more than 128 features, the MLP does not see all others.
    - The score is the mean of relative residuals. In [1]_ it is a sum of the surprisals of
      the features under a model of the residuals.
    - The additive model shares :math:`\phi_i` between the targets. It has ReLUs in place of
      the exponential units of [3]_, and no penalties.

    A custom ``module`` maps rows (n, n_features) to predictions of the same shape. In training
    it may also return a pair of predictions and a mask, both (n, n_features); the loss then
    uses only the predictions whose mask is 1. The prediction of a feature must not depend on
    this feature. If the module has a method ``contributions`` that maps rows to a tensor
    (n, targets, inputs), :meth:`contributions` is available, too.

    References
    ----------
    .. [1] K. Noto, C. Brodley, D. Slonim, "FRaC: a feature-modeling approach for
       semi-supervised and unsupervised anomaly detection", Data Mining and Knowledge
       Discovery 25, 2012.
    .. [2] C. C. Aggarwal, "Outlier Analysis", 2nd ed., Springer 2017, section 7.7.
    .. [3] R. Agarwal, L. Melnick, N. Frosst, X. Zhang, B. Lengerich, R. Caruana,
       G. E. Hinton, "Neural additive models: interpretable machine learning with neural
       nets", NeurIPS 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import RegressionResidual
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 300))
    >>> X = np.column_stack([a, b, a + b])
    >>> X[0] = [1, 1, -1]
    >>> detector = RegressionResidual(model="linear", contamination=0.01, random_state=0)
    >>> detector.fit(X).predict(X[:3])
    array([-1,  1,  1])
    >>> contributions = detector.contributions([[2, -1, 0]])
    >>> contributions.shape
    (1, 3, 3)
    >>> contributions[0, 2].round()  # of each feature to the prediction of the last one
    array([ 2., -1.,  0.], dtype=float32)
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "model": [StrOptions(set(HIDDEN_DIMS))],
        **NETWORK_CONSTRAINTS,
        "hidden_dims": ["array-like", StrOptions({"auto"})],
        "mask_rate": [SHARE],
        "errors": [StrOptions({"absolute", "squared"})],
        "standardize_errors": ["boolean"],
        "trimmed_fraction": [SHARE],
    }
    _criterion_class = ResidualLoss
    # More than 100 epochs on a few hundred rows would overfit, as for an auto-encoder.
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        model: Literal["mlp", "additive", "linear"] = "mlp",
        hidden_dims: Sequence[int] | Literal["auto"] = "auto",
        activation: Activation = "relu",
        dropout: float = 0.0,
        mask_rate: float = 0.5,
        errors: Literal["absolute", "squared"] = "absolute",
        standardize_errors: bool = True,
        # NOTE[DIFF]: the papers count all rows.
        trimmed_fraction: float = 0.0,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 5e-3,
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
        self.model = model
        self.hidden_dims = hidden_dims
        self.activation = activation
        self.dropout = dropout
        self.mask_rate = mask_rate
        self.errors = errors
        self.standardize_errors = standardize_errors
        self.trimmed_fraction = trimmed_fraction

    # NOTE[DIFF]: one network for all features; the papers train one or more models a feature.
    @property
    def _module_class(self):
        return MaskedPredictor if self.model == "mlp" else AdditivePredictor

    @available_if(_is_additive)
    def contributions(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the contribution of each feature to the prediction of each other feature.

        Available for ``model="additive"`` and ``model="linear"``. A prediction, as returned
        by ``reconstruct``, is the ``intercept_`` of the feature plus the sum of the
        contributions. The contributions of an input have mean zero over the training rows
        (over 1,000 evenly spread ones if there are more).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features, n_features)
            Contributions ``[row, target, input]`` in float32, in the units of the target.
            The contribution of a feature to its own prediction is zero.

        Raises
        ------
        AttributeError
            If the predictions are not sums, as for ``model="mlp"``.
        NotFittedError
            If the detector was not fitted.
        ValueError
            If X is not valid: NaN, infinity, other columns than in ``fit``.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        contributions = np.empty((*X.shape, X.shape[1]), dtype=np.float32)
        # Small blocks: a tensor (n, targets, inputs) of a large block may not fit into memory.
        for start in range(0, len(X), BLOCK_ROWS[0]):
            block = slice(start, start + BLOCK_ROWS[0])
            contributions[block] = map_in_blocks(
                self._contribute_rows, X[block], self.net_.device, dtype=np.float32
            )
        return contributions

    @property
    def intercept_(self) -> NDArray[np.float32]:
        """Intercept of the prediction of each feature, (n_features,).

        A prediction is the intercept plus the sum of the :meth:`contributions`.
        """
        check_is_fitted(self)
        if not self.net_.criterion_.intercept.numel():
            raise AttributeError(
                f"{type(self).__name__} has no intercept_: its"
                " predictions are no sums. Fit it with model='additive' or 'linear'."
            )
        return self.net_.criterion_.intercept.cpu().numpy()

    def _contribute_rows(self, x):
        """Return the centred contributions (n, targets, inputs) of rows (n, n_features)."""
        return self.net_.module_.contributions(x) - self.net_.criterion_.mean_contributions

    def _module_params(self, n_features):
        dims = self.hidden_dims
        if isinstance(dims, str) or self.model == "linear":
            dims = HIDDEN_DIMS[self.model]
        elif len(check_hidden_dims(dims)) == 0:
            raise ValueError(
                f"hidden_dims must hold at least one width for model={self.model!r}, got"
                f" {dims!r}. For a linear model set model='linear'."
            )
        return {
            "hidden_dims": check_hidden_dims(dims),
            "activation": self.activation,
            "dropout": self.dropout,
            "mask_rate": self.mask_rate,
        }

    def _criterion_params(self):
        return {"errors": self.errors, "trimmed_fraction": self.trimmed_fraction}

    def _finalize_state(self, X):
        """Set the mean residuals, and for sums the intercept and the mean contributions."""
        module, criterion = self.net_.module_, self.net_.criterion_
        criterion.scales = torch.empty(0, device=self.net_.device)
        if self.standardize_errors:
            # NOTE[DIFF]: relative residuals in place of the surprisal of FRaC. The floor is for
            # features that are predicted almost exactly: dividing by less would let them
            # decide the score alone.
            floor = 1e-4 if criterion.kind == "squared" else 1e-2
            means = mean_over_rows(self.net_, X, lambda x: criterion.errors(module(x), x))
            criterion.scales = means + floor
        if hasattr(module, "contributions"):
            mean = partial(mean_over_rows, self.net_, X, max_rows=1000, size=BLOCK_ROWS[0])
            criterion.intercept = mean(module)
            criterion.mean_contributions = mean(module.contributions)
