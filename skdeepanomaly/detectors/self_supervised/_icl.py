"""ICL: parts of a row recognise each other among all parts of the row."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from ...base import BaseDeepDetector
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Contamination, RandomState
from ...utils.validation import Interval, StrOptions, check_hidden_dims
from .._parameters import POSITIVE, WIDTH
from ._losses import InternalContrastiveLoss
from ._networks import InternalContrastNetwork


class ICL(BaseDeepDetector):
    r"""Internal contrastive learning.

    A row is cut into a short sub-vector of consecutive features and the rest of the features,
    at many positions. Two networks learn codes of both parts, so that the code of the rest is
    similar to the code of its own sub-vector, and unlike the codes of the other sub-vectors
    of the same row [1]_. They learn which values go together in normal rows. The score of a
    row is its negative mean loss over the positions.

    Parameters
    ----------
    subvector_dim : int or "auto", default="auto"
        Number of features of a sub-vector, but at most all but one. ``"auto"`` is the rule of
        the paper: 2 for up to 40 features, 10 for up to 160, and all but 150 features of
        wider rows.
    n_orders : int or "auto", default="auto"
        Number of orders of the features, each with networks of its own, over which the score
        is averaged. The first is the order of the columns, the others are random. ``"auto"``
        is ``1 + 60 // (7 + n_features)``: few features have few positions.
    max_positions : int, default=32
        Largest number of sub-vectors in an order. If there could be more, evenly spaced ones
        are taken, the first and the last among them.
    temperature : float, default=0.01
        Divisor of the similarities of the codes.
    hidden_dims : sequence of int, default=(32,)
        Widths of the hidden layers of the network of the rest. The network of the sub-vectors
        has half of these widths.
    latent_dim : int, default=32
        Width of the codes.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net; its ``module_`` holds the orders and the networks.
    %(common_attributes)s

    See Also
    --------
    NeuTraL : Contrasts learned transformations of a row.
    MCM : Rebuilds a row from learned parts of it.

    Notes
    -----
    Let :math:`a_j` be the sub-vector of k features at position j, and :math:`b_j` the vector
    of the other features. With the networks G and F the loss of a row is the mean over the
    positions of

    .. math::

        -\log \frac{\exp(F(b_j)^T G(a_j) / \tau)}{\sum_l \exp(F(b_j)^T G(a_l) / \tau)}

    where :math:`\tau` is the ``temperature``. The codes of a row are divided by their norm
    over the positions, number by number, and then each by its length. Behind each hidden layer
    is a batch normalisation for each position.

    Departures from the paper:

    - There are at most ``max_positions`` positions. The paper takes all of them, whose cost
      grows with the square of the number of features.
    - There are fewer orders, because each costs as much as the first. In the paper there are
      :math:`1 + \lfloor 100 / (\log n + d) \rfloor` for n rows with d features. More orders
      rank real tables better.
    - The networks are smaller. The training is short; in the paper it ends when the loss is
      below a bound.
    - Rows far from the training data get a penalty, because the loss is bounded, as in all
      detectors whose score is no sum over the features.

    A row has at least two features. A custom ``module`` maps rows (n, n_features) to
    similarities (n, n_orders, n_positions, n_positions) of each rest, by row, with each
    sub-vector, by column.

    References
    ----------
    .. [1] T. Shenkar, L. Wolf, "Anomaly detection for tabular data with internal contrastive
       learning", ICLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ICL
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=(300, 2))
    >>> X = hidden @ [[1, 0.5, -1, 0.3], [0, 1, 0.7, -1]]
    >>> X[0] = [2, -2, 2, -2]
    >>> detector = ICL(contamination=0.01, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        "subvector_dim": [WIDTH, StrOptions({"auto"})],
        "n_orders": [WIDTH, StrOptions({"auto"})],
        "max_positions": [Interval(Integral, 2, None, closed="left")],
        "temperature": [POSITIVE],
        "hidden_dims": ["array-like"],
        "latent_dim": [WIDTH],
    }
    _module_class = InternalContrastNetwork
    _criterion_class = InternalContrastiveLoss
    _auto_batch_size = 128
    # NOTE[DIFF]: a short training, chosen on tables.
    _n_steps = 300
    _epoch_range = (1, 200)
    # The normalised codes bend the score, so that few points are too coarse.
    _explanation_steps = 128

    def __init__(
        self,
        *,
        subvector_dim: int | Literal["auto"] = "auto",
        n_orders: int | Literal["auto"] = "auto",
        max_positions: int = 32,
        temperature: float = 0.01,
        # NOTE[DIFF]: the authors' networks have up to 400 units in a layer.
        hidden_dims: Sequence[int] = (32,),
        latent_dim: int = 32,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 1e-3,
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
        self.subvector_dim = subvector_dim
        self.n_orders = n_orders
        self.max_positions = max_positions
        self.temperature = temperature
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim

    def _module_params(self, n_features):
        if n_features < 2:
            raise ValueError(
                "ICL contrasts the features of a row with each other, got"
                f" n_features = {n_features}; expected at least 2. Use AutoEncoder for a single"
                " column."
            )
        subvector_dim, n_orders = self.subvector_dim, self.n_orders
        if subvector_dim == "auto":
            subvector_dim = _auto_subvector_dim(n_features)
        if n_orders == "auto":
            # NOTE[DIFF]: fewer than in the paper, whatever the number of rows.
            n_orders = 1 + 60 // (7 + n_features)
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "subvector_dim": min(subvector_dim, n_features - 1),
            "max_positions": self.max_positions,
            "n_orders": n_orders,
        }

    def _criterion_params(self):
        return {"temperature": self.temperature}

    def _row_width(self, net, n_features):
        # The widest arrays hold a code, or all features, for each position.
        return self.max_positions * max(n_features, 2 * self.latent_dim, *self.hidden_dims)


def _auto_subvector_dim(n_features: int) -> int:
    if n_features <= 40:
        return 2
    return 10 if n_features <= 160 else n_features - 150
