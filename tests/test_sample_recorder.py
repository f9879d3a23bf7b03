"""The recorder of samples sees the training, and the training does not see it."""

import pickle

import numpy as np
import pytest
import torch
from conftest import make_detector, make_rows
from sklearn.base import clone
from skorch.callbacks import Callback

from skdeepanomaly import BackupAndRestore, ConformalDetector, SampleRecorder

X = make_rows(80)
IMAGES = np.random.default_rng(0).uniform(size=(40, 8, 8)).astype(np.float32)


def recorder_of(detector):
    return next(c for _, c in detector.net_.callbacks_ if isinstance(c, SampleRecorder))


def weights(detector):
    net = detector.net_
    return [*net.module_.state_dict().values(), *net.criterion_.state_dict().values()]


class ListensToBatches(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


# Generators of every kind: GANs, auto-encoders, with dropout, and of images.
GENERATORS = [
    ("GAN", X, {"dropout": 0.2}),
    ("ConditionalGAN", X, {}),
    ("ALAD", X, {}),
    ("VariationalAutoEncoder", X, {}),
    ("AdversarialAutoEncoder", X, {"train_split": 0.2}),
    ("ConvGAN", IMAGES, {}),
    ("ConvVariationalAutoEncoder", IMAGES, {}),
]


@pytest.mark.parametrize(("name", "rows", "params"), GENERATORS)
@pytest.mark.parametrize("others", [[], [ListensToBatches()]], ids=["lean", "batches"])
def test_training_does_not_notice(name, rows, params, others):
    recorder = SampleRecorder([0, 1, 3], n_samples=4)
    bare = make_detector(name, callbacks=others, **params).fit(rows)
    watched = make_detector(name, callbacks=[recorder, *others], **params).fit(rows)
    assert all(map(torch.equal, weights(bare), weights(watched)))
    np.testing.assert_array_equal(watched.score_samples(rows), bare.score_samples(rows))
    assert watched.offset_ == bare.offset_
    recorded = recorder_of(watched)
    assert recorded.epochs_ == [0, 1, 3]
    assert {samples.shape for samples in recorded.samples_} == {(4, *rows.shape[1:])}
    # The codes are the same each time, and the last record is what the detector generates.
    np.testing.assert_array_equal(recorded.samples_[-1], watched.sample(4, random_state=0))
    assert not np.array_equal(recorded.samples_[0], recorded.samples_[1])
    # The recorder that was given stays as it was.
    assert vars(recorder) == {"epochs": [0, 1, 3], "n_samples": 4, "random_state": 0}


def test_records_are_those_of_shorter_fits():
    recorder = SampleRecorder([2], n_samples=3, random_state=5)
    long = make_detector("GAN", max_epochs=4, callbacks=[recorder]).fit(X)
    short = make_detector("GAN", max_epochs=2).fit(X)
    np.testing.assert_array_equal(
        recorder_of(long).samples_[0], short.sample(3, random_state=5)
    )


def test_global_random_states_stay():
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    make_detector("GAN", callbacks=[SampleRecorder([1])]).fit(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_pickles_hold_no_records():
    few, many = (
        make_detector("GAN", callbacks=[SampleRecorder([1, 2], n_samples=n)]).fit(X)
        for n in (1, 2000)
    )
    assert recorder_of(many).samples_[0].nbytes > 10_000
    sizes = [len(pickle.dumps(detector)) for detector in (few, many)]
    assert abs(sizes[1] - sizes[0]) < 100
    loaded = pickle.loads(pickle.dumps(many))
    np.testing.assert_array_equal(loaded.score_samples(X), many.score_samples(X))
    # A loaded detector goes on, with records of its own.
    loaded.set_params(max_epochs=1, callbacks=[SampleRecorder([4])]).partial_fit(X)
    assert recorder_of(loaded).epochs_ == [4]
    # Nothing holds the detector after a fit.
    assert recorder_of(many)._detector is None


def test_a_further_fit_begins_anew():
    detector = make_detector("GAN", callbacks=[SampleRecorder([0, 1, 4])])
    detector.fit(X).partial_fit(X)
    assert recorder_of(detector).epochs_ == [4]
    assert recorder_of(detector.fit(X)).epochs_ == [0, 1]
    assert recorder_of(clone(detector).fit(X)).epochs_ == [0, 1]


class Crash(Callback):
    armed = True

    def on_epoch_end(self, net, **kwargs):
        if Crash.armed and len(net.history) == 3:
            raise RuntimeError("crash")


def test_records_outlive_a_crash(tmp_path):
    def make(*callbacks):
        recorder = SampleRecorder([0, 1, 2, 4], n_samples=2)
        return make_detector("GAN", max_epochs=4, callbacks=[recorder, *callbacks])

    whole = recorder_of(make().fit(X))
    killed = make(Crash(), BackupAndRestore(tmp_path))
    with pytest.raises(RuntimeError, match="crash"):
        killed.fit(X)
    Crash.armed = False
    try:
        resumed = recorder_of(killed.fit(X))
    finally:
        Crash.armed = True
    assert resumed.epochs_ == whole.epochs_ == [0, 1, 2, 4]
    np.testing.assert_array_equal(resumed.samples_, whole.samples_)


def test_records_inside_of_a_meta_estimator():
    wrapped = ConformalDetector(make_detector("GAN", callbacks=[SampleRecorder([1])]))
    assert recorder_of(wrapped.fit(X).detector_).epochs_ == [1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 5}, r"epochs must hold integers of at least 0, such as .* got 5"),
        ({"epochs": [1, -1]}, r"got \[1, -1\]"),
        ({"epochs": [1.5]}, r"got \[1.5\]"),
        ({"n_samples": 0}, "n_samples must be an integer of at least 1, got 0"),
        ({"random_state": None}, "random_state must be an integer of at least 0, got None"),
    ],
)
def test_bad_parameters_of_a_recorder(params, message):
    recorder = SampleRecorder(**{"epochs": [1], **params})
    with pytest.raises(ValueError, match=message):
        make_detector("GAN", callbacks=[recorder]).fit(X)


def test_detectors_that_generate_nothing():
    detector = make_detector("AutoEncoder", callbacks=[SampleRecorder([1])])
    with pytest.raises(ValueError, match="needs a detector with sample, such as ConvGAN"):
        detector.fit(X)
