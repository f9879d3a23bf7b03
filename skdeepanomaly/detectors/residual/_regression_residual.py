"""Regression residuals: a feature that the others do not lead to expect is abnormal."""

from functools import partial

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ...base import BaseDeepDetector, DecoderMixin
from ...engine import BLOCK_ROWS, map_in_blocks, mean_over_rows
from ...utils._compat import StrOptions
from ...utils.validation import check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, SHARE
from ._losses import ResidualLoss
from ._networks import AdditivePredictor, MaskedPredictor

HIDDEN_DIMS = {"linear": (), "additive": (32, 8), "mlp": (128, 128)}


def _is_additive(detector):
    """Whether predictions are sums of contributions; what ``contributions`` needs."""
    if hasattr(detector, "net_"):
        return hasattr(detector.net_.module_, "contributions")
    if detector.module is not None:
        return hasattr(detector.module, "contributions")
    return detector.model != "mlp"


class RegressionResidual(DecoderMixin, BaseDeepDetector):
    r"""Anomaly detection by the residuals of each feature, predicted from the others.

    One network learns to predict every feature of normal rows from the remaining ones
    [1]_ [2]_. A row whose features are not what their companions lead to expect is
    abnormal, even where each value alone is common. The score of a row is the negative
    mean, over its features, of the residuals, each relative to the feature's mean residual
    over the training rows.

    Parameters
    ----------
    model : {"mlp", "additive", "linear"}, default="mlp"
        What predicts: a network that sees the row with the feature hidden; a neural
        additive model [3]_, whose predictions are sums of functions of single features
        that :meth:`contributions` reads off; or a linear model, likewise.
    hidden_dims : sequence of int or "auto", default="auto"
        Widths of the hidden layers, of the MLP or of each input feature's own network in
        the additive model, whose last width is the number of its basis functions.
        ``"auto"`` is (128, 128) for the MLP and (32, 8) for the additive model; a linear
        model has none.
    %(activation_parameters)s
    mask_rate : float, default=0.5
        In training the MLP has to do without one random feature of each row, and without
        a share of the others that is uniform between 0 and this, in [0, 1).
    errors : {"absolute", "squared"}, default="absolute"
        Whether rows are scored by absolute or squared residuals. The network learns from
        squared ones in either case.
    standardize_errors : bool, default=True
        Whether the score divides the residuals of each feature by their mean over the
        training rows (plus 1e-2, or 1e-4 for squared residuals), so that features which
        nothing predicts do not hide the others.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Rebuilds features from all of them, through a code.

    Notes
    -----
    The score of row :math:`x` is, with predictions :math:`f_j` from the features other
    than :math:`j`,

    .. math:: -\frac{1}{d} \sum_j \frac{|x_j - f_j(x_{-j})|}{s_j},
       \qquad s_j = \frac{1}{n} \sum_i |x_{ij} - f_j(x_{i,-j})| + 0.01.

    No prediction ever depends on the feature that it is for. There is one network for
    all targets. The MLP gets rows with zeros for what is hidden, and the mask; to score a
    row it takes as many passes as there are features. The additive model is

    .. math:: f_j(x_{-j}) = b_j + \sum_{i \neq j} w_{ij}^\top \phi_i(x_i),

    with a small network :math:`\phi_i` for each input, all of them evaluated as one
    batched product. Unlike [3]_ it shares :math:`\phi_i` between the targets, has ReLUs in
    place of exponential units, and no penalties.

    Where there is one feature, or none that tells of another, the prediction is a
    constant, and the score the distance to it.

    A custom ``module`` maps rows (n, n_features) to predictions of the same shape, in
    training optionally to a pair of predictions and a mask of those that count; the
    prediction of a feature must not use the feature. Where it has ``contributions``, which
    maps rows to a tensor (n, targets, inputs), this class has it, too.

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
    }
    _criterion_class = ResidualLoss
    # As for an auto-encoder: more epochs on a few hundred rows learn them by heart.
    _epoch_range = (10, 100)

    def __init__(
        self,
        *,
        model="mlp",
        hidden_dims="auto",
        activation="relu",
        dropout=0.0,
        mask_rate=0.5,
        errors="absolute",
        standardize_errors=True,
        module=None,
        optimizer=torch.optim.Adam,
        lr=5e-3,
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
        self.model = model
        self.hidden_dims = hidden_dims
        self.activation = activation
        self.dropout = dropout
        self.mask_rate = mask_rate
        self.errors = errors
        self.standardize_errors = standardize_errors

    @property
    def _module_class(self):
        return MaskedPredictor if self.model == "mlp" else AdditivePredictor

    @available_if(_is_additive)
    def contributions(self, X):
        """Return what each feature adds to the prediction of each feature.

        There is such a thing for ``model="additive"`` and ``"linear"``. A prediction,
        as given by ``reconstruct``, is ``intercept_`` plus the sum of its contributions.
        The contributions of an input average zero over the training rows (over 1,000 of
        them, where there are more).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features, n_features)
            In float32; ``[row, target, input]``. A feature adds nothing to its own
            prediction.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        contributions = np.empty((*X.shape, X.shape[1]), dtype=np.float32)
        # (n, targets, inputs) of a large block of rows would not fit into memory.
        for start in range(0, len(X), BLOCK_ROWS[0]):
            block = slice(start, start + BLOCK_ROWS[0])
            contributions[block] = map_in_blocks(
                self._contribute_rows, X[block], self.net_.device, dtype=np.float32
            )
        return contributions

    @property
    def intercept_(self):
        """Predictions that the contributions are added to, (n_features,)."""
        check_is_fitted(self)
        if not self.net_.criterion_.intercept.numel():
            raise AttributeError(
                f"{type(self).__name__} has no intercept_: its"
                " predictions are no sums. Fit it with model='additive' or 'linear'."
            )
        return self.net_.criterion_.intercept.cpu().numpy()

    def _contribute_rows(self, x):
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
        return {"errors": self.errors}

    def _finalize_state(self, X):
        module, criterion = self.net_.module_, self.net_.criterion_
        criterion.scales = torch.empty(0, device=self.net_.device)
        if self.standardize_errors:
            # Floor for features that are predicted almost exactly; dividing by less would
            # let them decide the score alone.
            floor = 1e-4 if criterion.kind == "squared" else 1e-2
            means = mean_over_rows(self.net_, X, lambda x: criterion.errors(module(x), x))
            criterion.scales = means + floor
        if hasattr(module, "contributions"):
            mean = partial(mean_over_rows, self.net_, X, max_rows=1000, size=BLOCK_ROWS[0])
            criterion.intercept = mean(module)
            criterion.mean_contributions = mean(module.contributions)
