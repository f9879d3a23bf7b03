"""Base of detectors that keep statistics of a fixed module's outputs: no epochs, no losses."""

from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from torch import nn

from ..engine import check_device, draw_seed, isolated_rng
from ..thresholds import choose_offset
from ..utils.scores import OffsetMixin
from ..utils.types import Floats
from ..utils.validation import Interval, StrOptions
from ._docstrings import fill_docstring
from ._far_rows import FarRowsMixin
from ._fitting import whole_fit
from ._fixed_module import FixedModuleMixin
from ._rows import RowsMixin

UNTRAINED_PARAMETERS = """\
contamination : float in (0, 0.5] or "auto", default={contamination}
    Share of outliers in the training rows; it determines ``offset_``. With ``"auto"`` a row
    is an outlier if its score is more than three robust standard deviations below the
    median of the training scores. The robust standard deviation is
    (median - first quartile) / 0.6745.
device : str or torch.device, default="cpu"
    Device of the module. ``"auto"`` is a GPU if there is one, otherwise the CPU.
random_state : int, RandomState instance or None, default=None
    Seed of all that is drawn. With an int each fit gives equal scores; with None the scores
    differ. The global random generators of numpy, torch and Python are not changed."""

UNTRAINED_ATTRIBUTES = """\
module_ : torch.nn.Module
    The fitted module, which maps rows to anomaly scores; all that scores need is in it.
device_ : str
    Device of the module.
offset_ : float
    Threshold of ``score_samples``: ``decision_function`` returns
    ``score_samples(X) - offset_``, which is negative for outliers.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features, if all column names of X are strings."""


class BaseUntrainedDetector(
    FixedModuleMixin, FarRowsMixin, RowsMixin, OffsetMixin, BaseEstimator
):
    """Base of detectors without gradient steps.

    A subclass defines ``_make_module``, which reads the training rows once. There is no
    ``partial_fit``, and there are no epochs, optimisers and callbacks.
    """

    _parameter_constraints: dict = {
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }
    # Texts that replace ``%(name)s`` in the docstrings of subclasses.
    _doc_parts = {
        "untrained_parameters": UNTRAINED_PARAMETERS,
        "untrained_attributes": UNTRAINED_ATTRIBUTES,
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Fill in the docstring of a subclass."""
        super().__init_subclass__(**kwargs)
        fill_docstring(cls)

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn what is normal, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter or X is not valid. If the detector was fitted before, it keeps its
            former state.
        """
        with whole_fit(self):
            X = self._validate_X(X, reset=True, min_samples=2)
            device = check_device(self.device)
            with isolated_rng(draw_seed(self.random_state), device), torch.no_grad():
                module = self._make_module(X, device)
            self._set_module(module, X.shape[1], device)
            scores = -self._training_scores(X)
            n_bad = len(scores) - np.count_nonzero(np.isfinite(scores))
            if n_bad:
                raise ValueError(
                    f"{n_bad} of {len(scores)} training rows have no finite score. Scale X"
                    " as a whole, so that its values are about 1, and see that the module"
                    " gives finite outputs."
                )
            self._set_reference(X)
            self._set_far_distance(X, scores)
            self.offset_ = choose_offset(scores, self.contamination)
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the normality scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Scores; the higher, the more normal. The score of a row does not depend on the
            other rows of X. If the score of an extreme row is not finite in float32, it is
            the lowest float64 number.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other columns than in ``fit``.
        """
        scores = -self._map_rows(self._anomaly_scores, X)
        lowest = np.finfo(np.float64).min
        return np.nan_to_num(scores, copy=False, nan=lowest, neginf=lowest, posinf=lowest)

    # Hooks that subclasses override.

    def _make_module(self, X: np.ndarray, device: str) -> nn.Module:
        """Return the module that maps rows (n, n_features) to anomaly scores (n,)."""
        raise NotImplementedError

    def _score_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features)."""
        return self.module_(x)

    def _is_unbounded(self) -> bool:
        """Whether the score grows with the distance by itself: a module may be bounded."""
        return False

    def _training_scores(self, X: np.ndarray) -> np.ndarray:
        """Return the anomaly scores of the training rows, from which the threshold is set."""
        return self._map_validated(self._score_rows, X)
