"""Deviations from the bulk of the scores."""

from numbers import Real
from typing import Literal

import numpy as np
from scipy.stats import median_abs_deviation

from ..utils.scores import has_size, moments
from ..utils.types import Floats
from ..utils.validation import Interval, StrOptions
from ._base import BaseThreshold
from ._offsets import robust_offset


class ZScoreThreshold(BaseThreshold):
    """Scores more than a number of standard deviations below the mean are abnormal.

    Outliers in the sample increase the standard deviation; :class:`MADThreshold` is the
    robust version.

    Parameters
    ----------
    n_deviations : float, default=3.0
        Distance from the mean in standard deviations.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    Examples
    --------
    >>> from skdeepanomaly import ZScoreThreshold
    >>> ZScoreThreshold(n_deviations=2).fit([1.0, 3.0]).threshold_
    0.0
    """

    _parameter_constraints: dict = {
        "n_deviations": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, n_deviations: float = 3.0):
        self.n_deviations = n_deviations

    def _threshold(self, scores: Floats) -> float:
        mean, deviation = moments(scores)
        return mean - self.n_deviations * deviation


class MADThreshold(BaseThreshold):
    """Scores more than a number of robust standard deviations below the median are abnormal.

    Parameters
    ----------
    n_deviations : float, default=3.0
        Distance from the median in robust standard deviations.
    side : {"both", "lower"}, default="lower"
        "both" takes 1.4826 times the median absolute deviation of all scores [1]_. "lower"
        takes the distance from the median to the first quartile, divided by 0.6745: it uses the
        abnormal half of the scores only, and so follows the skew that most scores have.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    References
    ----------
    .. [1] B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers", 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import MADThreshold
    >>> scores = np.random.default_rng(0).normal(size=100_000)
    >>> round(MADThreshold(side="both").fit(scores).threshold_, 1)
    -3.0
    """

    _parameter_constraints: dict = {
        "n_deviations": [Interval(Real, 0, None, closed="neither")],
        "side": [StrOptions({"both", "lower"})],
    }

    def __init__(self, n_deviations: float = 3.0, side: Literal["both", "lower"] = "lower"):
        self.n_deviations = n_deviations
        self.side = side

    def _threshold(self, scores: Floats) -> float:
        if self.side == "lower":
            return robust_offset(scores, self.n_deviations)
        deviation = median_abs_deviation(scores, scale="normal")
        return np.median(scores) - self.n_deviations * deviation


class IQRThreshold(BaseThreshold):
    """Scores below the lower whisker of a box plot are abnormal.

    Parameters
    ----------
    factor : float, default=1.5
        Length of the whisker in interquartile ranges.
    adjusted : bool, default=True
        Whether the whisker follows the skew of the scores [1]_.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    medcouple_ : float
        Robust measure of skew in [-1, 1]; 0 if ``adjusted`` is False.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    Notes
    -----
    The lower whisker ends at Q1 - factor * exp(a * MC) * IQR, where MC is the medcouple [2]_
    and a = -4 if MC >= 0, else a = -3. The medcouple compares all pairs of scores; of
    more than 1,000 scores it uses 1,000 evenly spaced order statistics.

    References
    ----------
    .. [1] M. Hubert, E. Vandervieren, "An adjusted boxplot for skewed distributions",
       Computational Statistics & Data Analysis, 2008.
    .. [2] G. Brys, M. Hubert, A. Struyf, "A robust measure of skewness", Journal of
       Computational and Graphical Statistics, 2004.

    Examples
    --------
    >>> from skdeepanomaly import IQRThreshold
    >>> IQRThreshold(adjusted=False).fit([1.0, 2.0, 3.0, 4.0, 5.0]).threshold_
    -1.0
    """

    _parameter_constraints: dict = {
        "factor": [Interval(Real, 0, None, closed="neither")],
        "adjusted": ["boolean"],
    }

    def __init__(self, factor: float = 1.5, adjusted: bool = True):
        self.factor = factor
        self.adjusted = adjusted

    def _threshold(self, scores: Floats) -> float:
        self.medcouple_ = medcouple(scores[has_size(scores)]) if self.adjusted else 0.0
        first, third = np.quantile(scores, [0.25, 0.75])
        skew = np.exp((-4 if self.medcouple_ >= 0 else -3) * self.medcouple_)
        return first - self.factor * skew * (third - first)


def medcouple(ordered: np.ndarray, max_samples: int = 1000) -> float:
    """Return the medcouple of sorted values, a robust measure of skew in [-1, 1].

    Parameters
    ----------
    ordered : ndarray of shape (n_samples,)
        Values, ascending.
    max_samples : int, default=1000
        Largest number of values to compare in pairs; of more values, this many evenly spaced
        ones are used.

    Returns
    -------
    medcouple : float
        Positive if the upper tail is the longer one.

    References
    ----------
    .. [1] G. Brys, M. Hubert, A. Struyf, "A robust measure of skewness", Journal of
       Computational and Graphical Statistics, 2004.
    """
    # NOTE[DIFF]: the paper compares all pairs, whose number grows with the square.
    if len(ordered) > max_samples:
        ordered = ordered[np.linspace(0, len(ordered) - 1, max_samples).round().astype(int)]
    centred = ordered - np.median(ordered)
    low, high = centred[centred <= 0][:, None], centred[centred >= 0][None, :]
    width = high - low
    kernel = np.divide(high + low, width, out=np.zeros(width.shape), where=width > 0)
    # The kernel of two values that both equal the median is the sign of their ranks.
    ranks = np.arange(np.count_nonzero(centred == 0))
    kernel[width == 0] = np.sign(ranks[:, None] - ranks).ravel()
    return float(np.median(kernel))
