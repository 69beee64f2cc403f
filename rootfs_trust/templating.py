"""The templates that come with the package, under ``templates/``, as Jinja2 reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.resources import resource

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Template


def shipped_template(name: str, purpose: str) -> Template:
    """The template ``templates/NAME``. Raises InputError, saying what needs jinja2 (``purpose``), where it is missing.

    What is put into HTML is escaped; into TOML it is put by the filter ``toml``, which quotes.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    except ImportError as error:
        hint = "install jinja2 (Debian and Yocto: python3-jinja2)"
        message = f"{purpose}, which needs the Python package jinja2"
        raise InputError(Trouble("missing-package", "", message, hint)) from error
    environment = Environment(
        loader=FileSystemLoader(resource("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=select_autoescape(("html.j2",)),
    )
    environment.filters["toml"] = as_toml
    environment.filters["md"] = as_markdown
    environment.filters["day"] = day
    return environment.get_template(name)


def as_toml(text: str) -> str:
    """``text`` as a basic string of TOML: JSON's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


_ESCAPED = {ord(char): f"\\{char}" for char in "\\`*_{}[]()#+!|~"}
_MARKDOWN = _ESCAPED | {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}


def as_markdown(text: str) -> str:
    """``text`` as Markdown that shows just it: nothing in it is markup, and it stays on its line."""
    return "".join(char if char.isprintable() else " " for char in text).translate(_MARKDOWN)


def day(time: datetime | None) -> str:
    """The date of ``time``, a question mark for one that could not be read."""
    return "?" if time is None else f"{time:%Y-%m-%d}"
