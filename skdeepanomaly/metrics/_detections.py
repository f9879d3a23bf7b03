"""Metrics of labels of a series: ranges, delays, and the score of the Numenta benchmark."""

from collections.abc import Callable
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import f1_score

from ..utils.types import Bools, Floats, Ints
from ..utils.warn import warn_user
from ._ranges import ranges_of, read_flags, read_series_labels, read_series_truth

Weigh = Callable[[Ints, int], ArrayLike]
Cardinality = Literal["one", "reciprocal"] | Callable[[int], float]
Bias = Literal["flat", "front", "middle", "back"] | Weigh

# What a position in a range of n time stamps weighs, the first being 1.
BIASES: dict[str, Weigh] = {
    "flat": lambda place, n: np.ones(n),
    "front": lambda place, n: n - place + 1.0,
    "middle": lambda place, n: np.where(place <= n / 2, place, n - place + 1.0),
    "back": lambda place, n: place * 1.0,
}
# Weights of true positives, missed windows and false positives.
PROFILES = {
    "standard": (1.0, 1.0, 0.11),
    "reward_low_fp": (1.0, 1.0, 0.22),
    "reward_low_fn": (1.0, 2.0, 0.11),
}


def range_precision_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    alpha: float = 0.0,
    cardinality: Cardinality = "one",
    bias: Bias = "flat",
) -> float:
    """Return the precision of flagged ranges.

    Each flagged range counts once, by how much of it lies in labelled ranges [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_timestamps,)
        Labels, -1 anomaly and +1 normal: ``detector.predict(X)``.
    alpha : float in [0, 1], default=0.0
        Weight of the mere existence of an overlap, against its size. The paper has 0.
    cardinality : {"one", "reciprocal"} or callable, default="one"
        Factor of a range that overlaps k others: 1, or 1 / k; a callable gets k.
    bias : {"flat", "front", "middle", "back"} or callable, default="flat"
        What the positions in a range weigh. A callable gets the positions 1 to n, and n.

    Returns
    -------
    score : float
        From 0 to 1; 0 if no time stamp is flagged.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, labels are not -1 and +1, or a
        parameter is not valid.

    References
    ----------
    .. [1] N. Tatbul et al., "Precision and recall for time series", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import range_precision_score
    >>> y_true = np.repeat([1, -1, 1], [40, 10, 50])
    >>> y_pred = np.repeat([1, -1, 1], [45, 10, 45])
    >>> range_precision_score(y_true, y_pred)
    0.5
    """
    is_anomaly, is_flagged = read_series_labels(y_true, y_pred)
    return _mean_reward(ranges_of(is_flagged), ranges_of(is_anomaly), alpha, cardinality, bias)


def range_recall_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    alpha: float = 0.0,
    cardinality: Cardinality = "one",
    bias: Bias = "flat",
) -> float:
    """Return the recall of labelled ranges.

    Each labelled range counts once, by how much of it is flagged [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_timestamps,)
        Labels, -1 anomaly and +1 normal: ``detector.predict(X)``.
    alpha : float in [0, 1], default=0.0
        Weight of the mere existence of an overlap, against its size.
    cardinality : {"one", "reciprocal"} or callable, default="one"
        Factor of a range that overlaps k others: 1, or 1 / k; a callable gets k.
    bias : {"flat", "front", "middle", "back"} or callable, default="flat"
        What the positions in a range weigh. ``"front"`` rewards early detection. A callable
        gets the positions 1 to n, and n.

    Returns
    -------
    score : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, labels are not -1 and +1, or a
        parameter is not valid.

    References
    ----------
    .. [1] N. Tatbul et al., "Precision and recall for time series", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import range_recall_score
    >>> y_true = np.repeat([1, -1, 1], [40, 10, 50])
    >>> y_pred = np.repeat([1, -1, 1], [45, 10, 45])
    >>> range_recall_score(y_true, y_pred, alpha=0.5)
    0.75
    """
    is_anomaly, is_flagged = read_series_labels(y_true, y_pred)
    return _mean_reward(ranges_of(is_anomaly), ranges_of(is_flagged), alpha, cardinality, bias)


def _mean_reward(
    ranges: Ints,
    others: Ints,
    alpha: float,
    cardinality: Cardinality,
    bias: Bias,
) -> float:
    """Return the mean reward of ranges for their overlap with others."""
    if not (isinstance(alpha, Real) and 0 <= alpha <= 1):
        raise ValueError(f"alpha must be a number from 0 to 1, got {alpha!r}.")
    if not callable(cardinality) and cardinality not in ("one", "reciprocal"):
        raise ValueError(
            f'cardinality must be "one", "reciprocal" or a callable, got {cardinality!r}.'
        )
    if not callable(bias) and bias not in BIASES:
        raise ValueError(f"bias must be one of {sorted(BIASES)} or a callable, got {bias!r}.")
    weigh = bias if callable(bias) else BIASES[bias]
    rewards = []
    for low, high in ranges:
        n = high - low
        weights = np.asarray(weigh(np.arange(1, n + 1), n), dtype=np.float64)
        met = others[(others[:, 0] < high) & (others[:, 1] > low)]
        overlap = sum(
            weights[max(start - low, 0) : max(stop - low, 0)].sum() for start, stop in met
        )
        total = weights.sum()
        size = overlap / total if total > 0 else 0.0
        if callable(cardinality):
            size *= cardinality(len(met)) if len(met) else 1
        elif cardinality == "reciprocal":
            size /= max(len(met), 1)
        rewards.append(alpha * (len(met) > 0) + (1 - alpha) * size)
    return float(np.mean(rewards)) if rewards else 0.0


def detection_delay(y_true: ArrayLike, y_pred: ArrayLike) -> Floats:
    """Return after how many time stamps each labelled range was detected.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_timestamps,)
        Labels, -1 anomaly and +1 normal: ``detector.predict(X)``.

    Returns
    -------
    delays : ndarray of shape (n_ranges,)
        Number of time stamps from the begin of each range to the first one in it that is
        flagged; 0 if that is the first. NaN for ranges that were missed.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or labels are not -1 and +1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import detection_delay
    >>> y_true = np.array([1, -1, -1, -1, 1, -1, 1])
    >>> detection_delay(y_true, [1, 1, 1, -1, -1, 1, 1])
    array([ 2., nan])
    """
    is_anomaly, is_flagged = read_series_labels(y_true, y_pred)
    return np.array(
        [
            np.argmax(is_flagged[low:high]) if is_flagged[low:high].any() else np.nan
            for low, high in ranges_of(is_anomaly)
        ]
    )


def point_adjusted_f1_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return F1 after point adjustment, which flatters: for comparison with papers only.

    A labelled range of which one time stamp is flagged counts as flagged as a whole [1]_. On
    long ranges random flags reach 0.98 [2]_, so there is a warning. Better metrics are
    :func:`vus_pr_score`, :func:`affiliation_score` and :func:`range_recall_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Truth: -1 anomaly, +1 normal; or 1 anomaly, 0 normal.
    y_pred : array-like of shape (n_timestamps,)
        Labels, -1 anomaly and +1 normal: ``detector.predict(X)``.

    Returns
    -------
    score : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the truth cannot be read or holds one class only, or labels are not -1 and +1.

    References
    ----------
    .. [1] H. Xu et al., "Unsupervised anomaly detection via variational auto-encoder for
       seasonal KPIs in web applications", WWW 2018.
    .. [2] S. Kim et al., "Towards a rigorous evaluation of time-series anomaly detection",
       AAAI 2022.

    Examples
    --------
    >>> import warnings
    >>> from skdeepanomaly import point_adjusted_f1_score
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     point_adjusted_f1_score([1, -1, -1, -1, 1], [1, 1, 1, -1, 1])
    1.0
    """
    warn_user(
        "Point adjustment flatters: random flags reach an F1 of 0.98 on series with long"
        " anomalies. Judge by vus_pr_score, affiliation_score or range_recall_score."
    )
    is_anomaly, is_flagged = read_series_labels(y_true, y_pred)
    adjusted = is_flagged.copy()
    for low, high in ranges_of(is_anomaly):
        adjusted[low:high] |= is_flagged[low:high].any()
    return float(f1_score(is_anomaly, adjusted, zero_division=0.0))


def nab_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    profile: Literal["standard", "reward_low_fp", "reward_low_fn"] = "standard",
    probation: float = 0.15,
) -> float:
    """Return the score of the Numenta anomaly benchmark.

    In each labelled window the first flag counts, the earlier the more; flags elsewhere cost,
    the less the sooner they come after a window [1]_. The score is 0 if nothing is flagged,
    and 100 if each window is found at its first time stamp, without false alarms.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,), or list of such
        Truth of a series, or of several: -1 anomaly, +1 normal; or 1 anomaly, 0 normal. A run
        of anomalies is a window. An int array of shape (n_windows, 2) has the first and the
        last time stamp of each window instead. A series of a list may have no anomalies.
    y_pred : array-like of shape (n_timestamps,), or list of such
        Labels, -1 anomaly and +1 normal. The benchmark wants one threshold for all series.
    profile : {"standard", "reward_low_fp", "reward_low_fn"}, default="standard"
        What counts: in the second profile false alarms cost twice as much, in the third missed
        windows do.
    probation : float in [0, 1), default=0.15
        Share of each series that is for learning only and does not count, at most that of
        5,000 time stamps.

    Returns
    -------
    score : float
        At most 100; negative if false alarms cost more than detections bring.

    Raises
    ------
    ValueError
        If the truth or labels cannot be read or differ in length, no window counts, or a
        parameter is not valid.

    References
    ----------
    .. [1] A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta
       anomaly benchmark", ICMLA 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import nab_score
    >>> y_true = np.repeat([1, -1, 1], [500, 50, 450])
    >>> y_pred = np.ones(1000)
    >>> y_pred[[520, 800]] = -1
    >>> round(nab_score(y_true, y_pred), 1)
    90.4
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {sorted(PROFILES)}, got {profile!r}.")
    if not (isinstance(probation, Real) and 0 <= probation < 1):
        raise ValueError(f"probation must be a number from 0 to below 1, got {probation!r}.")
    is_list = isinstance(y_pred, list | tuple) and len(y_pred) and np.ndim(y_pred[0]) == 1
    truths, labels = (y_true, y_pred) if is_list else ([y_true], [y_pred])
    if len(truths) != len(labels):
        raise ValueError(f"y_true holds {len(truths)} series, but y_pred {len(labels)}.")
    for_hit, for_miss, for_alarm = PROFILES[profile]
    total, n_windows, n_scored = 0.0, 0, 0
    for truth, label in zip(truths, labels, strict=True):
        flagged = read_flags(label)
        windows = _read_windows(truth, len(flagged), is_list)
        hits, n_counted, alarms = _nab_parts(flagged, windows, probation)
        total += for_hit * hits.sum() - for_miss * (n_counted - len(hits)) + for_alarm * alarms
        n_windows, n_scored = n_windows + len(windows), n_scored + n_counted
    if not n_scored:
        raise ValueError(
            f"None of the {n_windows} windows of y_true ends after the probation of"
            f" {probation:.0%}, so that there is nothing to detect."
        )
    nothing, perfect = -for_miss * n_scored, for_hit * n_windows
    return float(100 * (total - nothing) / (perfect - nothing))


def _read_windows(truth: ArrayLike, n: int, may_be_empty: bool) -> np.ndarray:
    """Return the first time stamp of each window and the one after its last, ascending."""
    truth = np.asarray(truth)
    if truth.ndim == 2 and truth.shape[1] == 2:
        windows = truth[np.argsort(truth[:, 0], kind="stable")].astype(np.int64)
        windows[:, 1] += 1
        bad = (windows[:, 0] < 0) | (windows[:, 1] > n) | (windows[:, 0] >= windows[:, 1])
        bad[1:] |= windows[1:, 0] < windows[:-1, 1]
        if bad.any():
            low, high = windows[np.argmax(bad)]
            raise ValueError(
                f"Windows must lie apart from each other in a series of {n} time stamps, with"
                f" the first not after the last; got {(int(low), int(high) - 1)}."
            )
        return windows
    if len(truth) != n:
        raise ValueError(f"y_true has {len(truth)} time stamps, but y_pred {n}.")
    if may_be_empty and set(np.unique(truth).tolist()) in ({0}, {1}):
        # A series without anomalies.
        return np.empty((0, 2), dtype=np.int64)
    return ranges_of(read_series_truth(truth))


def _nab_parts(
    flagged: Bools, windows: Ints, probation: float
) -> tuple[np.ndarray, int, float]:
    """Return the scores of the windows found, the number of windows, and that of alarms."""
    n = len(flagged)
    first = min(np.floor(probation * n), probation * 5000)
    counts = np.arange(n) >= first
    in_window = np.zeros(n, dtype=bool)
    hits, n_counted = [], 0
    for low, high in windows:
        in_window[low:high] = True
        n_counted += bool(counts[low:high].any())
        places = np.flatnonzero((flagged & counts)[low:high])
        if places.size:
            # From -1 at the first time stamp of the window to almost 0 at the last.
            position = -(high - low - places[0]) / (high - low)
            hits.append(_scaled_sigmoid(position) / _scaled_sigmoid(-1.0))
    alarms = np.flatnonzero(flagged & counts & ~in_window)
    before = np.searchsorted(windows[:, 1], alarms, side="right") - 1
    costs = np.full(len(alarms), -1.0)
    after = before >= 0
    low, high = windows[before[after]].T
    # The distance from the last time stamp of the window, in widths of it. A window of one
    # time stamp has no width in the benchmark: all after it is far away.
    width = (high - low - 1).astype(np.float64)
    with np.errstate(divide="ignore"):
        costs[after] = _scaled_sigmoid((alarms[after] - high + 1) / width)
    return np.array(hits), n_counted, float(costs.sum())


def _scaled_sigmoid(position: ArrayLike) -> Floats:
    """Return 1 far before a position of 0, and -1 far after it."""
    far = np.asarray(position) > 3
    return np.where(far, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3))) - 1)
