"""Pickles of detectors, and files of skops: what they hold, and what loading runs."""

import copy
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
import torch
from conftest import KINDS, LABELLED, make_detector

from skdeepanomaly import AutoEncoder
from skdeepanomaly.engine import DetectorNet, pack, unpack

EXPORTED_AS_FITTED = [*(name for name in KINDS if name not in LABELLED), "LUNAR"]


def reloaded(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("name", EXPORTED_AS_FITTED)
def test_a_list_of_skops_shows_all_types(name, fitted, rows):
    content = skops.io.dumps(fitted(name))
    types = skops.io.get_untrusted_types(data=content)
    loaded = skops.io.loads(content, trusted=types)
    np.testing.assert_array_equal(loaded.score_samples(rows), fitted(name).score_samples(rows))
    np.testing.assert_array_equal(loaded.explain(rows[:9]), fitted(name).explain(rows[:9]))
    # Arrays and the list; bytes would be a member of their own.
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert {os.path.splitext(each)[1] for each in names} == {".json", ".npy"}
    places = ("skdeepanomaly.", "skorch.", "torch.nn.", "torch.optim.", "builtins.print")
    # The search of LUNAR.
    places += ("sklearn.neighbors.", "sklearn.metrics._dist_metrics.")
    assert all(each.startswith(places) for each in types)


def test_nets_unpickle_nothing_inside(fitted, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    state = fitted("AutoEncoder").net_.__getstate__()
    assert not [value for value in state.values() if isinstance(value, bytes)]
    # Where skorch looks for what torch made.
    state["__cuda_dependent_attributes__"] = pickle.dumps({"module_": Payload()})
    net = DetectorNet.__new__(DetectorNet)
    net.__setstate__(state)
    assert not (tmp_path / "hacked").exists()
    assert isinstance(net.module_, torch.nn.Module)


def test_members_of_a_file_of_skops_run_nothing(fitted, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    content = skops.io.dumps(fitted("AutoEncoder"))
    types = skops.io.get_untrusted_types(data=content)
    archive, changed = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(changed, "w") as target:
        for each in archive.namelist():
            is_array = each.endswith(".npy")
            target.writestr(each, pickle.dumps(Payload()) if is_array else archive.read(each))
    assert skops.io.get_untrusted_types(data=changed.getvalue()) == types
    with pytest.raises(ValueError, match="pickle"):
        skops.io.loads(changed.getvalue(), trusted=types)
    assert not (tmp_path / "hacked").exists()


def test_classes_of_modules_are_modules():
    with pytest.raises(TypeError, match="no class of a torch module"):
        unpack({"torch.nn.Module": os.mkdir, "state": {}})


@pytest.mark.parametrize("name", ["AutoEncoder", "DevNet", "GAN", "DeepEmbeddedClustering"])
def test_moments_are_kept_where_training_goes_on(name, rows):
    plain = make_detector(name).fit(rows)
    warm = make_detector(name, warm_start=True).fit(rows)
    partial = make_detector(name).partial_fit(rows)
    assert len(pickle.dumps(plain)) < 0.75 * len(pickle.dumps(warm))
    for detector in (warm, partial):
        again = reloaded(detector).partial_fit(rows)
        np.testing.assert_array_equal(
            again.score_samples(rows), detector.partial_fit(rows).score_samples(rows)
        )
    assert plain.net_.optimizer_.state
    loaded = reloaded(plain)
    assert not loaded.net_.optimizer_.state
    n_epochs = loaded.n_epochs_
    assert loaded.partial_fit(rows).n_epochs_ == 2 * n_epochs
    # The detector itself goes on with its moments, and so does a copy.
    np.testing.assert_array_equal(
        copy.deepcopy(plain).partial_fit(rows).score_samples(rows),
        plain.partial_fit(rows).score_samples(rows),
    )


def test_fresh_moments_train_as_well(rows):
    """The loss goes on falling after loading, by as much as with the old moments."""
    falls = []
    for seed in range(3):
        detector = AutoEncoder(hidden_dims=(16,), lr=0.01, max_epochs=20, random_state=seed)
        before = detector.fit(rows).history_[-1]["train_loss"]
        both = [each.partial_fit(rows) for each in (reloaded(detector), detector)]
        falls.append([1 - each.history_[-1]["train_loss"] / before for each in both])
    fresh, kept = np.mean(falls, axis=0)
    assert kept > 0.1
    assert fresh > 0.8 * kept


def test_lbfgs_goes_on_after_loading(rows):
    settings = {"optimizer": torch.optim.LBFGS, "optimizer__line_search_fn": "strong_wolfe"}
    detector = make_detector("AutoEncoder", warm_start=True, **settings).fit(rows)
    again = reloaded(detector)
    np.testing.assert_array_equal(
        again.fit(rows).score_samples(rows), detector.fit(rows).score_samples(rows)
    )


class Stateful(torch.nn.Module):
    """A module of a user's own, with all kinds of attributes."""

    def __init__(self, n_features):
        super().__init__()
        self.inner = torch.nn.Linear(n_features, n_features)
        self.tied = self.inner
        self.weights = [self.inner.weight, {"bias": self.inner.bias}]
        self.register_buffer("turned", torch.arange(6.0).reshape(2, 3).T, persistent=False)
        self.half = torch.ones(3, dtype=torch.bfloat16)
        self.frozen = torch.nn.Parameter(torch.zeros(2), requires_grad=False)
        self.empty = torch.empty(0, 3)
        self.settings = {"name": "any", "size": (1, 2)}

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("again", [reloaded, copy.deepcopy, lambda m: unpack(pack(m))])
def test_modules_with_any_attributes(again):
    module = Stateful(3)
    loaded = again(pack(module)) if again is reloaded else again(module)
    loaded = unpack(loaded) if isinstance(loaded, dict) else loaded
    assert loaded.tied is loaded.inner
    assert loaded.weights[0] is loaded.inner.weight
    assert loaded.weights[1]["bias"] is loaded.inner.bias
    assert loaded.half.dtype == torch.bfloat16
    assert not loaded.frozen.requires_grad
    assert loaded.inner.weight.requires_grad
    assert loaded.settings == module.settings
    assert loaded.turned.stride() == module.turned.stride()
    assert loaded.empty.shape == (0, 3)
    assert loaded.state_dict().keys() == module.state_dict().keys()
    assert all(map(torch.equal, loaded.parameters(), module.parameters()))
    assert torch.equal(loaded.turned, module.turned)
    x = torch.randn(5, 3)
    assert torch.equal(loaded(x), module(x))


def test_own_modules_are_pickled_in_a_net(rows):
    detector = AutoEncoder(module=Stateful, max_epochs=1, random_state=0).fit(rows)
    loaded = reloaded(detector)
    np.testing.assert_array_equal(loaded.score_samples(rows), detector.score_samples(rows))
    assert loaded.net_.module_.tied is loaded.net_.module_.inner


class Named(torch.nn.Linear):
    """A module that says itself how it is pickled."""

    def __reduce__(self):
        return Named, (self.in_features, self.out_features)


def test_modules_that_pickle_themselves_are_left_as_they_are():
    module = torch.nn.Sequential(Named(2, 3))
    packed = pack(module)
    assert packed["state"]["_modules"]["0"] is module[0]
    assert type(reloaded(unpack(packed))[0]) is Named
