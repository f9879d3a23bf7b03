"""Base of detectors of series: one score for each time stamp."""

from datetime import timedelta
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..thresholds import choose_offset
from ..utils.scores import OffsetMixin
from ..utils.types import Floats, Ints, SeriesLike
from ..utils.validation import Interval, StrOptions, refuse_sparse
from ._reading import (
    check_even,
    is_list_of_series,
    split_time,
    step_of,
    to_even_steps,
)

# Networks compute with numbers of this size at most.
LIMIT = float(np.finfo(np.float32).max)


class Series(NamedTuple):
    """A series that was read.

    Parameters
    ----------
    values : ndarray of shape (n_steps, n_channels)
        Scaled values; NaN where they are missing.
    places : ndarray of shape (n_timestamps,), int, or None
        The step of each row of X; None if these are the same.
    """

    values: np.ndarray
    places: np.ndarray | None


class SeriesOffsetMixin(OffsetMixin):
    """For detectors with ``offset_``, and ``score_samples`` of a series or of several."""

    _reads_in_order = True

    # A list of series gives a list of scores, which the base does not know.
    def decision_function(  # type: ignore[override]
        self, X: SeriesLike
    ) -> Floats | list[Floats]:
        """Return ``score_samples(X) - offset_``, negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            A series, or several.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,), or list of such
            Scores shifted so that the threshold is zero.

        Raises
        ------
        NotFittedError
            As in ``score_samples``.
        ValueError
            As in ``score_samples``.
        """
        scores = self.score_samples(X)
        if isinstance(scores, list):
            return [one - self.offset_ for one in scores]
        return scores - self.offset_

    def predict(self, X: SeriesLike) -> Ints | list[Ints]:  # type: ignore[override]
        """Label time stamps.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            A series, or several.

        Returns
        -------
        labels : ndarray of shape (n_timestamps,), or list of such
            -1 for outliers, +1 for inliers.

        Raises
        ------
        NotFittedError
            As in ``score_samples``.
        ValueError
            As in ``score_samples``.
        """
        decisions = self.decision_function(X)
        if isinstance(decisions, list):
            return [np.where(one < 0, -1, 1) for one in decisions]
        return np.where(decisions < 0, -1, 1)


class BaseSeriesDetector(SeriesOffsetMixin, BaseEstimator):
    """Base of detectors of series.

    A subclass defines ``_fit_series(series, y)`` and ``_score_values(values)``.
    """

    _parameter_constraints: dict = {
        "scale": [StrOptions({"standard", "robust"}), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "time": [str, None],
        "resample": [str, timedelta, np.timedelta64, Real, None],
        "missing": [StrOptions({"refuse", "mask"})],
    }

    # The step of the training series in nanoseconds or numbers; None without time stamps.
    step_: Any

    def fit(self, X: SeriesLike, y: SeriesLike | None = None) -> Self:
        """Learn what is normal, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            The training series, or several.
        y : array-like of shape (n_timestamps,), list of such, or None
            Handed on to the detector inside where there is one: a window with a known anomaly
            is an anomaly.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter, X or its time stamps are not valid.
        """
        self._validate_params()
        series, is_list = self._read(X, reset=True)
        self._fit_series(series, self._read_labels(y, series, is_list))
        self._set_threshold(np.concatenate([self._training_scores(one) for one in series]))
        return self

    def _set_threshold(self, scores: np.ndarray) -> None:
        """Set the threshold by the training scores; those that are NaN do not count."""
        scores = scores[~np.isnan(scores)]
        self._median_score = float(np.median(scores))
        self.offset_ = choose_offset(scores, self.contamination)

    def score_samples(self, X: SeriesLike) -> Floats | list[Floats]:
        """Return the normality score of each time stamp.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels), or list of such
            A series, or several.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,), float64, or list of such
            The higher, the more normal.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid, or has other channels than in ``fit``.
        """
        check_is_fitted(self)
        series, is_list = self._read(X, reset=False)
        scores = [self._scores(one) for one in series]
        return scores if is_list else scores[0]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "offset_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags

    # Hooks.

    def _fit_series(self, series: list[Series], y: list | None) -> None:
        """Learn from the training series."""
        raise NotImplementedError

    def _score_values(self, values: np.ndarray) -> np.ndarray:
        """Return the scores (n_steps,) of the values of a series; NaN where there is none."""
        raise NotImplementedError

    def _training_scores(self, series: Series) -> np.ndarray:
        """Return the scores of the rows of a training series, for the threshold."""
        return self._score_rows_of(series)

    # What subclasses use.

    def _read(self, X: Any, reset: bool) -> tuple[list[Series], bool]:
        """Check one series or several, and scale them."""
        is_list = is_list_of_series(X)
        parts = list(X) if is_list else [X]
        read = []
        for i, one in enumerate(parts):
            min_samples = 2 if reset and not is_list else 1
            read.append(self._read_one(one, reset and i == 0, reset, min_samples))
        if reset:
            self.scaler_ = None
            if self.scale is not None:
                scaler = StandardScaler() if self.scale == "standard" else RobustScaler()
                scaler.set_output(transform="default")
                self.scaler_ = scaler.fit(np.concatenate([one.values for one in read]))
        if self.scaler_ is not None:
            read = [Series(self.scaler_.transform(one.values), one.places) for one in read]
        # A scaled value can be far larger.
        read = [Series(np.clip(np.ascontiguousarray(v), -LIMIT, LIMIT), p) for v, p in read]
        return read, is_list

    def _read_one(self, X: Any, reset: bool, fitting: bool, min_samples: int) -> Series:
        name = type(self).__name__
        refuse_sparse(X, name)
        if hasattr(X, "to_frame") and len(getattr(X, "shape", ())) == 1:
            X = X.to_frame()
        if reset:
            # How X is read must not change before the next fit.
            self._reading = self.time, self.missing, self.resample
        time, missing, resample = self._reading
        stamps, X = split_time(X, time)
        if not reset and stamps is None and self.step_ is not None:
            raise ValueError(
                "X has no time stamps, but the training series had some. Pass X in the same"
                " form."
            )
        finite = True if missing == "refuse" else "allow-nan"
        X = validate_data(
            self,
            X,
            dtype=np.float64,
            ensure_all_finite=finite,
            ensure_min_samples=min_samples,
            reset=reset,
        )
        if X.size and (largest := np.nanmax(np.abs(X), initial=0)) > LIMIT:
            raise ValueError(
                f"X holds a value of {largest:.3g} in absolute value, expected at most"
                f" {LIMIT:.3g}, the limit of float32. Scale X, or clip it."
            )
        if reset:
            self.step_ = None
        if stamps is None:
            if resample is not None:
                raise ValueError(
                    "resample needs time stamps, but X has none: name their column by time=, or"
                    " pass a pandas frame whose index holds them."
                )
            return Series(X, None)
        if resample is None:
            step = check_even(stamps, self.step_)
            if fitting:
                self.step_ = step
            return Series(X, None)
        if fitting:
            self.step_ = step_of(resample, stamps.is_time)
        return Series(*to_even_steps(stamps, X, self.step_))

    def _read_labels(self, y: Any, series: list[Series], is_list: bool) -> list | None:
        """Return the labels of the steps of each series, or None."""
        if y is None:
            return None
        parts = [np.asarray(part) for part in (y if is_list else [y])]
        lengths = [len(v if p is None else p) for v, p in series]
        if [len(part) for part in parts] != lengths:
            raise ValueError(
                f"y has labels for series of {[len(part) for part in parts]} time stamps,"
                f" expected {lengths}, as in X."
            )
        labels = []
        for part, (values, places) in zip(parts, series, strict=True):
            if places is not None:
                # A step with a known anomaly is one.
                worst = np.full(len(values), part.max())
                np.minimum.at(worst, places, part)
                part = worst
            labels.append(part)
        return labels

    def _score_rows_of(self, series: Series) -> np.ndarray:
        """Return the scores of the rows of X; NaN where no window is complete."""
        scores = self._score_values(series.values)
        return scores if series.places is None else scores[series.places]

    def _scores(self, series: Series) -> np.ndarray:
        scores = self._score_rows_of(series)
        scores[np.isnan(scores)] = self._median_score
        return scores
