"""The threshold of a false-alarm rate that holds."""

from decimal import ROUND_CEILING, Decimal
from numbers import Real

import numpy as np

from ..utils.types import Floats
from ..utils.validation import Interval
from ._base import BaseThreshold


def conformal_rank(alpha: float, n_calibration: int) -> int:
    """Return the largest k for which k / (n_calibration + 1) is at most alpha.

    Parameters
    ----------
    alpha : float
        False-alarm rate, in (0, 1).
    n_calibration : int
        Number of calibration rows.

    Returns
    -------
    k : int
        A row is an outlier if fewer than k calibration scores are as low as its own.
    """
    # The factor makes up for the rounding of a product that is a whole number.
    return int(np.floor(float(alpha) * (n_calibration + 1) * (1 + 1e-12)))


def too_few_to_calibrate(alpha: float, n_calibration: int, rows: str) -> str:
    """Return what to say where ``conformal_rank`` is 0.

    Parameters
    ----------
    alpha : float
        False-alarm rate, in (0, 1).
    n_calibration : int
        Number of calibration rows.
    rows : str
        Name of the calibration rows.

    Returns
    -------
    message : str
        Says how many rows ``alpha`` takes.
    """
    # As a decimal, because the inverse of a number such as 1e-320 is no float.
    needed = 1 / Decimal(float(alpha)) - 1 - Decimal("1e-9")
    whole = f"{needed.to_integral_value(ROUND_CEILING):.12g}"
    return (
        f"{n_calibration} {rows} are too few for alpha={alpha}: no row can be called an"
        f" outlier. It takes {whole} or more: give more rows, or set a larger alpha."
    )


class ConformalThreshold(BaseThreshold):
    """The false-alarm rate on new normal rows is bounded.

    The scores must come from normal rows that the detector was not trained on. A new normal
    row then scores below the threshold with a probability of at most ``alpha``, whatever
    the distribution of the scores [1]_.

    Parameters
    ----------
    alpha : float, default=0.1
        Upper bound of the false-alarm rate, in (0, 1).

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers. With fewer than ``1 / alpha - 1`` scores there is none,
        and ``fit`` raises an error.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    References
    ----------
    .. [1] R. Laxhammar, G. Falkman, "Conformal prediction for distribution-independent
       anomaly detection in streaming vessel data", StreamKDD 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import ConformalThreshold
    >>> rule = ConformalThreshold(alpha=0.1).fit(np.arange(19.0))
    >>> int((rule.predict(np.arange(19.0)) == -1).sum())
    1
    """

    _parameter_constraints: dict = {"alpha": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(self, alpha: float = 0.1):
        self.alpha = alpha

    def _threshold(self, scores: Floats) -> float:
        # The p-value of a row is (1 + number of scores up to and with its own) / (n + 1). It is
        # at most k / (n + 1), and so at most alpha, below the k-th lowest score.
        k = conformal_rank(self.alpha, len(scores))
        if k == 0:
            raise ValueError(too_few_to_calibrate(self.alpha, len(scores), "scores"))
        return scores[min(k, len(scores)) - 1]
