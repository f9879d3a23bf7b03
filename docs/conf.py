"""Settings of the documentation."""

from skdeepanomaly import __version__

project = "skdeepanomaly"
author = "the skdeepanomaly developers"
version = release = __version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build", "**/*.inc"]
html_theme = "alabaster"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
doctest_global_setup = "import numpy as np"
plot_basedir = "../examples"
plot_formats = [("png", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
