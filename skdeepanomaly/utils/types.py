"""Types that annotations share.

Rows are ``ArrayLike``, which takes lists, arrays, tensors and data frames alike: the frames of
pandas, polars and pyarrow all have ``__array__``. A union of their classes would need them
installed.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

__all__ = [
    "Activation",
    "Bools",
    "Contamination",
    "Floats",
    "Folds",
    "Ints",
    "RandomState",
    "Rows",
    "SeriesLike",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

RandomState: TypeAlias = int | np.random.RandomState | None
Contamination: TypeAlias = float | Literal["auto"]
Activation: TypeAlias = Literal["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "tanh"]

Bools: TypeAlias = NDArray[np.bool_]
# Rows of what hands them on to any detector, of which some take sparse matrices.
Rows: TypeAlias = ArrayLike | sparray | spmatrix
# What scikit-learn takes for ``cv``, besides a number: a splitter, or training and test rows.
Folds: TypeAlias = BaseCrossValidator | BaseShuffleSplit | Iterable[tuple[ArrayLike, ArrayLike]]
# A series, or several.
SeriesLike: TypeAlias = ArrayLike | Sequence[ArrayLike]
