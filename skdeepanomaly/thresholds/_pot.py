"""Peaks over a threshold."""

from numbers import Real

import numpy as np
from scipy.stats import genpareto

from ..utils.scores import has_size
from ..utils.types import Floats
from ..utils.validation import Interval
from ._base import BaseThreshold


class POTThreshold(BaseThreshold):
    """Peaks over threshold: extreme value theory for the tail of the scores.

    A generalised Pareto distribution is fitted to the scores beyond a quantile [1]_. A normal
    row scores below the threshold with the probability ``risk`` [2]_. The scores should
    be those of normal rows, because anomalies among them make the tail longer.

    Parameters
    ----------
    risk : float, default=0.05
        Expected share of normal rows below the threshold, in (0, 0.5).
    tail : float, default=0.1
        Share of the scores that belong to the tail, in (0, 0.5], larger than ``risk``. The
        tail has at least ten scores, or half of the scores if there are fewer than twenty.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    shape_, scale_ : float
        Parameters of the Pareto distribution of the excesses, the distances of the tail's
        scores from its start; 0 if no distribution was fitted.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    Notes
    -----
    If n_t of n scores lie below the start t of the tail, the threshold is
    ``t - scale / shape * ((risk * n / n_t) ** -shape - 1)``, or
    ``t + scale * log(risk * n / n_t)`` if the shape is zero. The parameters are estimated
    by maximum likelihood with :data:`scipy.stats.genpareto`, not by Grimshaw's method as
    in [2]_.

    No distribution is fitted in two cases. If at most a share ``risk`` of the scores lies
    below t, because many scores equal t, the threshold is t. If all scores of the tail
    are equal, the threshold lies just below them.

    References
    ----------
    .. [1] J. Pickands, "Statistical inference using extreme order statistics", Annals of
       Statistics, 1975.
    .. [2] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, "Anomaly detection in streams
       with extreme value theory", KDD 2017, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import POTThreshold
    >>> scores = -np.random.default_rng(0).exponential(size=20_000)
    >>> rule = POTThreshold(risk=0.001).fit(scores)
    >>> bool(abs(rule.threshold_ - np.log(0.001)) < 0.5)
    True
    """

    _parameter_constraints: dict = {
        "risk": [Interval(Real, 0, 0.5, closed="neither")],
        "tail": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, risk: float = 0.05, tail: float = 0.1):
        self.risk = risk
        self.tail = tail

    def _threshold(self, scores: Floats) -> float:
        # A product of numpy's small types overflows.
        risk, tail = float(self.risk), float(self.tail)
        if risk >= tail:
            raise ValueError(
                f"risk must be smaller than tail, in which the threshold lies; got"
                f" risk={self.risk} and tail={self.tail}."
            )
        n_samples = len(scores)
        n_tail = max(round(tail * n_samples), min(10, n_samples // 2), 1)
        start = scores[n_tail]
        # Scores equal to the start do not belong to the tail. Those without size lie below any
        # threshold: they are counted, and the distribution is fitted to the others.
        sized = scores[has_size(scores)]
        n_lost = np.searchsorted(scores, sized[0])
        excesses = start - sized[sized < start]
        self.shape_, self.scale_ = 0.0, 0.0
        if n_lost + len(excesses) <= risk * n_samples:
            return start
        if n_lost >= risk * n_samples:
            return sized[0]
        if np.ptp(excesses) == 0:
            # A distribution cannot be fitted to equal values.
            return np.nextafter(sized[0], -np.inf)
        # Not the mean, which a single score far below all others would decide.
        unit = np.median(excesses)
        # NOTE[DIFF]: scipy's maximum likelihood in place of Grimshaw's method.
        shape, _, scale = genpareto.fit(excesses / unit, floc=0)
        self.shape_, self.scale_ = float(shape), float(scale * unit)
        share = (risk * n_samples - n_lost) / len(excesses)
        return start - genpareto.isf(share, self.shape_, scale=self.scale_)
