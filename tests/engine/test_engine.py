import copy
import pickle
import signal

import numpy as np
import pytest
import torch
from conftest import LABELLED, make_detector, make_rows
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import Dataset
from torch.utils.data import Subset

from skdeepanomaly import engine
from skdeepanomaly.detectors.adversarial import BiGANNetwork
from skdeepanomaly.detectors.reconstruction import ReconstructionLoss
from skdeepanomaly.engine import (
    AdversarialNet,
    AnnealedNet,
    DetectorNet,
    TensorLoader,
    isolated_rng,
    map_in_blocks,
)


def numbered_rows(n_rows, n_features=4):
    return np.repeat(np.arange(n_rows, dtype=np.float32)[:, None], n_features, axis=1)


def read_pass(loader):
    batches = [x for x, _ in loader]
    return [len(x) for x in batches], torch.cat(batches)[:, 0].numpy()


@pytest.fixture(params=["whole", "chunks"])
def buffer(request, monkeypatch):
    """Read either through one buffer, or through many small ones."""
    if request.param == "chunks":
        monkeypatch.setattr(engine, "CHUNK_BYTES", 16 * 5)
        monkeypatch.setattr(engine, "SHUFFLE_BUFFER_BYTES", 16 * 30)
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
    first, second = read_pass(loader)[1], read_pass(loader)[1]
    assert not np.array_equal(first, second)
    # The first rows come from all over the table.
    assert np.ptp(first[:30]) > 300


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


@pytest.mark.parametrize("label", [0, -1])
def test_a_share_of_anomalies_needs_anomalies_and_others(label):
    data = Dataset(numbered_rows(20), np.full(20, label, dtype=np.int8))
    loader = TensorLoader(data, 8, shuffle=True, anomaly_share=0.5)
    assert sorted(torch.cat([x[:, 0] for x, _ in loader]).tolist()) == list(range(20))


def test_planned_stop_is_no_interrupt():
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise engine.StopTraining

    detector = make_detector("AutoEncoder", max_epochs=5, callbacks=[Stop()]).fit(make_rows(20))
    assert detector.n_epochs_ == 2


def test_isolated_rng_repeats_and_restores():
    before = torch.get_rng_state()
    draws = []
    for _ in range(2):
        with isolated_rng(5):
            draws.append((torch.rand(3).tolist(), np.random.random()))
    assert draws[0] == draws[1]
    assert torch.equal(torch.get_rng_state(), before)


def test_blocks_fall_back_where_larger_ones_round_differently():
    sizes = []

    def score_rows(x):
        sizes.append(len(x))
        return x[:, 0] * (1 + 1e-6 * (len(x) > 64))

    X = numbered_rows(3000)
    np.testing.assert_array_equal(map_in_blocks(score_rows, X, "cpu"), X[:, 0])
    assert sizes.count(1024) == 1
    sizes.clear()
    map_in_blocks(lambda x: sizes.append(len(x)) or x[:, 0], X, "cpu")
    assert sizes.count(1024) == 2


def test_one_row_is_scored_in_the_smallest_block():
    sizes = []
    map_in_blocks(lambda x: sizes.append(len(x)) or x[:, 0], numbered_rows(1), "cpu")
    assert sizes == [64]


class Counting(Callback):
    """Counts what it hears; the batch hooks are heard only by its subclass."""

    heard: dict = {}

    def on_train_begin(self, net, **kwargs):
        Counting.heard = dict.fromkeys(["epoch_begin", "epoch_end", "begin", "end", "grad"], 0)

    def on_epoch_begin(self, net, **kwargs):
        Counting.heard["epoch_begin"] += 1

    def on_epoch_end(self, net, **kwargs):
        Counting.heard["epoch_end"] += 1


class CountingBatches(Counting):
    def on_batch_begin(self, net, **kwargs):
        Counting.heard["begin"] += 1

    def on_batch_end(self, net, **kwargs):
        Counting.heard["end"] += 1

    def on_grad_computed(self, net, named_parameters, **kwargs):
        assert all(p.grad is not None for _, p in named_parameters if p.requires_grad)
        Counting.heard["grad"] += 1


def test_lean_loop_equals_the_loop_with_batch_hooks(name):
    X = make_rows(100)
    params = {"train_split": 0.2, "batch_size": 16}
    lean = make_detector(name, callbacks=[Counting()], **params).fit(X)
    assert Counting.heard == {
        "epoch_begin": 3, "epoch_end": 3, "begin": 0, "end": 0, "grad": 0
    }  # fmt: skip
    full = make_detector(name, callbacks=[CountingBatches()], **params).fit(X)
    n_players = len(full.net_._optimizers)
    assert Counting.heard["epoch_end"] == 3
    n_batches = full.history_[-1]["train_batch_count"]
    # Eighty rows train; batches that hold anomalies anew in each are more.
    assert n_batches == 5 or name in LABELLED
    # The validation rows are one batch.
    assert Counting.heard["begin"] == Counting.heard["end"] == 3 * (n_batches + 1)
    assert Counting.heard["grad"] == 3 * n_batches * n_players
    np.testing.assert_array_equal(lean.score_samples(X), full.score_samples(X))
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(
            lean.history_[:, column], full.history_[:, column], rtol=1e-5
        )
    assert "valid_loss_best" in lean.history_[-1]


@pytest.mark.parametrize("callback", [Counting, CountingBatches])
def test_history_keeps_one_row_of_batches_an_epoch(name, callback):
    detector = make_detector(name, callbacks=[callback()], batch_size=16).fit(make_rows(100))
    assert [len(epoch["batches"]) for epoch in detector.history_] == [1, 1, 1]


def test_training_lowers_the_loss(name):
    detector = make_detector(name, max_epochs=40, train_split=0.2)
    detector.fit(make_rows(300))
    losses = detector.history_[:, "train_loss"]
    if not isinstance(detector.net_, AdversarialNet):  # a game has no loss that must fall
        assert losses[-1] < 0.9 * losses[0]
    assert np.isfinite(detector.history_[:, "valid_loss"]).all()


def learning_rate(detector):
    return detector.net_.optimizer_.param_groups[0]["lr"]


def test_schedulers(name):
    X = make_rows(64)
    by_epoch = [LRScheduler(policy="StepLR", step_size=1, gamma=0.1)]
    detector = make_detector(name, lr=1e-2, callbacks=by_epoch).fit(X)
    assert learning_rate(detector) == pytest.approx(1e-5)
    assert not detector.net_.listens_to_batches_
    by_batch = [LRScheduler(policy="StepLR", step_size=1, gamma=0.5, step_every="batch")]
    detector = make_detector(name, lr=1e-2, batch_size=16, callbacks=by_batch).fit(X)
    n_batches = detector.history_[-1]["train_batch_count"]
    assert learning_rate(detector) == pytest.approx(1e-2 * 0.5 ** (3 * n_batches), rel=1e-6)
    pickle.loads(pickle.dumps(detector)).partial_fit(X)


def test_partial_fit_after_pickling_goes_on_with_the_schedule():
    X = make_rows(64)
    schedule = [LRScheduler(policy="StepLR", step_size=1, gamma=0.5)]
    detector = make_detector("AutoEncoder", lr=1.5e-3, callbacks=schedule).fit(X)
    reloaded = pickle.loads(pickle.dumps(detector)).partial_fit(X)
    detector.partial_fit(X)
    assert learning_rate(reloaded) == learning_rate(detector) < 1.5e-3 / 32
    np.testing.assert_array_equal(reloaded.score_samples(X), detector.score_samples(X))


def test_gradient_clipping_and_epoch_scoring(name):
    X = make_rows(64)
    plain = make_detector(name).fit(X)

    def largest_weight(net, X, y=None):
        return max(p.abs().max().item() for p in net.module_.parameters())

    callbacks = [
        GradientNormClipping(1e-6),
        EpochScoring(largest_weight, name="largest", on_train=True, use_caching=False),
    ]
    clipped = make_detector(name, callbacks=callbacks, optimizer=torch.optim.SGD).fit(X)
    assert not np.array_equal(plain.score_samples(X), clipped.score_samples(X))
    assert len(clipped.history_[:, "largest"]) == 3


def test_batch_scoring_reads_the_output():
    def spread(net, X, y=None):
        return float(net.infer(torch.as_tensor(X)).detach().std())

    scoring = BatchScoring(spread, name="spread", on_train=True, use_caching=False)
    detector = make_detector("AutoEncoder", callbacks=[scoring]).fit(make_rows(64))
    assert len(detector.history_[:, "spread"]) == 3


@pytest.mark.parametrize(
    ("optimizer", "lr"),
    [
        (torch.optim.LBFGS, 1e-2),
        (torch.optim.SGD, 1e-2),
        (torch.optim.RMSprop, 1e-3),
        (torch.optim.AdamW, 1e-3),
    ],
)
def test_optimizers(optimizer, lr):
    X = make_rows(64)
    detector = make_detector("AutoEncoder", optimizer=optimizer, lr=lr, max_epochs=5).fit(X)
    losses = detector.history_[:, "train_loss"]
    assert losses[-1] < losses[0]


def test_fused_optimizer_unless_the_user_says_otherwise():
    X = make_rows(32)
    detector = make_detector("AutoEncoder").fit(X)
    assert detector.net_.optimizer_.param_groups[0]["fused"] is True
    detector.set_params(optimizer__foreach=True).fit(X)
    assert not detector.net_.optimizer_.param_groups[0]["fused"]


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


def test_early_stopping(name):
    stopping = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, load_best=True)
    X = make_rows(64)
    detector = make_detector(name, max_epochs=50, callbacks=[stopping]).fit(X)
    assert detector.n_epochs_ < 50
    assert np.sum(detector.predict(X) == -1) == 6


def test_checkpoint_loads_the_best_epoch(tmp_path):
    X = make_rows(64)
    # The learning rate breaks the network after the first epochs.
    schedule = LRScheduler(policy="ExponentialLR", gamma=30.0)
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=tmp_path, load_best=True)
    errors = [
        -make_detector("AutoEncoder", max_epochs=4, standardize_errors=False)
        .set_params(callbacks=callbacks)
        .fit(X)
        .score_samples(X)
        .mean()
        for callbacks in ([schedule], [schedule, checkpoint])
    ]
    assert errors[1] < 0.5 * errors[0]


class PressCtrlC(Callback):
    def __init__(self, epoch, explicit=False):
        self.epoch = epoch
        self.explicit = explicit

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            if self.explicit:
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_ctrl_c_leaves_a_usable_detector(name, method, explicit):
    X = make_rows(100)
    callbacks = [
        EarlyStopping(monitor="train_loss", patience=50),
        PressCtrlC(3, explicit=explicit),
    ]
    detector = make_detector(name, max_epochs=50, callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt):
        getattr(detector, method)(X)
    assert detector.n_epochs_ == 2
    assert np.sum(detector.predict(X) == -1) == 10
    pickle.loads(pickle.dumps(detector)).predict(X)


def test_players_have_their_own_optimisers():
    X = make_rows(64)
    detector = make_detector("BiGAN", max_epochs=1, batch_size=64)
    start = copy.deepcopy(
        detector.fit(X).set_params(module=detector.net_.module_).module.state_dict()
    )
    frozen = detector.set_params(optimizer_d__lr=0.0).fit(X).net_
    for key, value in frozen.module_.state_dict().items():
        assert torch.equal(value, start[key]) == key.startswith("discriminator")
    n_parameters = sum(
        len(group["params"])
        for optimizer in (frozen.optimizer_, frozen.optimizer_d_)
        for group in optimizer.param_groups
    )
    assert n_parameters == len(list(frozen.module_.parameters()))


@pytest.mark.parametrize("name", ["AdversarialAutoEncoder", "BiGAN"])
def test_a_changed_learning_rate_reaches_all_players(name):
    X = make_rows(60)
    detector = make_detector(name, max_epochs=1).fit(X).set_params(lr=1e-5).partial_fit(X)
    rates = {
        optimizer: getattr(detector.net_, f"{optimizer}_").param_groups[0]["lr"]
        for optimizer, _ in detector.net_.steps
    }
    tenth = {"optimizer_g": 1e-6} if name == "AdversarialAutoEncoder" else {}
    assert rates == pytest.approx({"optimizer": 1e-5, "optimizer_d": 1e-5, **tenth})


def test_training_that_goes_on_does_not_anneal_anew():
    shares = []

    class Listening(ReconstructionLoss):
        def begin_epoch(self, share):
            shares.append(share)

    params = {"train_split": None, "iterator_train": TensorLoader, "verbose": 0}
    net = AnnealedNet(torch.nn.Linear(5, 5), Listening, max_epochs=3, **params)
    X = make_rows(20)
    net.fit(X, None)
    net.set_params(max_epochs=6).partial_fit(X, None)
    assert shares == [0.0, 0.5, 1.0] + 6 * [1.0]


def test_frozen_parameters_stay():
    module = BiGANNetwork(5, (8,), 2)
    module.encoder[0].requires_grad_(False)
    before = module.encoder[0].weight.clone()
    callbacks = [GradientNormClipping(1.0)]
    detector = make_detector("BiGAN", module=module, callbacks=callbacks).fit(make_rows(40))
    assert torch.equal(detector.net_.module_.encoder[0].weight, before)
    assert not torch.equal(detector.net_.module_.encoder[2].weight, module.encoder[2].weight)


def test_validation_rows_go_where_the_network_is():
    module = torch.nn.Linear(2, 2)
    net = DetectorNet(module, ReconstructionLoss, device="meta").initialize()
    assert net.validation_step((torch.ones(3, 2), None))["loss"].device.type == "meta"


def test_grid_search_over_each_players_learning_rate():
    def discriminator_rate(detector, X, y=None):
        return detector.net_.optimizer_d_.param_groups[0]["lr"]

    grid = {"optimizer_d__lr": [1e-4, 2e-3], "optimizer__lr": [1e-3]}
    search = GridSearchCV(
        make_detector("BiGAN", max_epochs=1), grid, scoring=discriminator_rate, cv=2
    )
    search.fit(make_rows(40))
    assert search.best_params_ == {"optimizer_d__lr": 2e-3, "optimizer__lr": 1e-3}
    assert search.best_estimator_.net_.optimizer_.param_groups[0]["lr"] == 1e-3
    assert "discriminator_loss" in search.best_estimator_.history_[-1]


def test_module_instance_is_trained_from_where_it_stands():
    X = make_rows(64)
    trained = make_detector("AutoEncoder", max_epochs=30).fit(X)
    again = make_detector("AutoEncoder", module=trained.net_.module_, max_epochs=1).fit(X)
    first = trained.history_[0, "train_loss"]
    assert again.history_[0, "train_loss"] < 0.5 * first
