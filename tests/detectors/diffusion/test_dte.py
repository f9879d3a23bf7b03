import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from scipy.stats import spearmanr

from skdeepanomaly import DTE
from skdeepanomaly.detectors.diffusion import DiffusionTimeLoss

SMALL = {"hidden_dims": (64, 64), "batch_size": 64, "lr": 5e-3, "max_epochs": 60}


def test_scores_tell_how_much_noise_rows_got():
    def measure(seed):
        rng = np.random.default_rng(seed)
        X = make_rows(300, 6)
        detector = DTE(random_state=seed, **SMALL).fit(X[:200])
        untrained = DTE(random_state=seed, **SMALL | {"lr": 1e-12}).fit(X[:200])
        levels = detector.net_.criterion_.levels.numpy()
        times = rng.integers(len(levels), size=100)
        noised = X[200:] + levels[times][:, None] * rng.normal(size=(100, 6))
        return [spearmanr(times, -d.score_samples(noised))[0] for d in (detector, untrained)]

    trained, untrained = mean_over_seeds(measure)
    assert trained > 0.6
    assert trained > untrained + 0.4


def test_noise_is_that_of_the_paper():
    criterion = DiffusionTimeLoss(n_bins=7, n_timesteps=300)
    kept = np.cumprod(1 - np.linspace(1e-4, 1e-2, 300))
    np.testing.assert_allclose(criterion.levels, np.sqrt(1 - kept), rtol=1e-5)
    torch.manual_seed(0)
    x = torch.full((70_000, 1), 3.0)
    noised, bins = criterion.draw(x)
    assert bins.min() == 0
    assert bins.max() == 6
    for i in range(7):
        some = (noised - 3)[bins == i]
        assert len(some) == pytest.approx(10_000, rel=0.1)
        inside = np.arange(300) * 7 // 300 == i
        expected = np.sqrt(np.mean(1 - kept[inside]))
        assert some.std().item() == pytest.approx(expected, rel=0.05)


def test_score_is_the_expected_interval():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]))
    scores = DiffusionTimeLoss(n_bins=3).score_rows(logits, torch.zeros(2, 4))
    torch.testing.assert_close(scores, torch.tensor([0.75, 2.0]))


def test_fewer_times_than_intervals_are_refused():
    with pytest.raises(ValueError, match="n_timesteps=5 is less than n_bins=7"):
        DTE(n_timesteps=5).fit(make_rows())


def test_modules_of_other_widths_are_refused():
    message = r"output of shape \(150, 3\) .*; expected one logit for each bin, \(150, 7\)"
    with pytest.raises(ValueError, match=message):
        DTE(module=torch.nn.Linear(5, 3), max_epochs=1).fit(make_rows())
