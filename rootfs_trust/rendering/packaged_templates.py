"""Load the Jinja2 templates of the package, from ``templates/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rootfs_trust.errors import MISSING_PACKAGE, InputError
from rootfs_trust.resources import resource
from rootfs_trust.text import as_markdown, as_toml, printable

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Template


def packaged_template(name: str, purpose: str) -> Template:
    """Load the template ``templates/NAME``. Raises InputError with ``purpose`` if jinja2 is missing.

    Values are escaped in HTML, and quoted by the filter ``toml`` in TOML. All values are made printable
    (:mod:`rootfs_trust.text`).
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    except ModuleNotFoundError as error:
        hint = "install rootfs-trust[settings], or jinja2 (Debian and Yocto: python3-jinja2)"
        raise InputError(MISSING_PACKAGE("", f"{purpose}, which needs the Python package jinja2", hint)) from error
    environment = Environment(
        loader=FileSystemLoader(resource("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=select_autoescape(("html.j2",)),
        # A filter of Jinja2 marks text as safe that this function has already escaped.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters["toml"] = as_toml
    environment.filters["md"] = as_markdown
    environment.filters["day"] = day
    return environment.get_template(name)


def day(time: datetime | None) -> str:
    """Return the date of ``time``, or a question mark if it could not be parsed."""
    return "?" if time is None else str(time.date())
