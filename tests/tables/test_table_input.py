"""What the table pipeline takes as a table, and what it refuses."""

import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from mixed_tables import encoder_of, make_table
from scipy.sparse import csr_array
from sklearn.ensemble import IsolationForest

from skdeepanomaly import AutoEncoder, make_detector_pipeline

TAKEN = {
    "tensor": torch.from_numpy,
    "tensor with a gradient": lambda X: torch.from_numpy(X).requires_grad_(),
    "list of tuples": lambda X: list(map(tuple, X)),
    "list of arrays": list,
    "masked array": np.ma.masked_array,
    "matrix": np.matrix,
    "objects": lambda X: X.astype(object),
    "polars": pl.DataFrame,
    "arrow": lambda X: pa.table({f"c{i}": column for i, column in enumerate(X.T)}),
    "arrow batch": lambda X: pa.RecordBatch.from_arrays(list(map(pa.array, X.T)), list("abc")),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("container", list(TAKEN))
def test_containers_of_numbers_give_equal_scores(container):
    X = np.random.default_rng(0).normal(size=(200, 3))
    detector = AutoEncoder(max_epochs=2, random_state=0)
    scores = make_detector_pipeline(detector).fit(X).score_samples(X)
    table = TAKEN[container](X)
    pipeline = make_detector_pipeline(detector).fit(table)
    assert set(pipeline[0].column_kinds_.values()) == {"numeric"}
    np.testing.assert_array_equal(pipeline.score_samples(table), scores)


def test_arrow_tables_have_all_kinds():
    table = make_table().drop(columns="constant")
    arrow = pa.Table.from_pandas(table)
    encoder = encoder_of(table)
    np.testing.assert_allclose(encoder_of(arrow).transform(arrow), encoder.transform(table))
    assert list(encoder_of(arrow).column_kinds_) == list(table.columns)


def test_masked_values_are_missing():
    X = np.random.default_rng(0).normal(size=(200, 2))
    mask = X > 1
    masked = np.ma.masked_array(X, mask)
    expected = np.where(mask, np.nan, X)
    np.testing.assert_array_equal(
        encoder_of(masked).transform(masked), encoder_of(expected).transform(expected)
    )


REFUSED = {
    "sparse": (lambda X: csr_array(X), "got a sparse matrix. Convert it with X.toarray"),
    "a row": (lambda X: X[0], "got the shape .3,.. Take a single row as X"),
    "names": (lambda X: pd.DataFrame(X, columns=["a", "b", "a"]), "got 2 columns 'a'"),
    "numbers": (lambda X: pd.DataFrame(X, columns=[1, 2, 1]), "got 2 columns 1"),
    "a sparse tensor": (lambda X: torch.from_numpy(X).to_sparse(), "got a sparse matrix"),
    "a cube": (lambda X: X[None], "got the shape"),
    "a lazy frame": (lambda X: pl.DataFrame(X).lazy(), r"got LazyFrame.*Pass X.collect\(\)"),
    "a dict": (lambda X: {"a": X[0]}, r"got dict with named fields. Pass pandas.DataFrame"),
    "records": (lambda X: np.zeros(3, [("a", float)]), "got ndarray with named fields"),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_tables_of_other_forms_are_refused(what):
    make, message = REFUSED[what]
    X = np.eye(3)
    with pytest.raises((TypeError, ValueError), match=message):
        make_detector_pipeline(IsolationForest()).fit(make(X))


def test_sparse_rows_are_refused_after_fit_too():
    pipeline = make_detector_pipeline(IsolationForest()).fit(np.eye(3))
    with pytest.raises(ValueError, match="got a sparse matrix"):
        pipeline.score_samples(csr_array(np.eye(3)))


class Opaque:
    """A value that does not say what it is."""


CONTAINERS_IN_CELLS = {
    "list": [1, 2],
    "tuple": (1, 2),
    "dict": {"a": 1},
    "set": {1},
    "array": np.arange(2),
    "tensor": torch.zeros(2),
    "series": pd.Series([1, 2]),
    "complex": 1 + 2j,
    "Opaque": Opaque(),
}


@pytest.mark.parametrize("what", list(CONTAINERS_IN_CELLS))
def test_cells_of_several_values_are_refused(what):
    # Cell by cell, because pandas would convert a list of tensors.
    table = pd.DataFrame({"good": [1.0] * 4, "bad": None})
    for row in range(3):
        table.at[row, "bad"] = CONTAINERS_IN_CELLS[what]
    match = f"one number.* in each cell, got (?i:.*{what}).* in column 'bad'. Spread"
    with pytest.raises(ValueError, match=match.replace("series", "Series")):
        make_detector_pipeline(IsolationForest()).fit(table)
    pipeline = make_detector_pipeline(IsolationForest()).fit(table.assign(bad=["a", "b"] * 2))
    with pytest.raises(ValueError, match="in column 'bad'"):
        pipeline.predict(table)


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"bad": [[1], [2]]}),
        pl.DataFrame({"bad": [{"x": 1}]}),
        pa.table({"bad": [[1.0], [2.0]]}),
    ],
)
def test_columns_of_nested_types_are_refused(table):
    with pytest.raises(ValueError, match=r"got (?i:list|struct).* in column 'bad'"):
        make_detector_pipeline(IsolationForest()).fit(table)


def test_objects_with_a_text_are_categories():
    names = [uuid.UUID(int=i % 3) for i in range(60)]
    encoder = encoder_of(pd.DataFrame({"c": names}))
    assert encoder.column_kinds_ == {"c": "categorical"}
