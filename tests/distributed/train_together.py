"""Train detectors in one of several processes: the program of a test, for torchrun."""

import sys
from pathlib import Path

import joblib
import numpy as np
import torch.distributed as dist
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, BiGAN, DeepSVDD, VariationalAutoEncoder
from skdeepanomaly.distributed import fit_chunks

# Plain steps, a pre-training with centres, a game of two optimisers, random codes.
DETECTORS = {
    "AutoEncoder": AutoEncoder(),
    "DeepSVDD": DeepSVDD(pretrain_epochs=10),
    "BiGAN": BiGAN(),
    "VariationalAutoEncoder": VariationalAutoEncoder(),
}
# Those whose ranking is compared over several seeds; of the others one training is enough.
RANKED = ["AutoEncoder", "DeepSVDD"]
N_PROCESSES, N_PASSES = 2, 50


def make_rows_of(seed):
    """Draw normal rows, sorted by their four clusters, and new rows with their labels."""
    rng = np.random.default_rng(seed)
    centers = 3 * rng.normal(size=(4, 6))
    mix = rng.normal(size=(4, 2, 6))

    def draw(n):
        kinds = np.sort(rng.integers(4, size=n))
        flat = np.einsum("ni,nij->nj", rng.normal(size=(n, 2)), mix[kinds])
        return centers[kinds] + flat + 0.1 * rng.normal(size=(n, 6))

    X, new = draw(2000), draw(1000)
    new[900:] = rng.permuted(new[900:], axis=0)
    return X, new, np.repeat([1, -1], [900, 100])


def main(folder):
    """Train on the rows of half of the clusters, together with the other process."""
    dist.init_process_group("gloo")
    rank = dist.get_rank()

    def train(name, detector, X):
        chunks = np.array_split(np.array_split(X, N_PROCESSES)[rank], 5)
        pipeline = make_pipeline(StandardScaler(), detector)
        fit_chunks(pipeline, chunks, n_passes=N_PASSES, process_group=dist.group.WORLD)
        joblib.dump(pipeline, folder / f"{name}, {rank}")

    for name, detector in DETECTORS.items():
        for seed in range(3 if name in RANKED else 1):
            X, _, _ = make_rows_of(seed)
            train(f"{name} {seed}", clone(detector).set_params(random_state=seed), X)
    train("without a seed", AutoEncoder(), make_rows_of(0)[0])
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
