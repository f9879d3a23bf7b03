"""Rules that find a threshold in scores."""

import pickle

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone

import skdeepanomaly
from skdeepanomaly import (
    ConformalThreshold,
    FixedThreshold,
    GaussianMixtureThreshold,
    IQRThreshold,
    MADThreshold,
    POTThreshold,
    QuantileThreshold,
    ZScoreThreshold,
)
from skdeepanomaly.thresholds import medcouple

RULES = [
    getattr(skdeepanomaly, name) for name in skdeepanomaly.__all__ if name.endswith("Threshold")
]


@pytest.fixture(params=RULES, ids=lambda rule: rule.__name__)
def rule(request):
    return request.param()


def gaussian_and_far(n_normal=1000, n_far=30):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=n_normal), rng.normal(-30, 1, size=n_far)])


def test_all_rules_are_there():
    assert len(RULES) == 8


def test_scores_below_the_threshold_are_outliers(rule):
    scores = gaussian_and_far()
    before = scores.copy()
    assert rule.fit(scores) is rule
    np.testing.assert_array_equal(scores, before)
    assert isinstance(rule.threshold_, float)
    assert rule.n_samples_seen_ == len(scores)
    np.testing.assert_array_equal(rule.predict(scores) == -1, scores < rule.threshold_)
    order = np.random.default_rng(1).permutation(len(scores))
    assert clone(rule).fit(scores[order]).threshold_ == rule.threshold_


@pytest.mark.parametrize("rule", [MADThreshold(), IQRThreshold(), GaussianMixtureThreshold()])
def test_far_scores_are_found(rule):
    scores = gaussian_and_far()
    labels = rule.fit(scores).predict(scores)
    assert (labels[-30:] == -1).all()
    assert (labels[:-30] == -1).mean() < 0.03


@pytest.mark.parametrize("n_samples", [2, 3, 11])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_few_or_equal_scores_work(rule, n_samples, spread):
    if isinstance(rule, ConformalThreshold) and n_samples < 9:
        rule = ConformalThreshold(alpha=0.5)
    scores = 5 + spread * np.arange(n_samples)
    labels = rule.fit(scores).predict(scores)
    assert not np.isnan(rule.threshold_)
    assert (labels == -1).sum() <= max(1, n_samples // 2)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[1.0, 2.0]] * 3, "scores must be one-dimensional.*shape \\(3, 2\\)"),
        ([1.0, np.nan], "scores contains NaN"),
        ([1.0], "minimum of 2"),
    ],
)
def test_bad_scores_are_refused(rule, scores, message):
    with pytest.raises(ValueError, match=message):
        rule.fit(scores)


@pytest.mark.parametrize(
    "rule",
    [
        QuantileThreshold(0.6),
        FixedThreshold("a"),
        ZScoreThreshold(0),
        MADThreshold(side="upper"),
        IQRThreshold(factor=-1),
        POTThreshold(risk=0.5),
        GaussianMixtureThreshold(n_deviations=0),
        ConformalThreshold(alpha=1),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_bad_parameters_are_refused(rule):
    with pytest.raises(ValueError, match="parameter of"):
        rule.fit(gaussian_and_far())


def test_far_scores_move_the_z_score_but_not_the_mad():
    clean, mixed = gaussian_and_far(n_far=0), gaussian_and_far(n_far=100)
    assert MADThreshold().fit(mixed).threshold_ > -4
    assert ZScoreThreshold().fit(mixed).threshold_ < -20
    assert MADThreshold().fit(clean).threshold_ == pytest.approx(-3, abs=0.3)
    assert ZScoreThreshold().fit(clean).threshold_ == pytest.approx(-3, abs=0.3)


def test_medcouple_is_that_of_all_pairs():
    def by_definition(x):
        # Brys, Hubert and Struyf (2004): pairs of scores that both are the median are 1, 0 or
        # -1 by their ranks among those.
        x = np.sort(x)
        median = np.median(x)
        low, high = np.flatnonzero(x <= median), np.flatnonzero(x >= median)
        n_ties = np.sum(x == median)
        kernel = []
        for place, j in enumerate(high):
            for i in low:
                if x[i] < x[j]:
                    kernel.append(((x[j] - median) - (median - x[i])) / (x[j] - x[i]))
                else:
                    rank = i - (low[-1] - n_ties + 1)
                    kernel.append(np.sign(rank + place - (n_ties - 1)))
        return np.median(kernel)

    rng = np.random.default_rng(0)
    for x in (
        rng.normal(size=40),
        rng.exponential(size=61),
        -rng.exponential(size=60),
        np.repeat([0.0, 1, 2, 9], [3, 9, 2, 5]),
        rng.poisson(1, size=50).astype(float),
        np.ones(5),
    ):
        assert medcouple(np.sort(x)) == pytest.approx(by_definition(x))
    # Nearly half of the pairs tie.
    assert medcouple(np.repeat([0.0, 1, 3], [1, 6, 4])) > 0
    skewed = np.sort(rng.exponential(size=20_000))
    assert medcouple(skewed) == pytest.approx(medcouple(skewed, 3000), abs=0.02)
    assert medcouple(-skewed[::-1]) == pytest.approx(-medcouple(skewed))


def test_whisker_follows_the_skew():
    scores = -np.random.default_rng(0).exponential(size=5000)
    plain = IQRThreshold(adjusted=False).fit(scores)
    adjusted = IQRThreshold().fit(scores)
    assert adjusted.medcouple_ < -0.2
    assert (plain.predict(scores) == -1).mean() > 0.03
    assert (adjusted.predict(scores) == -1).mean() < 0.02


@pytest.mark.parametrize("risk", [0.02, 0.005, 0.001])
def test_peaks_over_threshold_keeps_its_risk(risk):
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        # Ten scores are expected below the threshold, so that the relative error is the same.
        rule = POTThreshold(risk=risk).fit(rng.normal(size=int(10 / risk)))
        shares.append(norm.cdf(rule.threshold_))
    # An estimate deviates by 0.3 of the risk, the mean of 20 by 0.07.
    assert np.mean(shares) == pytest.approx(risk, rel=0.35)


@pytest.mark.parametrize("n_low", [5, 30])
def test_peaks_over_threshold_with_ties_at_the_start_of_the_tail(n_low):
    # Of the lowest tenth all but a few are equal.
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(10):
        low, high = -rng.exponential(size=n_low) - 1, rng.random(465)
        scores = np.concatenate([low, np.zeros(500), high])
        rule = POTThreshold(risk=0.01).fit(scores)
        counts.append((rule.predict(scores) == -1).sum())
    # A risk of 0.01 is ten of about a thousand scores, if that many lie in the tail.
    assert np.mean(counts) == pytest.approx(min(n_low, 10), abs=4)


def test_peaks_over_threshold_needs_a_tail_beyond_the_risk():
    with pytest.raises(ValueError, match=r"risk must be smaller than tail.*risk=0\.2"):
        POTThreshold(risk=0.2, tail=0.1).fit(gaussian_and_far())


@pytest.mark.parametrize(
    ("rule", "params"),
    [
        (POTThreshold, {"risk": 0.0625, "tail": 0.125}),
        (QuantileThreshold, {"contamination": 0.125}),
        (ConformalThreshold, {"alpha": 0.125}),
    ],
)
def test_shares_may_be_small_floats(rule, params):
    scores = np.random.default_rng(0).normal(size=70_000)
    expected = rule(**params).fit(scores).threshold_
    small = {name: np.float16(value) for name, value in params.items()}
    assert rule(**small).fit(scores).threshold_ == expected


def test_mixture_is_seeded_and_leaves_the_global_generator_alone():
    scores = gaussian_and_far()
    rule = GaussianMixtureThreshold()
    assert rule.random_state is None
    before = pickle.dumps(np.random.get_state())
    rule.fit(scores)
    assert pickle.dumps(np.random.get_state()) == before
    seeded = [GaussianMixtureThreshold(random_state=0).fit(scores) for _ in range(2)]
    assert seeded[0].threshold_ == seeded[1].threshold_


def test_mixture_knows_when_there_is_one_group():
    clean = gaussian_and_far(n_far=0)
    assert GaussianMixtureThreshold().fit(clean).n_components_ == 1
    rule = GaussianMixtureThreshold().fit(gaussian_and_far())
    assert rule.n_components_ == 2
    assert -30 < rule.threshold_ < -3
    # One skewed group: two Gaussians that overlap are the better fit.
    skewed = -np.random.default_rng(0).gamma(4, size=2000)
    assert GaussianMixtureThreshold(separation=0).fit(skewed).n_components_ == 2
    rule = GaussianMixtureThreshold().fit(skewed)
    assert rule.n_components_ == 1
    assert (rule.predict(skewed) == -1).mean() < 0.02


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize(
    "kind",
    [rule for rule in RULES if rule is not FixedThreshold],
    ids=lambda rule: rule.__name__,
)
def test_thresholds_follow_scale_and_place(kind, scale):
    rule = kind()
    for scores in (gaussian_and_far(), gaussian_and_far(n_far=0)):
        moved = clone(rule).fit(scale * (scores + 3)).threshold_
        assert moved / scale - 3 == pytest.approx(rule.fit(scores).threshold_, abs=1e-3)


LOWEST = np.finfo(np.float64).min


@pytest.mark.parametrize("rule", [MADThreshold(), QuantileThreshold(), ConformalThreshold()])
def test_scores_that_overflowed_leave_robust_rules_alone(rule):
    scores = gaussian_and_far()
    far = np.where(scores < -20, LOWEST, scores)
    assert rule.fit(far).threshold_ == rule.fit(scores).threshold_


@pytest.mark.parametrize("n_lost", [1, 4])
@pytest.mark.parametrize("lost", [LOWEST, LOWEST / 4, -1e277, -1e77, -1e38])
def test_a_score_without_size_has_a_rank_and_is_left_out_of_sums(rule, lost, n_lost):
    scores = np.random.default_rng(0).normal(size=300)
    with_lost = np.append(scores, [lost] * n_lost)
    alone = clone(rule).fit(scores).threshold_
    assert rule.fit(with_lost).threshold_ == pytest.approx(alone, abs=0.35)
    if not isinstance(rule, FixedThreshold):
        assert (rule.predict([lost, -9.0, 0.0]) == [-1, -1, 1]).all()


@pytest.mark.parametrize("lost", [LOWEST, -1e38])
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_cuts_beside_scores_without_size_lie_at_the_others(lost, scale):
    lost = lost if lost == LOWEST else lost * scale
    scores = np.append(scale * np.random.default_rng(0).normal(size=299), lost)
    lowest = np.sort(scores)[1]
    assert QuantileThreshold(1 / 300).fit(scores).threshold_ == lowest
    # More of them than the risk: there is no tail to fit.
    many = np.append(scores, np.full(20, lost))
    assert POTThreshold(risk=0.02).fit(many).threshold_ == lowest


def test_peaks_over_threshold_bear_a_score_out_of_all_proportion():
    # It has a size, and belongs to the tail. The fit must not lose all others beside it.
    thresholds = []
    for seed in range(5):
        scores = np.random.default_rng(seed).normal(size=300)
        thresholds.append(POTThreshold().fit(np.append(scores, -1e35)).threshold_)
    assert min(thresholds) > -5


@pytest.mark.parametrize(
    ("rule", "scores"),
    [
        (MADThreshold(), np.append(np.arange(9.0), [LOWEST] * 9)),
        (IQRThreshold(), np.append(np.arange(9.0), [LOWEST] * 9)),
        (ConformalThreshold(0.2), np.append(np.arange(9.0), [LOWEST] * 9)),
        (ZScoreThreshold(), np.full(9, LOWEST)),
        (ZScoreThreshold(n_deviations=1e308), 10 * np.arange(9.0)),
    ],
    ids=str,
)
def test_a_threshold_that_is_not_finite_is_refused(rule, scores):
    with pytest.raises(ValueError, match=r"no usable threshold, it would be -.*Leave such"):
        rule.fit(scores)
    assert not hasattr(rule, "threshold_")


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.2])
def test_conformal_false_alarm_rate_holds(alpha):
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        rule = ConformalThreshold(alpha=alpha).fit(rng.exponential(size=199))
        rates.append(1 - np.exp(-max(rule.threshold_, 0)))
    # With 199 scores, alpha * 200 is whole and the bound is met exactly on average.
    error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - alpha) < 4 * error


@pytest.mark.parametrize(
    ("alpha", "needed"), [(0.05, "19"), (1e-9, "999999999"), (1e-320, r"1\S*e\+320")]
)
def test_too_few_scores_for_the_level_are_refused_with_the_number_it_takes(alpha, needed):
    with pytest.raises(ValueError, match=f"10 scores are too few.*takes {needed} or more:"):
        ConformalThreshold(alpha=alpha).fit(np.arange(10.0))
    assert ConformalThreshold(alpha=0.05).fit(np.arange(19.0)).threshold_ == 0.0
