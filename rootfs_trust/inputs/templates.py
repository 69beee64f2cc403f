"""Read the templates that a config names: files on the host, or templates included in the package."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from rootfs_trust.errors import TEMPLATE, InputError, Problem
from rootfs_trust.inputs.config import RenderTable
from rootfs_trust.inputs.files import InputRecord, is_special, private_key, read_file, used
from rootfs_trust.resources import resource


class Template(NamedTuple):
    """The template of a ``[[render]]``: its file name, and the text in it."""

    table: RenderTable
    name: str
    text: str

    @property
    def used(self) -> InputRecord:
        """The file that the text was read from; for an included template only its name."""
        return used("template", self.name, self.text.encode())


def read_templates(tables: Iterable[RenderTable]) -> tuple[list[Template], list[Problem]]:
    """Return the template of each of ``tables``, and a problem for each that cannot be read."""
    templates: list[Template] = []
    problems: list[Problem] = []
    for table in tables:
        try:
            templates.append(read_template(table))
        except InputError as error:
            problems += error.problems
    return templates, problems


def read_template(table: RenderTable) -> Template:
    """Read the template of ``[[render]]``. Raises InputError."""
    path = table.template if os.path.isabs(table.template) else _packaged_template(table)
    try:
        if is_special(path):  # opening a FIFO would block
            raise ValueError("it is not a regular file")
        data = read_file(path)
        if problem := private_key(path, data):
            raise InputError(problem)
        return Template(table, os.path.basename(path), data.decode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else reason
        message = f"{table.key}.template {table.template} cannot be read: {reason}"
        raise InputError(TEMPLATE(table.where, message, "its path is relative to the config")) from error


def _packaged_template(table: RenderTable) -> str:
    folder = os.path.join(resource("templates"), "agents")
    files = {name.partition(".")[0]: name for name in sorted(os.listdir(folder))}
    if table.template not in files:
        message = f"{table.key}.template: unknown template {table.template}"
        raise InputError(TEMPLATE(table.where, message, f"included templates: {', '.join(files)}"))
    return os.path.join(folder, files[table.template])
