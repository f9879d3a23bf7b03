"""Settings of the documentation."""

from skdeepanomaly import __version__

project = "skdeepanomaly"
author = "the skdeepanomaly developers"
copyright = author
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
# The notebooks and scripts of the gallery are for download only.
exclude_patterns = ["_build", "_templates", "**/*.inc", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
autosummary_generate = True
# Docstrings say what a parameter takes, and are shorter.
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = f"skdeepanomaly {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "logo": {"text": "skdeepanomaly"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version", "theme-version"],
}
# These pages have no others below them, so that there is nothing to show at the left.
html_sidebars = {"index": [], "changelog": [], "contributing": []}
html_show_sourcelink = False

# What is copied can be pasted into Python or a shell: neither prompts nor outputs.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[/\\]plot_",
    # Other scripts write files or take arguments.
    "ignore_pattern": r"^(?!plot_)",
    "within_subsection_order": "ExampleTitleSortKey",
    "doc_module": ("skdeepanomaly",),
    "backreferences_dir": "generated/backreferences",
    "capture_repr": ("_repr_html_",),
    "show_signature": False,
    "thumbnail_size": (640, 400),
    "write_computation_times": False,
    "download_all_examples": False,
    "abort_on_example_error": True,
    # As many processes as ``sphinx -j``.
    "parallel": True,
}


def skip_foreign(app, what, name, member, skip, options):
    """Leave out what scikit-learn and torch document, and attributes, which have a section."""
    chosen = getattr(options, "members", None)
    if isinstance(chosen, list) and name in chosen:
        return None
    module = getattr(member, "__module__", None) or ""
    return skip or not module.startswith("skdeepanomaly")


def setup(app):
    """Register what this file adds to Sphinx."""
    app.connect("autodoc-skip-member", skip_foreign)
