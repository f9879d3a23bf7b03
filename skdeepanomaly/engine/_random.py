"""Seeds, and global random states that stay as they were."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

# torch's, numpy's and Python's default generators belong to the process: two fits in
# two threads must not draw from them in turn.
_RNG_LOCK = threading.RLock()


def draw_seed(random_state, n_calls: int = 0) -> int:
    """Draw a seed; numpy's global generator is not touched.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        With None the seed is fresh entropy.
    n_calls : int, default=0
        Seeds of further calls with the same ``random_state`` differ.

    Returns
    -------
    seed : int
    """
    entropy = None
    if random_state is not None:
        entropy = [check_random_state(random_state).randint(np.iinfo(np.int32).max), n_calls]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@contextmanager
def isolated_rng(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed all global generators for the block and put their states back after it.

    Parameters
    ----------
    seed : int
        Seed of the generators inside the block, below 2**32.
    device : str
        Where the block computes; the generator of a CUDA device is isolated, too.
    """
    place = torch.device(device)
    cuda = []
    if place.type == "cuda":
        cuda = [torch.cuda.current_device() if place.index is None else place.index]
    with _RNG_LOCK, torch.random.fork_rng(devices=cuda):
        numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
        try:
            # torch.manual_seed would also seed the GPUs that fork_rng does not restore.
            torch.random.default_generator.manual_seed(seed)
            for index in cuda:
                torch.cuda.default_generators[index].manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
