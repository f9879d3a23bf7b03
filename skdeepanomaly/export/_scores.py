"""Scores of detectors and meta-estimators, as torch modules."""

import copy
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from ..base import BaseDeepDetector, BaseUntrainedDetector
from ..detectors import PatchCore
from ..detectors.adversarial._losses import GANLoss
from ..meta import ClusterwiseDetector, ConformalDetector, EnsembleDetector
from ..meta._combining import RankScale, StandardScale, TailScale
from ..meta._wrapper import WrappedDetector
from ..series import UnivariateDetector
from ..utils.nesting import nested
from ..utils.scores import moments
from ._steps import Elementwise, as_module

LOWEST = float(np.finfo(np.float64).min)
LARGEST = float(np.finfo(np.float64).max)
# Scores that differ by less than this share are equal but for the rounding of float32.
ROUNDING = 2e-6


class NetworkScore(nn.Module):
    """The score of a detector of this package: its network, its loss, its penalty.

    Parameters
    ----------
    detector : BaseDeepDetector or BaseUntrainedDetector
        Fitted; not changed.
    """

    def __init__(self, detector):
        super().__init__()
        # A copy whose network is on the CPU, and is not compiled.
        self._detector = copy.copy(detector)
        if isinstance(detector, BaseDeepDetector):
            net = detector.net_
            self.module = _on_cpu(getattr(net.module_, "_orig_mod", net.module_))
            self.criterion = _on_cpu(net.criterion_)
            self._detector.net_ = SimpleNamespace(
                module_=self.module, criterion_=self.criterion, device="cpu", width=net.width
            )
        else:
            self.module = _on_cpu(detector.module_)
            self._detector.module_, self._detector.device_ = self.module, "cpu"

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        scores = -self._detector._anomaly_scores(x.flatten(1).float()).double()
        return torch.where(scores.isfinite(), scores, LOWEST)


class ColumnDeviations(nn.Module):
    """The score of :class:`~skdeepanomaly.UnivariateDetector`."""

    def __init__(self, detector: UnivariateDetector):
        super().__init__()
        self.register_buffer("center", torch.from_numpy(detector.center_))
        self.register_buffer("scale", torch.from_numpy(detector.scale_))
        self._inner, self._aggregate = detector._inner, detector._aggregate

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        deviations = (x.double() - self.center).abs() / self.scale - self._inner
        deviations = deviations.clamp(max=LARGEST / x.shape[1])
        if self._aggregate == "max":
            return -deviations.amax(dim=1)
        return -deviations.mean(dim=1)


class Ordered(nn.Module):
    """Counts how many of many numbers are lower than others, by bisection.

    ONNX has no such operator, and to compare all with all takes too much memory.
    """

    def __init__(self, ordered: np.ndarray):
        super().__init__()
        self.n_steps = len(ordered).bit_length()
        padded = np.full(2**self.n_steps, np.inf)
        padded[: len(ordered)] = ordered
        self.register_buffer("padded", torch.from_numpy(padded))

    def _count(self, scores: Tensor) -> Tensor:
        """Return how many of the numbers are lower than each of scores (n,)."""
        found = torch.zeros_like(scores, dtype=torch.int64)
        for step in reversed(range(self.n_steps)):
            further = found + 2**step
            found = torch.where(self.padded[further - 1] < scores, further, found)
        return found

    def forward(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many are lower, and how many are lower or equal but for rounding."""
        margin = ROUNDING * scores.abs()
        return self._count(scores - margin), self._count(scores + margin)


class CommonUnit(nn.Module):
    """A scale of :class:`~skdeepanomaly.EnsembleDetector`."""

    def __init__(self, scale: TailScale | StandardScale | RankScale):
        super().__init__()
        self._scale = scale
        if not isinstance(scale, StandardScale):
            self.ordered = Ordered(scale.ordered)

    def forward(self, scores: Tensor) -> Tensor:
        """Map anomaly scores (n,)."""
        scale = self._scale
        if isinstance(scale, StandardScale):
            scaled = (scores - float(scale.center)) / scale.spread
            return scaled.clamp(-LARGEST, LARGEST)
        n = len(scale.ordered)
        below, upto = self.ordered(scores)
        middle = (below + upto).double() / 2
        if isinstance(scale, RankScale):
            return middle / n
        excess = (scores - float(scale.ordered[-1])).clamp(min=0.0) / scale.unit
        share = (n - middle + 0.5) / (n + 1)
        return torch.log1p(excess.clamp(max=LARGEST)) - torch.log(share)


class EnsembleScore(nn.Module):
    """The score of :class:`~skdeepanomaly.EnsembleDetector`."""

    def __init__(self, ensemble: EnsembleDetector):
        super().__init__()
        self.members = nn.ModuleList(
            nn.ModuleList(score_module(one) for one in group) for group in ensemble.detectors_
        )
        self.scales = nn.ModuleList(
            nn.ModuleList(CommonUnit(scale) for scale in scales) for scales in ensemble._scales
        )
        self._weights, self._combine = ensemble.weights_.tolist(), ensemble._combine

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        views = []
        for group, scales in zip(self.members, self.scales, strict=True):
            pairs = zip(group, scales, strict=True)
            scaled = torch.stack([scale(-member(x)) for member, scale in pairs])
            views.append(scaled.mean(dim=0))
        weighted = [pair for pair in zip(views, self._weights, strict=True) if pair[1] > 0]
        if self._combine == "max":
            return -torch.stack([view for view, _ in weighted]).amax(dim=0)
        return -torch.stack([weight * view for view, weight in weighted]).sum(dim=0)


class ConformalScore(nn.Module):
    """The score of :class:`~skdeepanomaly.ConformalDetector`."""

    def __init__(self, detector: ConformalDetector):
        super().__init__()
        self.members = nn.ModuleList(map(score_module, detector.detectors_))
        self.ordered = nn.ModuleList(map(Ordered, detector.calibration_scores_))
        self._moments = list(map(moments, detector.calibration_scores_))
        self._n = detector.n_calibration_

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        counts, ranks = [], []
        parts = zip(self.members, self.ordered, self._moments, strict=True)
        for member, ordered, (mean, deviation) in parts:
            scores = member(x)
            counts.append(ordered(scores)[1])
            ratio = (scores - mean) / max(deviation, float(np.finfo(np.float64).tiny))
            ratio = ratio.clamp(-1e300, 1e300)
            ranks.append(0.5 * (1 + ratio / (1 + ratio.abs())))
        rank = torch.stack(ranks).mean(dim=0).clamp(0, 1 - 1e-9)
        return (torch.stack(counts).sum(dim=0) + rank) / (self._n + 1)


class ClusterwiseScore(nn.Module):
    """The score of :class:`~skdeepanomaly.ClusterwiseDetector` with ``combine="best"``."""

    def __init__(self, detector: ClusterwiseDetector):
        super().__init__()
        self.members = nn.ModuleList(map(score_module, detector.detectors_))
        self._scales = list(
            zip(detector._means.tolist(), detector._deviations.tolist(), strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        parts = zip(self.members, self._scales, strict=True)
        scores = [(member(x) - mean) / deviation for member, (mean, deviation) in parts]
        return torch.stack(scores).amax(dim=0).clamp(-LARGEST / 4, LARGEST / 4)


class Graph(nn.Module):
    """What a graph computes: the labels, the scores and the decisions of rows.

    Parameters
    ----------
    detector : estimator
        A fitted detector, or a pipeline or another meta-estimator around one.
    """

    def __init__(self, detector):
        super().__init__()
        self.score = score_module(detector)
        self.offset = float(next(p.offset_ for p in nested(detector) if hasattr(p, "offset_")))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return labels (n,), int64, scores (n,) and decisions (n,), float64, of rows x."""
        score = self.score(x)
        decision = score - self.offset
        return torch.where(decision < 0, -1, 1), score, decision


def score_module(detector) -> nn.Module:
    """Return a module that computes ``score_samples``.

    Parameters
    ----------
    detector : estimator
        A fitted detector, or a pipeline or another meta-estimator around one.

    Returns
    -------
    module : torch.nn.Module
        Maps rows (n, n_features) to scores (n,), float64.

    Raises
    ------
    TypeError
        If there is no such module.
    """
    if isinstance(detector, Pipeline):
        steps = [as_module(step) for _, step in detector.steps[:-1]]
        return nn.Sequential(Elementwise(Tensor.double), *steps, score_module(detector[-1]))
    _refuse_search(detector)
    if isinstance(detector, BaseDeepDetector | BaseUntrainedDetector):
        return NetworkScore(detector)
    for kind, module in _MODULES.items():
        if isinstance(detector, kind):
            return module(detector)
    # Searches and frozen estimators hand the scores of the detector inside through.
    inside = nested(detector)[1:]
    hands_through = isinstance(detector, WrappedDetector) or not hasattr(detector, "offset_")
    if inside and hands_through:
        return score_module(inside[0])
    raise TypeError(
        f"{type(detector).__name__} has no network, so that to_onnx does not export it. The"
        " package skl2onnx exports many estimators of scikit-learn."
    )


def _refuse_search(detector) -> None:
    """Refuse a detector that searches for something when it scores a row."""
    name = type(detector).__name__
    criterion = getattr(getattr(detector, "net_", None), "criterion_", None)
    if isinstance(criterion, GANLoss) and criterion.score_type != "discriminator":
        raise TypeError(
            f"{name} with score_type={criterion.score_type!r} searches for the most similar"
            " generated row when it scores, by gradients that a graph does not hold. With"
            ' score_type="discriminator" it exports: fit it again with that.'
        )
    if isinstance(detector, PatchCore):
        raise TypeError(
            f"{name} searches among the patches of its training images when it scores. PaDiM"
            " exports, which keeps a Gaussian distribution for each place in their stead."
        )
    if name in ("NeighborDistance", "MatrixProfileDetector"):
        raise TypeError(
            f"{name} searches among its training rows when it scores, so that it does not"
            " export. DeepNeighborDistance exports, which predicts the distance."
        )
    if name in ("SlidingWindowDetector", "DetectorStream", "DriftDetector", "FeedbackDetector"):
        raise TypeError(
            f"{name} does not score one row by itself, or keeps rows to compare with, so that"
            " it does not export. Export the detector inside, its attribute detector_; for a"
            " series, give the graph one window a row."
        )
    if isinstance(detector, ClusterwiseDetector):
        if detector.combine == "nearest" or detector.encoder_ is not None:
            raise TypeError(
                f'{name} exports with combine="best" and encoder=None only, got'
                f" combine={detector.combine!r} and encoder={detector.encoder!r}."
            )


def _on_cpu(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).cpu().eval().requires_grad_(False)


_MODULES: dict[type, type[nn.Module]] = {
    UnivariateDetector: ColumnDeviations,
    EnsembleDetector: EnsembleScore,
    ConformalDetector: ConformalScore,
    ClusterwiseDetector: ClusterwiseScore,
}
