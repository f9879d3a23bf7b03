"""How good scores are, judged without labels: anomaly scores to a figure."""

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import auc
from sklearn.utils.validation import check_array, column_or_1d

# The share of rows that the region of normal rows must hold, and the masses at which its
# volume is taken: those of Goix (2016).
MASS = 0.9
MASSES = np.linspace(0.9, 0.999, 100)
# Points at which the curve of the excess mass is evaluated.
N_LEVELS = 200


def _check_scores(scores, name):
    return column_or_1d(check_array(scores, ensure_2d=False, dtype="float64", input_name=name))


def npd_score(y_score, pseudo_score):
    r"""Return the normalised pseudo discrepancy of AutoUAD [1]_.

    It compares the scores of rows with those of made-up rows, which have the means and
    standard deviations of the data but none of their dependencies.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, the higher, the more
        abnormal: ``-detector.score_samples(X)``.
    pseudo_score : array-like of shape (n_pseudo,)
        Anomaly scores of rows drawn from a Gaussian that has the mean and the standard
        deviation of each feature of the training rows, and no correlations.

    Returns
    -------
    score : float
        The higher, the better; negative where the made-up rows look more normal than the
        others, 0 where all scores are equal.

    Notes
    -----
    With the means :math:`\mu` and the variances :math:`\sigma^2` of the scores of both kinds
    it is

    .. math:: \frac{(\mu_\text{pseudo} - \mu)^2}{2 (\sigma_\text{pseudo}^2 + \sigma^2)}

    with the sign of :math:`\mu_\text{pseudo} - \mu`, which the paper drops. Its constant
    against a division by zero is taken relative to the variance of all scores, so that the
    unit of the scores does not matter. The definition was taken from accounts of the paper,
    which agree, not from the paper itself.

    References
    ----------
    .. [1] W. Dai, J. Fan, "AutoUAD: Hyper-parameter optimization for unsupervised anomaly
       detection", ICLR 2025, definition 6.

    Examples
    --------
    >>> from skdeepanomaly import npd_score
    >>> round(npd_score([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), 3)
    3.375
    """
    own, pseudo = _check_scores(y_score, "y_score"), _check_scores(pseudo_score, "pseudo_score")
    total = np.var(np.concatenate([own, pseudo]))
    if total == 0:
        return 0.0
    difference = np.mean(pseudo) - np.mean(own)
    spread = 2 * (np.var(pseudo) + np.var(own)) + 1e-6 * total
    return float(np.sign(difference) * difference**2 / spread)


def _mass_and_volume(y_score, uniform_score):
    """Return the regions up to each score: their share of the rows and of the box.

    The uniform rows count one more than there are, so that no region has no volume.
    """
    own = np.sort(_check_scores(y_score, "y_score"))
    uniform = np.sort(_check_scores(uniform_score, "uniform_score"))
    levels = np.unique(own)
    mass = np.searchsorted(own, levels, side="right") / len(own)
    volume = (np.searchsorted(uniform, levels, side="right") + 1) / (len(uniform) + 1)
    return mass, volume


def excess_mass_score(y_score, uniform_score):
    r"""Return the area under the excess-mass curve [1]_.

    Regions that a good score calls normal hold many rows in little space.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, the higher, the more
        abnormal: ``-detector.score_samples(X)``.
    uniform_score : array-like of shape (n_uniform,)
        Anomaly scores of rows drawn uniformly from the smallest box around those rows.

    Returns
    -------
    score : float
        The higher, the better.

    Notes
    -----
    With the share :math:`\alpha(u)` of the rows, and :math:`\lambda(u)` of the box, whose
    scores are at most :math:`u`, the curve is

    .. math:: EM(t) = \max_u \, \alpha(u) - t \, \lambda(u) .

    The area is taken from :math:`t = 0` to where the curve falls to 0.9. Volumes are shares
    of the box instead of absolute ones, so that the unit of a feature does not matter.

    References
    ----------
    .. [1] N. Goix, "How to evaluate the quality of unsupervised anomaly detection
       algorithms?", ICML Anomaly Detection Workshop 2016.

    Examples
    --------
    >>> from skdeepanomaly import excess_mass_score
    >>> good = excess_mass_score([0.1, 0.2, 0.3], [0.2, 2, 2, 2, 2, 2, 2, 2, 2])
    >>> poor = excess_mass_score([0.1, 0.2, 2.0], [0.2, 2, 2, 2, 2, 2, 2, 2, 2])
    >>> good > poor
    True
    """
    mass, volume = _mass_and_volume(y_score, uniform_score)
    end = np.max((mass - MASS) / volume)
    t = np.linspace(0, end, N_LEVELS)
    curve = np.max(mass[:, None] - volume[:, None] * t, axis=0)
    return float(auc(t, curve))


def mass_volume_score(y_score, uniform_score):
    r"""Return the mean volume of the regions that hold nearly all rows [1]_.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, the higher, the more
        abnormal: ``-detector.score_samples(X)``.
    uniform_score : array-like of shape (n_uniform,)
        Anomaly scores of rows drawn uniformly from the smallest box around those rows.

    Returns
    -------
    score : float
        Share of the box, in (0, 1]; the **lower**, the better.

    Notes
    -----
    It is the area under the mass-volume curve, which gives the volume of the region with
    the lowest scores that holds a share :math:`\alpha` of the rows, for :math:`\alpha` from
    0.9 to 0.999, divided by the width of that interval.

    References
    ----------
    .. [1] N. Goix, "How to evaluate the quality of unsupervised anomaly detection
       algorithms?", ICML Anomaly Detection Workshop 2016.

    Examples
    --------
    >>> from skdeepanomaly import mass_volume_score
    >>> mass_volume_score([0.1, 0.2, 0.3], [0.2, 2.0, 2.0])
    0.5
    """
    mass, volume = _mass_and_volume(y_score, uniform_score)
    # The shares are quotients of integers: what is missing to a mass may be rounding.
    return float(np.mean(volume[np.searchsorted(mass, MASSES - 1e-12)]))


def stability_score(scores):
    """Return how much detectors agree that were trained on different rows.

    Parameters
    ----------
    scores : array-like of shape (n_detectors, n_samples)
        Scores that the detectors give to the same rows.

    Returns
    -------
    score : float
        Mean of Spearman's rank correlation over all pairs of detectors, in [-1, 1]; the
        higher, the better. The correlation with equal scores for all rows counts as 0.

    Notes
    -----
    A ranking that small changes of the training rows turn round cannot be right, but a
    stable one need not be. Perini et al. [1]_ give more weight to the rows at the top, for
    which they need the share of anomalies.

    References
    ----------
    .. [1] L. Perini, C. Galvin, V. Vercruyssen, "A ranking stability measure for quantifying
       the robustness of anomaly detection methods", ECML PKDD Workshops 2020.

    Examples
    --------
    >>> from skdeepanomaly import stability_score
    >>> stability_score([[0.1, 0.2, 0.9], [1.0, 3.0, 2.0]])
    0.5
    """
    scores = check_array(scores, dtype="float64", ensure_min_samples=2, input_name="scores")
    varied = scores[np.ptp(scores, axis=1) > 0]
    n_pairs = len(scores) * (len(scores) - 1) / 2
    correlations = [
        spearmanr(first, second).statistic
        for i, first in enumerate(varied)
        for second in varied[:i]
    ]
    return float(np.sum(correlations) / n_pairs)
