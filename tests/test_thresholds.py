import numpy as np
import pytest

from skdeepanomaly.thresholds import contamination_offset, robust_offset


@pytest.mark.parametrize("n_samples", [2, 3, 10, 99, 1000])
@pytest.mark.parametrize("contamination", [0.001, 0.05, 0.1, 0.33, 0.5])
def test_distinct_scores_give_the_exact_count(n_samples, contamination):
    scores = np.random.default_rng(n_samples).normal(size=n_samples)
    offset = contamination_offset(scores, contamination)
    assert np.sum(scores < offset) == max(1, round(contamination * n_samples))
    assert offset not in scores


@pytest.mark.parametrize("seed", range(30))
def test_ties_give_the_next_lower_count_but_not_none(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, size=40).astype(float)
    contamination = rng.uniform(0.01, 0.5)
    n_outliers = np.sum(scores < contamination_offset(scores, contamination))
    wanted = max(1, round(contamination * 40))
    possible = np.array([np.sum(scores < value) for value in np.unique(scores)])
    lower = possible[possible <= wanted].max()
    assert n_outliers == (lower or possible[1])


def test_equal_scores_have_no_outliers():
    assert not np.any(np.full(10, -1.5) < contamination_offset(np.full(10, -1.5), 0.3))


def test_neighbouring_floats_are_told_apart():
    low = 0.1
    scores = np.array([low, np.nextafter(low, 1), 0.5, 0.6])
    assert np.sum(scores < contamination_offset(scores, 0.25)) == 1


def test_robust_offset_of_a_gaussian_is_three_deviations_below():
    scores = np.random.default_rng(0).normal(5, 2, size=200_000)
    assert robust_offset(scores) == pytest.approx(5 - 3 * 2, abs=0.05)


def test_robust_offset_is_not_moved_by_outliers():
    scores = np.random.default_rng(0).normal(size=1000)
    spoiled = np.concatenate([scores, np.full(30, -1e6)])
    assert robust_offset(spoiled) == pytest.approx(robust_offset(scores), abs=0.3)
