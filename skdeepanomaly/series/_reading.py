"""Series as arrays: time stamps are checked, or brought to even steps on request."""

from typing import Any, NamedTuple

import numpy as np

from ..utils.types import Floats, Ints

SORT = "Sort the rows by time"


class Timestamps(NamedTuple):
    """Time stamps of a series, as whole numbers.

    Parameters
    ----------
    values : ndarray of shape (n_timestamps,)
        Nanoseconds if ``is_time``, numbers as they are given otherwise.
    is_time : bool
        Whether they are dates or durations.
    """

    values: np.ndarray
    is_time: bool

    def show(self, place: int) -> str:
        """Return one time stamp as a text."""
        value = self.values[place]
        if not self.is_time:
            return f"{value:g}"
        return str(np.datetime64(int(value), "ns").astype("datetime64[ms]"))


def is_list_of_series(X: Any) -> bool:
    """Return whether X is a list of series, and not one series.

    Parameters
    ----------
    X : object
        A list or tuple whose members have two axes, such as arrays and frames, is one.

    Raises
    ------
    ValueError
        If members are arrays with one axis: series of one channel, or rows of one series?
    """
    if not isinstance(X, list | tuple) or len(X) == 0:
        return False
    n_axes = [len(getattr(one, "shape", ())) for one in X]
    if 1 in n_axes:
        raise ValueError(
            f"X is a list in which {n_axes.count(1)} of {len(X)} members have one axis, which"
            " can be series of one channel or the rows of one series. Pass series as x[:, None]"
            " or x.to_frame(), and rows as np.stack(X)."
        )
    return all(n == 2 for n in n_axes)


def split_time(X: Any, time: str | None) -> tuple[Timestamps | None, Any]:
    """Return the time stamps of one series, and the series without them.

    Parameters
    ----------
    X : array-like or data frame of shape (n_timestamps, n_columns)
        The series.
    time : str or None
        Name of the column with the time stamps. None takes the index of a pandas frame if it
        holds times; otherwise the rows are taken to be evenly spaced.

    Returns
    -------
    stamps : Timestamps or None
        None if there are none.
    X : array-like or data frame of shape (n_timestamps, n_channels)
        The series.

    Raises
    ------
    ValueError
        If there is no such column, or it does not hold times or numbers.
    """
    if time is None:
        index: Any = getattr(X, "index", None)
        if not type(index).__name__.startswith(("DatetimeIndex", "PeriodIndex", "Timedelta")):
            return None, X
        if hasattr(index, "to_timestamp"):
            index = index.to_timestamp()
        if getattr(index, "tz", None) is not None:
            index = index.tz_convert(None)
        return _read_stamps(index.to_numpy(), "the index"), X
    # In pyarrow, columns are the values.
    names = list(getattr(X, "column_names", getattr(X, "columns", ())))
    if time not in names:
        raise ValueError(
            f"time={time!r} is no column of X, which has {names if names else 'no names'}. Give"
            " the name of the column with the time stamps, or leave time out."
        )
    column = X[time]
    if getattr(column.dtype if hasattr(column, "dtype") else None, "tz", None) is not None:
        column = column.dt.tz_convert(None)
    values = column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)
    X = X.drop(columns=[time]) if hasattr(X, "iloc") else X.drop([time])
    return _read_stamps(values, f"column {time!r}"), X


def _read_stamps(values: np.ndarray, where: str) -> Timestamps:
    # Strings are not parsed: numpy takes "20240101" for a year.
    if values.dtype.kind == "O" and not any(isinstance(value, str) for value in values):
        try:
            values = values.astype("datetime64[ns]")
        except (TypeError, ValueError):
            pass
    if values.dtype.kind in "mM":
        missing = np.isnat(values)
        values = values.astype(f"{values.dtype.kind}8[ns]").astype(np.int64)
    elif values.dtype.kind in "iuf":
        missing = ~np.isfinite(values)
        # The differences of narrow or unsigned integers would wrap around.
        values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
        return _without_gaps(Timestamps(values, False), missing, where)
    else:
        raise ValueError(
            f"The time stamps in {where} are of type {values.dtype}, expected dates or numbers."
            " Parse them first, for example by pandas.to_datetime."
        )
    return _without_gaps(Timestamps(values, True), missing, where)


def _without_gaps(stamps: Timestamps, missing: np.ndarray, where: str) -> Timestamps:
    if missing.any():
        raise ValueError(
            f"{missing.sum()} of {len(missing)} time stamps in {where} are missing, the first"
            f" in row {np.argmax(missing)}. Drop these rows, or fill in the stamps."
        )
    return stamps


def check_even(stamps: Timestamps, step: float | None) -> float | None:
    """Refuse time stamps that are not evenly spaced.

    Parameters
    ----------
    stamps : Timestamps
        Time stamps.
    step : float or None
        The step that is expected; None stands for the usual one of these stamps.

    Returns
    -------
    step : float or None
        The step; None if there is only one stamp and none is expected.

    Raises
    ------
    ValueError
        If there are duplicates, steps back, gaps, or another step than the one expected.
    """
    values = stamps.values
    steps = np.diff(values)
    if not len(steps):
        return step
    for bad, what in ((steps == 0, "equal to the one before"), (steps < 0, "before it")):
        if bad.any():
            place = int(np.argmax(bad)) + 1
            raise ValueError(
                f"{bad.sum()} of {len(values)} time stamps of X are {what}, the first is"
                f" {stamps.show(place)} in row {place}. {SORT} and drop duplicates, or pass"
                ' resample=, such as "5min".'
            )
    usual = float(np.median(steps)) if step is None else step
    # Numbers such as 0.1, 0.2, 0.3 are evenly spaced but for rounding.
    uneven = np.abs(steps - usual) > 1e-6 * usual + _rounding(values)
    if uneven.all() and step is not None:
        found = _length(float(np.median(steps)), stamps.is_time)
        raise ValueError(
            f"The time stamps of X are {found} apart, but those of the training series were"
            f" {_length(step, stamps.is_time)} apart. Bring X to the same step, or"
            " fit with resample=."
        )
    if uneven.any():
        place = int(np.argmax(uneven)) + 1
        raise ValueError(
            f"{uneven.sum()} of {len(steps)} steps between time stamps of X are not the usual"
            f" {_length(usual, stamps.is_time)}, the first before {stamps.show(place)} in row"
            f' {place}. Pass resample=, such as "5min", to bring X to even steps, or fill the'
            " gaps."
        )
    return usual


def _rounding(values: np.ndarray) -> float:
    """Return how far the difference of two stamps, and a usual one, can be off by rounding."""
    if values.dtype.kind != "f":
        return 0.0
    return 2 * float(np.spacing(np.abs(values).max()))


def _length(step: float, is_time: bool) -> str:
    return f"{step / 1e9:g} s" if is_time else f"{step:g}"


def step_of(resample: Any, is_time: bool) -> float:
    """Return the parameter ``resample`` as a number.

    Parameters
    ----------
    resample : str, timedelta or number
        The step; a string is read by pandas.
    is_time : bool
        Whether the stamps are times; then the result is in nanoseconds.

    Returns
    -------
    step : float
        The step.

    Raises
    ------
    ValueError
        If it cannot be read as such a step, or is not positive.
    """
    try:
        if not is_time:
            step = float(resample)
        elif isinstance(resample, str):
            from pandas import Timedelta

            step = float(Timedelta(resample).value)
        else:
            step = float(np.timedelta64(resample, "ns").astype(np.int64))
    except (TypeError, ValueError):
        step = np.nan
    if not step > 0:
        wanted = 'a duration such as "5min"' if is_time else "a positive number"
        raise ValueError(f"resample must be {wanted} for these time stamps, got {resample!r}.")
    return step


def to_even_steps(stamps: Timestamps, values: np.ndarray, step: float) -> tuple[Floats, Ints]:
    """Average a series over even steps; an empty step gets the value of the one before.

    Parameters
    ----------
    stamps : Timestamps
        Time stamps in any order, also with duplicates.
    values : ndarray of shape (n_timestamps, n_channels)
        The series; NaN counts as missing.
    step : float
        The step.

    Returns
    -------
    values : ndarray of shape (n_steps, n_channels)
        The means.
    steps : ndarray of shape (n_timestamps,), int
        The step that each time stamp lies in.
    """
    if stamps.is_time:
        # Nanoseconds since 1970 have more digits than a float.
        steps = stamps.values // int(step)
    else:
        # 0.3 is the start of the step after 0.2, although 0.3 / 0.1 is below 3.
        slack = max(1e-6, _rounding(stamps.values) / step)
        steps = np.floor(stamps.values / step + slack).astype(np.int64)
    steps -= steps.min()
    n_steps = int(steps.max()) + 1
    if n_steps > 1000 * len(steps) + 1000:
        raise ValueError(
            f"resample gives {n_steps} steps for {len(steps)} rows: nearly all of them would be"
            " made up. Take a longer step, or pass the parts of the series as a list."
        )
    there = ~np.isnan(values)
    counts, means = np.zeros((2, n_steps, values.shape[1]))
    np.add.at(counts, steps, there)
    np.add.at(means, steps, np.where(there, values, 0.0))
    with np.errstate(invalid="ignore"):
        means /= counts
    # A channel that is missing in all rows of a step stays missing; an empty step does not.
    is_empty = np.bincount(steps, minlength=n_steps) == 0
    last = np.maximum.accumulate(np.where(is_empty, 0, np.arange(n_steps)))
    return means[last], steps
