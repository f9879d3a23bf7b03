import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from sklearn.metrics import roc_auc_score

from skdeepanomaly import GAN, ConditionalGAN

SMALL = {"hidden_dims": (32, 32), "batch_size": 64, "lr": 3e-3, "n_starts": 32}


def make_contextual(n_rows=600, n_outliers=40, seed=0):
    """Draw rows (context, context, value) and outliers whose value is that of another row.

    Each column alone has the same distribution in outliers and in other rows.
    """
    rng = np.random.default_rng(seed)
    context = rng.normal(size=(n_rows, 2))
    value = np.tanh(context @ [1.5, -1.0]) + 0.1 * rng.normal(size=n_rows)
    X = np.column_stack([context, value / value.std()])
    y = np.repeat([-1, 1], [n_outliers, n_rows - n_outliers])
    X[y == -1, 2] = rng.permutation(X[y == -1, 2])
    # An outlier whose new value happens to fit its context is left out.
    expected = np.tanh(X[:, :2] @ [1.5, -1.0]) / value.std()
    kept = (y == 1) | (np.abs(X[:, 2] - expected) > 0.7)
    return X[kept].astype(np.float32), y[kept]


def test_finds_values_that_do_not_go_with_their_context():
    """The detector ranks outliers much better than any column alone."""

    def errors(seed):
        X, y = make_contextual(800, 150, seed=seed)
        detector = ConditionalGAN(
            condition_features=[0, 1], max_epochs=20, random_state=seed, **SMALL
        ).fit(X[y == 1][::2])
        alone = [roc_auc_score(y, -np.abs(column - np.median(column))) for column in X.T]
        return 1 - roc_auc_score(y, detector.score_samples(X)), 1 - max(alone)

    found, alone = mean_over_seeds(errors)
    assert found < 0.5 * alone


def test_a_rare_context_is_no_anomaly():
    """Rows whose context is rare, but whose value goes with it, against outliers."""

    def errors(seed):
        X, y = make_contextual(1000, 100, seed=seed)
        rare = np.linalg.norm(X[:, :2], axis=1) > 2
        judged = (y == -1) | rare
        train = X[y == 1][::2]
        return [
            1 - roc_auc_score(y[judged], detector.fit(train).score_samples(X[judged]))
            for detector in (
                ConditionalGAN(
                    condition_features=[0, 1], max_epochs=15, random_state=seed, **SMALL
                ),
                GAN(max_epochs=15, random_state=seed, **SMALL),
            )
        ]

    conditional, plain = mean_over_seeds(errors)
    assert conditional < 0.7 * plain


@pytest.fixture(scope="module")
def fitted():
    X, y = make_contextual()
    detector = ConditionalGAN(condition_features=[0, 1], max_epochs=30, random_state=0, **SMALL)
    return detector.fit(X[y == 1])


def test_made_rows_keep_and_follow_their_context(fitted):
    X = make_contextual(seed=1)[0][100:400]
    made = fitted.sample_given(X, random_state=0)
    np.testing.assert_array_equal(made[:, :2], X[:, :2])
    np.testing.assert_array_equal(fitted.sample_given(X, random_state=0), made)
    # The correlation of values that ignore their context is 0.
    assert np.corrcoef(made[:, 2], X[:, 2])[0, 1] > 0.5
    assert len(np.unique(fitted.sample_given(np.tile(X[:1], (20, 1)))[:, 2])) > 10


def test_sample_draws_contexts_of_the_training_rows(fitted):
    X, y = make_contextual()
    contexts = {row.tobytes() for row in X[y == 1][:, :2]}
    made = fitted.sample(50, random_state=0)
    assert made.shape == (50, 3)
    assert {row.tobytes() for row in made[:, :2]} <= contexts


def test_the_discriminator_sees_the_context(fitted):
    X = make_contextual()[0][100:300]
    other = X.copy()
    other[:, :2] = other[::-1, :2]
    vars(fitted.net_.criterion_).update(score_type="discriminator")
    scores = fitted.score_samples(X), fitted.score_samples(other)
    vars(fitted.net_.criterion_).update(score_type="mix")
    assert np.median(scores[1]) < np.median(scores[0])


def test_columns_by_name_and_by_index_are_the_same():
    X = make_rows(60, 4)
    frame = pd.DataFrame(X, columns=list("abcd"))
    params = {"max_epochs": 2, "n_starts": 8, "random_state": 0}
    by_index = ConditionalGAN(condition_features=[1, -1], **params).fit(X)
    by_name = ConditionalGAN(condition_features=["b", "d"], **params).fit(frame)
    np.testing.assert_array_equal(by_name.score_samples(frame), by_index.score_samples(X))
    assert by_index.net_.criterion_.condition.tolist() == [1, 3]


def test_the_context_is_not_judged_by_the_residual():
    X = torch.from_numpy(make_rows(60, 4))
    detector = ConditionalGAN(
        condition_features=[0, 2], n_starts=8, max_epochs=2, random_state=0
    ).fit(X)
    criterion, network = detector.net_.criterion_, detector.net_.module_
    with torch.no_grad():
        made = network.generate(criterion.search(network, X), X)
    assert torch.equal(made[:, [0, 2]], X[:, [0, 2]])
    assert not torch.isclose(made[:, [1, 3]], X[:, [1, 3]]).any()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a"], "no column 'a'. X has no column names"),
        ([7], "no column 7: X has 4 columns"),
        ([1, -3], "named more than once"),
        ([0, 1, 2, 3], "names all 4 columns of X; at least one must be left"),
        ([0.5], "by name or by index, got 0.5"),
    ],
)
def test_columns_are_checked(columns, message):
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(condition_features=columns).fit(make_rows(20, 4))


def test_without_a_context_it_is_a_gan():
    X = make_rows(100)
    detector = ConditionalGAN(max_epochs=1, n_starts=8, random_state=0).fit(X)
    network = detector.net_.module_
    assert network.generator[0].in_features == network.latent_dim
    assert network.generator[-1].out_features == X.shape[1]
    assert detector.sample(3).shape == (3, 5)
