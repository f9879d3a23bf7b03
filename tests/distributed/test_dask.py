"""The recipes of the guide's page on clusters, on a cluster of two processes."""

import os

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import make_rows
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder
from skdeepanomaly.distributed import fit_chunks

dask = pytest.importorskip("dask")
array = pytest.importorskip("dask.array")
frame = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def X():
    return make_rows(2000)


@pytest.fixture(scope="module")
def pipeline(X):
    return make_pipeline(StandardScaler(), AutoEncoder(max_epochs=3, random_state=0)).fit(X)


@pytest.mark.slow
def test_scores_of_a_dask_array(client, pipeline, X):
    rows = array.from_array(X, chunks=(300, -1))
    scores = rows.map_blocks(pipeline.score_samples, drop_axis=1, dtype=float)
    assert np.array_equal(scores.compute(), pipeline.score_samples(X))
    # Both processes were at work, and not this one.
    used = rows.map_blocks(lambda part: np.full(len(part), os.getpid()), drop_axis=1, dtype=int)
    assert len({*used.compute(), os.getpid()}) == 3


@pytest.mark.slow
def test_scores_of_a_dask_frame(client, pipeline, X):
    names = [f"c{i}" for i in range(X.shape[1])]
    table = pd.DataFrame(X, columns=names)
    fitted = make_pipeline(StandardScaler(), AutoEncoder(max_epochs=1, random_state=0)).fit(
        table
    )

    def score(part):
        return part.assign(score=fitted.score_samples(part[names]))

    scored = frame.from_pandas(table, npartitions=5).map_partitions(
        score, meta=table.head(1).assign(score=1.0)
    )
    assert np.array_equal(scored.compute()["score"], fitted.score_samples(table))


@pytest.mark.slow
def test_a_search_on_the_cluster(client, X):
    y = np.where(np.arange(len(X)) % 20, 1, -1)
    X = X + 2.0 * (y == -1)[:, None].astype(np.float32)
    search = GridSearchCV(
        AutoEncoder(max_epochs=2, random_state=0),
        {"latent_dim": [1, 3]},
        scoring="roc_auc",
        cv=2,
    )
    alone = search.fit(X, y).cv_results_["mean_test_score"].copy()
    with joblib.parallel_config("dask"):
        spread = search.fit(X, y).cv_results_["mean_test_score"]
    assert np.array_equal(spread, alone)


def test_training_on_dask_chunks(X):
    rows = array.from_array(X, chunks=(300, -1))
    table = frame.from_pandas(pd.DataFrame(X).rename(columns=str), npartitions=7)
    expected = fit_chunks(AutoEncoder(random_state=0), [X], n_passes=1)
    for source in (rows, table):
        detector = fit_chunks(AutoEncoder(random_state=0), source, n_passes=1)
        given = X if source is rows else table.compute()
        assert np.array_equal(detector.score_samples(given), expected.score_samples(X))
    large = fit_chunks(AutoEncoder(random_state=0), rows, n_passes=2, buffer_rows=400)
    assert 0.05 < np.mean(large.predict(X) == -1) < 0.15
    with pytest.raises(ValueError, match=r"whole rows\. Use array\.rechunk"):
        fit_chunks(AutoEncoder(), array.from_array(X, chunks=(500, 2)))
