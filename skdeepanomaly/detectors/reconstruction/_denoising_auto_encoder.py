"""Denoising auto-encoder: what does not return to where the data lie is abnormal."""

from numbers import Integral

import numpy as np
import torch

from ...engine import DetectorNet
from ...utils._compat import Interval
from .._parameters import NOT_NEGATIVE, SHARE
from ._auto_encoder import AutoEncoder
from ._losses import DenoisingLoss


class DenoisingNet(DetectorNet):
    """A net that trains on corrupted rows and compares what it makes with the clean ones.

    The criterion offers ``corrupt(x)``. Validation takes the rows as they are.
    """

    def infer(self, x, **fit_params):
        """Pass rows through the module, in training corrupted."""
        if self.module_.training:
            x = self.criterion_.corrupt(x)
        return super().infer(x, **fit_params)


class DenoisingAutoEncoder(AutoEncoder):
    """Anomaly detection by the error of an auto-encoder that removes noise.

    A network is given rows with Gaussian noise, with values set to zero, or both, and
    learns to return the rows as they were [1]_ [2]_. It learns where the data lie, not
    only to copy, and needs no narrow code for that. A row is abnormal if the network moves
    it far. The score is the negative mean, over features and, on demand, over several
    corruptions, of the squared errors, each relative to its mean over the training rows.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128, 128)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int or "auto", default="auto"
        Width of the code. ``"auto"`` is three quarters of the features, at most 64.
    noise_std : float or pair of floats, default=(0.05, 1.5)
        Standard deviation of the Gaussian noise. Of a pair (low, high) each row draws its
        own in each pass, evenly on a logarithmic scale, or a linear one where low is 0; 0 is
        no noise.
    masking_rate : float or array-like of shape (n_features,), default=0.0
        Probability that a value is set to zero, for all features or for each of them,
        in [0, 1).
    n_corruptions : int, default=0
        Number of corruptions of a row that its score averages over; they are drawn once in
        ``fit``, over the whole range of levels, and are the same for all rows. 0 scores the
        row as it is.
    %(activation_parameters)s
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    output_activation : str or None, default=None
        Activation of the output; with "sigmoid" scale the features to [0, 1].
    standardize_errors : bool, default=True
        Whether the score divides the squared errors of each feature, corruption by
        corruption, by their mean over the training rows (plus 1e-4).
    %(common_parameters)s

    Attributes
    ----------
    net_ : DenoisingNet
        The trained skorch net; its ``module_`` is the network.
    %(common_attributes)s

    See Also
    --------
    AutoEncoder : Learns to rebuild rows as they are.
    VariationalAutoEncoder : Noise on the code in place of the row.

    Notes
    -----
    Training minimises, over random noise and masks,
    ``mean((f((x + noise) * mask) - x) ** 2)``; the target is the clean row, all of it.
    ``noise_std=0, masking_rate=0, n_corruptions=0`` is :class:`AutoEncoder`. Averaging
    over corruptions ranks rows on real tables as well as the row itself does, at
    ``n_corruptions`` times the cost.

    Departures from the papers: they fix one level of noise, and train layer by layer; here
    a range of levels, as in diffusion models, and all layers at once. They do not score
    rows. In the papers masking and noise are alternatives; here they can be combined.

    A custom ``module`` maps rows (n, n_features) to reconstructions of the same shape; it
    need not corrupt anything.

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
    _net_class = DenoisingNet
    _criterion_class = DenoisingLoss
    # Rows that are never the same twice can be seen more often.
    _epoch_range = (10, 300)

    def __init__(
        self,
        *,
        hidden_dims=(128, 128),
        latent_dim="auto",
        noise_std=(0.05, 1.5),
        masking_rate=0.0,
        n_corruptions=0,
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
            tied=tied,
            output_activation=output_activation,
            standardize_errors=standardize_errors,
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
        levels = np.atleast_1d(np.asarray(self.noise_std, dtype=float))
        rates = np.asarray(self.masking_rate, dtype=float)
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

    def _score_rows(self, x):
        return self._feature_scores(x).sum(dim=1)

    def _finalize_state(self, X):
        self.net_.criterion_.draw_corruptions(self.n_corruptions, X.shape[1])
        super()._finalize_state(X)
