"""Dates of all types as days, points on circles, and rare weekdays and hours."""

import numpy as np
import pandas as pd
import pytest
from mixed_tables import encoder_of

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
