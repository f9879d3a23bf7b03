"""Auto-encoder: what a network cannot rebuild is abnormal."""

import torch

from ...engine import mean_over_rows
from ...networks import ACTIVATIONS
from ...utils._compat import StrOptions
from ._base import BaseAutoEncoder
from ._losses import ReconstructionLoss
from ._networks import AutoEncoderNetwork


class AutoEncoder(BaseAutoEncoder):
    """Anomaly detection by the reconstruction error of an auto-encoder.

    A network learns to rebuild normal rows through a code [1]_ [2]_. A row that
    it rebuilds badly does not follow the dependencies between the features. The score of
    a row is the negative mean, over its features, of the squared errors, each relative to
    the feature's mean squared error over the training rows.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the features, at most 64.
    %(activation_parameters)s
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    output_activation : str or None, default=None
        Activation of the output; with "sigmoid" scale the features to [0, 1].
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature by their mean over
        the training rows (plus 1e-4), so that features which are rebuilt badly in every row
        do not hide the others.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    DenoisingAutoEncoder : Learns to rebuild rows from corrupted ones.
    VariationalAutoEncoder : Rebuilds rows with a likelihood, and draws new ones.
    AdversarialAutoEncoder : Gives the codes a known distribution.
    DeepSVDD : Learns a code in which normal rows lie close together.
    BiGAN : Learns to generate normal rows, and their codes.

    Notes
    -----
    The input is not corrupted. For an L2 penalty pass ``optimizer__weight_decay``. The
    code is wide by default: the error of a wide code, trained for few steps, ranks rows
    better on most tables than the bottleneck of textbooks does.

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
    _module_class = AutoEncoderNetwork
    _criterion_class = ReconstructionLoss

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        activation="relu",
        dropout=0.0,
        tied=False,
        output_activation=None,
        standardize_errors=True,
        module=None,
        optimizer=torch.optim.Adam,
        lr=2e-3,
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
            hidden_dims=hidden_dims,
            latent_dim=latent_dim,
            activation=activation,
            dropout=dropout,
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
        """Return the squared errors (n, n_features) that each feature's scale comes from."""
        return self.net_.criterion_.squared_errors(self.net_.module_(x), x)

    def _finalize_state(self, X):
        criterion = self.net_.criterion_
        criterion.variances = torch.empty(0, device=self.net_.device)
        if self.standardize_errors:
            # The floor is a hundredth of the standard deviation of a scaled feature: a
            # feature that is rebuilt almost exactly must not decide the score alone.
            criterion.variances = mean_over_rows(self.net_, X, self._errors) + 1e-4
