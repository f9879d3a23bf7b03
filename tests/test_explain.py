"""Tests of the explanations by the columns of a table."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skdeepanomaly import (
    AutoEncoder,
    ThresholdedDetector,
    explain_columns,
    make_detector_pipeline,
)


class Echo(OutlierMixin, BaseEstimator):
    """A detector that blames each feature for its value."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return -np.asarray(X, dtype=np.float64).sum(axis=1)

    def predict(self, X):
        return np.ones(len(X))

    def explain(self, X):
        return np.asarray(X, dtype=np.float64)


# Names and categories of which one is the beginning of another.
AMBIGUOUS = pd.DataFrame(
    {
        "a": ["b_c", "b", "c", "b"],
        "a_b": ["c", "c", "d", "d"],
        "a__b": [1.0, 2.0, 3.0, 5.0],
        "x": [7.0, np.nan, 8.0, 9.0],
    },
    index=[10, 20, 30, 40],
)


def test_encoded_columns_are_traced_whatever_they_are_called():
    encode = ColumnTransformer(
        [
            ("a", make_pipeline(OneHotEncoder(sparse_output=False)), ["a", "a_b"]),
            ("b_c", SimpleImputer(add_indicator=True), ["x"]),
        ],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    pipeline = make_pipeline(encode, Echo()).fit(AMBIGUOUS)
    explained = explain_columns(pipeline, AMBIGUOUS)
    assert list(explained.columns) == list(AMBIGUOUS.columns)
    assert list(explained.index) == [10, 20, 30, 40]
    np.testing.assert_array_equal(explained[["a", "a_b"]], 1)
    np.testing.assert_array_equal(explained["a__b"], AMBIGUOUS["a__b"])
    # The imputed value and its indicator belong to the same column.
    np.testing.assert_array_equal(explained["x"], [7, 9, 8, 9])


NUMBERS = pd.DataFrame(np.arange(1.0, 13).reshape(4, 3) ** 2, columns=["p", "p_p", "q"])

TRANSFORMERS = {
    "scaler": StandardScaler(),
    "passthrough": "passthrough",
    "none": None,
    "imputer": SimpleImputer(add_indicator=True),
    "function": FunctionTransformer(np.log, feature_names_out="one-to-one"),
    "pipeline": Pipeline([("one", StandardScaler()), ("two", "passthrough")]),
    "union": FeatureUnion([("one", StandardScaler()), ("two", StandardScaler())]),
    "frame": StandardScaler().set_output(transform="pandas"),
    "nested": ColumnTransformer(
        [
            ("late", ColumnTransformer([("s", StandardScaler(), [1])]), [0, 2]),
            ("dropped", "drop", slice(0, 1)),
            ("by mask", PCA(1), [False, True, False]),
            ("none", StandardScaler(), []),
            ("by function", FunctionTransformer(), lambda X: []),
        ]
    ),
}


@pytest.mark.parametrize("name", list(TRANSFORMERS))
def test_outputs_depend_on_the_column_that_they_are_led_back_to(name):
    pipeline = make_pipeline(TRANSFORMERS[name], VarianceThreshold(), Echo()).fit(NUMBERS)
    before = explain_columns(pipeline, NUMBERS)
    n_changed = 0
    for column in NUMBERS:
        moved = explain_columns(
            pipeline, NUMBERS.assign(**{column: NUMBERS[column].iloc[::-1].to_numpy()})
        )
        changed = [c for c in NUMBERS if not np.allclose(moved[c], before[c])]
        assert changed in ([], [column])
        n_changed += bool(changed)
    assert n_changed == (2 if name == "nested" else 3)


def test_each_column_of_bins_counts_once():
    bins = KBinsDiscretizer(2, encode="onehot-dense", strategy="uniform")
    explained = explain_columns(make_pipeline(bins, Echo()).fit(NUMBERS), NUMBERS)
    np.testing.assert_array_equal(explained, np.ones_like(NUMBERS))


def test_columns_that_are_dropped_or_constant_get_zeros():
    table = NUMBERS.assign(constant=1.0)
    pipeline = make_pipeline(VarianceThreshold(), Echo()).fit(table)
    explained = explain_columns(pipeline, table)
    np.testing.assert_array_equal(explained["constant"], 0)
    np.testing.assert_array_equal(explained[NUMBERS.columns], NUMBERS)


def test_one_text_column_gathers_all_its_words():
    table = pd.DataFrame({"text": ["one two", "two", "three"], "n": [1.0, 2, 3]})
    encode = ColumnTransformer(
        [("words", make_pipeline(TfidfVectorizer(), PCA(2)), "text")], remainder="passthrough"
    )
    explained = explain_columns(make_pipeline(encode, Echo()).fit(table), table)
    words = make_pipeline(TfidfVectorizer(), PCA(2)).fit_transform(table["text"])
    np.testing.assert_allclose(explained["text"], words.sum(axis=1))
    np.testing.assert_array_equal(explained["n"], table["n"])


@pytest.mark.parametrize("mixing", [PCA(2), PolynomialFeatures(2, include_bias=False)])
def test_mixed_columns_are_refused(mixing):
    pipeline = make_pipeline(StandardScaler(), mixing, Echo()).fit(NUMBERS)
    with pytest.raises(ValueError, match="mixes columns: its output"):
        explain_columns(pipeline, NUMBERS)


def test_outputs_without_names_are_refused():
    pipeline = make_pipeline(FunctionTransformer(np.log), Echo()).fit(NUMBERS)
    with pytest.raises(ValueError, match="has no get_feature_names_out"):
        explain_columns(pipeline, NUMBERS)


def thresholded(detector):
    return ThresholdedDetector(detector, "mad", calibration_size=None)


def test_a_detector_that_explains_nothing_is_refused():
    pipeline = make_pipeline(StandardScaler(), IsolationForest()).fit(NUMBERS)
    for detector in (pipeline, thresholded(pipeline).fit(NUMBERS)):
        with pytest.raises(TypeError, match="IsolationForest has no explain"):
            explain_columns(detector, NUMBERS)
    with pytest.raises(NotFittedError, match="ThresholdedDetector instance is not fitted"):
        explain_columns(thresholded(pipeline), NUMBERS)


def test_pipelines_are_found_inside_of_meta_estimators():
    pipeline = make_pipeline(StandardScaler(), Echo())
    expected = explain_columns(pipeline.fit(NUMBERS), NUMBERS)
    grid = {"standardscaler__with_mean": [True]}
    for detector in (
        thresholded(pipeline),
        make_pipeline(StandardScaler(), thresholded(Echo())),
        make_pipeline(Pipeline([("scale", StandardScaler())]), make_pipeline(None, Echo())),
        GridSearchCV(pipeline, grid, scoring=lambda *args: 0.0, cv=2),
    ):
        explained = explain_columns(detector.fit(NUMBERS), NUMBERS)
        pd.testing.assert_frame_equal(explained, expected)


# Older versions of scikit-learn read the names of polars' columns through that protocol.
@pytest.mark.filterwarnings("ignore:Support for the dataframe interchange:DeprecationWarning")
def test_contributions_of_a_network_keep_their_sum_and_the_library(rows):
    detector = AutoEncoder(max_epochs=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), detector)
    explained = explain_columns(pipeline.fit(rows), rows)
    assert isinstance(explained, np.ndarray)
    np.testing.assert_allclose(explained.sum(axis=1), -pipeline.score_samples(rows), rtol=1e-4)
    np.testing.assert_array_equal(
        explained,
        explain_columns(detector.fit(pipeline[0].transform(rows)), pipeline[0].transform(rows)),
    )
    frame = pl.DataFrame(rows, schema=list("abcde"))
    explained = explain_columns(pipeline.fit(frame), frame)
    assert isinstance(explained, pl.DataFrame)
    assert explained.columns == list("abcde")


def test_steps_of_skrub_are_traced():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        skrub = pytest.importorskip("skrub")
    table = NUMBERS.assign(constant=1.0, kind=["u", "v", "u", "v"])
    cleaner = skrub.Cleaner(drop_if_constant=True)
    vectorizer = skrub.TableVectorizer(low_cardinality=OneHotEncoder(sparse_output=False))
    pipeline = make_pipeline(cleaner, vectorizer, Echo()).fit(table)
    explained = explain_columns(pipeline, table)
    np.testing.assert_array_equal(explained["constant"], 0)
    np.testing.assert_array_equal(explained["kind"], 1)
    np.testing.assert_array_equal(explained[NUMBERS.columns], NUMBERS)


def by_name(*before):
    columns = ColumnTransformer([("s", StandardScaler(), ["q", "p"])], remainder="passthrough")
    return make_pipeline(*before, columns, Echo())


# Older versions of scikit-learn read the names of polars' columns through that protocol.
@pytest.mark.filterwarnings("ignore:Support for the dataframe interchange:DeprecationWarning")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("before", [(), ("passthrough",)])
@pytest.mark.parametrize(
    "names", [["q", "p_p", "p"], ["new", "p", "p_p", "q"], ["q", "a", "p", "b", "p_p"]]
)
def test_columns_that_are_picked_by_name_are_blamed_by_name(library, before, names):
    make = pl.from_pandas if library == "polars" else pd.DataFrame
    detector = thresholded(by_name(*before)).fit(make(NUMBERS))
    expected = explain_columns(detector, make(NUMBERS))
    assert list(expected.columns) == list(NUMBERS.columns)
    other = make(NUMBERS.assign(new=100.0, a=-5.0, b=3.0)[names])
    np.testing.assert_allclose(
        detector.score_samples(other), detector.score_samples(make(NUMBERS))
    )
    explained = explain_columns(detector, other)
    assert isinstance(explained, type(other))
    assert list(explained.columns) == names
    for name in names:
        np.testing.assert_allclose(
            explained[name], expected[name] if name in NUMBERS else np.zeros(4)
        )


def test_columns_that_were_dropped_in_fit_may_be_missing():
    table = NUMBERS.assign(kind=["u", "v", "u", "v"])[["p_p", "p", "q", "kind"]]
    pipeline = make_detector_pipeline(Echo(), drop=["p_p"]).fit(table)
    expected = explain_columns(pipeline, table).drop(columns="p_p")
    explained = explain_columns(pipeline, table[["kind", "q", "p"]])
    pd.testing.assert_frame_equal(explained, expected[["kind", "q", "p"]])


# Older versions of scikit-learn read the names of polars' columns through that protocol.
@pytest.mark.filterwarnings("ignore:Support for the dataframe interchange:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:X has feature names, but:UserWarning")
@pytest.mark.parametrize("fitted_on", ["pandas", "polars", "pyarrow", "numpy"])
def test_the_type_of_the_result_depends_on_the_rows_alone(fitted_on):
    table = NUMBERS.iloc[:3].set_axis([5, 6, 7])  # as many rows as columns
    containers = {
        "pandas": table,
        "polars": pl.from_pandas(table),
        "pyarrow": pa.Table.from_pandas(table, preserve_index=False),
        "numpy": table.to_numpy(),
    }
    pipeline = make_pipeline(StandardScaler(), Echo()).fit(containers[fitted_on])
    expected = StandardScaler().fit_transform(table)
    explained = {name: explain_columns(pipeline, X) for name, X in containers.items()}
    frame = pd.DataFrame(expected, index=table.index, columns=table.columns)
    pd.testing.assert_frame_equal(explained["pandas"], frame)
    assert isinstance(explained["polars"], pl.DataFrame)
    assert explained["polars"].columns == list(table.columns)
    np.testing.assert_allclose(explained["polars"].to_numpy(), expected)
    for name in ("pyarrow", "numpy"):
        assert isinstance(explained[name], np.ndarray)
        np.testing.assert_allclose(explained[name], expected)


def test_columns_whose_names_are_numbers_keep_them():
    table = NUMBERS.set_axis([2019, 2021, 2020], axis=1)
    explained = explain_columns(make_pipeline(VarianceThreshold(), Echo()).fit(table), table)
    pd.testing.assert_frame_equal(explained, table)


def test_a_single_row_is_refused_with_what_to_do():
    pipeline = make_pipeline(StandardScaler(), Echo()).fit(NUMBERS.to_numpy())
    with pytest.raises(ValueError, match=r"got the shape \(3,\). Take a single row as X\[:1\]"):
        explain_columns(pipeline, NUMBERS.to_numpy()[0])
