"""Parameters of a detector and of skorch's components."""

import copy

import joblib
import numpy as np
import pytest
import torch
from conftest import DETECTORS, make_detector, make_rows, on_two_detectors
from skorch.callbacks import EarlyStopping
from torch import nn


def test_signature_docs_and_params_agree(name):
    cls = DETECTORS[name]
    params = cls().get_params()
    assert set(params) == set(cls._parameter_constraints)
    for param in [*params, "**component__param"]:
        assert f"\n{param}" in cls.__doc__, f"{param} is not documented"
    assert "%(" not in cls.__doc__


@on_two_detectors
def test_unknown_parameters_name_the_nearest_valid_one(name, rows):
    with pytest.raises(TypeError, match=r"'max_epoch'\. Did you mean 'max_epochs'\?"):
        DETECTORS[name](max_epoch=1)
    with pytest.raises(ValueError, match=r"'max_epoch' .*Did you mean 'max_epochs'\?"):
        make_detector(name).set_params(max_epoch=1)
    for wrong, right in [
        ("optimizer__weight_deacy", "optimizer__weight_decay"),
        ("optimzer__weight_decay", "optimizer__weight_decay"),
        ("iterator_train__shufle", "iterator_train__shuffle"),
        ("callbacks__print_lgo", "callbacks__print_log"),
    ]:
        detector = make_detector(name).set_params(**{wrong: 0})
        with pytest.raises(ValueError, match=f"'{wrong}'.*Did you mean '{right}'"):
            detector.fit(rows)


@pytest.mark.parametrize("component", ["module", "criterion", "optimizer"])
def test_unknown_parameter_of_a_component_is_refused(name, component, rows):
    detector = make_detector(name, **{f"{component}__nothing": 1})
    y = np.where(np.arange(len(rows)) < 5, -1, 1)
    with pytest.raises(ValueError, match=f"Invalid parameter '{component}__nothing'"):
        detector.fit(rows, y)


@on_two_detectors
def test_names_with_a_leading_underscore_are_no_parameters(name):
    with pytest.raises(TypeError, match="unexpected keyword argument '_optimizer__lr'"):
        DETECTORS[name](_optimizer__lr=1)
    with pytest.raises(ValueError, match="Invalid parameter '__dict__'"):
        DETECTORS[name]().set_params(__dict__=1)


# Numbers that parameters take, and what they stand for.
NUMBERS = [
    ("DeepOneClassSVM", {"n_fourier_features": np.uint8(9), "nu": np.float32(0.25)}),
    ("NeuTraL", {"temperature": np.float16(0.25), "latent_dim": np.int8(100)}),
    ("NeuTraL", {"temperature": 10**30}),
    ("DeepDiscriminativeClustering", {"relation_weight": 10**30, "n_clusters": np.uint8(2)}),
    ("AutoEncoder", {"batch_size": np.uint8(20), "lr": np.float32(0.125)}),
    ("AutoEncoder", {"contamination": np.longdouble(0.25), "dropout": np.float16(0.5)}),
]


@pytest.mark.parametrize(("name", "numbers"), NUMBERS)
def test_numbers_of_any_type(name, numbers, rows):
    plain = {n: float(v) if v % 1 else int(v) for n, v in numbers.items()}
    detector, expected = make_detector(name, **numbers), make_detector(name, **plain)
    scores = detector.fit(rows).score_samples(rows)
    np.testing.assert_array_equal(scores, expected.fit(rows).score_samples(rows))
    params = detector.get_params()
    assert all(params[n] is value for n, value in numbers.items())
    np.testing.assert_array_equal(
        detector.partial_fit(rows).score_samples(rows),
        expected.partial_fit(rows).score_samples(rows),
    )


@pytest.mark.parametrize(
    "number", [1e39, np.float64(1e300), pytest.param(10**400, id="10**400")]
)
@pytest.mark.parametrize(
    ("name", "param"), [("NeuTraL", "temperature"), ("GOAD", "eps"), ("DeepSVDD", "lr")]
)
def test_number_that_float32_does_not_hold(name, param, number, rows):
    with pytest.raises(ValueError, match=f"{param} is too large for float32.*, got 1"):
        make_detector(name, **{param: number}).fit(rows)


def test_nested_parameters_reach_their_components():
    detector = make_detector(
        "AutoEncoder",
        module__hidden_dims=(9,),
        optimizer__weight_decay=0.25,
        callbacks__print_log=None,
        iterator_train__shuffle=False,
    ).fit(make_rows(32))
    net = detector.net_
    assert net.module_.encoder[0].out_features == 9
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.25
    assert "print_log" not in dict(net.callbacks_)
    assert net.iterator_train__shuffle is False
    stopping = ("stop", EarlyStopping(monitor="train_loss", patience=5))
    detector = make_detector("AutoEncoder", callbacks=[stopping], callbacks__stop__patience=1)
    detector.fit(make_rows(32))
    assert dict(detector.net_.callbacks_)["stop"].patience == 1
    assert stopping[1].patience == 5


def test_fused_optimizer_unless_the_user_says_otherwise():
    X = make_rows(32)
    detector = make_detector("AutoEncoder").fit(X)
    assert detector.net_.optimizer_.param_groups[0]["fused"] is True
    detector.set_params(optimizer__foreach=True).fit(X)
    assert not detector.net_.optimizer_.param_groups[0]["fused"]


def test_module_instance_is_trained_from_where_it_stands():
    X = make_rows(64)
    trained = make_detector("AutoEncoder", lr=1e-2, max_epochs=50).fit(X)
    again = make_detector("AutoEncoder", module=trained.net_.module_, max_epochs=1).fit(X)
    # All rows are one batch: the first loss is the one that training ended with.
    first, *_, last = trained.history_[:, "train_loss"]
    assert again.history_[0, "train_loss"] == pytest.approx(last, rel=0.3)
    assert last < 0.5 * first


@pytest.mark.parametrize("value", [nn.Identity(), [3]])
def test_modules_and_callbacks_that_are_none(name, rows, value):
    params = {"callbacks": value} if isinstance(value, list) else {"module": value}
    with pytest.raises(ValueError, match=r"no parameters to train|callbacks must hold"):
        make_detector(name, **params).fit(rows)


def test_custom_module_with_a_wrong_output(name, rows):
    class Wrong(nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.linear = nn.Linear(n_features, n_features)

        def forward(self, x):
            return self.linear(x).reshape(-1)

    with pytest.raises(ValueError, match="module"):
        make_detector(name, module=Wrong).fit(rows)


def test_fit_leaves_parameters_alone(name, rows):
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0)
    module = make_detector(name).fit(rows).net_.module_
    before = copy.deepcopy(module.state_dict())
    detector = make_detector(name, callbacks=[("stop", stopping)], module=module)
    params = joblib.hash(detector.get_params())
    detector.fit(rows)
    assert joblib.hash(detector.get_params()) == params
    assert detector.callbacks == [("stop", stopping)]
    assert stopping.misses_ == 0
    assert detector.module is module
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])
