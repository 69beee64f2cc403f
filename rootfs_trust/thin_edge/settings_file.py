"""One of thin-edge.io's settings files in the rootfs: parsed once, then queried and edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rootfs_trust.errors import CONFLICT, THIN_EDGE_TOML, ConflictError, InputError, refuse
from rootfs_trust.rootfs.view import Symlink, View, read
from rootfs_trust.thin_edge.key_renames import ALIASES, EMPTIED, VERSION, key_as_written, lookup, pending_renames
from rootfs_trust.thin_edge.new_file import render
from rootfs_trust.thin_edge.trust_settings import CLOUDS, Setting
from rootfs_trust.toml_editor import edit


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """``path`` has links resolved, ``name`` is for messages. ``text`` is None if the file does not exist.

    ``table`` is empty for tedge.toml. A mapper's file of 2.x contains the keys of one table, without its name.
    """

    name: str
    path: str
    text: str | None
    document: dict[str, Any]
    table: str = ""

    def key(self, setting: Setting) -> str:
        """Return the key of ``setting`` in this file."""
        return setting.key.removeprefix(f"{self.table}.") if self.table else key_as_written(self.document, setting.key)

    def content(self, chosen: list[Setting]) -> bytes | None:
        """Return the file with the settings ``chosen``, or None if it has them already. Raises InputError."""
        values = {self.key(setting): setting.value for setting in chosen}
        renames = {} if self.table else pending_renames(self.document)
        if not self.table and lookup(self.document, "config.version") in (None, "1"):
            values = {"config.version": VERSION, **values}
        if self.text is None:
            return render(self._with_cloud_type(values), prefix=self.table).encode()
        if not renames and all(lookup(self.document, key) == value for key, value in values.items()):
            return None
        return edit.edited(self.text, self.name, renames, EMPTIED, values).encode()

    def _with_cloud_type(self, values: dict[str, str]) -> dict[str, str]:
        """Add the cloud to a new mapper file. Custom mappers belong to no cloud."""
        cloud = self.table.partition(".")[0]
        return {"cloud_type": cloud, **values} if cloud in CLOUDS else values


def open_settings(view: View, name: str, table: str = "") -> SettingsFile:
    """Read the file ``name``. Raises InputError for malformed content, ConflictError for a dangling link."""
    path = view.real_path(name) if view.kind(name, follow=False) is Symlink else name
    if path is None:
        hint = "if the file is on a volume, set it there; else create it in the image"
        raise ConflictError(CONFLICT(name, "is a link to a path that is not in the rootfs", hint))
    data = read(view, path)
    try:
        text = None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise InputError(THIN_EDGE_TOML(name, "is not UTF-8 text", "TOML requires UTF-8")) from error
    if text is not None and text.startswith("\ufeff"):
        raise InputError(THIN_EDGE_TOML(name, "line 1 begins with a byte order mark", "save it without one"))
    document = {} if text is None else edit.parse(text, name)
    if not table:
        _check_version(name, document)
        _check_names(name, document)
    return SettingsFile(name, path, text, document, table)


def _check_version(name: str, document: dict[str, Any]) -> None:
    version = lookup(document, "config.version")
    if version is not None and not isinstance(version, str):
        message = f"config.version is {version!r}, and thin-edge.io needs a string there"
        raise InputError(THIN_EDGE_TOML(name, message, f'write version = "{VERSION}"'))


def _check_names(name: str, document: dict[str, Any]) -> None:
    """Raise InputError if one setting has two names in the file: thin-edge.io does not start with such a file."""
    problems = [
        THIN_EDGE_TOML(name, f"{old} and {new} are the old and the new name of one setting", "keep one of them")
        for old, new in pending_renames(document).items()
        if lookup(document, new) is not None
    ]
    problems += [
        THIN_EDGE_TOML(name, f"{key} and {alias} are two names of one setting", "keep one of them")
        for key, alias in ALIASES.items()
        if lookup(document, key) is not None and lookup(document, alias) is not None
    ]
    refuse(InputError, problems)
