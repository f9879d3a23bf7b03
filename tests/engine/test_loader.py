"""Batches of rows and labels."""

import numpy as np
import pytest
import torch
from conftest import numbered_rows
from skorch.dataset import Dataset
from torch.utils.data import Subset

from skdeepanomaly.engine import TensorLoader, _loader


def read_pass(loader):
    batches = [x for x, _ in loader]
    return [len(x) for x in batches], torch.cat(batches)[:, 0].numpy()


@pytest.fixture(params=["whole", "chunks"])
def buffer(request, monkeypatch):
    """Read either through one buffer, or through many small ones."""
    if request.param == "chunks":
        monkeypatch.setattr(_loader, "CHUNK_BYTES", 16 * 5)
        monkeypatch.setattr(_loader, "SHUFFLE_BUFFER_BYTES", 16 * 30)
    return request.param


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n_rows", "batch_size"), [(97, 8), (96, 8), (7, 8), (1, 8), (33, 1)])
def test_a_pass_yields_every_row_once(buffer, shuffle, n_rows, batch_size):
    loader = TensorLoader(Dataset(numbered_rows(n_rows)), batch_size, shuffle)
    sizes, seen = read_pass(loader)
    np.testing.assert_array_equal(np.sort(seen), np.arange(n_rows))
    assert len(sizes) == len(loader)
    assert all(size == batch_size for size in sizes[:-1])
    if not shuffle:
        np.testing.assert_array_equal(seen, np.arange(n_rows))


def test_a_last_batch_of_one_row_is_joined_in_training(buffer):
    sizes, _ = read_pass(TensorLoader(Dataset(numbered_rows(33)), 8, shuffle=True))
    assert sizes == [8, 8, 8, 9]


@pytest.mark.parametrize("n_rows", range(380, 400))
def test_no_batch_of_one_row_in_training(buffer, n_rows):
    loader = TensorLoader(Dataset(numbered_rows(n_rows)), 2, shuffle=True)
    for _ in range(5):
        sizes, seen = read_pass(loader)
        assert min(sizes) >= 2
        np.testing.assert_array_equal(np.sort(seen), np.arange(n_rows))
        assert len(sizes) == len(loader)


def test_passes_differ_and_large_tables_are_mixed(buffer):
    torch.manual_seed(0)
    loader = TensorLoader(Dataset(numbered_rows(600)), 8, shuffle=True)
    passes = [read_pass(loader)[1] for _ in range(20)]
    assert len({tuple(rows) for rows in passes}) == 20
    # The first rows come from all over the table; in order they would span 29 rows.
    assert np.mean([np.ptp(rows[:30]) for rows in passes]) > 300


def test_subset_and_float64_are_read_without_a_copy_of_all(buffer):
    indices = np.random.default_rng(0).permutation(200)[:150]
    data = Dataset(numbered_rows(200).astype(np.float64))
    loader = TensorLoader(Subset(data, indices), 16, shuffle=True)
    batches = [x for x, _ in loader]
    assert all(x.dtype == torch.float32 for x in batches)
    seen = torch.cat(batches)[:, 0].numpy()
    np.testing.assert_array_equal(np.sort(seen), np.sort(indices))


def test_labels_follow_their_rows(buffer):
    y = (np.arange(600) % 3 - 1).astype(np.int8)
    data = Dataset(numbered_rows(600), y)
    some = np.random.default_rng(0).permutation(600)[:333]
    for dataset in (data, Subset(data, some)):
        for shuffle in (False, True):
            batches = list(TensorLoader(dataset, 16, shuffle))
            x = torch.cat([x for x, _ in batches])[:, 0]
            labels = torch.cat([labels for _, labels in batches])
            assert labels.dtype == torch.float32
            assert len(x) == len(dataset)
            assert torch.equal(labels, x % 3 - 1)


@pytest.mark.parametrize("n_rows", [600, 30])
def test_each_batch_holds_its_share_of_anomalies(buffer, n_rows):
    y = np.zeros(n_rows, dtype=np.int8)
    y[[3, 17]] = -1
    loader = TensorLoader(
        Dataset(numbered_rows(n_rows), y), 8, shuffle=True, anomaly_share=0.25
    )
    batches = list(loader)
    assert len(batches) == len(loader)
    for x, labels in batches:
        anomalies = x[labels == -1, 0]
        assert len(anomalies) == 2
        assert set(anomalies.tolist()) <= {3.0, 17.0}
    assert {len(x) for x, _ in batches[:-1]} == {8}
    others = torch.cat([x[labels != -1, 0] for x, labels in batches])
    np.testing.assert_array_equal(np.sort(others), np.delete(np.arange(n_rows), [3, 17]))


@pytest.mark.parametrize("batch_size", [20, 21, 10**12])
def test_a_share_of_anomalies_is_one_of_the_table_where_the_batch_is_larger(batch_size):
    y = np.where(np.arange(20) < 4, -1, 0)
    loader = TensorLoader(
        Dataset(numbered_rows(20), y), batch_size, shuffle=True, anomaly_share=0.25
    )
    sizes = [(int((labels == -1).sum()), len(labels)) for _, labels in loader]
    assert sizes == [(5, 21)]  # with the last of the 16 other rows


@pytest.mark.parametrize("label", [0, -1])
def test_a_share_of_anomalies_needs_anomalies_and_others(label):
    data = Dataset(numbered_rows(20), np.full(20, label, dtype=np.int8))
    loader = TensorLoader(data, 8, shuffle=True, anomaly_share=0.5)
    assert sorted(torch.cat([x[:, 0] for x, _ in loader]).tolist()) == list(range(20))
