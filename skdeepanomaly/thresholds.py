"""Rules that find a threshold in a sample of scores."""

from decimal import ROUND_CEILING, Decimal
from numbers import Real

import numpy as np
from scipy.stats import genpareto, median_abs_deviation
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_array, check_is_fitted

from .utils.randomness import check_local_random_state
from .utils.scores import has_size, moments
from .utils.validation import Interval, StrOptions


def contamination_offset(
    scores: np.ndarray, contamination: float, *, overwrite_input: bool = False
) -> float:
    """Return the offset below which the given share of the scores lies.

    The offset is half-way between two neighbouring scores, so that rounding errors cannot
    change a label; above a score without size, see ``has_size``, it is the next score. Equal
    scores are never separated: if the cut falls among them, none of them are outliers, as in
    scikit-learn's detectors. If there would be no outlier then, all of them are. If all scores
    are equal, no row is an outlier.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, lower for more abnormal rows.
    contamination : float
        Share of outliers, in (0, 0.5].
    overwrite_input : bool, default=False
        Whether ``scores`` may be sorted in place, which avoids a copy.

    Returns
    -------
    offset : float
        ``scores < offset`` holds for ``max(1, round(contamination * n_samples))`` rows
        where the scores are distinct.
    """
    n_samples = len(scores)
    wanted = min(max(1, round(contamination * n_samples)), n_samples - 1)
    ordered = scores if overwrite_input else scores.copy()
    ordered.sort()
    # Number of scores strictly below the cut, and number of scores up to and with it.
    cut = ordered[wanted - 1]
    n_below = int(np.searchsorted(ordered, cut, side="left"))
    n_upto = int(np.searchsorted(ordered, cut, side="right"))
    if n_upto == n_samples and n_below == 0:
        return float(cut)
    n_outliers = n_upto if n_upto == wanted or n_below == 0 else n_below
    last_out, first_in = ordered[n_outliers - 1], ordered[n_outliers]
    if not has_size(ordered)[n_outliers - 1]:
        # The middle would lie as far below all other scores.
        return float(first_in)
    middle = 0.5 * last_out + 0.5 * first_in
    # The middle of two adjacent floats is rounded to one of them; to the lower one, the last
    # outlier would not lie below the offset.
    return float(middle if last_out < middle else first_in)


def robust_offset(scores: np.ndarray, n_deviations: float = 3.0) -> float:
    """Return the offset that lies a number of robust standard deviations below the median.

    The deviation is taken from the lower, abnormal half of the scores:
    ``(median - first quartile) / 0.6745``. It is the standard deviation of Gaussian scores,
    and larger if the lower half of the scores has the longer tail.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Normality scores, lower for more abnormal rows.
    n_deviations : float, default=3.0
        Distance from the median in robust standard deviations.

    Returns
    -------
    offset : float
        Scores below it are outliers. There may be none.
    """
    first_quartile, median = np.quantile(scores, [0.25, 0.5])
    return float(median - n_deviations * (median - first_quartile) / 0.6745)


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
    return int(np.floor(alpha * (n_calibration + 1) * (1 + 1e-12)))


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
    needed = f"{needed.to_integral_value(ROUND_CEILING):.12g}"
    return (
        f"{n_calibration} {rows} are too few for alpha={alpha}: no row can be called an"
        f" outlier. It takes {needed} or more: give more rows, or set a larger alpha."
    )


class BaseThreshold(BaseEstimator):
    """Base of the rules that find a threshold in scores.

    A subclass implements ``_threshold(scores)``. It is given the scores in ascending order,
    the most abnormal one first, and returns the threshold.

    The lowest score that a detector can give, to a row on which it overflows, has a rank but no
    size: rules count it, and leave it out of sums.
    """

    _parameter_constraints: dict = {}

    def fit(self, scores, y=None):
        """Find the threshold of a sample of scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Normality scores as ``score_samples`` gives them, lower for more abnormal rows.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            The fitted rule.

        Raises
        ------
        ValueError
            If the scores are not one-dimensional, not finite or fewer than two, a parameter
            is out of its range, or the threshold would not be finite or lie beyond all scores
            that have a size.
        """
        self._validate_params()
        scores = check_array(
            scores, ensure_2d=False, dtype=np.float64, ensure_min_samples=2, input_name="scores"
        )
        if scores.ndim != 1:
            raise ValueError(
                f"scores must be one-dimensional, as score_samples gives them, got an array"
                f" of shape {scores.shape}."
            )
        scores = np.sort(scores)
        n_sized = np.count_nonzero(has_size(scores))
        threshold = -np.inf
        if n_sized:
            # The differences of scores without size overflow, and so may the threshold.
            with np.errstate(over="ignore", invalid="ignore"):
                threshold = float(self._threshold(scores))
        is_lost = n_sized < len(scores) and not has_size(np.append(scores, threshold))[-1]
        if not np.isfinite(threshold) or is_lost:
            raise ValueError(
                f"{type(self).__name__} has no usable threshold, it would be {threshold:.3g}:"
                f" {len(scores) - n_sized} of {len(scores)} scores are beyond all others, from"
                f" {scores[0]:.3g} to {scores[-1]:.3g}, as those of rows on which a network"
                " overflows. Leave such rows out, or clip X; if there are none, set less"
                " extreme parameters."
            )
        self.threshold_ = threshold
        self.n_samples_seen_ = len(scores)
        return self

    def predict(self, scores):
        """Label scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Normality scores.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for scores below the threshold, +1 for all others.

        Raises
        ------
        ValueError
            If a score is NaN.
        """
        check_is_fitted(self)
        scores = np.asarray(scores, dtype=np.float64)
        if np.isnan(scores).any():
            raise ValueError("scores contains NaN, which is neither normal nor abnormal.")
        return np.where(scores < self.threshold_, -1, 1)

    def _threshold(self, scores: np.ndarray) -> float:
        raise NotImplementedError


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

    def __init__(self, contamination=0.1):
        self.contamination = contamination

    def _threshold(self, scores):
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

    def __init__(self, value=0.0):
        self.value = value

    def _threshold(self, scores):
        return self.value


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

    def __init__(self, n_deviations=3.0):
        self.n_deviations = n_deviations

    def _threshold(self, scores):
        mean, deviation = moments(scores)
        return mean - self.n_deviations * deviation


class MADThreshold(BaseThreshold):
    """Scores more than a number of robust standard deviations below the median are abnormal.

    Parameters
    ----------
    n_deviations : float, default=3.0
        Distance from the median in robust standard deviations.
    side : {"both", "lower"}, default="lower"
        "both" takes 1.4826 times the median absolute deviation of all scores. "lower" takes
        the distance from the median to the first quartile, divided by 0.6745: it uses the
        abnormal half of the scores only, and so follows the skew that most scores have.

    Attributes
    ----------
    threshold_ : float
        Scores below it are outliers.
    n_samples_seen_ : int
        Number of scores given to ``fit``.

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

    def __init__(self, n_deviations=3.0, side="lower"):
        self.n_deviations = n_deviations
        self.side = side

    def _threshold(self, scores):
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

    def __init__(self, factor=1.5, adjusted=True):
        self.factor = factor
        self.adjusted = adjusted

    def _threshold(self, scores):
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

    def __init__(self, risk=0.05, tail=0.1):
        self.risk = risk
        self.tail = tail

    def _threshold(self, scores):
        if self.risk >= self.tail:
            raise ValueError(
                f"risk must be smaller than tail, in which the threshold lies; got"
                f" risk={self.risk} and tail={self.tail}."
            )
        n_samples = len(scores)
        n_tail = max(round(self.tail * n_samples), min(10, n_samples // 2), 1)
        start = scores[n_tail]
        # Scores equal to the start do not belong to the tail. Those without size lie below any
        # threshold: they are counted, and the distribution is fitted to the others.
        sized = scores[has_size(scores)]
        n_lost = np.searchsorted(scores, sized[0])
        excesses = start - sized[sized < start]
        self.shape_, self.scale_ = 0.0, 0.0
        if n_lost + len(excesses) <= self.risk * n_samples:
            return start
        if n_lost >= self.risk * n_samples:
            return sized[0]
        if np.ptp(excesses) == 0:
            # A distribution cannot be fitted to equal values.
            return np.nextafter(sized[0], -np.inf)
        # Not the mean, which a single score far below all others would decide.
        unit = np.median(excesses)
        # NOTE[DIFF]: scipy's maximum likelihood in place of Grimshaw's method.
        shape, _, scale = genpareto.fit(excesses / unit, floc=0)
        self.shape_, self.scale_ = float(shape), float(scale * unit)
        share = (self.risk * n_samples - n_lost) / len(excesses)
        return start - genpareto.isf(share, self.shape_, scale=self.scale_)


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

    def __init__(self, n_deviations=3.0, separation=2.0, random_state=None):
        self.n_deviations = n_deviations
        self.separation = separation
        self.random_state = random_state

    def _threshold(self, scores):
        sized, (mean, spread) = scores[has_size(scores)], moments(scores)
        # Two groups need at least three different scores.
        many = len(np.unique(sized)) > 2 and spread > 0
        # Scores are standardised because the mixture adds a constant to its variances.
        n_lower = self._count_lower((sized - mean) / spread) if many else 0
        self.n_components_ = 2 if n_lower else 1
        if n_lower:
            return contamination_offset(sized, n_lower / len(sized))
        return mean - self.n_deviations * spread

    def _count_lower(self, scores):
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

    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def _threshold(self, scores):
        # The p-value of a row is (1 + number of scores up to and with its own) / (n + 1). It is
        # at most k / (n + 1), and so at most alpha, below the k-th lowest score.
        k = conformal_rank(self.alpha, len(scores))
        if k == 0:
            raise ValueError(too_few_to_calibrate(self.alpha, len(scores), "scores"))
        return scores[min(k, len(scores)) - 1]


# Names of the rules in the parameters of meta-estimators.
THRESHOLDS = {
    "conformal": ConformalThreshold,
    "fixed": FixedThreshold,
    "gaussian_mixture": GaussianMixtureThreshold,
    "iqr": IQRThreshold,
    "mad": MADThreshold,
    "pot": POTThreshold,
    "quantile": QuantileThreshold,
    "zscore": ZScoreThreshold,
}
