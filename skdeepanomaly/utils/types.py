"""Types that annotations share.

Rows are ``ArrayLike``, which takes lists, arrays, tensors and data frames alike: the frames of
pandas, polars and pyarrow all have ``__array__``. A union of their classes would need them
installed.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

RandomState: TypeAlias = int | np.random.RandomState | None
Contamination: TypeAlias = float | Literal["auto"]
Activation: TypeAlias = Literal["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "tanh"]

Bools: TypeAlias = NDArray[np.bool_]


class Sparse(Protocol):
    """A sparse matrix or array of scipy, which has no types."""

    def tocsr(self, copy: bool = False) -> Any:
        """Return the rows in the format that can be indexed by them."""


# Rows of what hands them on to a detector inside, which may take sparse ones.
Rows: TypeAlias = ArrayLike | Sparse
# A series, or several.
SeriesLike: TypeAlias = ArrayLike | Sequence[ArrayLike]
# What scikit-learn takes for ``cv``, besides a number: a splitter, or training and test rows.
Folds: TypeAlias = BaseCrossValidator | BaseShuffleSplit | Iterable[tuple[ArrayLike, ArrayLike]]
# A name of a rule of ``thresholds``.
ThresholdName: TypeAlias = Literal[
    "conformal", "fixed", "gaussian_mixture", "iqr", "mad", "pot", "quantile", "zscore"
]
