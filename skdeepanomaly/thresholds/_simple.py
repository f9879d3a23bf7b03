"""A share of the scores, and a threshold that is given."""

from numbers import Real

from ..utils.types import Floats
from ..utils.validation import Interval
from ._base import BaseThreshold
from ._offsets import contamination_offset


class QuantileThreshold(BaseThreshold):
    """The lowest scores are abnormal, a fixed share of all.

    Parameters
    ----------
    contamination : float, default=0.1
        Share of outliers, in (0, 0.5].

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers. It lies half-way between two neighbouring scores; equal
        scores are never separated.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    Examples
    --------
    >>> from skdeepanomaly import QuantileThreshold
    >>> QuantileThreshold(contamination=0.25).fit([1.0, 2.0, 3.0, 4.0]).threshold_
    1.5
    """

    _parameter_constraints: dict = {
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, contamination: float = 0.1):
        self.contamination = contamination

    def _threshold(self, scores: Floats) -> float:
        return contamination_offset(scores, self.contamination)


class FixedThreshold(BaseThreshold):
    """The threshold is a given value.

    Parameters
    ----------
    value : float, default=0.0
        The threshold.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    Examples
    --------
    >>> from skdeepanomaly import FixedThreshold
    >>> FixedThreshold(2.5).fit([1.0, 2.0, 3.0, 4.0]).predict([1.0, 2.0, 3.0, 4.0])
    array([-1, -1,  1,  1])
    """

    _parameter_constraints: dict = {"value": [Interval(Real, None, None, closed="neither")]}

    def __init__(self, value: float = 0.0):
        self.value = value

    def _threshold(self, scores: Floats) -> float:
        return self.value
