"""Seeds, and global generators that stay as they were."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from conftest import global_states, make_detector
from skorch.callbacks import Callback

from skdeepanomaly.engine import isolated_rng
from skdeepanomaly.utils.randomness import kept_numpy_state


def test_isolated_rng_repeats_and_restores():
    before = torch.get_rng_state()
    draws = []
    for _ in range(2):
        with isolated_rng(5):
            draws.append((torch.rand(3).tolist(), np.random.random()))
    assert draws[0] == draws[1]
    assert torch.equal(torch.get_rng_state(), before)


def test_states_are_put_back_after_blocks_in_several_threads():
    def draw_and_wait(ready, end):
        with kept_numpy_state():
            np.random.random()
            ready.set()
            end.wait(9)

    def start():
        ready, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=draw_and_wait, args=(ready, end))
        thread.start()
        return thread, ready, end

    before = global_states()
    (first, ready, first_end), (second, also_ready, second_end) = start(), start()
    assert ready.wait(9)
    assert also_ready.wait(9)
    first_end.set()
    first.join()
    second_end.set()
    second.join()
    assert global_states() == before
    with isolated_rng(5):
        # This one waits for the end of the block, whose seed is none of the user's.
        thread, ready, end = start()
        ready.wait(0.2)
    end.set()
    thread.join()
    assert global_states() == before


@pytest.mark.parametrize("random_state", [0, None])
def test_global_generators_are_left_alone(name, rows, random_state):
    before = global_states()
    detector = make_detector(name, random_state=random_state, train_split=0.2).fit(rows)
    detector.partial_fit(rows)
    detector.predict(rows)
    assert global_states() == before


def test_global_generators_are_left_alone_when_fit_raises(name, rows):
    class Fail(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("on purpose")

    before = global_states()
    with pytest.raises(RuntimeError, match="on purpose"):
        make_detector(name, callbacks=[Fail()]).fit(rows)
    assert global_states() == before


def test_import_leaves_global_generators_alone():
    code = (
        "import random, numpy as np, torch\n"
        "def states():\n"
        "    return random.getstate(), np.random.get_state()[1].tolist(), "
        "torch.get_rng_state().tolist()\n"
        "before = states()\n"
        "import skdeepanomaly\n"
        "assert states() == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
