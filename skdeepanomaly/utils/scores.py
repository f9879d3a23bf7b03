"""Scores of any outlier detector; decision_function and predict of ours."""

import numpy as np
from sklearn.base import OutlierMixin


def normality_scores(detector, X) -> np.ndarray:
    """Return the scores of a fitted outlier detector, the higher the more normal.

    Parameters
    ----------
    detector : object
        Has ``score_samples``, or else ``decision_function``.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    scores : ndarray of shape (n_samples,), float64
        Scores, as a copy that may be changed.

    Raises
    ------
    AttributeError
        If the detector has neither.
    """
    score = getattr(detector, "score_samples", None)
    if score is None and (score := getattr(detector, "decision_function", None)) is None:
        raise AttributeError(
            f"Expected a detector with score_samples or decision_function, got {detector!r},"
            " which scores no new rows. LocalOutlierFactor does with novelty=True."
        )
    return np.array(score(X), dtype=np.float64)


class OffsetMixin(OutlierMixin):
    """For detectors with ``score_samples`` and the threshold ``offset_``."""

    def decision_function(self, X):
        """Return ``score_samples(X) - offset_``, negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Scores shifted so that the threshold is zero.
        """
        scores = self.score_samples(X)
        scores -= self.offset_
        return scores

    def predict(self, X):
        """Label rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, +1 for inliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def fit_predict(self, X, y=None, **params):
        """Fit to X and label its rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or None
            Passed on to ``fit``.
        **params : dict
            Passed on to ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, +1 for inliers.
        """
        return self.fit(X, y, **params).predict(X)
