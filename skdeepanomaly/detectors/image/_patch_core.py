"""PatchCore: a memory of normal patches."""

from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import numpy as np
import torch

from ...engine.types import Device
from ...utils.types import Contamination, RandomState
from ...utils.validation import Interval, RealNotInt, StrOptions
from ._patch_base import BasePatchDetector
from ._patches import PatchMemory, greedy_coreset, image_patches

# "auto" of coreset_size: this share of the patches, but not more than this number.
AUTO_SHARE = 0.1
AUTO_PATCHES = 2_000
# The coreset is chosen among at most this many patches.
MAX_CANDIDATES = 100_000


class PatchCore(BasePatchDetector):
    """Anomaly detection in images by the nearest of a memory of normal patches.

    The local features of normal images are a memory of patches, thinned out to a coreset [1]_.
    Each patch of an image is as abnormal as it is far from the nearest one in memory, wherever
    in the image that was. The score of an image is the negative distance of its worst patch.

    Parameters
    ----------
    %(layer_parameters)s
    %(image_shape_parameter)s
    patch_size : int, default=3
        Height and width of the neighbourhoods over which each map of features is averaged, an
        odd number; 1 is none.
    coreset_size : int, float or "auto", default="auto"
        Number of patches in memory, or their share of all patches, in (0, 1]. ``"auto"`` is a
        tenth of them, at most 2,000.
    n_neighbors : int, default=9
        Number of neighbours of the nearest patch in memory by which the score of an image is
        weighted; 1 gives no weight.
    %(smoothing_parameter)s
    %(untrained_parameters)s

    Attributes
    ----------
    %(untrained_attributes)s
    %(image_shape_attribute)s

    See Also
    --------
    PaDiM : Expects another look at each place; for images that are aligned.
    FrozenEncoder : Features of whole images for any detector.

    Notes
    -----
    Train on normal images: a coreset keeps what is rare, defects too. Patches of the training
    images are in the memory, so that these images score better than new ones. A number for
    ``contamination`` is the share of the training images that ``predict`` calls outliers; it
    calls far more new images so. *Use* ``contamination="auto"`` for new images: each training
    image is then compared with the patches of the other images when the threshold is set. Or
    :class:`ThresholdedDetector`, which sets a threshold by images held out.

    ``anomaly_map`` is the heat map of the paper. ``explain`` scales it, so that it sums to the
    score, which is not a sum but a weighted maximum.

    A fitted detector keeps local features of training images. Those of images with a side
    shorter than 16 pixels are squares of their pixels, verbatim where ``patch_size=1``.

    Departures from the paper: the mean over a neighbourhood is taken channel by channel and
    leaves out places beyond the border; the coreset is chosen among at most 100,000 patches,
    drawn at random; the random projection has 128 dimensions.

    References
    ----------
    .. [1] K. Roth, L. Pemula, J. Zepeda, B. Schölkopf, T. Brox, P. Gehler, "Towards total
       recall in industrial anomaly detection", CVPR 2022.

    Examples
    --------
    >>> from skdeepanomaly import PatchCore
    >>> from skdeepanomaly.datasets import make_texture_defects
    >>> X, y, masks = make_texture_defects(random_state=0)
    >>> detector = PatchCore(random_state=0).fit(X[y == 1][:50])
    >>> detector.anomaly_map(X[:5]).shape == X[:5].shape
    True
    """

    _parameter_constraints: dict = {
        **BasePatchDetector._parameter_constraints,
        "patch_size": [Interval(Integral, 1, None, closed="left")],
        "coreset_size": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            StrOptions({"auto"}),
        ],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        module: torch.nn.Module | None = None,
        layer: str | list[str] | tuple[str, ...] | None = None,
        image_shape: Sequence[int] | None = None,
        patch_size: int = 3,
        coreset_size: int | float | Literal["auto"] = "auto",
        n_neighbors: int = 9,
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
        self.patch_size = patch_size
        self.coreset_size = coreset_size
        self.n_neighbors = n_neighbors

    @property
    def _patch_size(self):
        if self.patch_size % 2 == 0:
            raise ValueError(f"patch_size must be odd, got {self.patch_size}.")
        return self.patch_size

    def _make_module(self, X, device):
        features, n_channels, n_places = self._make_features(X, device)
        n_patches = len(X) * n_places
        # NOTE[DIFF]: the paper chooses among all patches, whose number has no bound.
        drawn = torch.arange(n_patches)
        if n_patches > MAX_CANDIDATES:
            drawn = torch.randperm(n_patches)[:MAX_CANDIDATES].sort().values
        candidates = torch.empty(len(drawn), n_channels, device=device)
        first = done = 0
        for block in self._feature_blocks(features, X, device):
            last = first + len(block) * n_places
            n_here = int(torch.searchsorted(drawn, last)) - done
            here = drawn[done : done + n_here] - first
            candidates[done : done + n_here] = block.reshape(-1, n_channels)[here.to(device)]
            first, done = last, done + n_here
        chosen = greedy_coreset(candidates, self._n_chosen(n_patches, len(drawn)))
        # The images that the patches come from; needed for the threshold only.
        self._owners = (drawn.to(device)[chosen]) // n_places
        return PatchMemory(features, self.image_shape_, candidates[chosen], self.n_neighbors)

    def _n_chosen(self, n_patches: int, n_candidates: int) -> int:
        """Return the number of patches in memory."""
        size = self.coreset_size
        if size == "auto":
            size = min(AUTO_PATCHES, max(1, round(AUTO_SHARE * n_patches)))
        elif not isinstance(size, Integral):
            size = max(1, round(size * n_patches))
        return min(int(size), n_candidates)

    def _training_scores(self, X):
        owners = self._owners
        del self._owners
        if self.contamination != "auto":
            return super()._training_scores(X)
        scores = np.empty(len(X))
        n_done = 0
        with torch.inference_mode():
            for start in range(0, len(X), 64):
                rows = self._to_tensor(X[start : start + 64], self.device_)
                for patches in image_patches(self.module_.features(rows)):
                    barred = owners == n_done
                    if bool(barred.all()):
                        # All patches in memory are of this image.
                        barred = None
                    scores[n_done] = float(self.module_.score(patches, barred))
                    n_done += 1
        return scores
