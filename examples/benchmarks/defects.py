"""Benchmark of the detectors of images on textures with defects, and where these are.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/defects.py [--seeds 0,1,2] [--out FILE.rst]

There are two textures. That of ``make_texture_defects`` has another phase in each image, and
discs whose weave runs in another direction. That of ``plot_defects.py`` is nearly aligned, and
has scratches, stains and missing threads. A detector is fitted to textures without defects; the
AUROC of images is that of 60 images with a defect against 60 others, and the AUROC of pixels is
that over all pixels of the 60 images with a defect.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ConvAutoEncoder, PaDiM, PatchCore
from skdeepanomaly.datasets import make_texture_defects

sys.path.append(str(Path(__file__).parents[1]))
from plot_defects import make_texture, plant_defects

DETECTORS = {
    "ConvAutoEncoder, pixels": ConvAutoEncoder(stem="pixels"),
    "ConvAutoEncoder, gradients": ConvAutoEncoder(stem="gradients"),
    "PatchCore": PatchCore(),
    "PaDiM": PaDiM(),
}


def moving(n_train, seed):
    """Make textures of any phase: for training, without a defect, with one, and the masks."""
    X, _, masks = make_texture_defects(n_train + 60, 60, random_state=seed)
    return X[:n_train], X[n_train:-60], X[-60:], masks[-60:]


def aligned(n_train, seed):
    """Make textures that are nearly aligned, as ``moving`` does."""
    rng = np.random.default_rng(seed)
    train, good = make_texture(rng, n_train), make_texture(rng, 60)
    return train, good, *plant_defects(rng, make_texture(rng, 60))


TASKS = {
    "any phase, 60 images": (moving, 60),
    "any phase, 300 images": (moving, 300),
    "aligned, 60 images": (aligned, 60),
    "aligned, 300 images": (aligned, 300),
}


def judge(detector, train, good, bad, masks):
    """Return the AUROC of images and that of pixels."""
    detector.fit(train)
    scores = detector.score_samples(np.concatenate([good, bad]))
    maps = getattr(detector, "anomaly_map", detector.explain)(bad)
    is_bad = np.repeat([True, False], [len(good), len(bad)])
    return roc_auc_score(is_bad, scores), roc_auc_score(masks.ravel(), maps.ravel())


def main():
    """Print the table of AUROCs, or write it as a list-table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    lines = [".. list-table::", "    :header-rows: 1", "", "    * - detector"]
    lines += [f"      - {task}" for task in TASKS]
    for name, detector in DETECTORS.items():
        lines.append(f"    * - {name}")
        for make, n_train in TASKS.values():
            runs = [
                judge(detector.set_params(random_state=seed), *make(n_train, seed))
                for seed in seeds
            ]
            lines.append("      - {:.3f} / {:.3f}".format(*np.mean(runs, axis=0)))
            print(name, n_train, make.__name__, lines[-1].strip(" -"), flush=True)
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
