"""Columns of dates as days, as points on circles, and as weekdays and hours."""

import datetime

import numpy as np

from ._values import split_columns, to_objects


def to_times(X) -> np.ndarray:
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


def read_times(column) -> np.ndarray:
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
    values = np.asarray(column)
    if values.dtype.kind != "M":
        values = np.array([_time(value) for value in to_objects(column)])
    return values.astype("datetime64[us]")


def _time(value) -> np.datetime64:
    # A period of pandas stands for its first moment.
    if hasattr(value, "to_timestamp"):
        value = value.to_timestamp()
    if getattr(value, "tzinfo", None) is not None:
        value = value.replace(tzinfo=None)
    try:
        if isinstance(value, str | datetime.date | np.datetime64):
            return np.datetime64(value, "us")
    except (ValueError, OverflowError):
        pass
    return np.datetime64("NaT", "us")


def to_days(X) -> np.ndarray:
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
    times = to_times(X)
    days = times.astype(np.int64) / (24 * 3600 * 1e6)
    return np.where(np.isnat(times), np.nan, days)


def to_clock(X) -> np.ndarray:
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
    weeks = (np.floor(days) + 3) / 7
    angles = 2 * np.pi * np.stack([weeks, days], axis=2)
    points = np.stack([np.sin(angles), np.cos(angles)], axis=3)
    return np.nan_to_num(points.reshape(len(days), -1))


def clock_names(transformer, names) -> np.ndarray:
    """Name the columns of ``to_clock``, as FunctionTransformer asks for."""
    parts = ("weekday_sin", "weekday_cos", "time_sin", "time_cos")
    return np.array([f"{name}_{part}" for name in names for part in parts], dtype=object)


def to_calendar(X) -> np.ndarray:
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


def calendar_names(transformer, names) -> np.ndarray:
    """Name the columns of ``to_calendar``, as FunctionTransformer asks for."""
    parts = ("weekday", "hour")
    return np.array([f"{name}_{part}" for name in names for part in parts], dtype=object)
