"""Data sets that are generated, with anomalies whose places are known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state


def make_texture_defects(
    n_samples: int = 100,
    n_defective: int = 20,
    *,
    size: int = 64,
    defect_size: int = 12,
    noise: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """Generate images of a woven texture, some of them with a defect.

    The texture is the sum of two waves that cross, each with a random phase, and noise. In a
    defect, a disc at a random place, the weave runs in other directions. Its brightness and
    contrast are those of the texture around it.

    Parameters
    ----------
    n_samples : int, default=100
        Number of images without a defect.
    n_defective : int, default=20
        Number of images with one defect.
    size : int, default=64
        Height and width of the images.
    defect_size : int, default=12
        Diameter of the defects in pixels, at most ``size``.
    noise : float, default=0.05
        Standard deviation of the noise of each pixel.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples + n_defective, size, size), float32
        Images with values of about 0 to 1; those with a defect come last.
    y : ndarray of shape (n_samples + n_defective,), int
        -1 for images with a defect, +1 for others.
    masks : ndarray of shape (n_samples + n_defective, size, size), bool
        Whether a pixel belongs to a defect.

    Raises
    ------
    ValueError
        If ``defect_size`` is larger than ``size``, or less than 1.
    """
    if not 1 <= defect_size <= size:
        raise ValueError(
            f"defect_size must be at least 1 and at most size={size}, got {defect_size}."
        )
    rng = check_random_state(random_state)
    n_images = n_samples + n_defective
    rows, columns = np.mgrid[:size, :size]

    def weave(angle: float) -> NDArray[np.float64]:
        across = np.cos(angle) * columns + np.sin(angle) * rows
        down = np.cos(angle) * rows - np.sin(angle) * columns
        phases = rng.uniform(0, 2 * np.pi, size=(2, n_images, 1, 1))
        frequency = 2 * np.pi / 7
        waves = np.sin(frequency * across + phases[0]) + np.sin(frequency * down + phases[1])
        return 0.5 + 0.15 * waves

    radius = defect_size / 2
    centers = rng.uniform(radius - 0.5, size - radius - 0.5, size=(2, n_images, 1, 1))
    y = np.repeat([1, -1], [n_samples, n_defective])
    masks = (rows - centers[0]) ** 2 + (columns - centers[1]) ** 2 <= radius**2
    masks &= (y == -1)[:, None, None]
    X = np.where(masks, weave(np.pi / 4), weave(0.0))
    X += noise * rng.standard_normal(X.shape)
    return X.astype(np.float32), y, masks


_SERIES_KINDS = ("point", "contextual", "collective", "level_shift", "frequency")


def make_series_anomalies(
    n_timestamps: int = 4000,
    n_channels: int = 1,
    *,
    kinds: Sequence[str] = _SERIES_KINDS,
    n_anomalies: int = 10,
    length: int = 50,
    period: int = 50,
    n_normal: int | None = None,
    noise: float = 0.1,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]]:
    """Generate a series with a rhythm, and with anomalies of known kinds.

    Each channel is a wave of the given period, with its first and third harmonic, whose
    amplitude varies by some per cent, and noise. An anomaly is in one channel, drawn at random.
    The kinds are those of the literature [1]_:

    ``"point"``
        One time stamp has a value far outside of the range.
    ``"contextual"``
        For an eighth of a period the values are those of half a period later: usual values,
        at the wrong time.
    ``"collective"``
        The rhythm stands still: each value is usual, the sequence is not.
    ``"level_shift"``
        A constant is added, the amplitude of the wave.
    ``"frequency"``
        The wave runs twice as fast.
    ``"correlation"``
        One channel is half a period late, so that the channels do not fit together. Each alone
        has its rhythm, but for where the delay begins and ends. Needs two channels.

    Parameters
    ----------
    n_timestamps : int, default=4000
        Number of time stamps.
    n_channels : int, default=1
        Number of channels.
    kinds : sequence of str, default=("point", "contextual", "collective", "level_shift", \
"frequency")
        Kinds of the anomalies, in turn.
    n_anomalies : int, default=10
        Number of anomalies. They are at random places, at least one period apart.
    length : int, default=50
        Number of time stamps of an anomaly, but for points and contextual ones.
    period : int, default=50
        Number of time stamps of a wave, at least 8. A time stamp t has the phase
        ``t % period``.
    n_normal : int or None, default=None
        Number of time stamps at the start without anomalies, to learn from. None is half of
        ``n_timestamps``.
    noise : float, default=0.1
        Standard deviation of the noise; the amplitude of the waves is about 1.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_timestamps, n_channels)
        The series.
    y : ndarray of shape (n_timestamps,), int
        -1 for time stamps of an anomaly, +1 for others.
    kinds : ndarray of shape (n_timestamps,), str
        The kind of the anomaly at each time stamp; ``"normal"`` where there is none.

    Raises
    ------
    ValueError
        If a kind is not known or needs more channels, or if the anomalies do not fit.

    References
    ----------
    .. [1] V. Chandola, A. Banerjee, V. Kumar, "Anomaly detection: a survey", ACM Computing
       Surveys 41(3), 2009.

    Examples
    --------
    >>> from skdeepanomaly.datasets import make_series_anomalies
    >>> X, y, kinds = make_series_anomalies(n_anomalies=2, kinds=["point", "collective"])
    >>> X.shape, int((kinds == "point").sum()), int((kinds == "collective").sum())
    ((4000, 1), 1, 50)
    """
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    _check_kinds(kinds, n_channels)
    if period < 8 or length < 1:
        raise ValueError(
            f"period must be at least 8 and length at least 1, got {period} and {length}."
        )
    if n_anomalies < 0 or noise < 0:
        raise ValueError(
            f"n_anomalies and noise must not be negative, got {n_anomalies} and {noise}."
        )
    first = n_timestamps // 2 if n_normal is None else n_normal
    if not 0 <= first <= n_timestamps:
        raise ValueError(
            f"n_normal must be at least 0 and at most n_timestamps={n_timestamps}, got"
            f" {n_normal}."
        )
    # The longest kind, and a normal period before and after it.
    room = max(length, _n_contextual(period)) + 2 * period
    slot = (n_timestamps - first) // n_anomalies if n_anomalies else room
    if slot < room:
        raise ValueError(
            f"{n_anomalies} anomalies of up to {room - 2 * period} time stamps, each with a"
            f" period of {period} before and after it, need {n_anomalies * room} time stamps,"
            f" but only {n_timestamps - first} come after the {first} normal ones. Raise"
            " n_timestamps, or lower n_anomalies, length or n_normal."
        )
    rng = check_random_state(random_state)
    phases = np.arange(n_timestamps)[:, None] + rng.uniform(0, period, size=n_channels)
    thirds = rng.uniform(0.2, 0.4, size=n_channels)

    def wave(steps: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        angle = 2 * np.pi * steps / period
        # Odd harmonics: half a period later the wave has the opposite sign.
        return (np.sin(angle) + thirds[channel] * np.sin(3 * angle)) / (1 + thirds[channel])

    X = np.column_stack([wave(phases[:, c], c) for c in range(n_channels)])
    labels = np.full(n_timestamps, "normal", dtype=object)
    for i in range(n_anomalies):
        kind, channel = kinds[i % len(kinds)], rng.randint(n_channels)
        n = {"point": 1, "contextual": _n_contextual(period)}.get(kind, length)
        start = first + i * slot + period + rng.randint(slot - room + 1)
        if kind in ("contextual", "correlation"):
            # The next place at which the wave is farthest from, or at, its mean: values of half
            # a period later differ most there, or go on without a jump.
            steps = np.arange(start, start + period // 2 + 1)
            size = np.abs(wave(phases[steps, channel], channel))
            if kind == "contextual":
                start = max(start, int(steps[size.argmax()]) - n // 2)
            else:
                start = int(steps[size.argmin()])
        span = slice(start, start + n)
        steps = phases[span, channel]
        labels[span] = kind
        if kind == "point":
            X[span, channel] = rng.choice([-1, 1]) * rng.uniform(2, 3)
        elif kind in ("contextual", "correlation"):
            X[span, channel] *= -1
        elif kind == "collective":
            X[span, channel] = X[start, channel]
        elif kind == "level_shift":
            X[span, channel] += rng.choice([-1, 1])
        else:
            X[span, channel] = wave(2 * steps - steps[0], channel)
    # The amplitude of one period differs a little from that of the next.
    knots = np.arange(0, n_timestamps + period, period)
    amplitudes = np.interp(
        np.arange(n_timestamps), knots, 1 + 0.05 * rng.standard_normal(len(knots))
    )
    X = X * amplitudes[:, None] + noise * rng.standard_normal(X.shape)
    return X, np.where(labels == "normal", 1, -1), labels.astype(str)


def _n_contextual(period: int) -> int:
    return max(1, period // 8)


def _check_kinds(kinds: list, n_channels: int) -> None:
    if n_channels < 1:
        raise ValueError(f"n_channels must be at least 1, got {n_channels}.")
    known = (*_SERIES_KINDS, "correlation")
    unknown = [kind for kind in kinds if kind not in known]
    if unknown or not kinds:
        raise ValueError(f"kinds must be a sequence of some of {known}, got {kinds}.")
    if "correlation" in kinds and n_channels < 2:
        raise ValueError(
            f'The kind "correlation" needs at least 2 channels, got n_channels={n_channels}.'
        )
