"""Time stamps that come one by one: a score for each, at once and in bounded memory."""

import copy
import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..utils.scores import normality_scores
from ..utils.types import Bools, Floats
from ._base import LIMIT
from ._calibrator import ScoreCalibrator
from ._sliding_window import SlidingWindowDetector


class StreamResult(NamedTuple):
    """What a stream says of one time stamp.

    Parameters
    ----------
    score : float
        Normality score, as ``score_samples`` gives it.
    is_anomaly : bool
        Whether it is below the threshold.
    """

    score: float
    is_anomaly: bool


class DetectorStream:
    """A fitted detector that takes time stamps one by one.

    The scores are those of ``score_samples`` on the whole series, up to rounding. The stream
    works on a copy of the detector, needs the same memory however long it runs, and can be
    pickled at any time.

    Parameters
    ----------
    detector : estimator
        A fitted detector: :class:`SlidingWindowDetector` with ``aggregate="last"``,
        :class:`ScoreCalibrator`, or any detector of rows, which then are time stamps. In a
        pipeline, the steps before see one row at a time.
    partial_fit_every : int or None, default=None
        Number of time stamps after which the detector learns from the latest ones by
        ``partial_fit``. Windows that were flagged are not learned from. The threshold stays.
        None does not learn.
    buffer_size : int, default=1000
        Number of the latest rows, or windows, that it learns from.

    Attributes
    ----------
    n_seen_ : int
        Number of time stamps so far.
    n_flagged_ : int
        Number of those that were anomalies.

    Raises
    ------
    NotFittedError
        If the detector is not fitted.
    TypeError
        If it cannot be streamed: its scores use later time stamps, or it has no
        ``partial_fit`` but is asked to learn.
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DetectorStream, SlidingWindowDetector, UnivariateDetector
    >>> X = np.sin(np.arange(600) / 4)[:, None]
    >>> detector = SlidingWindowDetector(UnivariateDetector(), window=8).fit(X[:300])
    >>> stream = DetectorStream(detector)
    >>> scores = [stream.update(x).score for x in X[300:]]
    >>> bool(np.allclose(scores, detector.score_samples(X[300:])))
    True
    """

    def __init__(
        self,
        detector: BaseEstimator,
        *,
        partial_fit_every: int | None = None,
        buffer_size: int = 1000,
    ):
        check_is_fitted(detector)
        for name, value in (
            ("partial_fit_every", partial_fit_every),
            ("buffer_size", buffer_size),
        ):
            if value is not None and not (isinstance(value, int | np.integer) and value > 0):
                raise ValueError(f"{name} must be a positive int or None, got {value!r}.")
        self._detector = copy.deepcopy(detector)
        self._state = _state_of(self._detector)
        self._offset = float(getattr(_last_step(self._detector), "offset_", 0.0))
        self._every = partial_fit_every
        self._buffer: deque[Floats] = deque(maxlen=buffer_size)
        learner = self._state.learner
        if partial_fit_every is not None and not hasattr(learner, "partial_fit"):
            raise TypeError(
                f"{type(learner).__name__} has no partial_fit, so that a stream cannot learn."
                " Leave partial_fit_every out, or take a detector that has it."
            )
        self._n_channels = detector.n_features_in_
        self.n_seen_ = self.n_flagged_ = 0

    def update(self, x: ArrayLike) -> StreamResult:
        """Score the next time stamp.

        Parameters
        ----------
        x : array-like of shape (n_channels,), or number
            Values of the channels; a number if there is one channel.

        Returns
        -------
        result : StreamResult
            The score, and whether it is an anomaly.

        Raises
        ------
        ValueError
            If x has another number of channels than in ``fit``, or holds NaN or infinity.
        """
        x = np.asarray(x, dtype=np.float64)
        if x.ndim == 0:
            x = x[None]
        if x.shape != (self._n_channels,):
            raise ValueError(
                f"x has the shape {x.shape}, expected {(self._n_channels,)}: one value for each"
                " channel of a single time stamp."
            )
        # Of finite numbers the sum may overflow, of others it is never finite.
        if not math.isfinite(x.sum()) and not np.isfinite(x).all():
            raise ValueError(
                f"x holds {x[~np.isfinite(x)][0]} in channel {int(np.argmin(np.isfinite(x)))}."
                " A stream takes finite values: fill in a missing one, for example by the last."
            )
        score = self._state.score(x)
        is_anomaly = score < self._offset
        self.n_seen_ += 1
        self.n_flagged_ += is_anomaly
        if self._every is not None:
            self._learn(is_anomaly, self._every)
        return StreamResult(score, is_anomaly)

    def update_many(self, X: ArrayLike) -> tuple[Floats, Bools]:
        """Score the next time stamps, one after the other.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,)
            Normality scores.
        are_anomalies : ndarray of shape (n_timestamps,), bool
            Whether they are below the threshold.

        Raises
        ------
        ValueError
            As in ``update``; the time stamps before the one that is not valid are scored.
        """
        results = [self.update(x) for x in np.asarray(X)]
        return (
            np.array([result.score for result in results], dtype=np.float64),
            np.array([result.is_anomaly for result in results], dtype=bool),
        )

    def _learn(self, is_anomaly: bool, every: int) -> None:
        if not is_anomaly and (row := self._state.latest()) is not None:
            self._buffer.append(row)
        if self.n_seen_ % every == 0 and len(self._buffer) > 1:
            self._state.learner.partial_fit(np.array(self._buffer))
            self._buffer.clear()
            self._state.renew()


def _last_step(detector: BaseEstimator) -> BaseEstimator:
    return detector[-1] if isinstance(detector, Pipeline) else detector


def _state_of(detector: BaseEstimator) -> Any:
    """Return the object that scores one time stamp after another."""
    if isinstance(detector, Pipeline):
        return _PipelineState(detector)
    if isinstance(detector, ScoreCalibrator):
        return _CalibratorState(detector)
    if isinstance(detector, SlidingWindowDetector):
        return _CarriedState(detector) if detector._stateful else _WindowState(detector)
    return _RowState(detector)


class _RowScorer:
    """Scores of single rows by a detector.

    Parameters
    ----------
    detector : estimator
        A fitted detector of rows.
    """

    def __init__(self, detector: BaseEstimator):
        self.detector = detector
        self.renew()

    def renew(self) -> None:
        """Take up the detector's weights, which have changed."""
        self.score = row_scorer(self.detector)

    def __getstate__(self) -> dict[str, Any]:
        # Functions with weights cannot be pickled, and can be made again.
        return {"detector": self.detector}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.detector = state["detector"]
        self.renew()


class _RowState:
    """Rows of a detector of rows."""

    def __init__(self, detector: BaseEstimator):
        self.learner = detector
        self._scorer = _RowScorer(detector)
        self._row: Floats | None = None

    def score(self, x: np.ndarray) -> float:
        self._row = x
        return self._scorer.score(x)

    def latest(self) -> Floats | None:
        return self._row

    def renew(self) -> None:
        self._scorer.renew()


class _PipelineState:
    """Rows that pass the steps of a pipeline one by one."""

    def __init__(self, pipeline: Pipeline):
        self._steps = [step for _, step in pipeline.steps[:-1] if step != "passthrough"]
        self._inner = _state_of(pipeline[-1])
        self.learner = self._inner.learner

    def score(self, x: Floats) -> float:
        row = x[None]
        for step in self._steps:
            row = step.transform(row)
        return self._inner.score(np.asarray(row, dtype=np.float64)[0])

    def latest(self) -> Floats | None:
        return self._inner.latest()

    def renew(self) -> None:
        self._inner.renew()


class _WindowState:
    """The last steps of a series, in a buffer whose end is always a whole window."""

    def __init__(self, detector: SlidingWindowDetector):
        if detector._aggregate != "last":
            raise TypeError(
                f"aggregate={detector._aggregate!r} uses time stamps that come later, which a"
                ' stream does not have. Fit with aggregate="last".'
            )
        _, missing, resample = detector._reading
        if missing == "mask" or resample is not None:
            raise TypeError(
                "A stream takes evenly spaced time stamps without gaps. Fit without resample"
                ' and with missing="refuse", and fill gaps before update.'
            )
        self._detector, self.learner = detector, detector.detector_
        self._scorer = _RowScorer(self.learner)
        window, n_channels = detector.window_, detector.n_features_in_
        self._values = np.empty((8 * window + 64, n_channels))
        self._n = self._n_seen = 0
        # Nothing is known before the first whole window.
        self._score = detector._median_score
        scaler = detector.scaler_
        # A scaler of one row costs more than most networks.
        self._center = self._scale = None
        if scaler is not None:
            center = getattr(scaler, "mean_", getattr(scaler, "center_", None))
            self._center, self._scale = np.asarray(center), np.asarray(scaler.scale_)

    def score(self, x: Floats) -> float:
        window = self._detector.window_
        if self._n == len(self._values):
            # Rarely, so that a step costs little on average.
            self._values[: window - 1] = self._values[self._n - window + 1 :]
            self._n = window - 1
        if self._center is not None:
            x = (x - self._center) / self._scale
        self._values[self._n] = x.clip(-LIMIT, LIMIT)
        self._n += 1
        self._n_seen += 1
        n_more = self._n_seen - window
        if n_more >= 0 and n_more % self._detector._stride == 0:
            self._score = self._window_score()
        return self._score

    def _window_score(self) -> float:
        return self._scorer.score(self._window())

    def renew(self) -> None:
        self._scorer.renew()

    def _window(self) -> Floats:
        return self._values[self._n - self._detector.window_ : self._n].reshape(-1)

    def latest(self) -> Floats | None:
        return self._window().copy() if self._n_seen >= self._detector.window_ else None


class _CarriedState(_WindowState):
    """A recurrent network that reads on; the buffer is what it may learn from."""

    def __init__(self, detector: SlidingWindowDetector):
        super().__init__(detector)
        self._stepper = self.learner._stepper()

    def score(self, x: Floats) -> float:
        score = super().score(x)
        # Before the first whole window the network reads, but says nothing.
        if self._n_seen < self._detector.window_:
            self._stepper.score(self._values[self._n - 1])
        return score

    def _window_score(self) -> float:
        return self._stepper.score(self._values[self._n - 1])

    def renew(self) -> None:
        self._stepper.renew(*self.learner._carried_parts())


class _CalibratorState:
    """Records of the scores of another state."""

    def __init__(self, calibrator: ScoreCalibrator):
        self._inner = _state_of(calibrator.detector_)
        self.learner = self._inner.learner
        self._shift = calibrator.shift_
        reference, smoothing, self._cooldown = calibrator._lengths
        self._last = deque(calibrator.tail_[-smoothing:], maxlen=smoothing)
        # Means in descending order, with their places: the first is the record.
        self._records: deque[tuple[int, float]] = deque()
        self._reference, self._place, self._quiet_until = reference, 0, -1
        warm: deque[float] = deque(maxlen=smoothing)
        for value in calibrator.tail_:
            warm.append(value)
            self._push(sum(warm) / len(warm))

    def _push(self, mean: float) -> None:
        while self._records and self._records[-1][1] <= mean:
            self._records.pop()
        self._records.append((self._place, mean))
        self._place += 1
        while self._records[0][0] < self._place - self._reference:
            self._records.popleft()

    def score(self, x: Floats) -> float:
        self._last.append(max(self._shift - self._inner.score(x), 0.0))
        mean = min(sum(self._last) / len(self._last), np.finfo(np.float64).max)
        tiny = np.finfo(np.float64).tiny
        record = self._records[0][1]
        score = float(np.log(max(record, tiny)) - np.log(max(mean, tiny)))
        place = self._place
        self._push(mean)
        if score < 0:
            if place <= self._quiet_until:
                return 0.0
            self._quiet_until = place + self._cooldown
        return score

    def latest(self) -> Floats | None:
        return self._inner.latest()

    def renew(self) -> None:
        self._inner.renew()


def row_scorer(detector: BaseEstimator) -> Callable[[np.ndarray], float]:
    """Return a function that scores one row.

    Parameters
    ----------
    detector : estimator
        A fitted detector of rows.

    Returns
    -------
    score : callable
        Maps a row (n_features,) to the score that ``score_samples`` gives it, up to rounding.
        Detectors of this package take a way without the checks of X and the blocks of rows,
        which cost most of the time, with the weights that they have now.
    """
    if hasattr(detector, "_row_scorer"):
        return detector._row_scorer()
    return lambda row: float(normality_scores(detector, row[None])[0])
