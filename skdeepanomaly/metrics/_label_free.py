"""Criteria that judge anomaly scores without labels."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import spearmanr
from sklearn.metrics import auc
from sklearn.utils.validation import check_array, column_or_1d

from ..utils.scores import has_size
from ..utils.types import Floats

# As in Goix (2016): the curve of the excess mass ends where it falls to MASS, and the curve of
# the mass volume is evaluated at MASSES.
MASS = 0.9
MASSES = np.linspace(0.9, 0.999, 100)
# Points at which the curve of the excess mass is evaluated.
N_LEVELS = 200


def _check_scores(scores: ArrayLike, name: str) -> Floats:
    """Return finite scores as a vector of float64."""
    return column_or_1d(check_array(scores, ensure_2d=False, dtype="float64", input_name=name))


def npd_score(y_score: ArrayLike, pseudo_score: ArrayLike) -> float:
    r"""Return the normalised pseudo discrepancy of AutoUAD [1]_.

    It compares the scores of rows with the scores of pseudo rows, which have the means and
    standard deviations of the data but no dependencies between features.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, higher for more abnormal
        rows: ``-detector.score_samples(X)``.
    pseudo_score : array-like of shape (n_pseudo,)
        Anomaly scores of pseudo rows, drawn from a Gaussian without correlations that has the
        mean and the standard deviation of each feature of the training rows.

    Returns
    -------
    score : float
        The higher, the better. Negative if the pseudo rows look more normal than the rows, 0
        if all scores are equal.

    Raises
    ------
    ValueError
        If a score is not finite, there are none, or none has a size.

    Notes
    -----
    With the means :math:`\mu` and the variances :math:`\sigma^2` of the scores of the rows and
    of the pseudo rows, the score is

    .. math:: \frac{(\mu_\text{pseudo} - \mu)^2}{2 (\sigma_\text{pseudo}^2 + \sigma^2)}

    with the sign of :math:`\mu_\text{pseudo} - \mu`, which the paper drops. The paper adds a
    constant to the denominator against a division by zero; here the constant is relative to
    the variance of all scores, so that the unit of the scores does not matter. The
    definition is taken from descriptions of the paper, not from the paper itself.

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
    # Rows on which a detector overflows have a score without size.
    sized = has_size(np.concatenate([own, pseudo]))
    own, pseudo = own[sized[: len(own)]], pseudo[sized[len(own) :]]
    if not own.size or not pseudo.size:
        raise ValueError(
            "All of y_score or all of pseudo_score is out of all proportion, as the scores of"
            " rows on which a detector overflows. Scale X."
        )
    total = np.var(np.concatenate([own, pseudo]))
    if total == 0:
        return 0.0
    difference = np.mean(pseudo) - np.mean(own)
    # NOTE[DIFF]: a constant relative to the variance, and a sign, which the paper has not.
    spread = 2 * (np.var(pseudo) + np.var(own)) + 1e-6 * total
    return float(np.sign(difference) * difference**2 / spread)


def _mass_and_volume(y_score: ArrayLike, uniform_score: ArrayLike) -> tuple[Floats, Floats]:
    """Return the mass and the volume of the region up to each score, both ascending.

    The mass is the region's share of the rows, the volume its share of the uniform rows. One
    uniform row is added to each region, because a volume of zero cannot be divided by.
    """
    own = np.sort(_check_scores(y_score, "y_score"))
    uniform = np.sort(_check_scores(uniform_score, "uniform_score"))
    levels = np.unique(own)
    mass = np.searchsorted(own, levels, side="right") / len(own)
    volume = (np.searchsorted(uniform, levels, side="right") + 1) / (len(uniform) + 1)
    return mass, volume


def excess_mass_score(y_score: ArrayLike, uniform_score: ArrayLike) -> float:
    r"""Return the area under the excess-mass curve [1]_.

    The region that good scores call normal holds many rows in a small volume.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, higher for more abnormal
        rows: ``-detector.score_samples(X)``.
    uniform_score : array-like of shape (n_uniform,)
        Anomaly scores of rows drawn uniformly from the smallest box around these rows.

    Returns
    -------
    score : float
        The higher, the better.

    Raises
    ------
    ValueError
        If a score is not finite, or there are none.

    Notes
    -----
    Let :math:`\alpha(u)` be the share of the rows whose scores are at most :math:`u`, and
    :math:`\lambda(u)` the same share of the box. The curve is

    .. math:: EM(t) = \max_u \, \alpha(u) - t \, \lambda(u) .

    The area is taken from :math:`t = 0` to the point where the curve falls to 0.9. Volumes
    are shares of the box, where the paper has absolute volumes, so that the unit of a
    feature does not matter.

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


def mass_volume_score(y_score: ArrayLike, uniform_score: ArrayLike) -> float:
    r"""Return the mean volume of the regions that hold 90 % to 99.9 % of the rows [1]_.

    Parameters
    ----------
    y_score : array-like of shape (n_samples,)
        Anomaly scores of rows that the detector was not trained on, higher for more abnormal
        rows: ``-detector.score_samples(X)``.
    uniform_score : array-like of shape (n_uniform,)
        Anomaly scores of rows drawn uniformly from the smallest box around these rows.

    Returns
    -------
    score : float
        Share of the box, in (0, 1]; the **lower**, the better.

    Raises
    ------
    ValueError
        If a score is not finite, or there are none.

    Notes
    -----
    The mass-volume curve gives, for a share :math:`\alpha` of the rows, the volume of the
    region with the lowest scores that holds them. The score is the area under the curve for
    :math:`\alpha` from 0.9 to 0.999, divided by the width of that interval.

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
    # Masses are quotients of integers. The margin makes up for their rounding.
    return float(np.mean(volume[np.searchsorted(mass, MASSES - 1e-12)]))


def stability_score(scores: ArrayLike) -> float:
    """Return how much detectors that were trained on different rows agree.

    Parameters
    ----------
    scores : array-like of shape (n_detectors, n_samples)
        Scores of the same rows by each detector.

    Returns
    -------
    score : float
        Mean of Spearman's rank correlation over all pairs of detectors, in [-1, 1]; the
        higher, the better. If a detector gives all rows the same score, its correlations
        count as 0.

    Raises
    ------
    ValueError
        If a score is not finite, or there are fewer than two detectors.

    Notes
    -----
    A ranking that changes with small changes of the training rows cannot be right, but a
    stable ranking can be wrong. Perini et al. [1]_ give more weight to the rows with the
    highest scores, and need the share of anomalies for it; here all rows count alike.

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
    rows = check_array(scores, dtype="float64", ensure_min_samples=2, input_name="scores")
    varied = rows[np.ptp(rows, axis=1) > 0]
    # NOTE[DIFF]: no weights for the rows with the highest scores.
    n_pairs = len(rows) * (len(rows) - 1) / 2
    correlations = [
        spearmanr(first, second).statistic
        for i, first in enumerate(varied)
        for second in varied[:i]
    ]
    return float(np.sum(correlations) / n_pairs)
