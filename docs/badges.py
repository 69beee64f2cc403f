"""The badges of the README as one SVG: facts of pyproject.toml, so that none can be wrong or out of date."""

from __future__ import annotations

import html
import tomllib
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_CHARACTER, _MARGIN, _GAP, _HEIGHT = 6.6, 7, 6, 20
"""The width of a character, the space around a text and between two badges, and the height, in pixels."""


def badges() -> str:
    """Return the SVG. Its title is the text for screen readers."""
    drawn, left = [], 0.0
    for name, value in facts():
        parts, left = _badge(name, value, left)
        drawn.append(parts)
    title = html.escape(", ".join(f"{name} {value}" for name, value in facts()))
    size = f'width="{left - _GAP:g}" height="{_HEIGHT}"'
    font = 'font-family="DejaVu Sans,Verdana,sans-serif" font-size="11"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}><title>{title}</title>{"".join(drawn)}</svg>\n'


def facts() -> list[tuple[str, str]]:
    """Return the name and the value of each badge."""
    project = tomllib.loads(_PROJECT.read_text())["project"]
    classes = dict(each.rsplit(" :: ", 1) for each in project["classifiers"])
    return [
        ("version", project["version"]),
        ("status", classes["Development Status"].partition(" - ")[2].lower()),
        ("Python", project["requires-python"].replace(">=", "") + " or newer"),
        ("system", classes["Operating System :: POSIX"]),
        ("requires", ", ".join(each.partition(">")[0] for each in project["dependencies"])),
        ("licence", project["license"]),
    ]


def _badge(name: str, value: str, left: float) -> tuple[str, float]:
    """Return one badge that begins at ``left``, and where the next one begins."""
    parts = []
    for text, colour in ((name, "#4a5158"), (value, "#0b62a8")):
        width = round(len(text) * _CHARACTER + 2 * _MARGIN, 1)
        parts.append(f'<rect x="{left:g}" width="{width:g}" height="{_HEIGHT}" fill="{colour}"/>')
        parts.append(
            f'<text x="{left + width / 2:g}" y="14" fill="#fff" text-anchor="middle">{html.escape(text)}</text>'
        )
        left = round(left + width, 1)
    return "".join(parts), left + _GAP
