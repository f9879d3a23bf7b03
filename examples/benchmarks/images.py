"""Benchmark of the detectors of images, one class against the rest.

usage: OMP_NUM_THREADS=1 python examples/benchmarks/images.py RESULTS.csv DATA ...
           [--detectors "ConvAutoEncoder;..."] [--seeds 0,1,2] [--classes 0,1,...]
           [--out FILE.rst]
       OMP_NUM_THREADS=1 python examples/benchmarks/images.py --cost

DATA is ``digits`` (8 x 8, in scikit-learn), an .npz file with square images X, flat or not, and
classes y, or a file of images in the format of MNIST, such as
train-images-idx3-ubyte.gz, with train-labels-idx1-ubyte.gz beside it, as
torchvision.datasets.MNIST downloads them.

For each class and seed a detector is fitted to the images of the class among a random 80 % of
all images, and the AUROC is that of the class against all others among the other 20 %.
RESULTS.csv gets one line for each run; runs that are already in the file are not repeated.
``--cost`` measures the time of a training step beside a plain loop of torch on the same module,
and the memory of scoring 10,000 images.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import gzip
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from skdeepanomaly import (
    AutoEncoder,
    ConvAutoEncoder,
    ConvBiGAN,
    ConvDeepSVDD,
    ConvGAN,
    ConvVariationalAutoEncoder,
    DeepSVDD,
    DenoisingAutoEncoder,
    RandomShift,
)
from skdeepanomaly.detectors.image import GradientStem

FIELDS = ["detector", "data", "class", "seed", "auroc", "fit_s", "score_s"]


class Neighbors(BaseEstimator):
    """The distance to the nearest training image, in pixels or in oriented gradients."""

    def __init__(self, gradients=False):
        self.gradients = gradients

    def _features(self, X):
        rows = X.reshape(len(X), -1)
        if not self.gradients:
            return rows
        return GradientStem((1, *X.shape[1:]))(torch.from_numpy(rows)).numpy()

    def fit(self, X):
        self.neighbors_ = NearestNeighbors(n_neighbors=1).fit(self._features(X))
        return self

    def score_samples(self, X):
        return -self.neighbors_.kneighbors(self._features(X))[0][:, 0]


class Components(BaseEstimator):
    """The error of the reconstruction from principal components."""

    def __init__(self, n_components=20):
        self.n_components = n_components

    def fit(self, X):
        self.pca_ = PCA(self.n_components, random_state=0).fit(X.reshape(len(X), -1))
        return self

    def score_samples(self, X):
        rows = X.reshape(len(X), -1)
        rebuilt = self.pca_.inverse_transform(self.pca_.transform(rows))
        return -np.square(rows - rebuilt).mean(axis=1)


class OnRows(BaseEstimator):
    """A tabular detector on flattened images."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X):
        self.detector.fit(X.reshape(len(X), -1))
        return self

    def score_samples(self, X):
        return self.detector.score_samples(X.reshape(len(X), -1))


# Functions of the seed.
DETECTORS = {
    "neighbour, pixels": lambda seed: Neighbors(),
    "neighbour, gradients": lambda seed: Neighbors(gradients=True),
    "PCA 20": lambda seed: Components(),
    "AutoEncoder": lambda seed: OnRows(AutoEncoder(random_state=seed)),
    "AutoEncoder, plain errors": lambda seed: OnRows(
        AutoEncoder(standardize_errors=False, random_state=seed)
    ),
    "DenoisingAutoEncoder": lambda seed: OnRows(
        DenoisingAutoEncoder(standardize_errors=False, random_state=seed)
    ),
    "DeepSVDD": lambda seed: OnRows(DeepSVDD(random_state=seed)),
    "ConvAutoEncoder": lambda seed: ConvAutoEncoder(random_state=seed),
    "ConvAutoEncoder, pixels": lambda seed: ConvAutoEncoder(stem="pixels", random_state=seed),
    "ConvAutoEncoder, gradients": lambda seed: ConvAutoEncoder(
        stem="gradients", random_state=seed
    ),
    "ConvAutoEncoder, shifts": lambda seed: ConvAutoEncoder(
        augmentation=RandomShift(1), random_state=seed
    ),
    "ConvAutoEncoder, noise": lambda seed: ConvAutoEncoder(noise_std=0.3, random_state=seed),
    "ConvVariationalAutoEncoder": lambda seed: ConvVariationalAutoEncoder(random_state=seed),
    "ConvDeepSVDD": lambda seed: ConvDeepSVDD(random_state=seed),
    "ConvGAN": lambda seed: ConvGAN(random_state=seed),
    "ConvGAN, discriminator": lambda seed: ConvGAN(
        score_type="discriminator", random_state=seed
    ),
    "ConvGAN, 10 steps": lambda seed: ConvGAN(query_steps=10, random_state=seed),
    "ConvBiGAN": lambda seed: ConvBiGAN(random_state=seed),
}


def read_idx(path):
    """Read an array from a file in the format of MNIST."""
    opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    with opened as file:
        raw = file.read()
    n_axes = raw[3]
    shape = np.frombuffer(raw, ">i4", n_axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def read(source):
    """Return images (n, height, width) in [0, 1] and their classes."""
    if source == "digits":
        digits = load_digits()
        X, y = digits.images / 16, digits.target
    elif source.endswith(".npz"):
        data = np.load(source)
        X, y = data["X"], data["y"]
    else:
        path = Path(source)
        y = read_idx(path.with_name(path.name.replace("images-idx3", "labels-idx1")))
        X = read_idx(path)
    if X.ndim == 2:
        side = round(X.shape[1] ** 0.5)
        X = X.reshape(len(X), side, side)
    return X.astype(np.float32) / (255 if X.dtype == np.uint8 else 1), y


def measure(make, X, y, number, seed):
    """Return AUROC, and the seconds of fit and of scoring, for one class."""
    order = np.random.default_rng(seed).permutation(len(X))
    test, train = np.split(order, [len(X) // 5])
    detector = make(seed)
    start = time.perf_counter()
    detector.fit(X[train[y[train] == number]])
    fitted = time.perf_counter()
    scores = detector.score_samples(X[test])
    done = time.perf_counter()
    auroc = roc_auc_score(y[test] == number, scores)
    return {"auroc": auroc, "fit_s": fitted - start, "score_s": done - fitted}


def summarize(rows):
    """Return a table in reStructuredText with means by detector and data."""
    sources = sorted({row["data"] for row in rows})
    header = ["detector"]
    for source in sources:
        header += [f"{source}: AUROC", "lowest class", "seeds", "s a fit", "ms an image"]
    lines = [
        ".. list-table:: One class against the rest",
        "    :header-rows: 1",
        "",
        "    * - " + "\n      - ".join(header),
    ]
    for name in [name for name in DETECTORS if any(row["detector"] == name for row in rows)]:
        cells = [name]
        for source in sources:
            own = [r for r in rows if r["detector"] == name and r["data"] == source]
            if not own:
                cells += ["--"] * 5
                continue
            by_class = {}
            for row in own:
                by_class.setdefault(row["class"], []).append(float(row["auroc"]))
            means = [np.mean(values) for values in by_class.values()]
            n_test = {"digits": 359}.get(source, 2000)
            cells += [
                f"{np.mean(means):.3f}",
                f"{min(means):.3f}",
                str(len({row["seed"] for row in own})),
                f"{np.mean([float(r['fit_s']) for r in own]):.1f}",
                f"{1e3 * np.mean([float(r['score_s']) for r in own]) / n_test:.2f}",
            ]
        lines.append("    * - " + "\n      - ".join(cells))
    return "\n".join(lines)


def seconds(function, *args):
    """Return the CPU seconds of a call."""
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def plain_loop(detector, X, n_epochs):
    """Train the module of a fitted detector as a plain loop of torch does."""
    module, criterion = detector.net_.module_.train(), detector.net_.criterion_
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-4, fused=True)
    rows = torch.from_numpy(X.reshape(len(X), -1))
    for _ in range(n_epochs):
        for batch in torch.randperm(len(rows)).split(64):
            x = rows[batch]
            optimizer.zero_grad()
            criterion(module(x), x).backward()
            optimizer.step()
    module.eval()


def memory_of_scoring(make, shape):
    """Return by how many MiB scoring 10,000 images raises the peak of a process."""
    torch.set_num_threads(1)
    X = np.random.default_rng(0).random((10_000, *shape), dtype=np.float32)
    detector = make(max_epochs=1, random_state=0).fit(X[:200])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    detector.score_samples(X)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def report_cost():
    """Print the time of training beside a plain loop, and the memory of scoring."""
    rng = np.random.default_rng(0)
    for shape in ((28, 28), (3, 32, 32), (64, 64)):
        X = rng.random((1280, *shape), dtype=np.float32)
        for stem in ("pixels", "gradients"):
            params = {"stem": stem, "batch_size": 64, "random_state": 0}
            detector = ConvAutoEncoder(max_epochs=1, **params).fit(X)
            ratios = []
            for _ in range(3):
                short, long = (
                    seconds(ConvAutoEncoder(max_epochs=n, **params).fit, X) for n in (1, 4)
                )
                plain = seconds(plain_loop, detector, X, 3)
                ratios.append((long - short) / plain)
            step = 1e3 * plain / 60
            print(
                f"{shape} {stem}: {np.median(ratios):.2f} x a plain loop ({step:.1f} ms a step)"
            )
    # Each in a process of its own, because a process does not forget its peak.
    context = multiprocessing.get_context("spawn")
    for make in (ConvAutoEncoder, ConvVariationalAutoEncoder, ConvDeepSVDD, ConvGAN, ConvBiGAN):
        for shape in ((28, 28), (3, 32, 32)):
            with context.Pool(1) as pool:
                grown = pool.apply(memory_of_scoring, (make, shape))
            print(f"{make.__name__} {shape}: {grown:.0f} MiB more at the peak of scoring")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path)
    parser.add_argument("data", nargs="*")
    parser.add_argument("--detectors", default=";".join(DETECTORS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--classes", default="0,1,2,3,4,5,6,7,8,9")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.cost:
        report_cost()
        return
    if args.results is None:
        parser.error("RESULTS.csv and DATA are needed, or --cost")
    rows = []
    if args.results.exists():
        with args.results.open(newline="") as file:
            rows = list(csv.DictReader(file))
    done = {(r["detector"], r["data"], r["class"], r["seed"]) for r in rows}
    images = {source: read(source) for source in args.data}
    with args.results.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for seed in args.seeds.split(","):
            for source, (X, y) in images.items():
                label = "digits" if source == "digits" else "MNIST"
                for name in args.detectors.split(";"):
                    for number in args.classes.split(","):
                        if (name, label, number, seed) in done:
                            continue
                        result = measure(DETECTORS[name], X, y, int(number), int(seed))
                        row = {"detector": name, "data": label, "class": number, "seed": seed}
                        row |= result
                        writer.writerow(row)
                        file.flush()
                        rows.append({k: str(v) for k, v in row.items()})
    print(table := summarize(rows))
    if args.out is not None:
        args.out.write_text(table + "\n")


if __name__ == "__main__":
    main()
