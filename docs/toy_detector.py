"""Linear auto-encoder: the subspace of the first principal components, by descent."""

from numbers import Integral

import torch

from skdeepanomaly.base import BaseDeepDetector
from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork, ReconstructionLoss
from skdeepanomaly.utils.validation import Interval


class LinearAutoEncoder(BaseDeepDetector):
    """Anomaly detection by the error of a linear reconstruction.

    Parameters
    ----------
    latent_dim : int, default=2
        Width of the code.
    %(common_parameters)s

    Attributes
    ----------
    %(common_attributes)s
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
    }
    _module_class = AutoEncoderNetwork
    _criterion_class = ReconstructionLoss

    def __init__(
        self,
        *,
        latent_dim=2,
        module=None,
        optimizer=torch.optim.Adam,
        lr=1e-2,
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
        self.latent_dim = latent_dim

    def _module_params(self, n_features):
        return {"hidden_dims": (), "latent_dim": self.latent_dim}
