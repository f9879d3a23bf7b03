"""Add the number in ``SEED_SHIFT`` to every integer seed in this process.

Python imports a module of this name when it starts. ``--seed-shift`` puts this folder on
the path, so that a process which a test starts draws the same numbers as the test.
"""

import functools
import os
import sys
from numbers import Integral

import numpy as np
import sklearn.utils
import torch

SHIFT = int(os.environ["SEED_SHIFT"])


def shifted(function):
    """Return the function with its first argument, ``seed``, shifted if it is an integer."""

    @functools.wraps(function)
    def call(seed=None, *args, **kwargs):
        if isinstance(seed, Integral):
            # The largest seed of numpy's RandomState is 2**32 - 1.
            seed = (int(seed) + SHIFT) % 2**32
        return function(seed, *args, **kwargs)

    return call


for function in (np.random.default_rng, sklearn.utils.check_random_state, torch.manual_seed):
    name, replacement = function.__name__, shifted(function)
    # Modules that were imported before may hold the function under its name, too.
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is function:
            setattr(module, name, replacement)
