"""Evenly spread rows."""

import numpy as np
import pytest

from skdeepanomaly.utils.rows import spread


@pytest.mark.parametrize("n_samples", [1, 9, 10, 11, 19, 20, 21, 105])
def test_spread_takes_at_most_so_many_rows_from_all_over_the_table(n_samples):
    X = np.arange(n_samples)
    rows = spread(X, 10)
    assert len(rows) <= 10
    assert rows[0] == 0
    assert rows[-1] >= n_samples - max(1, -(-n_samples // 10))
    if n_samples <= 10:
        assert len(rows) == n_samples
