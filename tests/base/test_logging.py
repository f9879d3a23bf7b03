"""The logger gets what ``verbose`` prints, and only where it is enabled."""

import logging

import numpy as np
import pytest

from skdeepanomaly import AutoEncoder, DeepEmbeddedClustering

X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def records(caplog):
    caplog.set_level(logging.INFO, logger="skdeepanomaly")
    return caplog


def test_nothing_is_logged_or_printed_by_default(caplog, capfd):
    AutoEncoder(max_epochs=2, random_state=0).fit(X)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("skdeepanomaly").handlers


def test_each_epoch_is_logged_with_its_losses(records, capfd):
    detector = AutoEncoder(max_epochs=3, train_split=0.2, random_state=0).fit(X)
    first, *epochs = records.messages
    assert first == "AutoEncoder: 3 epochs on cpu"
    for message, epoch in zip(epochs, detector.history_, strict=True):
        assert message.startswith(f"AutoEncoder: epoch {epoch['epoch']} ")
        for name in ("train_loss", "valid_loss"):
            assert f" {name}={epoch[name]:.4g} " in message
        assert f" seconds={epoch['dur']:.4f}" in message
    assert capfd.readouterr() == ("", "")


def test_log_and_table_of_epochs_agree(records, capfd):
    detector = AutoEncoder(max_epochs=2, verbose=2, random_state=0).fit(X)
    printed = capfd.readouterr().out
    for loss in detector.history_[:, "train_loss"]:
        assert f"{loss:.4f}" in printed
        assert any(f"train_loss={loss:.4g} " in message for message in records.messages)


def test_log_and_bar_work_together(records, capfd):
    AutoEncoder(max_epochs=2, verbose=1, random_state=0).fit(X)
    assert "2/2" in capfd.readouterr().err
    assert len(records.messages) == 3


def test_phases_and_continued_training_are_logged(records):
    detector = DeepEmbeddedClustering(
        n_clusters=2, max_epochs=2, pretrain_epochs=3, random_state=0
    )
    detector.fit(X)
    begins = [message for message in records.messages if " epochs on " in message]
    assert begins == [
        "DeepEmbeddedClustering, phase 1 of 2: 3 epochs on cpu",
        "DeepEmbeddedClustering, phase 2 of 2: 2 epochs on cpu",
    ]
    records.clear()
    detector = AutoEncoder(max_epochs=1, random_state=0).partial_fit(X).partial_fit(X)
    epochs = [message for message in records.messages if ": epoch " in message]
    assert [message.split()[2] for message in epochs] == ["1", "2"]


def test_log_changes_no_scores(records):
    logged = AutoEncoder(max_epochs=2, random_state=0).fit(X)
    records.set_level(logging.WARNING, logger="skdeepanomaly")
    silent = AutoEncoder(max_epochs=2, random_state=0).fit(X)
    np.testing.assert_array_equal(logged.score_samples(X), silent.score_samples(X))
