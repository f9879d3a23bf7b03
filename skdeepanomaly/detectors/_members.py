"""Several networks in a detector, which learn together from rows of their own."""

import inspect
from collections.abc import Sequence

import numpy as np
import torch

from ..base import BaseDeepDetector
from ..engine.types import Module
from ..utils.rows import n_drawn
from ..utils.validation import MAX_SAMPLES, check_hidden_dims, parameter_names
from ._parameters import WIDTH

MEMBERS_PARAMETERS = """\
n_members : int, default={n_members}
    Number of networks. They train together, as one batched matrix product, each with weights,
    batches and, by ``max_samples``, rows of its own; the score is the mean of their scores.
    The loss in ``history_`` is the sum of theirs.
max_samples : int, float or None, default={max_samples}
    Number, or share, of the training rows that each network learns from, drawn without
    replacement; a share stands for 20 rows at least. With a tenth of the rows each, few
    anomalies among the training rows are in the sample of a network, so that the others
    recognise them. Each ``fit`` or ``partial_fit`` draws anew, also with ``warm_start``. None
    takes all."""


def one_of_members(rows: torch.Tensor) -> torch.Tensor:
    """Return rows (n, n_features) of (n, n_members, n_features), of each network in turn."""
    if rows.dim() == 2:
        return rows
    places = torch.arange(len(rows), device=rows.device)
    return rows[places, places % rows.shape[1]]


class MemberRows:
    """The rows that each of several networks learns from, as one array of three axes.

    The rows of a batch are copied when they are read, so that a sample of each network needs no
    memory of its own.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    indices : ndarray of shape (n_drawn, n_members)
        Which rows each network learns from.
    """

    def __init__(self, X: np.ndarray, indices: np.ndarray):
        self._X, self._indices = X, indices
        self.shape = (*indices.shape, X.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows) -> np.ndarray:
        """Return rows of each network, shape (n, n_members, n_features)."""
        return self._X[self._indices[rows]]


class MembersMixin:
    """Mixin of detectors that may have several networks.

    Their modules and losses take ``n_members``. Such a module maps rows (n, n_features), which
    are then the same for all networks, or (n, n_members, n_features), to outputs
    (n, n_members, ...).
    """

    _parameter_constraints: dict = {"n_members": [WIDTH], "max_samples": MAX_SAMPLES}
    _doc_parts = {
        **BaseDeepDetector._doc_parts,
        "members_parameters": MEMBERS_PARAMETERS,
    }
    module: Module | None
    hidden_dims: Sequence[int]
    # What subclasses have that do not take these parameters.
    n_members: int = 1
    max_samples: int | float | None = None

    def _member_params(self) -> dict:
        """Return the arguments of modules and losses of several networks."""
        return {} if self.n_members == 1 else {"n_members": self.n_members}

    def _rows_of_members(self, rows, targets):
        size = n_drawn(self.max_samples, len(rows))
        if self.n_members == 1 and size == len(rows):
            return rows, targets
        self._check_module()
        n_rows = len(rows)
        dtype = np.min_scalar_type(n_rows)
        orders = [torch.randperm(n_rows)[:size].numpy() for _ in range(self.n_members)]
        if self.n_members == 1:
            kept = np.sort(orders[0])
            return rows[kept], None if targets is None else targets[kept]
        indices = np.stack(orders, axis=1).astype(dtype)
        return MemberRows(rows, indices), None if targets is None else targets[indices]

    def _check_module(self) -> None:
        """Refuse a custom module of one network where there are several."""
        module = self.module
        if self.n_members == 1 or module is None:
            return
        if not inspect.isclass(module) or "n_members" not in parameter_names(module)[0]:
            raise ValueError(
                f"n_members={self.n_members} needs a module that is a class and takes"
                f" n_members, got {module!r}. For other modules wrap the detector:"
                " EnsembleDetector with n_estimators fits them one by one."
            )

    def _row_width(self, net, n_features):
        if self.n_members == 1:
            return super()._row_width(net, n_features)
        return self.n_members * max(n_features, *check_hidden_dims(self.hidden_dims), 1)
