"""Constraints of parameters that several families share, and "auto" widths of codes."""

from numbers import Integral, Real

from ..networks import ACTIVATIONS
from ..utils.validation import Interval, StrOptions

WIDTH = Interval(Integral, 1, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")

NETWORK_CONSTRAINTS: dict = {
    "hidden_dims": ["array-like"],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "dropout": [SHARE],
}


def wide_latent_dim(n_features: int) -> int:
    """Return the width of a wide code: three quarters of the features, but at most 64."""
    return min(64, max(1, round(0.75 * n_features)))


def half_latent_dim(n_features: int) -> int:
    """Return the width of the code of a GAN: half of the features, but at least 2."""
    return max(2, -(-n_features // 2))
