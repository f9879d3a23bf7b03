"""Rows far outside of the training data: none of them passes for a normal one."""

import pickle

import numpy as np
import pytest
from conftest import DETECTORS, IMAGE, make_detector, make_rows
from detectors.effects import scores_of_the_method
from torch import nn

from skdeepanomaly.networks import ACTIVATIONS

ACTIVATED = [name for name in DETECTORS if "activation" in DETECTORS[name]().get_params()]


def make_far(X, multiples=(10, 1e3, 1e10, 1e25)):
    """Return rows in many directions, at multiples of the largest distance in X."""
    rng = np.random.default_rng(1)
    n_features = X.shape[1]
    unit = np.eye(n_features)
    drawn = rng.normal(size=(20, n_features))
    directions = np.concatenate([unit, -unit, drawn, np.sign(drawn)])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = np.linalg.norm(X, axis=1).max()
    return np.concatenate([multiple * reach * directions for multiple in multiples])


def check_no_far_row_passes(detector, X, **params):
    far = make_far(X, **params)
    assert detector.score_samples(far).max() < detector.score_samples(X).min()
    assert (detector.predict(far) == -1).all()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("name", ACTIVATED)
def test_saturated_and_dead_units(name, activation, rows):
    check_no_far_row_passes(make_detector(name, activation=activation).fit(rows), rows)


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"tanh", "sigmoid", "relu"}))
@pytest.mark.parametrize("name", ["DeepSVDD", "DevNet"])
def test_all_other_activations(name, activation, rows):
    check_no_far_row_passes(make_detector(name, activation=activation).fit(rows), rows)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("ALAD", {"score_type": "features"}),
        ("ALAD", {"score_type": "logits"}),
        ("AdversarialAutoEncoder", {"score_type": "discriminator"}),
        ("AdversarialAutoEncoder", {"score_type": "both", "activation": "sigmoid"}),
        ("ConditionalGAN", {"score_type": "discriminator"}),
        ("DeepSVDD", {"soft_boundary": True, "activation": "tanh"}),
        ("DevNet", {"two_sided": False}),
        ("GAN", {"score_type": "discriminator"}),
        ("SemiSupervisedGAN", {}),
    ],
)
def test_discriminators_and_other_scores_without_a_scale(name, params, rows):
    check_no_far_row_passes(make_detector(name, max_epochs=15, **params).fit(rows), rows)


@pytest.mark.parametrize("activation", [nn.Hardtanh, nn.ReLU6, nn.Softsign])
def test_bounded_activations_of_custom_modules(activation, rows):
    module = nn.Sequential(nn.Linear(5, 16, bias=False), activation())
    for name in ("DeepSVDD", "DeepSAD"):
        check_no_far_row_passes(make_detector(name, module=module).fit(rows), rows)


def test_scores_of_all_other_rows_are_unchanged(name, fitted, rows):
    detector = fitted(name)
    near = np.concatenate([make_rows(200, seed=3), 1.9 * rows]).astype(np.float32)
    expected = scores_of_the_method(detector, near)
    np.testing.assert_array_equal(detector.score_samples(near), expected)


@pytest.mark.parametrize("stem", ["pixels", "gradients"])
@pytest.mark.parametrize("name", IMAGE)
def test_images(name, stem):
    params = {"stem": stem} if "stem" in IMAGE[name]().get_params() else {}
    X = np.random.default_rng(0).random((40, 2, 16, 16), dtype=np.float32)
    detector = make_detector(name, max_epochs=1, **params).fit(X)
    shapes = [np.ones_like(X[0]), X[0] - 0.5, np.zeros_like(X[0])]
    shapes[2][1, 7, 7] = 1
    far = np.array([m * shape / shape.max() for m in (1e3, 1e10, 1e25) for shape in shapes])
    far = np.concatenate([far, -far])
    assert detector.score_samples(far).max() < detector.score_samples(X).min()
    assert (detector.predict(far) == -1).all()
    # Ordinary scores, also of images that are brighter, have no penalty.
    flat = np.concatenate([X, 1 - X, 1.5 * X]).reshape(120, -1)
    expected = scores_of_the_method(detector, flat)
    np.testing.assert_array_equal(detector.score_samples(flat), expected)


def test_explanations_of_far_images_are_the_terms_of_the_score():
    X = np.random.default_rng(0).random((40, 16, 16), dtype=np.float32)
    detector = make_detector("ConvAutoEncoder", stem="gradients").fit(X)
    far = X[:5].copy()
    far[:, 3, 4] = 1e6
    maps = detector.explain(far).reshape(5, -1)
    np.testing.assert_allclose(maps.sum(axis=1), -detector.score_samples(far), rtol=1e-5)
    assert (maps.argmax(axis=1) == 3 * 16 + 4).all()


def test_penalty_grows_with_the_distance(rows):
    detector = make_detector("DeepSVDD", activation="tanh").fit(rows)
    far = make_far(rows, multiples=(3, 5, 10, 100, 1e3, 1e6, 1e12)).reshape(7, -1, 5)
    scores = np.array([detector.score_samples(step) for step in far])
    assert (np.diff(scores, axis=0) < 0).all()


def test_explanations_add_up_for_far_rows(rows):
    detector = make_detector("DeepSVDD", activation="tanh").fit(rows)
    far = make_far(rows, multiples=(10,))
    reference = detector._reference[None]
    gap = detector.score_samples(reference) - detector.score_samples(far)
    np.testing.assert_allclose(detector.explain(far).sum(axis=1), gap, rtol=0.05)
    # The one column that is far out is blamed.
    assert (detector.explain(far)[:10].argmax(axis=1) == np.tile(np.arange(5), 2)).all()


@pytest.mark.parametrize("unit", [1e-25, 1e-10, 1e10, 1e16])
def test_any_unit_of_the_rows(unit, rows):
    X = rows * np.float64(unit)
    detector = make_detector("DeepSVDD", activation="tanh").fit(X)
    check_no_far_row_passes(detector, X, multiples=(10, 1e3, 1e15))


@pytest.mark.parametrize("value", [0.0, 1.0, 1e6])
def test_rows_that_are_all_equal(value):
    X = np.full((60, 5), value)
    detector = make_detector("DeepSVDD", activation="tanh").fit(X)
    np.testing.assert_array_equal(detector.predict(X), 1)
    assert detector.predict(np.full((1, 5), 1e25))[0] == -1


def test_rows_of_partial_fit_count(rows):
    detector = make_detector("DeepSVDD", activation="tanh").partial_fit(rows)
    far = make_far(rows, multiples=(10,))
    assert (detector.predict(far) == -1).all()
    detector.partial_fit(np.concatenate([rows, far]))
    expected = scores_of_the_method(detector, far)
    np.testing.assert_array_equal(detector.score_samples(far), expected)
    loaded = pickle.loads(pickle.dumps(detector))
    farther = 10 * far
    np.testing.assert_array_equal(
        loaded.score_samples(farther), detector.score_samples(farther)
    )
