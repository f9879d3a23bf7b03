"""Dates of all types as days, points on circles, and rare weekdays and hours."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from mixed_tables import encoder_of

from skdeepanomaly import AutoEncoder, make_detector_pipeline

MOMENT = pd.Timestamp("2020-01-01")
GAPS = {
    "objects": pd.Series([MOMENT, pd.NaT] * 10, dtype=object),
    "zoned": pd.Series([MOMENT.tz_localize("UTC"), pd.NaT] * 10, dtype=object),
    "periods": pd.Series(pd.PeriodIndex(["2020-01", None] * 10, freq="M")),
    "numpy": pd.Series([np.datetime64("2020-01-01"), np.datetime64("NaT")] * 10, dtype=object),
}


@pytest.mark.parametrize("gaps", list(GAPS))
def test_missing_dates_in_columns_of_any_type(gaps):
    table = pd.DataFrame({"t": GAPS[gaps]})
    plain = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None] * 10)})
    encoder = encoder_of(plain)
    expected = encoder.transform(plain)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(encoder.transform(table), expected)
    np.testing.assert_array_equal(encoder_of(table).transform(table), expected)


def test_dates_have_days_a_clock_and_rare_hours():
    noon = pd.date_range("2024-01-01 12:00", periods=140, freq="D", tz="Europe/Helsinki")
    encoder = encoder_of(pd.DataFrame({"t": noon}))
    new = pd.DataFrame({"t": [noon[3], noon[3] - pd.Timedelta(9, "h"), noon[10]]})
    encoded = pd.DataFrame(encoder.transform(new), columns=encoder.get_feature_names_out())
    np.testing.assert_allclose(encoded["calendar__t_hour"], [0, np.log(141), 0], atol=1e-9)
    clock = encoded.filter(like="clock__t_weekday")
    np.testing.assert_allclose(clock.iloc[0], clock.iloc[2], atol=1e-9)
    # Thursday, in the fourth of the seven parts of a week that begins on a Monday.
    np.testing.assert_allclose(clock.iloc[0], [np.sin(6 * np.pi / 7), np.cos(6 * np.pi / 7)])
    np.testing.assert_allclose(encoded.loc[0, "clock__t_time_cos"], -1)
    np.testing.assert_allclose(encoded.loc[1, "clock__t_time_sin"], np.sin(np.pi / 4))
    days = encoder.named_transformers_["date"][:1].transform(new)
    np.testing.assert_allclose(np.diff(days[:, 0]), [-9 / 24, 7 + 9 / 24])


DAYS = pd.date_range("2024-03-01 00:30", periods=60, freq="17h", tz="Europe/Berlin")
SAME_DATES = {
    "python": lambda: pd.DataFrame({"t": pd.Series(DAYS.to_pydatetime(), dtype=object)}),
    "strings": lambda: pd.DataFrame({"t": [day.isoformat() for day in DAYS]}),
    "polars": lambda: pl.DataFrame(
        {
            "t": pl.Series(
                DAYS.tz_localize(None).to_pydatetime().tolist()
            ).dt.replace_time_zone("Europe/Berlin")
        }
    ),
    "arrow": lambda: pa.table({"t": pa.array(DAYS, pa.timestamp("us", "Europe/Berlin"))}),
    "without a zone": lambda: pd.DataFrame({"t": DAYS.tz_localize(None)}),
    "padded strings": lambda: pd.DataFrame({"t": [f" {day} " for day in DAYS]}),
}


@pytest.mark.parametrize("container", list(SAME_DATES))
def test_local_clock_is_kept(container):
    expected = encoder_of(pd.DataFrame({"t": DAYS}))
    table = SAME_DATES[container]()
    encoder = encoder_of(table)
    assert encoder.column_kinds_ == {"t": "date"}
    np.testing.assert_allclose(
        encoder.transform(table), expected.transform(pd.DataFrame({"t": DAYS})), atol=1e-9
    )


def test_strings_are_read_strictly():
    named = encoder_of(pd.DataFrame({"t": ["20240131", "2024-01-30"] * 30}), date=["t"])
    days = named.named_transformers_["date"][0].transform(pd.DataFrame({"t": ["20240131"]}))
    assert days == (datetime.date(2024, 1, 31) - datetime.date(1970, 1, 1)).days
    for wrong in ("2024-13-01", "31/01/2024", "2024", "1e5", 20240131, 1.7e9):
        with pytest.raises(ValueError, match="'t' is read as date, but 3 of its values"):
            encoder_of(pd.DataFrame({"t": [wrong] * 3}), date=["t"])


def noons(n, seed):
    rng = np.random.default_rng(seed)
    return [datetime.time(11 + h, m) for h, m in rng.integers([3, 60], size=(n, 2)).tolist()]


TABLES = {
    "pandas": lambda times, x: pd.DataFrame({"t": pd.Series(times, dtype=object), "x": x}),
    "polars": lambda times, x: pl.DataFrame({"t": times, "x": x}),
    "arrow": lambda times, x: pa.table({"t": pa.array(times), "x": x}),
    "strings": lambda times, x: pd.DataFrame({"t": list(map(str, times)), "x": x}),
}


@pytest.mark.parametrize("container", list(TABLES))
@pytest.mark.parametrize("named", [{}, {"time": ["t"]}, {"date": ["t"]}])
def test_times_of_day_lie_on_a_circle(container, named):
    x = np.random.default_rng(0).normal(size=1000)
    make = TABLES[container]
    detector = AutoEncoder(max_epochs=8, random_state=0)
    pipeline = make_detector_pipeline(detector, **named).fit(make(noons(1000, 0), x))
    assert pipeline[0].column_kinds_["t"] == "time"
    assert list(pipeline[0].get_feature_names_out())[1:] == [
        "time__t_sin",
        "time__t_cos",
        "hour__t",
    ]
    assert (pipeline.predict(make(noons(500, 1), x[:500])) == -1).mean() < 0.2
    night = make([datetime.time(3)] * 50, x[:50])
    assert (pipeline.predict(night) == -1).all()
    midnight = make([datetime.time(23, 59, 59, 999999), datetime.time(0)], x[:2])
    points = pipeline[0].transform(midnight)[:, 1:3]
    np.testing.assert_allclose(points, [[0, 1], [0, 1]], atol=1e-6)


def test_missing_times_of_day_lie_on_no_circle():
    table = pd.DataFrame({"t": [datetime.time(12), None] * 30})
    encoded = encoder_of(table).transform(table)
    np.testing.assert_allclose(encoded[:2, :2], [[0, -1], [0, 0]], atol=1e-9)


def test_times_are_no_numbers():
    table = pd.DataFrame({"t": noons(50, 0)})
    with pytest.raises(ValueError, match=r"'t' is read as numeric, but 50.*another list"):
        encoder_of(table, numeric=["t"])


def test_the_clock_of_a_date_alone():
    table = pd.DataFrame({"t": DAYS})
    clock = encoder_of(table, time=["t"]).transform(table)
    dates = encoder_of(table)
    names = list(dates.get_feature_names_out())
    both = dates.transform(table)[
        :, [names.index("clock__t_time_sin"), names.index("clock__t_time_cos")]
    ]
    np.testing.assert_allclose(clock[:, :2], both, atol=1e-9)
