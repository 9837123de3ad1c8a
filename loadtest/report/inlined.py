"""The parts that a page carries inside: style, scripts and the figures, so that it fetches nothing."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadtest.report.figure import Figure, literal


def inlined(figures: Sequence[Figure]) -> dict[str, Markup]:
    """Return by name what a template needs to draw *figures*."""
    return {
        "drawn": _json(figures),
        "style": part("style.css"),
        "script": part("draw.js"),
        "plotting": part("plot.js"),
    }


def templates() -> Environment:
    """Return where templates come from: all that is filled in is escaped, and nothing may be missing."""
    return Environment(
        loader=PackageLoader("loadtest.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _json(figures: Sequence[Figure]) -> Markup:
    """Return the figures as JSON that cannot end the script element it stands in."""
    shown = [replace(each, traces=literal(each.traces), layout=literal(each.layout)) for each in figures]
    text = orjson.dumps(shown).decode()
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(safe)  # noqa: S704 - all HTML characters are escaped


def part(name: str) -> Markup:
    """Return a file of the templates as it is, such as the style."""
    text = resources.files("loadtest.report").joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file
