"""Encoders of categories, missing values and texts."""

import numpy as np
import pandas as pd
import pytest
from mixed_tables import encoder_of

from skdeepanomaly.tables import NgramEncoder, RareMissingImputer, RarityEncoder
from skdeepanomaly.utils.validation import warn_if_unscaled


def test_unseen_categories_and_missing_numbers_count_as_rare():
    table = pd.DataFrame({"kind": ["a"] * 150 + ["b"] * 149 + ["c"], "n": np.arange(300.0)})
    encoder = encoder_of(table)
    new = pd.DataFrame({"kind": ["a", "c", "z", None], "n": [1, np.nan, 1, 1]})
    encoded = pd.DataFrame(encoder.transform(new), columns=encoder.get_feature_names_out())
    rarity = encoded["rarity__kind"] - encoded["rarity__kind"][0]
    np.testing.assert_allclose(rarity, [0, *np.log([301 / 2, 301, 301])])
    assert encoded["numeric__n"][1] == pytest.approx(np.log(301))
    # Without rarity an unseen category has zeros alone.
    assert (
        not encoded.filter(like="category")
        .iloc[2]
        .drop("category__kind_infrequent_sklearn", errors="ignore")
        .any()
    )


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object", "category"])
@pytest.mark.parametrize(
    "later",
    [[1, 0], [1.0, 0.0], ["True", "False"], ["true", "false"], ["1", "0"], [True, False]],
)
def test_booleans_may_come_as_numbers_or_strings(dtype, later):
    values = pd.Series([True, False, True] * 50, dtype=dtype)
    encoder = encoder_of(pd.DataFrame({"b": values}))
    new = pd.DataFrame({"b": [*later, "odd", None]}, dtype=object)
    expected = pd.DataFrame({"b": [True, False, "odd", None]}, dtype=object)
    encoded = encoder.transform(new)
    np.testing.assert_array_equal(encoded, encoder.transform(expected))
    assert (encoded[0] != encoded[1]).any()
    # A column of its own type, as a database gives it.
    np.testing.assert_array_equal(encoder.transform(new[:2].infer_objects()), encoded[:2])
    # Elsewhere 1 and True are not the same.
    other = encoder_of(pd.DataFrame({"b": [1, 0] * 50}), categorical=["b"])
    one, true = other.transform(pd.DataFrame({"b": [1, True]}, dtype=object))
    assert (one != true).any()


def test_common_missing_values_get_an_indicator():
    X = np.array([[np.nan, 1.0, np.nan]] * 2 + [[3.0, 2.0, np.nan]] * 2)
    imputer = RareMissingImputer(add_indicator=True, keep_empty_features=True).fit(X)
    filled = imputer.transform([[np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(filled, [[3.0, np.log(5), 0.0, 1, 1]])
    assert list(imputer.get_feature_names_out(["a", "b", "c"])) == [
        "a",
        "b",
        "c",
        "missingindicator_a",
        "missingindicator_c",
    ]


@pytest.mark.parametrize("n", [6, 60, 2000])
def test_a_value_never_seen_is_rare_in_tables_of_any_size(n):
    for values in (["a", "b"], [True, False]):
        encoder = encoder_of(pd.DataFrame({"c": values * (n // 2)}))
        new = pd.DataFrame({"c": [values[0], "z", 1e25, -3]}, dtype=object)
        rarity = encoder.transform(new)[:, -1]
        np.testing.assert_allclose(rarity - rarity[0], [0, *[np.log(n + 1)] * 3])


@pytest.mark.parametrize(("n_once", "is_open"), [(0, False), (15, False), (60, True)])
def test_unseen_values_are_no_news_where_many_occur_once(n_once, is_open):
    values = ["a"] * (1000 - n_once) + [f"once{i}" for i in range(n_once)]
    rarity = RarityEncoder().fit(np.array(values, dtype=object)[:, None])
    a, once, unseen = rarity.transform(np.array([["a"], ["once3"], ["z"]], dtype=object))[:, 0]
    assert rarity.open_ == is_open
    assert unseen - a == pytest.approx(0 if is_open else np.log(1001))
    if n_once:
        assert once - a == pytest.approx(0 if is_open else np.log(1001 / 2))


def test_rarity_has_mean_zero_in_training():
    X = np.array([["a"] * 200 + ["b"] * 3, list("cd") * 101 + ["e"]], dtype=object).T
    rarity = RarityEncoder(max_share=0.05).fit_transform(X)
    np.testing.assert_allclose(rarity.mean(axis=0), 0, atol=1e-12)
    assert rarity[-1, 0] - rarity[0, 0] == pytest.approx(np.log(204 / 4))


def test_columns_that_mark_few_rows_are_not_called_unscaled():
    X = np.random.default_rng(0).normal(scale=3, size=(9000, 3))
    X[:, 2] = np.arange(9000) == 5
    warn_if_unscaled(X)
    with pytest.warns(UserWarning, match=r"that of column 2 \(5\.3e-05\)"):
        warn_if_unscaled(X / [1, 1, 200])


def test_texts_of_few_terms():
    texts = np.array([["ab"], ["ab"], [None]], dtype=object)
    encoder = NgramEncoder(n_components=99).fit(texts)
    encoded = encoder.transform(np.array([["ab"], [None]], dtype=object))
    assert list(encoder.get_feature_names_out())[-2:] == ["x0_2", "x0_length"]
    assert encoded.shape == (2, 4)
    np.testing.assert_allclose(encoded[:, -1], [np.log(3), 0])
    assert np.abs(encoded[0, :-1]).sum() > 0.5
