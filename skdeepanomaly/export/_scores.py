"""Scores of detectors and meta-estimators, as torch modules."""

import copy
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from ..base import BaseDeepDetector, BaseUntrainedDetector
from ..detectors import PatchCore
from ..detectors.adversarial._losses import GANLoss
from ..meta import ClusterwiseDetector, ConformalDetector, EnsembleDetector
from ..meta._combining import TAIL_SHAPE, RankScale, StandardScale, TailScale
from ..meta._wrapper import WrappedDetector
from ..series import UnivariateDetector
from ..utils.nesting import nested
from ..utils.scores import moments
from ._steps import Elementwise, as_module

LARGEST = float(np.finfo(np.float64).max)
# Scores that differ by less than this share are equal but for the rounding of float32.
ROUNDING = 4e-6


class Float64Module(nn.Module):
    """A module with numbers in float64, which as numbers of Python would become float32."""

    def keep(self, **values: ArrayLike) -> None:
        """Register numbers or arrays as buffers."""
        for name, value in values.items():
            self.register_buffer(name, torch.tensor(np.asarray(value, dtype=np.float64)))


class NetworkScore(Float64Module):
    """The score of a detector of this package: its network, its loss, its penalty.

    Parameters
    ----------
    detector : BaseDeepDetector or BaseUntrainedDetector
        Fitted; not changed.
    """

    lowest: Tensor

    def __init__(self, detector: BaseDeepDetector | BaseUntrainedDetector):
        super().__init__()
        self.keep(lowest=-LARGEST)
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
        return torch.where(scores.isfinite(), scores, self.lowest)


class ColumnDeviations(Float64Module):
    """The score of :class:`~skdeepanomaly.UnivariateDetector`."""

    center: Tensor
    scale: Tensor
    inner: Tensor
    largest: Tensor

    def __init__(self, detector: UnivariateDetector):
        super().__init__()
        largest = LARGEST / detector.n_features_in_
        self.keep(center=detector.center_, scale=detector.scale_, inner=detector._inner)
        self.keep(largest=largest)
        self._aggregate = detector._aggregate

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        deviations = (x.double() - self.center).abs() / self.scale - self.inner
        deviations = torch.minimum(deviations, self.largest)
        if self._aggregate == "max":
            return -deviations.amax(dim=1)
        return -deviations.mean(dim=1)


class Ordered(Float64Module):
    """Counts how many of many numbers are lower than others, by bisection.

    ONNX has no such operator, and to compare all with all takes too much memory.
    """

    padded: Tensor
    margin: Tensor

    def __init__(self, ordered: np.ndarray):
        super().__init__()
        self.n_steps = len(ordered).bit_length()
        padded = np.full(2**self.n_steps, np.inf)
        padded[: len(ordered)] = ordered
        self.keep(padded=padded, margin=ROUNDING)

    def _count(self, scores: Tensor) -> Tensor:
        """Return how many of the numbers are lower than each of scores (n,)."""
        found = torch.zeros_like(scores, dtype=torch.int64)
        for step in reversed(range(self.n_steps)):
            further = found + 2**step
            found = torch.where(self.padded[further - 1] < scores, further, found)
        return found

    def forward(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many are lower, and how many are lower or equal but for rounding."""
        margin = self.margin * scores.abs()
        return self._count(scores - margin), self._count(scores + margin)


class CommonUnit(Float64Module):
    """A scale of :class:`~skdeepanomaly.EnsembleDetector`."""

    largest: Tensor
    center: Tensor
    spread: Tensor
    end: Tensor
    unit: Tensor

    def __init__(self, scale: TailScale | StandardScale | RankScale):
        super().__init__()
        self.kind = type(scale)
        self.keep(largest=LARGEST)
        if isinstance(scale, StandardScale):
            self.keep(center=scale.center, spread=scale.spread)
        else:
            self.ordered, self._n = Ordered(scale.ordered), len(scale.ordered)
        if isinstance(scale, TailScale):
            self.keep(end=scale.ordered[-1], unit=scale.unit)

    def forward(self, scores: Tensor) -> Tensor:
        """Map anomaly scores (n,)."""
        if self.kind is StandardScale:
            scaled = (scores - self.center) / self.spread
            return torch.maximum(torch.minimum(scaled, self.largest), -self.largest)
        below, upto = self.ordered(scores)
        middle = (below + upto).double() / 2
        if self.kind is RankScale:
            return middle / self._n
        excess = (scores - self.end).relu() / self.unit
        share = (self._n - middle + 0.5) / (self._n + 1)
        beyond = torch.log1p(TAIL_SHAPE * torch.minimum(excess, self.largest)) / TAIL_SHAPE
        return beyond - torch.log(share)


class EnsembleScore(Float64Module):
    """The score of :class:`~skdeepanomaly.EnsembleDetector`."""

    weights: Tensor

    def __init__(self, ensemble: EnsembleDetector):
        super().__init__()
        self.members = nn.ModuleList(
            nn.ModuleList(score_module(one) for one in group) for group in ensemble.detectors_
        )
        self.scales = nn.ModuleList(
            nn.ModuleList(CommonUnit(scale) for scale in scales) for scales in ensemble._scales
        )
        self.keep(weights=ensemble.weights_)
        self._combine = ensemble._combine
        self._used = np.flatnonzero(ensemble.weights_ > 0).tolist()

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        views = []
        both: Iterable[Any] = zip(self.members, self.scales, strict=True)
        for group, scales in both:
            pairs = zip(group, scales, strict=True)
            scaled = torch.stack([scale(-member(x)) for member, scale in pairs])
            views.append(scaled.mean(dim=0))
        used = torch.stack([views[i] for i in self._used], dim=1)
        if self._combine == "max":
            return -used.amax(dim=1)
        return -(used * self.weights[self._used]).sum(dim=1)


class ConformalScore(Float64Module):
    """The score of :class:`~skdeepanomaly.ConformalDetector`."""

    means: Tensor
    deviations: Tensor
    largest: Tensor
    last: Tensor

    def __init__(self, detector: ConformalDetector):
        super().__init__()
        self.members = nn.ModuleList(map(score_module, detector.detectors_))
        self.ordered = nn.ModuleList(map(Ordered, detector.calibration_scores_))
        known = np.array([moments(scores) for scores in detector.calibration_scores_])
        deviations = np.maximum(known[:, 1], np.finfo(np.float64).tiny)
        self.keep(means=known[:, 0], deviations=deviations, largest=1e300, last=1 - 1e-9)
        self._n = detector.n_calibration_

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        counts, ranks = [], []
        for i, (member, ordered) in enumerate(zip(self.members, self.ordered, strict=True)):
            scores = member(x)
            counts.append(ordered(scores)[1])
            ratio = (scores - self.means[i]) / self.deviations[i]
            ratio = torch.maximum(torch.minimum(ratio, self.largest), -self.largest)
            ranks.append(0.5 * (1 + ratio / (1 + ratio.abs())))
        rank = torch.minimum(torch.stack(ranks).mean(dim=0).relu(), self.last)
        return (torch.stack(counts).sum(dim=0) + rank) / (self._n + 1)


class ClusterwiseScore(Float64Module):
    """The score of :class:`~skdeepanomaly.ClusterwiseDetector` with ``combine="best"``."""

    means: Tensor
    deviations: Tensor
    largest: Tensor

    def __init__(self, detector: ClusterwiseDetector):
        super().__init__()
        self.members = nn.ModuleList(map(score_module, detector.detectors_))
        self.keep(means=detector._means, deviations=detector._deviations, largest=LARGEST / 4)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normality scores (n,), float64, of rows x."""
        scores = torch.stack([member(x) for member in self.members], dim=1)
        best = ((scores - self.means) / self.deviations).amax(dim=1)
        return torch.maximum(torch.minimum(best, self.largest), -self.largest)


class Graph(Float64Module):
    """What a graph computes: the labels, the scores and the decisions of rows.

    Parameters
    ----------
    detector : estimator
        A fitted detector, or a pipeline or another meta-estimator around one.
    """

    offset: Tensor

    def __init__(self, detector: BaseEstimator):
        super().__init__()
        self.score = score_module(detector)
        self.keep(offset=next(p.offset_ for p in nested(detector) if hasattr(p, "offset_")))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return labels (n,), int64, scores (n,) and decisions (n,), float64, of rows x."""
        score = self.score(x)
        decision = score - self.offset
        return torch.where(decision < 0, -1, 1), score, decision


def score_module(detector: BaseEstimator) -> nn.Module:
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
    if isinstance(detector, FrozenEstimator):
        return score_module(detector.estimator)
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


def _refuse_search(detector: BaseEstimator) -> None:
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
    if name in ("LUNAR", "MatrixProfileDetector", "NeighborDistance"):
        raise TypeError(
            f"{name} searches among its training rows when it scores, so that it does not"
            " export. DeepNeighborDistance exports, which predicts the distance."
        )
    if name in ("SlidingWindowDetector", "DetectorStream", "DriftDetector", "FeedbackDetector"):
        raise TypeError(
            f"{name} does not score one row by itself, or keeps rows to compare with, so that"
            " it does not export. Export the detector inside; for a series, give the graph one"
            " window a row."
        )
    if isinstance(detector, ClusterwiseDetector):
        if detector._combine == "nearest" or detector.encoder_ is not None:
            raise TypeError(
                f'{name} exports with combine="best" and encoder=None only, got'
                f" combine={detector._combine!r} and encoder={detector.encoder!r}."
            )


def _on_cpu(module: Any) -> nn.Module:
    return copy.deepcopy(module).cpu().eval().requires_grad_(False)


_MODULES: dict[type, type[nn.Module]] = {
    UnivariateDetector: ColumnDeviations,
    EnsembleDetector: EnsembleScore,
    ConformalDetector: ConformalScore,
    ClusterwiseDetector: ClusterwiseScore,
}
