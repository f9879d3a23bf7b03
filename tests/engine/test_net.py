"""Training: callbacks, optimisers, history."""

import pickle
import signal

import numpy as np
import pytest
import torch
from conftest import LABELLED, make_detector, make_rows
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)

from skdeepanomaly import engine
from skdeepanomaly.engine import AdversarialNet


def test_planned_stop_is_no_interrupt():
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise engine.StopTraining

    detector = make_detector("AutoEncoder", max_epochs=5, callbacks=[Stop()]).fit(make_rows(20))
    assert detector.n_epochs_ == 2


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
    # Eighty rows train; batches that hold anomalies anew in each, moved rows or negatives
    # are more.
    assert n_batches == 5 or name in LABELLED or hasattr(full, "n_moved") or name == "LUNAR"
    # The validation rows are one batch.
    assert Counting.heard["begin"] == Counting.heard["end"] == 3 * (n_batches + 1)
    assert Counting.heard["grad"] == 3 * n_batches * n_players
    np.testing.assert_array_equal(lean.score_samples(X), full.score_samples(X))
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(
            lean.history_[:, column], full.history_[:, column], rtol=1e-5, atol=1e-6
        )
    assert "valid_loss_best" in lean.history_[-1]


@pytest.mark.parametrize("callback", [Counting, CountingBatches])
def test_history_keeps_one_row_of_batches_an_epoch(name, callback):
    detector = make_detector(name, callbacks=[callback()], batch_size=16).fit(make_rows(100))
    assert [len(epoch["batches"]) for epoch in detector.history_] == [1, 1, 1]


def test_training_lowers_the_loss(name):
    detector = make_detector(name, lr=1e-2, max_epochs=40, train_split=0.2)
    detector.fit(make_rows(300))
    losses = detector.history_[:, "train_loss"]
    if not isinstance(detector.net_, AdversarialNet):  # a game has no loss that must fall
        # A row says little of its diffusion time.
        assert losses[-1] < (0.99 if name == "DTE" else 0.9) * losses[0]
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
    # Without a warm start, a pickle holds no moments.
    detector = make_detector("AutoEncoder", lr=1.5e-3, callbacks=schedule, warm_start=True)
    reloaded = pickle.loads(pickle.dumps(detector.fit(X))).partial_fit(X)
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
    ("optimizer", "params"),
    [
        (torch.optim.LBFGS, {"lr": 1.0, "optimizer__line_search_fn": "strong_wolfe"}),
        (torch.optim.SGD, {"lr": 0.1}),
        (torch.optim.RMSprop, {"lr": 1e-2}),
        (torch.optim.AdamW, {"lr": 1e-2}),
    ],
)
def test_optimizers(optimizer, params):
    X = make_rows(64)
    detector = make_detector("AutoEncoder", optimizer=optimizer, max_epochs=60, **params).fit(X)
    losses = detector.history_[:, "train_loss"]
    assert losses[-1] < 0.8 * losses[0]


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


class Reading(Callback):
    """Reads what may not be there."""

    def __init__(self, name):
        self.name = name

    def on_epoch_end(self, net, **kwargs):
        net.history[-1, self.name]


@pytest.mark.parametrize(
    "callback",
    [
        EarlyStopping(),
        EarlyStopping(monitor="my_score"),
        Checkpoint(),
        LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="valid_loss"),
        Reading("valid_loss"),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_callbacks_that_need_validation_rows_say_so(callback, tmp_path):
    if isinstance(callback, Checkpoint):
        callback.set_params(dirname=str(tmp_path))
    X = make_rows(40)
    detector = make_detector("AutoEncoder", callbacks=[callback])
    with pytest.raises(ValueError, match=r"not found in history.*need a train_split"):
        detector.fit(X)
    assert not hasattr(detector, "net_")
    if getattr(callback, "monitor", None) != "my_score":
        assert detector.set_params(train_split=0.2).fit(X).n_epochs_ == 3


def test_other_errors_of_callbacks_stay_as_they_are():
    class Failing(Callback):
        def on_epoch_end(self, net, **kwargs):
            {}["own"]

    with pytest.raises(KeyError, match="own"):
        make_detector("AutoEncoder", callbacks=[Failing()]).fit(make_rows(40))
