"""Renders a new settings file from its Jinja2 template under ``templates/``."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rootfs_trust.agents.settings import KINDS, plain_key
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.resources import resource


def render(values: Mapping[str, str], *, prefix: str = "") -> str:
    """A new settings file that sets ``values`` (dotted keys), with a comment on each.

    ``prefix`` is the table whose keys the file holds, where it holds those of one table alone. Raises InputError
    where jinja2 is missing.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise InputError(
            Trouble(
                "missing-package",
                "",
                "thin-edge.io's settings have to be rendered, which needs the Python package jinja2",
                "install jinja2 (Debian and Yocto: python3-jinja2)",
            )
        ) from error

    # The result is TOML, not markup; values are quoted by the filter below.
    environment = Environment(
        loader=FileSystemLoader(resource("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        kind = KINDS.get(plain_key(f"{prefix}.{key}" if prefix else key))
        tables.setdefault(table, []).append((name, value, kind.comment if kind else ""))
    return environment.get_template("thin-edge.toml.j2").render(tables=tables)
