"""Seeds, and protection of the global random states."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

from ..utils.randomness import RNG_LOCK
from ..utils.types import RandomState
from ._defaults import torch_defaults


def draw_seed(random_state: RandomState, n_calls: int = 0) -> int:
    """Return a seed, without a draw from the global generator of numpy.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Source of the seed. With None the seed comes from the operating system.
    n_calls : int, default=0
        Number of earlier calls with this ``random_state``; each number gives another seed.

    Returns
    -------
    seed : int
        The seed, below 2**32.
    """
    entropy = None
    if random_state is not None:
        entropy = [check_random_state(random_state).randint(np.iinfo(np.int32).max), n_calls]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def rng_states(device: str) -> list[torch.Tensor]:
    """Return the states of the torch generators that training on a device uses."""
    place = torch.device(device)
    states = [torch.get_rng_state()]
    if place.type == "cuda":
        states.append(torch.cuda.get_rng_state(place))
    elif place.type == "mps":
        states.append(torch.mps.get_rng_state())
    return states


def set_rng_states(states: list[torch.Tensor], device: str) -> None:
    """Restore the states that :func:`rng_states` returned."""
    place = torch.device(device)
    torch.set_rng_state(states[0])
    if place.type == "cuda":
        torch.cuda.set_rng_state(states[1], place)
    elif place.type == "mps":
        torch.mps.set_rng_state(states[1])


def _seed_torch(seed: int, device: str) -> None:
    """Seed the generators of :func:`rng_states` only; torch.manual_seed seeds all devices."""
    place = torch.device(device)
    torch.random.default_generator.manual_seed(seed)
    if place.type == "cuda":
        index = torch.cuda.current_device() if place.index is None else place.index
        torch.cuda.default_generators[index].manual_seed(seed)
    elif place.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def isolated_rng(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed all global generators for a block, and restore their states after it.

    Inside the block torch has its default settings, see :func:`torch_defaults`.

    Parameters
    ----------
    seed : int
        Seed of the generators inside the block, below 2**32.
    device : str, default="cpu"
        Device of the computations in the block. If it is a GPU (cuda or mps), its generator is
        seeded and restored, too.
    """
    with RNG_LOCK, torch_defaults():
        torch_states = rng_states(device)
        numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
        try:
            _seed_torch(seed, device)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield
        finally:
            set_rng_states(torch_states, device)
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
