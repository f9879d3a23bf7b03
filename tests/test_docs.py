"""What the README and the guide show is what runs."""

import ast
import configparser
import inspect
import re
import subprocess
import sys
import warnings
from pathlib import Path
from pkgutil import resolve_name

import pytest
from numpydoc.validate import validate
from toy_detector import LinearAutoEncoder

import skdeepanomaly
from skdeepanomaly.base import BaseDeepDetector

ROOT = Path(__file__).parents[1]


def test_readme_quick_start_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(code) == 1
    namespace = {}
    exec(compile(code[0], "README.md", "exec"), namespace)
    detector = namespace["detector"]
    assert namespace["new"].shape == (5000, 54)
    assert 0.01 < (detector.predict(namespace["new"]) == -1).mean() < 0.1
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_readme_lists_every_detector():
    # The first table; the second one has what goes around a detector.
    table = (ROOT / "README.md").read_text().split("| tool |")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(listed) == [name for name, _ in skdeepanomaly.utils.all_detectors()]


def left_out_checks():
    """Read the checks that setup.cfg leaves out, with a reason for each."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    checks = settings["tool:numpydoc_validation"]["checks"].split()
    assert checks[0] == "all"
    return set(checks[1:])


def public_objects():
    """Name all that users see: functions, classes, and methods where they are defined."""
    found = {"skdeepanomaly.explain.explain_columns", "skdeepanomaly.distributed.fit_chunks"}
    modules = [
        skdeepanomaly,
        *(getattr(skdeepanomaly, n) for n in ("base", "tables", "metrics")),
    ]
    for module in [*modules, skdeepanomaly.utils]:
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            # The base's own parameters are described in each detector's docstring.
            if value is not BaseDeepDetector:
                found.add(f"{module.__name__}.{name}")
            for attribute in dir(value) if inspect.isclass(value) else ():
                method = getattr(value, attribute, None)
                inside = (getattr(method, "__module__", "") or "").startswith("skdeepanomaly")
                if inspect.isfunction(method) and inside and not attribute.startswith("_"):
                    found.add(f"{method.__module__}.{method.__qualname__}")
    return sorted(found)


@pytest.mark.parametrize("name", public_objects())
def test_docstrings_are_numpydoc(name):
    left_out = left_out_checks()
    errors = [error for error in validate(name)["errors"] if error[0] not in left_out]
    assert not errors


# Methods of detectors that read rows.
READING = re.compile(
    r"^(?!.*\.tables\.).*\.((partial_)?fit|(fit_)?predict|score_samples|decision_function)$"
)


@pytest.mark.parametrize("name", list(filter(READING.search, public_objects())))
def test_methods_that_read_rows_say_what_they_raise(name):
    assert "\nRaises\n------\n" in inspect.getdoc(resolve_name(name))


def examples_of_the_gallery():
    return sorted((ROOT / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", examples_of_the_gallery(), ids=lambda path: path.stem)
def test_examples_are_pages_of_the_gallery(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    title, underline, empty, text = docstring.split("\n", 3)
    assert underline == "=" * len(title)
    assert not title.endswith(".")
    assert not empty
    assert text


def test_every_detector_is_in_the_gallery():
    # So that the page of each one lists examples.
    used = set()
    for path in examples_of_the_gallery():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("skdeepanomaly"):
                used |= {alias.name for alias in node.names}
    assert {name for name, _ in skdeepanomaly.utils.all_detectors()} <= used


def test_every_example_is_in_the_guide_or_a_tutorial():
    shown = set()
    for page in (ROOT / "docs").glob("[tu]*/*.rst"):
        pictures = re.findall(r"sphx_glr_(\w+)_001\.png\n +:target: (\S+)\n", page.read_text())
        # The link of a picture leads to the example that made it.
        assert all(link == f"../auto_examples/{name}.html" for name, link in pictures)
        shown |= {name for name, _ in pictures}
    assert shown == {path.stem for path in examples_of_the_gallery()}


def test_toy_detector_of_the_guide_is_short():
    lines = (ROOT / "docs" / "toy_detector.py").read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", '"'))]
    assert len(code) < 60
    # A detector of a third party needs nothing private.
    assert not [line for line in code if "import" in line and "._" in line]
    assert "latent_dim" in LinearAutoEncoder.__doc__


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_quick_start_example(tmp_path):
    command = [sys.executable, ROOT / "examples" / "quickstart.py", tmp_path]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "same scores: True" in output
    rows = dict(re.findall(r"^(AutoEncoder|IsolationForest) +([\d.]+)", output, re.MULTILINE))
    # Scores at random would have 0.5.
    assert float(rows["AutoEncoder"]) > 0.6
    assert (tmp_path / "quickstart.png").stat().st_size > 10_000
    assert (tmp_path / "quickstart.joblib").exists()
    assert "<h1>Unusual loans</h1>" in (tmp_path / "quickstart.html").read_text("utf-8")


def test_notebook_repr_shows_parameters():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = skdeepanomaly.AutoEncoder(optimizer__weight_decay=0.5)
        html = detector._repr_html_()
    assert "optimizer__weight_decay" in html
    assert "optimizer__weight_decay=0.5" in repr(detector)
