"""Train detectors in one of several processes: the program of a test, for torchrun."""

import sys
from pathlib import Path

import joblib
import numpy as np
import torch.distributed as dist
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder, BiGAN, DeepSVDD, VariationalAutoEncoder
from skdeepanomaly.distributed import fit_chunks

# Plain steps, a pre-training with centres, a game of two optimisers, random codes.
DETECTORS = {
    "AutoEncoder": AutoEncoder(max_epochs=20, random_state=0),
    "DeepSVDD": DeepSVDD(pretrain_epochs=10, max_epochs=20, random_state=0),
    "BiGAN": BiGAN(max_epochs=20, random_state=0),
    "VariationalAutoEncoder": VariationalAutoEncoder(max_epochs=20, random_state=0),
    "without a seed": AutoEncoder(max_epochs=1),
}
N_PROCESSES = 2


def make_rows_of(seed):
    """Draw normal rows, sorted by their four clusters, and new rows with their labels."""
    rng = np.random.default_rng(seed)
    centers = 3 * rng.normal(size=(4, 6))
    mix = rng.normal(size=(4, 2, 6))

    def draw(n):
        kinds = np.sort(rng.integers(4, size=n))
        flat = np.einsum("ni,nij->nj", rng.normal(size=(n, 2)), mix[kinds])
        return centers[kinds] + flat + 0.1 * rng.normal(size=(n, 6))

    X, new = draw(4000), draw(1000)
    new[900:] = rng.permuted(new[900:], axis=0)
    return X, new, np.repeat([1, -1], [900, 100])


def main(folder):
    """Train on the rows of half of the clusters, together with the other process."""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    for name, detector in DETECTORS.items():
        X, _, _ = make_rows_of(0)
        chunks = np.array_split(np.array_split(X, N_PROCESSES)[rank], 5)
        pipeline = make_pipeline(StandardScaler(), detector)
        fit_chunks(pipeline, chunks, n_passes=20, process_group=dist.group.WORLD)
        joblib.dump(pipeline, folder / f"{name}, {rank}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
