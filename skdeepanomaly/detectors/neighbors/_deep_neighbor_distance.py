"""Neighbour distance: a network learns how far a row is from its nearest training rows."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
import torch

from ...base import BaseDeepDetector
from ...engine import OneCycleNet
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.rows import n_drawn
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, StrOptions, check_hidden_dims
from .._members import MembersMixin
from .._parameters import NETWORK_CONSTRAINTS
from ._losses import DistanceLoss
from ._networks import DistanceNetwork
from ._targets import ReferenceRows

# Number of neighbours by what is assumed of the training rows.
N_NEIGHBORS = {"clean": 5, "contaminated": 50}
# Moved rows for each row that stays where it is.
MOVED_PER_OWN = 3


class DeepNeighborDistance(MembersMixin, BaseDeepDetector):
    r"""Distance to the nearest training rows, learned by a network.

    The mean distance of a row to its k nearest training rows is one of the best anomaly scores
    for tables [1]_ [2]_, but each score needs a search through the training rows. Here a
    network learns the logarithm of this distance, at training rows and at rows that are moved
    away from them. A score then is one pass through the network, however many training rows
    there are, and the detector keeps no rows. The score of a row is the negative predicted
    logarithm.

    Parameters
    ----------
    n_neighbors : int or "auto", default="auto"
        Number of nearest rows over which the distance is averaged, but at most the number of
        all other rows. ``"auto"`` is 5 with ``assume="clean"`` and 50 with
        ``assume="contaminated"``.
    assume : {"clean", "contaminated"}, default="clean"
        Whether the training rows are normal, or contain anomalies. Anomalies that are alike
        are each other's neighbours: only with more neighbours than there are of them are they
        far from the rest. In the user guide, the wrong choice costs about 0.02 of the AUROC
        and 0.05 of the average precision.
    n_moved : int, default=60_000
        Number of rows that are moved away from training rows. A quarter of all rows that the
        network learns from are training rows at their place. With 0 it learns from these
        alone, and knows nothing of the space around them. All these rows are in memory at
        once; with thousands of columns lower the number.
    max_reference_rows : int, default=50_000
        If there are more training rows, the distances are those to the nearest rows of a random
        sample of this size.
    hidden_dims : sequence of int, default=(256, 256, 256)
        Widths of the hidden layers. An empty sequence gives a linear network.
    %(activation_parameters)s
    %(members_parameters)s
    %(common_parameters)s

    Attributes
    ----------
    net_ : OneCycleNet
        The trained skorch net: ``module_`` is the network, ``criterion_.center`` is the mean
        logarithm of the distances of training rows.
    n_neighbors_ : int
        Number of nearest rows over which the distance is averaged.
    %(common_attributes)s

    See Also
    --------
    sklearn.neighbors.NearestNeighbors : The search whose distances are learned.
    sklearn.neighbors.LocalOutlierFactor : Compares the distance with that of the neighbours.

    Notes
    -----
    Let :math:`d(x)` be the mean Euclidean distance of a row to its k nearest training rows. A
    training row is not its own neighbour. The network f minimises the mean of

    .. math:: \ell\big(f(x) - \log(d(x) + \varepsilon)\big)

    where :math:`\ell` is the smooth absolute error: half the square below 1, and linear above.
    :math:`\varepsilon` is a hundredth of the median distance of the training rows, since equal
    rows have the distance zero. ``exp(-score_samples(X))`` is the predicted distance, unless X
    is so far away that it gets a penalty.

    Three quarters of the rows x are moved: a training row a plus a move of random length w,
    whose logarithm is uniform between those of 0.05 and 3. Half of the moves are
    :math:`w (b - c)` with two other training rows b and c. The others are Gaussian noise with
    w times the standard deviations of the columns, on all columns or on a fifth of them. A
    column that is constant gets noise of the size of the other columns.

    In each call of ``fit`` or ``partial_fit`` the learning rate rises to ``lr`` and falls to
    zero again, step by step [3]_, unless a callback is a
    :class:`skorch.callbacks.LRScheduler`. ``train_split`` takes its share of the moved and the
    unmoved rows, and ``"auto"`` of ``max_epochs`` and ``batch_size`` count these rows.

    With ``max_samples`` each network learns the distances to the nearest rows of a sample of
    its own, and has ``n_moved`` moved rows of its own.

    After ``partial_fit`` the distances are those to the rows of its sample of at most 10,000
    of all rows that it was given. So the detector follows rows that change, and does not
    forget earlier ones.

    Distances mean little if the scales of the columns differ: scale them first.

    A custom ``module`` maps rows (n, n_features) to numbers (n, 1).

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces",
       PKDD 2002.
    .. [2] G. O. Campos et al., "On the evaluation of unsupervised outlier detection: measures,
       datasets, and an empirical study", Data Mining and Knowledge Discovery 30, 2016.
    .. [3] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks
       using large learning rates", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepNeighborDistance
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(400, 2))
    >>> detector = DeepNeighborDistance(random_state=0).fit(X)
    >>> detector.predict([[0, 0], [0, 1.5]])
    array([ 1, -1])
    >>> distance = np.exp(-detector.score_samples([[0, 1.5]]))
    >>> bool(0.45 < distance.item() < 0.6)
    True
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        **MembersMixin._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "assume": [StrOptions(set(N_NEIGHBORS))],
        "n_moved": [Interval(Integral, 0, None, closed="left")],
        "max_reference_rows": [Interval(Integral, 2, None, closed="left")],
    }
    _net_class = OneCycleNet
    _module_class = DistanceNetwork
    _criterion_class = DistanceLoss
    _n_steps = 3000
    # An epoch of the default n_moved has more than 300 batches.
    _epoch_range = (5, 1000)

    def __init__(
        self,
        *,
        n_neighbors: int | Literal["auto"] = "auto",
        assume: Literal["clean", "contaminated"] = "clean",
        n_moved: int = 60_000,
        max_reference_rows: int = 50_000,
        hidden_dims: Sequence[int] = (256, 256, 256),
        activation: Activation = "silu",
        dropout: float = 0.0,
        n_members: int = 1,
        max_samples: int | float | None = None,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 3e-3,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        train_split: TrainSplit | None = None,
        callbacks: Callbacks | None = None,
        contamination: Contamination = 0.1,
        warm_start: bool = False,
        device: Device = "cpu",
        compile: bool = False,
        verbose: int = 0,
        random_state: RandomState = None,
        **component__param: Any,
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
        self.n_neighbors = n_neighbors
        self.assume = assume
        self.n_moved = n_moved
        self.max_reference_rows = max_reference_rows
        self.hidden_dims = hidden_dims
        self.activation = activation
        self.dropout = dropout
        self.n_members = n_members
        self.max_samples = max_samples

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "activation": self.activation,
            "dropout": self.dropout,
            **self._member_params(),
        }

    def _criterion_params(self):
        return self._member_params()

    def _training_rows(self, X, y):
        """Return moved rows and rows at their place, and the logarithms of their distances."""
        rng = np.random.default_rng(torch.randint(2**31, ()).item())
        if self._reservoir is not None:
            X = self._reservoir.rows
        size = min(self.max_reference_rows, n_drawn(self.max_samples, len(X)))
        n_neighbors = self.n_neighbors
        if n_neighbors == "auto":
            n_neighbors = N_NEIGHBORS[self.assume]
        self.n_neighbors_ = min(n_neighbors, size - 1)
        if self.max_samples is None:
            rows, targets, self._mean_target = self._draw_rows(X, size, rng)
            return rows, targets
        # Each network learns the distances to a sample of its own.
        drawn = [self._draw_rows(X, size, rng) for _ in range(self.n_members)]
        rows, targets, means = zip(*drawn, strict=True)
        self._mean_target = float(np.mean(means))
        if self.n_members == 1:
            return rows[0], targets[0]
        return np.stack(rows, axis=1), np.stack(targets, axis=1)

    def _rows_of_members(self, rows, targets):
        if self.max_samples is None:
            return super()._rows_of_members(rows, targets)
        self._check_module()
        return rows, targets

    def _draw_rows(self, X, size, rng):
        """Return rows around a sample of X, their targets, and the mean of those of X."""
        if len(X) > size:
            X = X[np.sort(rng.choice(len(X), size, replace=False))]
        reference = ReferenceRows(X, self.n_neighbors_)
        moved, distances = reference.draw_moved(self.n_moved, rng)
        n_own = max(2, round(self.n_moved / MOVED_PER_OWN)) if self.n_moved else len(X)
        own = rng.permutation(len(X))[:n_own]
        own_distances = reference.own_distances(own)
        own_targets, targets = reference.logarithms(own_distances, distances)
        # Rows of a small table are used several times.
        rows = np.concatenate([moved, np.resize(X[own], (n_own, X.shape[1]))])
        targets = np.concatenate([targets, np.resize(own_targets, n_own)])
        rows, targets = rows.astype(np.float32, copy=False), targets.astype(np.float32)
        return rows, targets, float(own_targets.mean())

    def _initialize_state(self, X):
        """Set the level from which the network predicts differences."""
        self.net_.criterion_.center.fill_(self._mean_target)
