"""The page: a template of jinja2 with its style, its script and the content in it."""

import base64
import hashlib
import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

# What would end a block of script, or begin another element, whatever a browser makes of it.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
FRAME_HEIGHT = 720


def render(content: dict) -> str:
    """Return a report as one HTML document that needs no other file.

    Parameters
    ----------
    content : dict
        As ``make_content`` returns it.

    Returns
    -------
    page : str

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    template = _template()
    script = _read("report.js")
    digest = hashlib.sha256(script.encode()).digest()
    data = {name: value for name, value in content.items() if name != "detector_html"}
    return template.render(
        content,
        style=_safe(_read("report.css")),
        script=_safe(script),
        # Browsers run this script and no other, and load nothing.
        script_hash=base64.b64encode(digest).decode(),
        data=_safe(to_json_block(data)),
    )


def to_json_block(data: dict) -> str:
    """Return JSON that may stand between the tags of a script."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text


def in_frame(page: str) -> str:
    """Return a page as an element of a notebook, whose styles do not mix with it."""
    return (
        '<iframe title="Anomaly report" style="width: 100%; border: 0"'
        f' height="{FRAME_HEIGHT}" sandbox="allow-scripts allow-downloads"'
        f' allow="clipboard-write" srcdoc="{html.escape(page)}"></iframe>'
    )


@cache
def _template() -> Any:
    """Return the compiled template, which takes longer to make than to fill."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise ImportError(
            "Reports are written with jinja2, which is not installed:"
            ' pip install "skdeepanomaly[report]".'
        ) from error
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_read("template.html.jinja"))


def _safe(text: str) -> str:
    from markupsafe import Markup

    return Markup(text)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
