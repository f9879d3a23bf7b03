"""A mixture of two Gaussian distributions."""

from numbers import Real

import numpy as np
from sklearn.mixture import GaussianMixture

from ..utils.randomness import check_local_random_state
from ..utils.scores import has_size, moments
from ..utils.types import Floats, RandomState
from ..utils.validation import Interval
from ._base import BaseThreshold
from ._offsets import contamination_offset


class GaussianMixtureThreshold(BaseThreshold):
    """The scores are a mixture of two Gaussians, normal rows and anomalies.

    Scores that more likely belong to the lower Gaussian are abnormal. The sample counts as
    one group if a single Gaussian has the better Bayesian information criterion, if the two
    Gaussians overlap, or if the lower one has more than half of the scores. The
    threshold is then that of :class:`ZScoreThreshold`.

    Parameters
    ----------
    n_deviations : float, default=3.0
        Distance from the mean in standard deviations, if there is one group.
    separation : float, default=2.0
        The two Gaussians overlap if the distance between their means, divided by the root mean
        square of their standard deviations [1]_, is at most this. One group with skewed
        scores is also fitted better by two Gaussians, which overlap; 0 accepts them as two
        groups.
    random_state : int, RandomState instance or None, default=None
        Seed of the initialisation of the mixture.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    n_components_ : int
        1 or 2, the number of groups.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

    References
    ----------
    .. [1] K. M. Ashman, C. M. Bird, S. E. Zepf, "Detecting bimodality in astronomical
       datasets", The Astronomical Journal, 1994, where it is called D.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import GaussianMixtureThreshold
    >>> rng = np.random.default_rng(0)
    >>> scores = np.concatenate([rng.normal(size=950), rng.normal(-20, 2, size=50)])
    >>> rule = GaussianMixtureThreshold(random_state=0).fit(scores)
    >>> int((rule.predict(scores) == -1).sum())
    50
    """

    _parameter_constraints: dict = {
        "n_deviations": [Interval(Real, 0, None, closed="neither")],
        "separation": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_deviations: float = 3.0,
        separation: float = 2.0,
        random_state: RandomState = None,
    ):
        self.n_deviations = n_deviations
        self.separation = separation
        self.random_state = random_state

    def _threshold(self, scores: Floats) -> float:
        sized, (mean, spread) = scores[has_size(scores)], moments(scores)
        # Two groups need at least three different scores.
        many = len(np.unique(sized)) > 2 and spread > 0
        # Scores are standardised because the mixture adds a constant to its variances.
        n_lower = self._count_lower((sized - mean) / spread) if many else 0
        self.n_components_ = 2 if n_lower else 1
        if n_lower:
            return contamination_offset(sized, n_lower / len(sized))
        return mean - self.n_deviations * spread

    def _count_lower(self, scores: Floats) -> int:
        """Return the size of the lower group, or 0 if there is one group only."""
        column, rng = scores[:, None], check_local_random_state(self.random_state)
        two = GaussianMixture(2, random_state=rng).fit(column)
        one = GaussianMixture(1, random_state=rng).fit(column)
        means = two.means_.ravel()
        distance = np.ptp(means) / np.sqrt(two.covariances_.mean())
        if distance <= self.separation or two.bic(column) >= one.bic(column):
            return 0
        # If the lower Gaussian is the wider one, it is more likely again far above both means.
        is_lower = (two.predict(column) == means.argmin()) & (scores < means.max())
        n_lower = 1 + np.flatnonzero(is_lower)[-1] if is_lower.any() else 0
        return n_lower if n_lower <= len(scores) / 2 else 0
