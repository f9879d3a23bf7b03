"""Arrows between the modules point one way, and an import stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skdeepanomaly

PACKAGE = Path(skdeepanomaly.__file__).parent

# What a module may import of the package; a name stands for the module or the folder.
ALLOWED = {
    "_version": set(),
    "networks": set(),
    "losses": {"networks"},
    "datasets": set(),
    "thresholds": {"thresholds", "utils"},
    "metrics": {"metrics", "utils"},
    "drift": {"drift", "meta", "utils"},
    "callbacks": {"callbacks", "engine", "utils"},
    "distributed": {"base", "callbacks", "distributed", "engine", "utils"},
    "engine": {"engine", "utils"},
    "utils": {"utils"},
    "base": {"_version", "base", "callbacks", "engine", "thresholds", "utils"},
    "detectors": {"base", "detectors", "engine", "losses", "networks", "utils"},
    "meta": {"meta", "metrics", "thresholds", "utils"},
    "persistence": {"_version", "engine", "persistence", "utils"},
    "plotting": {"metrics", "plotting", "utils"},
    "series": {"meta", "series", "thresholds", "utils"},
    "report": {
        "_version",
        "explain",
        "meta",
        "metrics",
        "report",
        "series",
        "tables",
        "utils",
    },
    "tables": {"tables", "utils"},
    "explain": {"utils"},
    "cli": {
        "_version",
        "cli",
        "explain",
        "meta",
        "metrics",
        "persistence",
        "report",
        "tables",
        "thresholds",
        "utils",
    },
    "__main__": {"cli"},
    "export": {
        "_version",
        "base",
        "detectors",
        "engine",
        "export",
        "meta",
        "series",
        "utils",
    },
    "__init__": {
        "_version",
        "callbacks",
        "detectors",
        "drift",
        "explain",
        "export",
        "meta",
        "metrics",
        "persistence",
        "plotting",
        "report",
        "series",
        "tables",
        "thresholds",
    },
}
# utils imports nothing of the package, but for discovery, late.
# PyOD's detectors draw from the generators that engine isolates.
ALLOWED_IN_FILES = {
    # The default members, late; and the contributions of members in pipelines.
    "meta/_ensemble.py": {"detectors", "explain", "meta", "thresholds", "utils"},
    "meta/_pyod.py": {"engine", "meta", "utils"},
    "utils/discovery.py": {"detectors", "meta", "series"},
}


# The families that a family of detectors may import; what they share lies beside them.
FAMILIES = {
    "adversarial": set(),
    "clustering": {"reconstruction"},
    "diffusion": set(),
    "image": {"adversarial", "clustering", "one_class", "reconstruction", "self_supervised"},
    "neighbors": set(),
    "one_class": {"reconstruction"},
    "reconstruction": set(),
    "residual": set(),
    "self_supervised": set(),
    "sequence": {"reconstruction"},
    "semi_supervised": {"adversarial", "one_class"},
}
# Files with plain torch.
PLAIN_TORCH = (
    "_frozen_layers.py",
    "_losses.py",
    "_networks.py",
    "_patches.py",
    "_stems.py",
)
FILES = sorted(PACKAGE.rglob("*.py"))
every_file = pytest.mark.parametrize(
    "path", FILES, ids=[path.relative_to(PACKAGE).as_posix() for path in FILES]
)


def imported_modules(path):
    """Return what a file imports of the package, as tuples such as ("detectors", "_gan")."""
    folder = path.relative_to(PACKAGE).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = folder[: len(folder) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {(*start, *name.split(".")) for name in names}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names]
            inside = [name for name in names if name.startswith("skdeepanomaly")]
            assert not inside, f"{path.name} imports {inside}: use relative imports"
    return found


@every_file
def test_arrows_point_one_way(path):
    inside = path.relative_to(PACKAGE)
    allowed = ALLOWED[inside.parts[0].removesuffix(".py")]
    allowed = allowed | ALLOWED_IN_FILES.get(inside.as_posix(), set())
    assert {module[0] for module in imported_modules(path)} <= allowed


@pytest.mark.parametrize("family", FAMILIES)
def test_families_import_few_others(family):
    for path in (PACKAGE / "detectors" / family).glob("*.py"):
        modules = [m for m in imported_modules(path) if m[0] == "detectors"]
        others = {module[1] for module in modules if not module[1].startswith("_")}
        assert others <= {family, *FAMILIES[family]}, path.name
        if path.name in PLAIN_TORCH:
            # Plain torch: no estimator, no detector.
            plain = {name.removesuffix(".py") for name in PLAIN_TORCH}
            assert {module[-1] for module in modules} <= plain, path.name
            assert {m[0] for m in imported_modules(path)} <= {"detectors", "losses", "networks"}


def test_every_family_has_its_arrows():
    folders = [path.name for path in (PACKAGE / "detectors").iterdir() if path.is_dir()]
    assert sorted(set(folders) - {"__pycache__"}) == sorted(FAMILIES)


def test_private_names_of_dependencies_stay_in_one_file():
    for path in PACKAGE.rglob("*.py"):
        if path.name == "_compat.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert "._" not in node.module, f"{path.name} imports {node.module}"


def test_optional_dependencies_are_imported_late():
    optional = ["matplotlib", "optuna", "pandas", "polars", "pyarrow", "pyod", "skrub"]
    optional += ["dask"]
    optional += ["onnx", "onnxruntime", "onnxscript", "river", "safetensors", "tqdm.auto"]
    code = (
        "import sys, sklearn, skorch, torch; before = set(sys.modules); import skdeepanomaly\n"
        f"assert not set({optional}) & (set(sys.modules) - before)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_exported():
    from skdeepanomaly.utils import all_detectors

    for name, detector in all_detectors():
        assert getattr(skdeepanomaly, name) is detector
        assert name in skdeepanomaly.__all__
    assert len(set(skdeepanomaly.__all__)) == len(skdeepanomaly.__all__)
