"""Columns of dates and times of day: as days, as points on circles, as weekdays and hours."""

import datetime
from collections.abc import Iterable
from typing import Any

import numpy as np

from ._values import split_columns, to_objects


def to_times(X: Any) -> np.ndarray:
    """Return columns of dates as datetime64, in the local time of their time zones.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Dates, datetimes, periods, or strings in ISO form.

    Returns
    -------
    times : ndarray of shape (n_samples, n_columns), datetime64[us]
        NaT in place of values that cannot be read as a date.
    """
    return np.column_stack([read_times(column) for column in split_columns(X)])


def read_times(column: Any) -> np.ndarray:
    """Return one column of dates as ``to_times`` does.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        Dates, datetimes, periods, or strings in ISO form.

    Returns
    -------
    times : ndarray of shape (n_samples,), datetime64[us]
        NaT in place of values that cannot be read as a date.
    """
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    elif getattr(column.dtype, "time_zone", None) is not None:
        column = column.dt.replace_time_zone(None)
    # Types of pyarrow in a pandas frame do not say their zone; their values do.
    is_plain = isinstance(column.dtype, np.dtype) or hasattr(column.dtype, "time_unit")
    values = np.asarray(column) if is_plain else to_objects(column)
    if values.dtype.kind != "M":
        values = np.array([to_time(value) for value in to_objects(column)], dtype="M8[us]")
    return values.astype("datetime64[us]")


def to_time(value: Any) -> np.datetime64:
    """Return a date as datetime64, in the local time of its time zone.

    Parameters
    ----------
    value : object
        A date, datetime or period, or a string in ISO form.

    Returns
    -------
    time : datetime64[us]
        NaT for anything else.
    """
    # A period of pandas stands for its first moment.
    if hasattr(value, "to_timestamp"):
        value = value.to_timestamp()
    try:
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.strip())
        if getattr(value, "tzinfo", None) is not None:
            value = value.replace(tzinfo=None)
        is_date = isinstance(value, datetime.date | np.datetime64)
        if is_date:
            return np.datetime64(value, "us")
    except (ValueError, OverflowError):
        # Not in ISO form, or out of the range of microseconds.
        return np.datetime64("NaT", "us")
    return np.datetime64("NaT", "us")


def to_times_of_day(X: Any) -> np.ndarray:
    """Return columns of times of day as parts of a day.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Times of day, dates with a time, or strings in ISO form.

    Returns
    -------
    parts : ndarray of shape (n_samples, n_columns), float64
        From 0 for midnight to 1, in the local time of time zones; NaN in place of values
        that cannot be read as a time of day.
    """
    return np.column_stack([read_times_of_day(column) for column in split_columns(X)])


def read_times_of_day(column: Any) -> np.ndarray:
    """Return one column of times of day as ``to_times_of_day`` does.

    Parameters
    ----------
    column : series or array of shape (n_samples,)
        Times of day, dates with a time, or strings in ISO form.

    Returns
    -------
    parts : ndarray of shape (n_samples,), float64
        From 0 to 1; NaN in place of values that cannot be read as a time of day.
    """
    values = to_objects(column)
    clock = [part_of_day(value) for value in values]
    # What is no time of day may still be a date that has one.
    values[~np.isnan(clock)] = None
    days = _days(read_times(values))
    return np.where(np.isnan(clock), days % 1, clock)


def part_of_day(value: Any) -> float:
    """Return a time of day as a part of a day.

    Parameters
    ----------
    value : object
        A time of day, or a string in ISO form.

    Returns
    -------
    part : float
        From 0 for midnight to 1; NaN for anything else.
    """
    if isinstance(value, str):
        try:
            value = datetime.time.fromisoformat(value.strip())
        except ValueError:
            return np.nan
    if not isinstance(value, datetime.time):
        return np.nan
    seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return seconds / (24 * 3600)


def to_days(X: Any) -> np.ndarray:
    """Return columns of dates as days since the beginning of 1970.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Dates, as :func:`to_times` reads them.

    Returns
    -------
    days : ndarray of shape (n_samples, n_columns), float64
        NaN in place of values that cannot be read as a date.
    """
    return _days(to_times(X))


def _days(times: np.ndarray) -> np.ndarray:
    days = times.astype(np.int64) / (24 * 3600 * 1e6)
    return np.where(np.isnat(times), np.nan, days)


def to_clock(X: Any) -> np.ndarray:
    """Return the weekday and the time of day of dates as points on circles.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Dates, as :func:`to_times` reads them.

    Returns
    -------
    points : ndarray of shape (n_samples, 4 * n_columns), float64
        For each column the sine and cosine of the weekday, then of the time of day; zeros,
        which lie on no circle, in place of values that cannot be read as a date.

    Notes
    -----
    skrub's ``DatetimeEncoder`` takes only pandas and polars series with a date type, and
    always puts the month and the day of the month on circles, too, so that dates after the
    training would count as unusual.
    """
    days = to_days(X)
    # 1 January 1970 was a Thursday, three days after a Monday.
    return _on_circles((np.floor(days) + 3) / 7, days)


def to_clock_of_day(X: Any) -> np.ndarray:
    """Return times of day as points on a circle.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Times of day, as :func:`to_times_of_day` reads them.

    Returns
    -------
    points : ndarray of shape (n_samples, 2 * n_columns), float64
        For each column the sine and cosine; zeros, which lie on no circle, in place of
        values that cannot be read as a time of day.
    """
    return _on_circles(to_times_of_day(X))


def _on_circles(*turns: np.ndarray) -> np.ndarray:
    """Return the sines and cosines of numbers of turns; zeros in place of NaN."""
    angles = 2 * np.pi * np.stack(turns, axis=2)
    points = np.stack([np.sin(angles), np.cos(angles)], axis=3)
    return np.nan_to_num(points.reshape(len(points), -1))


def clock_names(transformer: Any, names: Iterable[Any]) -> np.ndarray:
    """Name the columns of ``to_clock``, as FunctionTransformer asks for."""
    parts = ("weekday_sin", "weekday_cos", "time_sin", "time_cos")
    return np.array([f"{name}_{part}" for name in names for part in parts], dtype=object)


def clock_of_day_names(transformer: Any, names: Iterable[Any]) -> np.ndarray:
    """Name the columns of ``to_clock_of_day``, as FunctionTransformer asks for."""
    return np.array([f"{name}_{part}" for name in names for part in ("sin", "cos")], object)


def to_hours(X: Any) -> np.ndarray:
    """Return the hours of times of day as categories.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Times of day, as :func:`to_times_of_day` reads them.

    Returns
    -------
    hours : ndarray of shape (n_samples, n_columns), dtype object
        Whole numbers from 0 to 23; None in place of values that cannot be read.
    """
    parts = to_times_of_day(X)
    missing = np.isnan(parts)
    hours = np.floor(24 * np.where(missing, 0, parts)).astype(int).astype(object)
    hours[missing] = None
    return hours


def to_calendar(X: Any) -> np.ndarray:
    """Return the weekday and the hour of dates as categories.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_columns)
        Dates, as :func:`to_times` reads them.

    Returns
    -------
    categories : ndarray of shape (n_samples, 2 * n_columns), dtype object
        For each column whole numbers for the weekday (0 for Thursday) and the hour; None
        in place of values that cannot be read as a date.
    """
    times = to_times(X)
    hours = times.astype("datetime64[h]").astype(np.int64)
    parts = np.stack([hours // 24 % 7, hours % 24], axis=2).astype(object)
    parts[np.isnat(times)] = None
    return parts.reshape(len(times), -1)


def calendar_names(transformer: Any, names: Iterable[Any]) -> np.ndarray:
    """Name the columns of ``to_calendar``, as FunctionTransformer asks for."""
    parts = ("weekday", "hour")
    return np.array([f"{name}_{part}" for name in names for part in parts], dtype=object)
