"""PaDiM: a Gaussian distribution of local features for each place."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal

import torch

from ...engine.types import Device
from ...utils.types import Contamination, RandomState
from ...utils.validation import Interval
from ._patch_base import BasePatchDetector
from ._patches import PlaceGaussians


class PaDiM(BasePatchDetector):
    """Anomaly detection in images by a Gaussian distribution for each place.

    The local features at each place of normal images have a Gaussian distribution [1]_. A place
    of an image is as abnormal as its Mahalanobis distance is large. The score of an image is
    the negative distance at its worst place.

    Parameters
    ----------
    %(layer_parameters)s
    %(image_shape_parameter)s
    n_channels : int, default=100
        Number of channels of the local features that are drawn at random; all if there are
        fewer.
    regularization : float, default=0.01
        Multiple of the identity matrix that is added to each covariance, in squared units of
        the features. It is the variance that places without variation have.
    %(smoothing_parameter)s
    %(untrained_parameters)s

    Attributes
    ----------
    %(untrained_attributes)s
    %(image_shape_attribute)s

    See Also
    --------
    PatchCore : Compares patches wherever they are; for images that are not aligned.

    Notes
    -----
    A place is compared with the same place of other images. Align the images, or use
    :class:`PatchCore`. The memory that fitting takes grows with the number of places times the
    square of ``n_channels``, not with the number of images.

    The Gaussians are fitted to the training images, which therefore score better than new
    images if they are not many more than ``n_channels``. :class:`ThresholdedDetector` sets a
    threshold by images held out.

    ``anomaly_map`` is the heat map of the paper. ``explain`` scales it, so that it sums to the
    score, which is not a sum but a maximum. The score is taken before the heat map is smoothed.

    Departures from the paper: maps of several layers are brought to one size by bilinear
    interpolation.

    References
    ----------
    .. [1] T. Defard, A. Setkov, A. Loesch, R. Audigier, "PaDiM: a patch distribution modeling
       framework for anomaly detection and localization", ICPR 2021 workshops.

    Examples
    --------
    >>> from skdeepanomaly import PaDiM
    >>> from skdeepanomaly.datasets import make_texture_defects
    >>> X, y, masks = make_texture_defects(random_state=0)
    >>> detector = PaDiM(random_state=0).fit(X[y == 1][:50])
    >>> detector.anomaly_map(X[:5]).shape == X[:5].shape
    True
    """

    _parameter_constraints: dict = {
        **BasePatchDetector._parameter_constraints,
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "regularization": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        module: torch.nn.Module | None = None,
        layer: str | list[str] | tuple[str, ...] | None = None,
        image_shape: Sequence[int] | None = None,
        n_channels: int = 100,
        regularization: float = 0.01,
        smoothing: float | Literal["auto"] = "auto",
        contamination: Contamination = 0.1,
        device: Device = "cpu",
        random_state: RandomState = None,
    ):
        super().__init__(
            module=module,
            layer=layer,
            image_shape=image_shape,
            smoothing=smoothing,
            contamination=contamination,
            device=device,
            random_state=random_state,
        )
        self.n_channels = n_channels
        self.regularization = regularization

    def _make_module(self, X, device):
        features, n_channels, n_places = self._make_features(X, device)
        chosen = torch.randperm(n_channels)[: self.n_channels].sort().values.to(device)
        width = len(chosen)
        sums = torch.zeros(n_places, width, device=device, dtype=torch.double)
        for block in self._feature_blocks(features, X, device):
            sums += block[..., chosen].sum(dim=0, dtype=torch.double)
        means = sums / len(X)
        covariances = torch.zeros(n_places, width, width, device=device, dtype=torch.double)
        for block in self._feature_blocks(features, X, device):
            away = (block[..., chosen] - means).transpose(0, 1)
            covariances.baddbmm_(away.transpose(1, 2), away)
        covariances /= len(X) - 1
        covariances.diagonal(dim1=1, dim2=2).add_(self.regularization)
        factors, failed = torch.linalg.cholesky_ex(covariances)
        if bool(failed.any()):
            raise ValueError(
                f"The covariances of {int((failed > 0).sum())} of {n_places} places have no"
                f" inverse in float64 with regularization={self.regularization}: increase it,"
                " or scale X."
            )
        identity = torch.eye(width, device=device, dtype=torch.double).expand_as(factors)
        whitening = torch.linalg.solve_triangular(factors, identity, upper=False)
        return PlaceGaussians(
            features, self.image_shape_, chosen, means.float(), whitening.float()
        )
