"""Renders a new settings file from the Jinja2 template in ``templates/``."""

from __future__ import annotations

from collections.abc import Mapping

from rootfs_trust.rendering.packaged_templates import packaged_template
from rootfs_trust.thin_edge.trust_settings import CLOUDS, KINDS, plain_key


def render(values: Mapping[str, str], *, prefix: str = "") -> str:
    """Return a new settings file that sets ``values`` (dotted keys), with a comment on each.

    ``prefix`` is the table whose keys the file contains, if it contains only those of one table. Raises InputError if
    jinja2 is missing.
    """
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        kind = KINDS.get(plain_key(f"{prefix}.{key}" if prefix else key))
        tables.setdefault(table, []).append((name, value, kind.comment if kind else ""))
    by_tedge = not prefix or prefix.partition(".")[0] in CLOUDS
    template = packaged_template("thin-edge.toml.j2", "thin-edge.io's settings have to be rendered")
    return template.render(tables=tables, by_tedge=by_tedge)
